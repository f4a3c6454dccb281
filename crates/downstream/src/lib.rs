#![doc = include_str!("../README.md")]

mod bags;
mod calibration;
pub mod computed;
pub mod confounds;
pub mod constant;
pub mod encoders;
mod error;
pub mod example;
pub mod features;
mod fit_error;
pub mod kind;
pub mod learner;
pub mod linear;
pub mod motion;
pub mod neural;
pub mod notes;
mod pooled;
pub mod predictions;
pub mod protocol;
pub mod registry;
pub mod results;
pub mod scores;
pub mod statistics;
mod supervised;
pub mod target;
pub mod task;
#[cfg(test)]
mod testing;
mod training;
pub mod truth;

pub use computed::Computed;
pub use error::DownstreamError;
pub use example::{Example, Examples, Labelled, Scan};
pub use fit_error::FitError;
pub use kind::{Kind, Output};
pub use learner::{FitNeed, FitResult, Fits, Fitted, Learner, Problem};
pub use notes::TargetNotes;
pub use predictions::{Prediction, PredictionError, Predictions, Sample};
pub use protocol::FoldOf;
pub use registry::{LearnerKind, LearnerKinds};
pub use results::repeated::Repeated;
pub use results::subgroups::Subgroups;
pub use results::{Results, ResultsSpec};
pub use scores::Score;
pub use target::TargetSpec;
pub use task::{Signals, Task};
