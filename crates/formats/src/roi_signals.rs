//! Raw signals of one scan, as a reader returns them: before cleaning, with missing values.

/// Signals of the ROIs of an atlas, ROI after ROI, whatever the order of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct RoiSignals {
    /// `[roi][volume]`; missing values are NaN.
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

    /// The signal of one ROI.
    ///
    /// # Panics
    /// When `roi` is not below [`n_rois`](Self::n_rois), as indexing a slice does.
    pub fn roi(&self, roi: usize) -> &[f64] {
        let n_volumes = self.n_volumes();
        &self.values[roi * n_volumes..(roi + 1) * n_volumes]
    }
}

/// Joins blocks of volumes that follow one another; each is `[roi][volume]`, as is the result.
pub(crate) fn joined(mut blocks: Vec<Vec<f64>>, n_rois: usize) -> Vec<f64> {
    if blocks.len() < 2 {
        return blocks.pop().unwrap_or_default();
    }
    let mut values = Vec::with_capacity(blocks.iter().map(Vec::len).sum());
    for roi in 0..n_rois {
        for block in &blocks {
            let n_volumes = block.len() / n_rois;
            values.extend_from_slice(&block[roi * n_volumes..(roi + 1) * n_volumes]);
        }
    }
    values
}
