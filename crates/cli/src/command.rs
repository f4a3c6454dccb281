//! Commands that are no stage of an experiment.

pub mod data;
pub mod embed;
