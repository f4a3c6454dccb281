//! What a scan tells of its subject, and a segment of the moment: targets, everyone who predicts them, and what their predictions are worth.
//!
//! Every [`Learner`] is given the same scans of the same folds, and never the truth of those it is tested on. How an encoder was
//! pretrained is unknown here.
//!
//! Read in this order: [`kind`], [`example`], [`learner`], then the learners: [`neural`].

mod error;
pub mod example;
pub mod kind;
pub mod learner;
pub mod neural;

pub use error::DownstreamError;
pub use example::{Example, Examples, Labelled, Scan};
pub use kind::{Kind, Output};
pub use learner::{Fitted, Learner, Problem};
