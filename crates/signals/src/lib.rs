#![doc = include_str!("../README.md")]

pub mod bold;
pub mod cleaning;
pub mod confounds;
mod error;
pub mod fc;
pub mod limits;
pub mod motion;
pub mod scales;

pub use bold::BoldSeries;
pub use cleaning::{
    CleanedSignals, CleaningStep, ConfoundProblem, RoiConstants, ScanQuality, ScanSignals,
    Unusable, clean_scan,
};
pub use confounds::ConfoundTable;
pub use error::{BoldProblem, SignalError};
pub use limits::ExclusionLimits;
