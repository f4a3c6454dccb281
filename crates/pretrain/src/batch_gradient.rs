//! Loss and gradient of one batch, its parts computed in parallel.

use std::ops::Range;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use crate::optimizer::add_gradients;
use crate::{Objective, PretrainError};

/// The mean over the parts of a batch, weighted as the objective says.
#[derive(Default)]
pub struct BatchGradient {
    /// Gradient of every parameter.
    pub gradients: GradientsParams,
    /// The loss.
    pub loss: f64,
    /// The objective's other terms.
    pub terms: Vec<(&'static str, f64)>,
}

struct Part {
    gradients: GradientsParams,
    weight: f64,
    loss: f64,
    terms: Vec<(&'static str, f64)>,
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
        let mut total_weight = 0.0;
        for first in (0..parts).step_by(threads.max(1)) {
            let round = first..(first + threads.max(1)).min(parts);
            for part in compute(objective, model, step, round)? {
                add_gradients(model, &mut sum.gradients, part.gradients, part.weight);
                total_weight += part.weight;
                sum.loss += part.weight * part.loss;
                for (i, (name, term)) in part.terms.into_iter().enumerate() {
                    if sum.terms.len() <= i {
                        sum.terms.push((name, 0.0));
                    }
                    sum.terms[i].1 += part.weight * term;
                }
            }
        }
        let mean = 1.0 / total_weight;
        let mut gradients = GradientsParams::new();
        add_gradients(model, &mut gradients, sum.gradients, mean);
        sum.terms.iter_mut().for_each(|(_, term)| *term *= mean);
        Ok(Self {
            gradients,
            loss: sum.loss * mean,
            terms: sum.terms,
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
    let scalar = |tensor: Tensor<1>| f64::from(tensor.into_scalar::<f32>());
    let terms = loss.terms.into_iter();
    Ok(Part {
        gradients,
        weight: loss.weight,
        loss: scalar(loss.total),
        terms: terms.map(|(name, term)| (name, scalar(term))).collect(),
    })
}

/// A model with the same weights and leaves of its own in the autodiff graph.
fn fork<M: Module>(model: &M) -> M {
    match model.devices().first() {
        Some(device) => model.clone().fork(device),
        None => model.clone(),
    }
}
