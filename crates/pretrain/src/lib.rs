#![doc = include_str!("../README.md")]

pub mod batch_gradient;
pub mod batches;
pub mod brainmae;
pub mod communicator;
pub mod engine;
mod error;
pub mod mask;
pub mod notes;
pub mod objective;
pub mod optimizer;
pub mod predictor;
pub mod readings;
pub mod reconstruction;
pub mod roi_similarity;
pub mod schedule;
pub mod tables;
pub mod traces;
pub mod workers;

pub use communicator::{Alone, Communicator};
pub use engine::{Engine, EngineConfig, Outcome, Watch};
pub use error::{LastGood, PretrainError};
pub use objective::{Objective, PartLoss};
pub use workers::Workers;
