//! Memory of a pretraining, measured before its first step.

use brainmae_data::{Crop, SampleBatch, ScanStore, fill};
use brainmae_train::memory::{Division, Memory, Need};
use brainmae_train::{Plan, TrainError, Workers};
use burn::module::Module;

use crate::{Draw, Pretext, PretrainError, Setup};

/// Checks that batches of a training fit into memory; `training` holds its scans.
///
/// Losses and gradients of a few samples are computed and dropped. Their random numbers are those
/// of the first step, which no other step depends on.
///
/// # Errors
/// [`TrainError::Memory`] if they do not.
pub(crate) fn check<P: Pretext>(
    memory: &dyn Memory,
    pretext: &P,
    model: &P::Model,
    setup: &Setup,
    training: &ScanStore,
    plan: &Plan,
    workers: &Workers,
) -> Result<(), PretrainError> {
    let division = Division {
        batch_size: setup.batch_size,
        parts: setup.parts,
        at_once: setup.own.len().min(workers.n_at_a_time()),
    };
    // The longest scan has no padding if any scan has none.
    let scans = training.scans().iter().enumerate();
    let longest = scans.max_by_key(|(_, scan)| scan.n_volumes);
    let (Some(available), Some((scan, _))) = (memory.available(), longest) else {
        return Ok(());
    };
    let compute = |n: usize| -> Result<(), PretrainError> {
        let start = Crop {
            scan,
            start_volume: 0,
        };
        let mut samples = SampleBatch::new(n, &setup.layout, training.n_rois());
        fill(training, &vec![start; n], &mut samples)?;
        let draw = Draw {
            seeds: setup.seeds,
            step: 0,
            samples: 0..n as u64,
        };
        pretext.loss(model, &samples, &draw).total.backward();
        Ok(())
    };
    let in_part = setup.batch_size.div_ceil(setup.parts.max(1));
    let Some(part) = Need::measure(memory, available, in_part, compute)? else {
        return Ok(());
    };
    let sample_bytes = size_of::<f32>() * setup.layout.sample_len_trs() * training.n_rois();
    // Batches of scans on disk are read for this step and for the next one.
    let on_disk = if training.n_on_disk() > 0 { 2 } else { 0 };
    let need = Need {
        once: Need::of_weights(model.num_params(), plan.ema.is_some(), workers),
        ahead: on_disk * sample_bytes as u64,
        ..part
    };
    tracing::debug!(?need, ?division, available, "memory of a batch");
    need.check(division, available).map_err(TrainError::from)?;
    Ok(())
}
