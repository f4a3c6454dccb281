//! Loss and gradient of one batch, its parts computed in parallel.

use std::ops::Range;

use burn::module::Module;
use burn::optim::GradientsParams;

use crate::optimizer::add_gradients;
use crate::readings::BatchLoss;
use crate::{Objective, PartLoss, PretrainError};

/// The mean over the parts of a batch, weighted as the objective says.
#[derive(Default)]
pub struct BatchGradient {
    /// Gradient of every parameter.
    pub gradients: GradientsParams,
    /// Loss and terms, still on the device.
    pub loss: BatchLoss,
}

struct Part {
    gradients: GradientsParams,
    loss: PartLoss,
}

impl BatchGradient {
    /// The batch of `step`. Parts are summed in their order, whichever thread computed them: the result is the same to the
    /// last bit for any number of threads.
    ///
    /// # Errors
    /// If the objective cannot make the batch.
    pub fn of<O: Objective>(
        objective: &O,
        model: &O::Model,
        step: u64,
        threads: usize,
    ) -> Result<Self, PretrainError> {
        let parts = objective.parts();
        let mut sum = Self::default();
        for first in (0..parts).step_by(threads.max(1)) {
            let round = first..(first + threads.max(1)).min(parts);
            for Part { gradients, loss } in compute(objective, model, step, round)? {
                add_gradients(model, &mut sum.gradients, gradients, loss.weight);
                sum.loss.add(loss.weight, loss.total, loss.terms);
            }
        }
        let mut gradients = GradientsParams::new();
        let mean = 1.0 / sum.loss.weight();
        add_gradients(model, &mut gradients, sum.gradients, mean);
        Ok(Self {
            gradients,
            loss: sum.loss,
        })
    }
}

fn compute<O: Objective>(
    objective: &O,
    model: &O::Model,
    step: u64,
    parts: Range<usize>,
) -> Result<Vec<Part>, PretrainError> {
    if parts.len() == 1 {
        return Ok(vec![compute_part(objective, model, step, parts.start)?]);
    }
    std::thread::scope(|scope| {
        let workers: Vec<_> = parts
            .map(|part| {
                // Leaves of its own: the threads' graphs share nothing, and so no lock.
                let model = fork(model);
                scope.spawn(move || compute_part(objective, &model, step, part))
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| match worker.join() {
                Ok(part) => part,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    })
}

fn compute_part<O: Objective>(
    objective: &O,
    model: &O::Model,
    step: u64,
    part: usize,
) -> Result<Part, PretrainError> {
    let loss = objective.loss(model, step, part)?;
    let gradients = GradientsParams::from_grads(loss.total.backward(), model);
    Ok(Part { gradients, loss })
}

/// A model with the same weights and leaves of its own in the autodiff graph.
fn fork<M: Module>(model: &M) -> M {
    match model.devices().first() {
        Some(device) => model.clone().fork(device),
        None => model.clone(),
    }
}
