//! Planted data: made-up scans whose truth is known, so that one can ask whether a model finds it.
//!
//! Each ROI belongs to a network and follows its time course, but how strongly, and with which
//! sign, depends on a hidden state that the whole brain switches between:
//!
//! ```text
//! x_i(t) = gain[state(t), i] · a_network(i)(t) + activation[state(t), i] + noise_sd · ε_i(t)
//! a_k(t) = ar1 · a_k(t − 1) + sqrt(1 − ar1²) · ε_k(t)             variance 1
//! ```
//!
//! then z-scored like any scan. As signs differ between states, a hidden ROI is no fixed linear
//! function of the visible ones: the state has to be inferred. Age lengthens the stay in state 0,
//! or each subject has a pace of its own and targets whose answer is known (`targets.rs`).

pub(crate) mod generator;
mod source;
mod spec;
mod targets;

use std::path::Path;

use crate::error::SimulateError;
use brainmae_data::pipeline::{self, OnProgress, PrepareOptions, PrepareReport, Streams};
pub use source::PlantedSource;
pub use spec::{PlantedSpec, Signs};
pub use targets::PlantedTargets;

/// Makes the data set that `spec` describes at `out`, with the same rules as
/// [`prepare`](brainmae_data::pipeline::prepare()) has for real ones.
///
/// Networks are in `rois.parquet`, states are events `state-0`, `state-1`, …, the targets
/// `age_years` and `state_0_fraction` are in `subjects.parquet`, with those of [`PlantedTargets`]
/// where they are asked for, and `truth.parquet` holds the gain and the mean activation of each ROI
/// in each state.
///
/// # Errors
/// [`SimulateError::Config`] for a spec that cannot be; [`SimulateError::Data`] when something else
/// stands at `out`, when it cannot be written, or when `on_progress` asks to stop.
pub fn prepare_planted(
    spec: &PlantedSpec,
    out: &Path,
    streams: &Streams<'_>,
    options: &PrepareOptions,
    on_progress: &mut OnProgress<'_>,
) -> Result<PrepareReport, SimulateError> {
    let mut source = PlantedSource::new(spec, streams)?;
    Ok(pipeline::prepare(&mut source, out, options, on_progress)?)
}
