//! What a checkpoint's user must agree with: atlas, ROI order, time base, and who was seen in training.

use serde::{Deserialize, Serialize};

use crate::RunError;

/// Everything beside the weights that using them takes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// Name of the model: `brainmae`.
    pub model: String,
    /// Its config, every default written out.
    pub model_config: serde_json::Value,
    /// Optimiser steps behind the weights.
    pub step: u64,
    /// Data that the model was trained on and fits.
    pub data: DataCard,
    /// Hash of the split into training, validation and test side.
    pub split_sha256: String,
    /// Subjects whose scans the weights have seen; barred from the test folds of anything that uses them.
    pub pretraining_subjects: Vec<String>,
    /// Scans that the weights have seen.
    pub pretraining_scans: Vec<String>,
}

impl Card {
    /// Whether these weights belong to the model `model` with `config`: shapes alone do not tell, SG's fit AG.
    ///
    /// # Errors
    /// [`RunError::Mismatch`] names the first field that differs.
    pub fn check_model(&self, model: &str, config: &serde_json::Value) -> Result<(), RunError> {
        let differ = |field: String, found: String, expected: String| {
            Err(RunError::Mismatch {
                field,
                found,
                expected,
                hint: "use the config that the checkpoint was trained with",
            })
        };
        if self.model != model {
            return differ("the model".into(), model.into(), self.model.clone());
        }
        let empty = serde_json::Map::new();
        let fields = |value: &serde_json::Value| value.as_object().unwrap_or(&empty).clone();
        let (mine, theirs) = (fields(&self.model_config), fields(config));
        for (field, expected) in &mine {
            let found = theirs.get(field).unwrap_or(&serde_json::Value::Null);
            if found != expected {
                return differ(
                    format!("model.{field}"),
                    found.to_string(),
                    expected.to_string(),
                );
            }
        }
        Ok(())
    }
}

/// The data side of a [`Card`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DataCard {
    /// Data set.
    pub dataset: String,
    /// Hash of the prepared data set.
    pub dataset_sha256: String,
    /// Atlas, with its version.
    pub atlas: String,
    /// Hash of the atlas.
    pub atlas_sha256: String,
    /// ROI names in the model's order.
    pub rois: Vec<String>,
    /// Time between volumes.
    pub dt_secs: f64,
    /// Volumes of a segment.
    pub segment_len_trs: usize,
    /// Segments of a sample.
    pub n_segments: usize,
    /// Cleaning that the signal went through, in order; the last step is the normalisation.
    pub cleaning: Vec<String>,
}

impl DataCard {
    /// Whether a model with this card may be used on `data`.
    ///
    /// # Errors
    /// [`RunError::Mismatch`] names the first thing that differs: atlas, a ROI, time base, segment length or cleaning.
    pub fn check(&self, data: &DataCard) -> Result<(), RunError> {
        let differ = |field: &str, found: String, expected: String, hint| {
            Err(RunError::Mismatch {
                field: String::from(field),
                found,
                expected,
                hint,
            })
        };
        let prepare = "prepare the data with the checkpoint's atlas";
        if self.rois.len() != data.rois.len() {
            let count = |card: &DataCard| format!("{} ({} ROIs)", card.atlas, card.rois.len());
            return differ("the atlas", count(data), count(self), prepare);
        }
        if let Some(i) = (0..self.rois.len()).find(|&i| self.rois[i] != data.rois[i]) {
            let name = |card: &DataCard| format!("{} of {}", card.rois[i], card.atlas);
            let mut sorted = [self.rois.clone(), data.rois.clone()];
            sorted.iter_mut().for_each(|rois| rois.sort());
            let hint = if sorted[0] == sorted[1] {
                "the ROIs are the same in another order: prepare the data in the checkpoint's order"
            } else {
                prepare
            };
            return differ("the first differing ROI", name(data), name(self), hint);
        }
        if self.atlas_sha256 != data.atlas_sha256 {
            let (found, expected) = (data.atlas.clone(), self.atlas.clone());
            return differ("the atlas", found, expected, prepare);
        }
        if (self.dt_secs - data.dt_secs).abs() > 1e-6 {
            let [found, expected] = [data, self].map(|card| format!("{} s", card.dt_secs));
            return differ(
                "dt_secs",
                found,
                expected,
                "resample the data to the checkpoint's dt",
            );
        }
        if self.segment_len_trs != data.segment_len_trs {
            let [found, expected] = [data, self].map(|card| card.segment_len_trs.to_string());
            return differ(
                "segment_len_trs",
                found,
                expected,
                "use the checkpoint's segment_secs",
            );
        }
        if self.cleaning != data.cleaning {
            let [found, expected] = [data, self].map(|card| card.cleaning.join(", "));
            return differ(
                "the cleaning",
                found,
                expected,
                "clean the data as the checkpoint's were",
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card() -> DataCard {
        DataCard {
            atlas: "schaefer 100".into(),
            atlas_sha256: "a".into(),
            rois: ["vis", "mot", "def"].map(String::from).into(),
            dt_secs: 0.72,
            segment_len_trs: 21,
            ..DataCard::default()
        }
    }

    fn message(data: DataCard) -> String {
        card().check(&data).expect_err("a difference").to_string()
    }

    #[test]
    fn a_model_of_another_kind_or_config_is_named() {
        let card = Card {
            model: "brainmae".into(),
            model_config: serde_json::json!({"tse": "static", "n_heads": 4}),
            ..Card::default()
        };
        assert!(card.check_model("brainmae", &card.model_config).is_ok());
        let adaptive = serde_json::json!({"tse": "adaptive", "n_heads": 4});
        let error = card
            .check_model("brainmae", &adaptive)
            .expect_err("another");
        assert!(
            error.to_string().contains("model.tse is \"adaptive\""),
            "{error}"
        );
        assert!(card.check_model("another", &card.model_config).is_err());
    }

    #[test]
    fn the_same_data_fit() {
        assert!(card().check(&card()).is_ok());
    }

    #[test]
    fn every_difference_is_named() {
        let swapped = ["mot", "vis", "def"].map(String::from).into();
        let other_order = message(DataCard {
            rois: swapped,
            ..card()
        });
        assert!(other_order.contains("mot of schaefer 100"), "{other_order}");
        assert!(other_order.contains("another order"), "{other_order}");

        let renamed = ["vis", "mot", "lim"].map(String::from).into();
        let other_roi = message(DataCard {
            rois: renamed,
            ..card()
        });
        assert!(other_roi.contains("prepare the data with the checkpoint's atlas"));

        let fewer = message(DataCard {
            rois: vec!["vis".into()],
            ..card()
        });
        assert!(
            fewer.contains("(1 ROIs)") && fewer.contains("(3 ROIs)"),
            "{fewer}"
        );

        let slower = message(DataCard {
            dt_secs: 0.8,
            ..card()
        });
        assert!(
            slower.contains("0.8 s here, 0.72 s in the checkpoint"),
            "{slower}"
        );
    }
}
