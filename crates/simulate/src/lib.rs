#![doc = include_str!("../README.md")]

pub mod cohort;
mod error;
pub mod synthetic;

pub use cohort::{CohortLayout, CohortReport, CohortSpec, plan_cohort, simulate_cohort};
pub use error::SimulateError;
pub use synthetic::{PlantedSpec, PlantedTargets, Signs, planted_dataset, prepare_planted};
