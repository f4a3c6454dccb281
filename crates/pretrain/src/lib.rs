#![doc = include_str!("../README.md")]

pub mod batches;
pub mod brainmae;
mod config;
mod error;
pub mod mask;
pub mod notes;
pub mod predictor;
pub mod reconstruction;
pub mod roi_similarity;
pub mod tables;
pub mod traces;

pub use config::{ScheduleConfig, TrainConfig};
pub use error::PretrainError;
