//! BOLD series: the signals of one scan.

use crate::error::{BoldProblem, SignalError};

/// BOLD signals of the ROIs of an atlas, by volume.
///
/// A series has at least one volume and one ROI, finite values and a known TR.
#[derive(Clone, Debug, PartialEq)]
pub struct BoldSeries {
    values: Vec<f32>,
    n_rois: usize,
    tr_secs: f64,
    /// By volume: whether it is uncensored; empty when all volumes are.
    kept: Vec<bool>,
    /// By ROI: whether it has no signal; empty when all have one.
    missing: Vec<bool>,
}

impl BoldSeries {
    /// Takes `values` in `[volume][roi]` order.
    ///
    /// # Errors
    /// [`SignalError::BoldSeries`] for a TR that is not above zero, a length that is not a whole
    /// number of volumes, or a value that is not finite.
    pub fn new(values: Vec<f32>, n_rois: usize, tr_secs: f64) -> Result<Self, SignalError> {
        let refuse = |problem| Err(SignalError::BoldSeries { problem });
        if !(tr_secs.is_finite() && tr_secs > 0.0) {
            return refuse(BoldProblem::Tr { tr_secs });
        }
        if n_rois == 0 || values.is_empty() || !values.len().is_multiple_of(n_rois) {
            let n_values = values.len();
            return refuse(BoldProblem::Length { n_values, n_rois });
        }
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            return refuse(BoldProblem::NotFinite {
                roi: at % n_rois,
                volume: at / n_rois,
                found: values[at],
            });
        }
        Ok(Self {
            values,
            n_rois,
            tr_secs,
            kept: Vec::new(),
            missing: Vec::new(),
        })
    }

    /// The same series, in which the volumes with `false` are censored: their values are
    /// interpolated from their neighbours and must not be used for training.
    ///
    /// # Errors
    /// [`SignalError::BoldSeries`] when `kept` does not have one entry per volume.
    pub fn with_kept(mut self, kept: Vec<bool>) -> Result<Self, SignalError> {
        if kept.len() != self.n_volumes() {
            return Err(SignalError::BoldSeries {
                problem: BoldProblem::Kept {
                    found: kept.len(),
                    expected: self.n_volumes(),
                },
            });
        }
        self.kept = if kept.contains(&false) {
            kept
        } else {
            Vec::new()
        };
        Ok(self)
    }

    /// The same series without the signals of the ROIs with `true`: their values are 0, and
    /// encoders hide them. An ROI that was missing before stays missing.
    ///
    /// # Errors
    /// [`SignalError::BoldSeries`] when `missing` does not have one entry per ROI.
    pub fn with_missing(mut self, missing: &[bool]) -> Result<Self, SignalError> {
        if missing.len() != self.n_rois {
            return Err(SignalError::BoldSeries {
                problem: BoldProblem::Missing {
                    found: missing.len(),
                    expected: self.n_rois,
                },
            });
        }
        if !missing.contains(&true) {
            return Ok(self);
        }
        for row in self.values.chunks_exact_mut(missing.len()) {
            for (value, _) in row.iter_mut().zip(missing).filter(|(_, missing)| **missing) {
                *value = 0.0;
            }
        }
        let missing = missing.iter().enumerate();
        self.missing = missing
            .map(|(roi, missing)| *missing || self.is_missing(roi))
            .collect();
        Ok(self)
    }

    /// Whether an ROI has no signal; false for all ROIs of a series without missing ones.
    pub fn is_missing(&self, roi: usize) -> bool {
        self.missing.get(roi).copied().unwrap_or(false)
    }

    /// Whether a volume is uncensored; true for all volumes of a series without censoring.
    pub fn is_kept(&self, volume: usize) -> bool {
        self.kept.get(volume).copied().unwrap_or(true)
    }

    /// Number of uncensored volumes.
    pub fn n_kept(&self) -> usize {
        match self.kept.len() {
            0 => self.n_volumes(),
            _ => self.kept.iter().filter(|kept| **kept).count(),
        }
    }

    /// All values, in `[volume][roi]` order.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The signals of all ROIs in one volume.
    ///
    /// # Panics
    /// When `volume` is not below [`n_volumes`](Self::n_volumes).
    pub fn row(&self, volume: usize) -> &[f32] {
        &self.values[volume * self.n_rois..(volume + 1) * self.n_rois]
    }

    /// Volumes in the scan.
    pub fn n_volumes(&self) -> usize {
        self.values.len() / self.n_rois
    }

    /// ROIs in the atlas.
    pub fn n_rois(&self) -> usize {
        self.n_rois
    }

    /// Seconds between volumes.
    pub fn tr_secs(&self) -> f64 {
        self.tr_secs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_volumes() {
        let series = BoldSeries::new(vec![1., 2., 3., 4., 5., 6.], 3, 2.0).unwrap();
        assert_eq!((series.n_volumes(), series.n_rois()), (2, 3));
        assert_eq!(series.row(1), [4., 5., 6.]);
    }

    #[test]
    fn what_is_no_series_is_refused() {
        let problem = |values: &[f32], tr_secs| match BoldSeries::new(values.to_vec(), 2, tr_secs)
            .unwrap_err()
        {
            SignalError::BoldSeries { problem } => problem,
            other => panic!("{other}"),
        };
        let length = |n_values| BoldProblem::Length {
            n_values,
            n_rois: 2,
        };
        assert_eq!(problem(&[1., 2.], 0.0), BoldProblem::Tr { tr_secs: 0.0 });
        assert!(matches!(
            problem(&[1., 2.], f64::NAN),
            BoldProblem::Tr { tr_secs } if tr_secs.is_nan()
        ));
        assert_eq!(problem(&[1., 2., 3.], 1.0), length(3));
        assert_eq!(problem(&[], 1.0), length(0));
        assert!(matches!(
            problem(&[1., 2., 3., f32::NAN], 1.0),
            BoldProblem::NotFinite {
                roi: 1,
                volume: 1,
                ..
            }
        ));
    }

    #[test]
    fn missing_rois_are_zero_and_stay_missing() {
        let series = BoldSeries::new(vec![1., 2., 3., 4., 5., 6.], 3, 2.0).unwrap();
        let same = series.clone().with_missing(&[false; 3]).unwrap();
        assert_eq!(same, series);
        let series = series.with_missing(&[false, true, false]).unwrap();
        assert_eq!(series.values(), [1., 0., 3., 4., 0., 6.]);
        let series = series.with_missing(&[true, false, false]).unwrap();
        assert_eq!(series.values(), [0., 0., 3., 0., 0., 6.]);
        let missing: Vec<bool> = (0..3).map(|roi| series.is_missing(roi)).collect();
        assert_eq!(missing, [true, true, false]);
        let refused = series.with_missing(&[true]).unwrap_err().to_string();
        assert!(
            refused.contains("1 marks of missing ROIs for 3 ROIs"),
            "{refused}"
        );
    }

    #[test]
    fn marks_are_one_per_volume() {
        let series = BoldSeries::new(vec![1., 2.], 1, 2.0).unwrap();
        assert!(matches!(
            series.with_kept(vec![true]),
            Err(SignalError::BoldSeries {
                problem: BoldProblem::Kept {
                    found: 1,
                    expected: 2
                }
            })
        ));
    }
}
