//! Commands outside the stages of an experiment.

pub mod bench_experiment;
pub mod data;
pub mod embed;
mod encoders;
pub mod reliability;
