//! Self-supervised training: what to learn from a batch, the loop that learns it, and scores of
//! what was learned.
//!
//! The loop ([`engine`]) knows no model: whatever is an [`Objective`] can be trained, logged,
//! checkpointed and resumed by it. [`brainmae`] is the objective of this project. Targets and tasks
//! are unknown here.
//!
//! Read in this order: [`objective`], [`engine`], [`workers`], [`world`], [`readings`],
//! [`schedule`], [`optimizer`], [`mask`], [`brainmae`], then the scores: [`predictor`],
//! [`reconstruction`], [`traces`], [`roi_similarity`], their [`tables`] and [`notes`].

pub mod batch_gradient;
pub mod batches;
pub mod brainmae;
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
pub mod world;

pub use engine::{Engine, EngineConfig, Outcome, Watch};
pub use error::{LastGood, PretrainError};
pub use objective::{Objective, PartLoss};
pub use workers::Workers;
pub use world::{Alone, World};
