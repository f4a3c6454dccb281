#![doc = include_str!("../README.md")]

pub mod cifti;
#[cfg(feature = "columnar")]
pub mod columnar;
mod error;
pub mod label_map;
pub mod label_volume;
pub mod nifti;
pub mod npy;
pub mod number;
pub mod roi_signals;
pub mod signal_table;
pub mod vertex_labels;

/// Tests that a problem is of a variant, with conditions on its fields where needed.
#[cfg(test)]
macro_rules! is {
    ($pattern:pat $(if $guard:expr)?) => {
        |problem: &_| matches!(problem, $pattern $(if $guard)?)
    };
}
#[cfg(test)]
pub(crate) use is;

pub use cifti::CiftiFile;
#[cfg(feature = "columnar")]
pub use columnar::ColumnarFile;
pub use error::FormatError;
pub use nifti::NiftiReader;
pub use npy::NpyFile;
pub use roi_signals::RoiSignals;
pub use signal_table::{SignalTable, TextFile};
