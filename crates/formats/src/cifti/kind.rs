//! Kinds of CIFTI-2 files.

use std::fmt;

/// What a CIFTI file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CiftiKind {
    /// `.dtseries.nii`: the signal of every grayordinate.
    DenseSeries,
    /// `.ptseries.nii`: the signal of every parcel.
    ParcelSeries,
    /// `.dlabel.nii`: one or more labels of every grayordinate.
    DenseLabels,
}

impl fmt::Display for CiftiKind {
    /// The kind as users know it, with its file ending.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::DenseSeries => "signals of grayordinates (.dtseries.nii)",
            Self::ParcelSeries => "signals of parcels (.ptseries.nii)",
            Self::DenseLabels => "labels of grayordinates (.dlabel.nii)",
        })
    }
}
