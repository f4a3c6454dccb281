//! Self-supervised training: objectives, the training loop, and scores of reconstructions.
//!
//! The loop ([`engine`]) does not depend on the model: it trains, logs, checkpoints and resumes any
//! [`Objective`]. [`brainmae`] is the objective of this project. This crate does not know targets
//! and tasks.
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
