//! Signals of parcels: means that another program has computed.

use std::ops::Range;

use super::matrix::Rows;
use super::{CiftiFile, CiftiKind, Content};
use crate::error::FormatError;
use crate::roi_signals::RoiSignals;

impl CiftiFile {
    /// The names of the parcels and their signals, in the order of the file.
    ///
    /// `part` is the range of volumes to use; `None` means all.
    ///
    /// # Errors
    /// [`FormatError::Cifti`] for a file without signals of parcels, or for volumes that the file
    /// does not have; [`FormatError::Files`] when the file cannot be read.
    pub fn roi_signals_of_parcels(
        &self,
        part: Option<Range<usize>>,
    ) -> Result<(Vec<String>, RoiSignals), FormatError> {
        let Content::ParcelSeries(series, names) = &self.content else {
            return Err(self.wrong_kind(CiftiKind::ParcelSeries));
        };
        let volumes = self.volumes(part)?;
        let n_rois = names.len();
        let mut reader = self.matrix.reader()?;
        let n_volumes = volumes.len();
        let mut values = vec![0.0; n_rois * n_volumes];
        let mut row = Vec::new();
        match self.rows {
            Rows::Places => {
                for (roi, signal) in values.chunks_exact_mut(n_volumes.max(1)).enumerate() {
                    reader.values(roi..roi + 1, &mut row)?;
                    signal.copy_from_slice(&row[volumes.clone()]);
                }
            }
            Rows::Volumes => {
                for (at, volume) in volumes.enumerate() {
                    reader.values(volume..volume + 1, &mut row)?;
                    let places = values.iter_mut().skip(at).step_by(n_volumes);
                    for (place, value) in places.zip(&row) {
                        *place = *value;
                    }
                }
            }
        }
        Ok((
            names.clone(),
            RoiSignals {
                values,
                n_rois,
                tr_secs: Some(series.tr_secs),
            },
        ))
    }
}
