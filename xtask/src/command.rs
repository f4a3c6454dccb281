//! Commands that are no stage of an experiment.

pub mod bench;
pub mod data;
pub mod loss_curve;
