//! Which ROIs are hidden. True means hidden, false visible, here and everywhere.

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use crate::PretrainError;

/// Settings of masking and of the loss that it defines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MaskConfig {
    /// Share of ROIs hidden.
    pub ratio: Ratio,
    /// Weight of the hidden ROIs in the loss; the visible ones have the rest.
    pub lambda: f64,
}

/// Share of ROIs hidden in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Ratio {
    /// `"off"`: a plain autoencoder, an ablation.
    Off(Off),
    /// The same share in every batch.
    Fixed(f64),
    /// Drawn anew for every batch, uniformly between the two.
    Uniform([f64; 2]),
}

/// The word `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Off {
    /// No ROI is hidden.
    Off,
}

impl Default for MaskConfig {
    fn default() -> Self {
        Self {
            ratio: Ratio::Uniform([0.0, 0.8]),
            lambda: 0.75,
        }
    }
}

impl MaskConfig {
    /// # Errors
    /// [`PretrainError::Config`] for shares outside 0..1 or out of order.
    pub fn check(&self) -> Result<(), PretrainError> {
        let fail = |field, found: String, expected: &str| {
            Err(PretrainError::Config {
                field,
                found,
                expected: expected.to_string(),
            })
        };
        let [low, high] = self.ratio.bounds();
        if !(0.0 <= low && low <= high && high < 1.0) {
            let found = format!("[{low}, {high}]");
            return fail(
                "mask.ratio",
                found,
                "\"off\", a number or [low, high] within 0..1",
            );
        }
        if !(0.0..=1.0).contains(&self.lambda) {
            return fail(
                "mask.lambda",
                self.lambda.to_string(),
                "a number within 0..1",
            );
        }
        Ok(())
    }
}

impl Ratio {
    /// The smallest and the largest share.
    pub fn bounds(&self) -> [f64; 2] {
        match *self {
            Ratio::Off(_) => [0.0; 2],
            Ratio::Fixed(ratio) => [ratio; 2],
            Ratio::Uniform(bounds) => bounds,
        }
    }

    /// The share of one batch.
    pub fn draw(&self, rng: &mut impl Rng) -> f64 {
        let [low, high] = self.bounds();
        low + (high - low) * rng.random::<f64>()
    }
}

/// In each of `segments` its own random set of `round(ratio * rois)` ROIs: `[segments, rois]`, appended to `hidden`.
pub fn draw_mask(
    segments: usize,
    rois: usize,
    ratio: f64,
    rng: &mut impl Rng,
    hidden: &mut Vec<bool>,
) {
    let n_hidden = (ratio * rois as f64).round() as usize;
    let mut order: Vec<usize> = (0..rois).collect();
    for _ in 0..segments {
        let start = hidden.len();
        hidden.resize(start + rois, false);
        // The head of a Fisher-Yates shuffle; any order to start from will do.
        for i in 0..n_hidden.min(rois) {
            order.swap(i, rng.random_range(i..rois));
            hidden[start + order[i]] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use brainmae_run::Seeds;

    use super::*;

    #[test]
    fn every_segment_hides_its_own_share() {
        let mut hidden = Vec::new();
        draw_mask(50, 7, 0.5, &mut Seeds::new(1).stream("masks"), &mut hidden);
        let rows: Vec<&[bool]> = hidden.chunks(7).collect();
        assert!(
            rows.iter()
                .all(|row| row.iter().filter(|h| **h).count() == 4)
        );
        assert!(rows.iter().any(|row| *row != rows[0]));
    }

    #[test]
    fn every_roi_is_hidden_equally_often() {
        let mut hidden = Vec::new();
        draw_mask(
            7000,
            7,
            3.0 / 7.0,
            &mut Seeds::new(1).stream("masks"),
            &mut hidden,
        );
        for roi in 0..7 {
            let n = hidden.iter().skip(roi).step_by(7).filter(|h| **h).count();
            // 3000 expected; the standard deviation is 41.
            assert!((2830..3170).contains(&n), "ROI {roi}: {n}");
        }
    }

    #[test]
    fn a_ratio_is_off_a_number_or_a_range() {
        let ratio = |text: &str| -> [f64; 2] {
            let config: MaskConfig = serde_json::from_str(text).expect("valid");
            config.check().expect("within 0..1");
            config.ratio.bounds()
        };
        assert_eq!(ratio(r#"{"ratio": "off"}"#), [0.0, 0.0]);
        assert_eq!(ratio(r#"{"ratio": 0.5}"#), [0.5, 0.5]);
        assert_eq!(ratio(r#"{"ratio": [0.1, 0.9]}"#), [0.1, 0.9]);
        let backwards: MaskConfig =
            serde_json::from_str(r#"{"ratio": [0.9, 0.1]}"#).expect("valid");
        assert!(backwards.check().is_err());
    }
}
