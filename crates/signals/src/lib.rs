#![doc = include_str!("../README.md")]

pub mod bold;
pub mod cleaning;
pub mod confounds;
mod error;
pub mod limits;
pub mod motion;

pub use bold::BoldSeries;
pub use cleaning::{CleanedSignals, CleaningStep, RoiConstants, ScanSignals, Unusable, clean_scan};
pub use confounds::ConfoundTable;
pub use error::SignalError;
pub use limits::ExclusionLimits;
