#![doc = include_str!("../README.md")]

mod average;
pub mod batch_gradient;
pub mod communicator;
mod epoch_order;
mod error;
mod keep;
pub mod memory;
mod objective;
pub mod optimizer;
pub mod readings;
pub mod schedule;
pub mod trainer;
mod workers;

pub use average::Average;
pub use communicator::{Alone, Communicator};
pub use epoch_order::EpochOrder;
pub use error::{LastGood, TrainError};
pub use keep::{Keep, load_weights};
pub use objective::{LossOf, Objective, PartLoss, Scores};
pub use optimizer::{Method, Optimizer, OptimizerConfig, RateFactor};
pub use schedule::Schedule;
pub use trainer::{Outcome, Plan, Progress, Trained, Trainer, Watch, check_parts};
pub use workers::Workers;
