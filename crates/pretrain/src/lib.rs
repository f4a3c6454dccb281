#![doc = include_str!("../README.md")]

pub mod batches;
pub mod brainmae;
mod config;
mod error;
pub mod mask;
pub mod masked_batch;
mod memory;
pub mod notes;
pub mod predictor;
mod pretext;
mod pretraining;
pub mod reconstruction;
pub mod roi_similarity;
mod self_supervised;
pub mod tables;
pub mod traces;

pub use brainmae::MaskedReconstruction;
pub use config::{ScheduleConfig, TrainConfig};
pub use error::PretrainError;
pub use pretext::{Draw, Pretext, PretextLoss};
pub use pretraining::{Pretraining, Setup};
pub use self_supervised::{Configured, SelfSupervised, Work};
