//! Raw signals of one scan, as a reader returns them: before cleaning, with missing values.

/// Signals of the ROIs of an atlas by volume, as stored in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct RoiSignals {
    /// `[volume][roi]`; missing values are NaN.
    pub values: Vec<f64>,
    /// Number of ROIs.
    pub n_rois: usize,
    /// Seconds between volumes, if the file gives it.
    pub tr_secs: Option<f64>,
}

impl RoiSignals {
    /// Volumes in the scan.
    pub fn n_volumes(&self) -> usize {
        self.values.len() / self.n_rois.max(1)
    }
}
