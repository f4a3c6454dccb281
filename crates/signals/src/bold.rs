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
