//! The raw signals of one scan, as a reader gives them: before cleaning, values may be missing.

/// Signals of the ROIs of an atlas, volume after volume, as a file holds them.
#[derive(Clone, Debug, PartialEq)]
pub struct RoiSignals {
    /// `[volume][roi]`; missing values are NaN.
    pub values: Vec<f64>,
    /// ROIs.
    pub n_rois: usize,
    /// Seconds between volumes, where the file tells.
    pub tr_secs: Option<f64>,
}

impl RoiSignals {
    /// Volumes in the scan.
    pub fn n_volumes(&self) -> usize {
        self.values.len() / self.n_rois.max(1)
    }
}
