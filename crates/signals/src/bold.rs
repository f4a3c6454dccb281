//! The signals of one scan.

use crate::error::SignalError;

/// BOLD signals of the ROIs of an atlas, volume after volume.
///
/// One that exists has at least one volume and one ROI, finite values and a known TR.
#[derive(Clone, Debug, PartialEq)]
pub struct BoldSeries {
    values: Vec<f32>,
    n_rois: usize,
    tr_secs: f64,
    /// By volume: whether it was measured well enough to be used; empty when all were.
    kept: Vec<bool>,
}

impl BoldSeries {
    /// Takes `values` in `[volume][roi]` order.
    ///
    /// # Errors
    /// [`SignalError::BoldSeries`] for a TR that is not above zero, a length that is no whole number
    /// of volumes, or a value that is not finite.
    pub fn new(values: Vec<f32>, n_rois: usize, tr_secs: f64) -> Result<Self, SignalError> {
        let refuse = |problem: String| Err(SignalError::BoldSeries { problem });
        if !(tr_secs.is_finite() && tr_secs > 0.0) {
            return refuse(format!("TR is {tr_secs} s, expected a number above zero"));
        }
        if n_rois == 0 || values.is_empty() || !values.len().is_multiple_of(n_rois) {
            return refuse(format!(
                "{} values are no whole number of volumes of {n_rois} ROIs",
                values.len()
            ));
        }
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            return refuse(format!(
                "the value of ROI {} in volume {} is {}, expected a finite number",
                at % n_rois,
                at / n_rois,
                values[at]
            ));
        }
        Ok(Self {
            values,
            n_rois,
            tr_secs,
            kept: Vec::new(),
        })
    }

    /// The same series, in which the volumes with `false` are censored: their values are filled in
    /// from their neighbours and must not be learned from.
    ///
    /// # Errors
    /// [`SignalError::BoldSeries`] when there is not one entry per volume.
    pub fn with_kept(mut self, kept: Vec<bool>) -> Result<Self, SignalError> {
        if kept.len() != self.n_volumes() {
            return Err(SignalError::BoldSeries {
                problem: format!(
                    "{} marks of kept volumes for {} volumes",
                    kept.len(),
                    self.n_volumes()
                ),
            });
        }
        self.kept = if kept.contains(&false) {
            kept
        } else {
            Vec::new()
        };
        Ok(self)
    }

    /// Whether a volume may be used; true for all volumes of a series that was not censored.
    pub fn is_kept(&self, volume: usize) -> bool {
        self.kept.get(volume).copied().unwrap_or(true)
    }

    /// Volumes that may be used.
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
    /// When `volume` is not below [`n_volumes`](Self::n_volumes), as indexing a slice does.
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

    /// Seconds from one volume to the next.
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
        for (values, n_rois, tr_secs, word) in [
            (vec![1., 2.], 2, 0.0, "TR is 0"),
            (vec![1., 2.], 2, f64::NAN, "TR is NaN"),
            (vec![1., 2., 3.], 2, 1.0, "3 values"),
            (vec![], 2, 1.0, "0 values"),
            (vec![1., 2., 3., f32::NAN], 2, 1.0, "ROI 1 in volume 1"),
        ] {
            let error = BoldSeries::new(values, n_rois, tr_secs).unwrap_err();
            assert!(error.to_string().contains(word), "{error}");
        }
    }
}
