//! Planted data: synthetic scans with known truth, to test whether a model finds it.
//!
//! Each ROI belongs to a network and follows its time course. The strength and the sign depend on a
//! hidden state of the whole brain:
//!
//! ```text
//! x_i(t) = gain[state(t), i] · a_network(i)(t) + activation[state(t), i] + noise_sd · ε_i(t)
//! a_k(t) = ar1 · a_k(t − 1) + sqrt(1 − ar1²) · ε_k(t)             variance 1
//! ```
//!
//! The signals are then z-scored. As signs differ between states, a hidden ROI is not a fixed
//! linear function of the visible ones: the state must be inferred. Age lengthens the dwell time of
//! state 0; alternatively, each subject has an individual pace, and targets with known answers
//! (`targets.rs`).

pub(crate) mod generator;
mod source;
mod spec;
mod targets;

use std::path::Path;

use crate::error::SimulateError;
use brainmae_data::PreparedDataset;
use brainmae_data::pipeline::{self, OnProgress, PrepareOptions, PrepareReport, Streams};
pub use source::PlantedSource;
pub use spec::{PlantedSpec, Signs};
pub use targets::PlantedTargets;

/// Writes the data set of `spec` at `out`, with the same rules as
/// [`prepare`](brainmae_data::pipeline::prepare()).
///
/// Networks are in `rois.parquet`. States are events `state-0`, `state-1`, …. The targets
/// `age_years` and `state_0_fraction` are in `subjects.parquet`, with those of [`PlantedTargets`]
/// if they are requested. `truth.parquet` has the gain and the mean activation of each ROI in each
/// state.
///
/// # Errors
/// [`SimulateError::Config`] for an invalid spec; [`SimulateError::Data`] when `out` contains
/// something else or cannot be written, or when `on_progress` asks to stop.
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

/// Writes the data set of `spec` at `out` without progress and opens it.
///
/// # Errors
/// Those of [`prepare_planted`].
pub fn planted_dataset(
    spec: &PlantedSpec,
    out: &Path,
    streams: &Streams<'_>,
) -> Result<PreparedDataset, SimulateError> {
    let options = PrepareOptions::default();
    prepare_planted(spec, out, streams, &options, &mut pipeline::quiet)?;
    Ok(PreparedDataset::open(out)?)
}
