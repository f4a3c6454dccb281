//! Prediction of targets from scans and segments: learners, scores and statistics.
//!
//! All [`Learner`]s get the same scans in the same folds, without the truth of the test set. This
//! crate does not know how an encoder was pretrained.
//!
//! Read in this order: [`target`], [`task`], [`kind`], [`example`], [`learner`], then the learners:
//! [`constant`], [`linear`] of [`features`], [`neural`], [`brainmae`], by name in [`registry`]; the
//! [`protocol`] of a fold; then the analysis of [`predictions`]: [`scores`], [`statistics`],
//! [`motion`], [`results`], and their [`notes`].

pub mod brainmae;
pub mod constant;
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
pub mod predictions;
pub mod protocol;
pub mod registry;
pub mod results;
pub mod scores;
pub mod statistics;
mod supervised;
pub mod target;
pub mod task;

pub use error::DownstreamError;
pub use example::{Example, Examples, Labelled, Scan};
pub use fit_error::FitError;
pub use kind::{Kind, Output};
pub use learner::{Fitted, Learner, Problem};
pub use notes::TargetNotes;
pub use predictions::{Prediction, PredictionError, Predictions, Sample};
pub use protocol::FoldOf;
pub use registry::ModelName;
pub use results::{Results, ResultsSpec};
pub use scores::Score;
pub use target::TargetSpec;
pub use task::{Signals, Task};
