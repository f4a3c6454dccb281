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

pub use cifti::CiftiFile;
pub use error::FormatError;
pub use nifti::NiftiReader;
pub use roi_signals::RoiSignals;
pub use signal_table::SignalTable;
