//! Loss and gradient of one batch; its parts are computed in parallel, on one or more devices.

use std::ops::Range;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};

use crate::communicator::{Communicator, share, sum_gradients};
use crate::optimizer::add_gradients;
use crate::readings::BatchLoss;
use crate::workers::Workers;
use crate::{Objective, PartLoss};

/// Mean over the parts of a batch, with the weights of the objective.
#[derive(Default)]
pub struct BatchGradient {
    /// Gradient of each parameter.
    pub gradients: GradientsParams,
    /// Loss and terms, on the device.
    pub loss: BatchLoss,
}

struct Part {
    gradients: GradientsParams,
    loss: PartLoss,
}

impl BatchGradient {
    /// Gradient of the batch of `step`. Parts are summed in their order, independent of the worker
    /// that computed them. The result is therefore the same to the last bit for any number of
    /// threads, and of devices of one kind. Sums of processes are added last; with two processes of
    /// one part each, the result is also the same. If all parts are empty, there are no gradients
    /// and the weight is 0.
    ///
    /// # Errors
    /// If the objective cannot create the batch.
    pub fn of<O: Objective>(
        objective: &O,
        model: &O::Model,
        step: u64,
        workers: &Workers,
        communicator: &dyn Communicator,
    ) -> Result<Self, O::Error> {
        let parts = share(communicator, objective.parts());
        let copies = workers.others.iter();
        let copies: Vec<O::Model> = copies.map(|device| model.clone().fork(device)).collect();
        let models: Vec<&O::Model> = std::iter::once(model).chain(&copies).collect();
        let mut sum = Self::default();
        for first in parts.clone().step_by(workers.n_at_a_time()) {
            let round = first..(first + workers.n_at_a_time()).min(parts.end);
            let computed = compute(objective, &models, step, round)?;
            for Part { gradients, loss } in computed.into_iter().flatten() {
                add_gradients(model, &mut sum.gradients, gradients, loss.weight);
                sum.loss.add(loss.weight, loss.total, loss.terms);
            }
        }
        sum.loss.weigh(communicator);
        if sum.loss.weight() == 0.0 {
            return Ok(sum);
        }
        let total = sum_gradients(communicator, model, sum.gradients, &device(model));
        let mut gradients = GradientsParams::new();
        add_gradients(model, &mut gradients, total, 1.0 / sum.loss.weight());
        Ok(Self {
            gradients,
            loss: sum.loss,
        })
    }
}

/// Computes several parts at once, on the devices of `models` in turn. Returns them in order, on
/// the device of the first model.
fn compute<O: Objective>(
    objective: &O,
    models: &[&O::Model],
    step: u64,
    parts: Range<usize>,
) -> Result<Vec<Option<Part>>, O::Error> {
    let of_part = |part: usize| models[part % models.len()];
    let home = &device(models[0]);
    if parts.len() == 1 {
        let (part, model) = (parts.start, of_part(parts.start));
        return Ok(vec![compute_part(objective, model, step, part, home)?]);
    }
    std::thread::scope(|scope| {
        let workers: Vec<_> = parts
            .map(|part| {
                // Separate leaves: the graphs of the threads share no node, so no lock is needed.
                let model = fork(of_part(part));
                scope.spawn(move || compute_part(objective, &model, step, part, home))
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

/// Computes one part on the device of `model`; copies it to the device `home` without its graph.
fn compute_part<O: Objective>(
    objective: &O,
    model: &O::Model,
    step: u64,
    part: usize,
    home: &Device,
) -> Result<Option<Part>, O::Error> {
    let Some(loss) = objective.loss(model, step, part)? else {
        return Ok(None);
    };
    let gradients = GradientsParams::from_grads(loss.total.backward(), model);
    let bring = |tensor: Tensor<1>| tensor.without_autodiff().to_device(home);
    let terms = loss.terms.into_iter();
    Ok(Some(Part {
        gradients: gradients.to_device(home, model),
        loss: PartLoss {
            total: bring(loss.total),
            terms: terms.map(|(name, term)| (name, bring(term))).collect(),
            weight: loss.weight,
        },
    }))
}

/// Device of the tensors of a model.
fn device<M: Module>(model: &M) -> Device {
    let first = model.devices().into_iter().next();
    first
        .expect("what learns has parameters")
        .without_autodiff()
}

/// A model with the same weights and separate leaves in the autodiff graph.
fn fork<M: Module>(model: &M) -> M {
    model.clone().fork(&device(model).autodiff())
}
