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
        let mut values = vec![0.0; volumes.len() * n_rois];
        let mut row = Vec::new();
        match self.rows {
            Rows::Places => {
                for roi in 0..n_rois {
                    reader.values(roi..roi + 1, &mut row)?;
                    let places = values[roi..].iter_mut().step_by(n_rois);
                    for (place, value) in places.zip(&row[volumes.clone()]) {
                        *place = *value;
                    }
                }
            }
            Rows::Volumes => {
                for (place, volume) in values.chunks_exact_mut(n_rois).zip(volumes) {
                    reader.values(volume..volume + 1, &mut row)?;
                    place.copy_from_slice(&row);
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
