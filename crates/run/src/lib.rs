#![doc = include_str!("../README.md")]

pub mod card;
pub mod checkpoint;
mod error;
pub mod folder;
pub mod identity;
pub mod manifest;
pub mod metric_log;
pub mod notes;
pub mod seeds;
pub mod table;

pub use brainmae_files::write_atomic;
pub use card::Card;
pub use checkpoint::{Checkpoint, WEIGHTS};
pub use error::RunError;
pub use folder::RunFolder;
pub use identity::Identity;
pub use manifest::{Manifest, Status};
pub use metric_log::{Metric, MetricLog};
pub use seeds::Seeds;
