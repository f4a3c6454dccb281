//! A run on disk: its manifest, seeds, checkpoints, metric log and tables.
//!
//! A run is one execution of a stage, in a folder of its own: `runs/<experiment>/<stage>-<hash>/`.
//! The hash is the stage's identity, so nothing overwrites a finished run and an interrupted one is
//! found again. The crate knows neither the brain nor the model: a checkpoint is named bytes, and a
//! [`Card`] holds what its reader must agree with.
//!
//! Read in this order: [`seeds`], [`manifest`], [`folder`], [`checkpoint`], [`card`],
//! [`metric_log`], [`table`], [`notes`].

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
pub use checkpoint::Checkpoint;
pub use error::RunError;
pub use folder::RunFolder;
pub use identity::Identity;
pub use manifest::{Manifest, Status};
pub use metric_log::{Metric, MetricLog};
pub use seeds::Seeds;
