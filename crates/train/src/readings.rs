//! Readings of losses: numbers of steps that stay on the device and are read together.
//!
//! A read waits until the device has finished all earlier work. If the loop read after every step,
//! a GPU would be idle in between.

use burn::tensor::{Tensor, TensorData};

use crate::communicator::Communicator;

/// Loss and terms of this process's parts of a batch, on the device.
#[derive(Default)]
pub struct BatchLoss {
    names: Vec<&'static str>,
    /// Weight and values of each part: `[1 + terms]`, the loss first.
    parts: Vec<(f64, Tensor<1>)>,
    /// Weight of the whole batch, after [`weigh`](Self::weigh).
    weight: f64,
}

/// Numbers of one step on the host.
#[derive(Clone, Debug, PartialEq)]
pub struct StepNumbers {
    /// The loss: mean over the parts, with the weights of the objective.
    pub loss: f64,
    /// The objective's other terms, averaged in the same way.
    pub terms: Vec<(&'static str, f64)>,
    /// Norm of the whole gradient before clipping.
    pub grad_norm: f64,
}

impl BatchLoss {
    /// Adds a part, on the device of the others and without a graph.
    pub(crate) fn add(
        &mut self,
        weight: f64,
        total: Tensor<1>,
        terms: Vec<(&'static str, Tensor<1>)>,
    ) {
        let (names, terms): (Vec<_>, Vec<_>) = terms.into_iter().unzip();
        self.names = names;
        let values = std::iter::once(total).chain(terms).collect();
        self.parts.push((weight, Tensor::cat(values, 0)));
    }

    /// Sums the weights of the parts over all processes.
    pub(crate) fn weigh(&mut self, communicator: &dyn Communicator) {
        let mut weight = [self.parts.iter().map(|(weight, _)| weight).sum()];
        communicator.sum(&mut weight);
        [self.weight] = weight;
    }

    /// Weight of the whole batch.
    pub fn weight(&self) -> f64 {
        self.weight
    }

    /// Weighted sums of loss and terms; `take` returns the values of the parts in order.
    fn sums(&self, mut take: impl FnMut() -> f64) -> Vec<f64> {
        let mut sums = vec![0.0; 1 + self.names.len()];
        for (weight, _) in &self.parts {
            sums.iter_mut().for_each(|sum| *sum += weight * take());
        }
        sums
    }
}

/// Completed steps that were not read yet, each with a `Note` of the caller.
pub struct Readings<Note> {
    steps: Vec<(Note, BatchLoss, Tensor<1>)>,
}

impl<Note> Default for Readings<Note> {
    fn default() -> Self {
        Self { steps: Vec::new() }
    }
}

impl<Note> Readings<Note> {
    /// Adds a step; `grad_norm` is the norm of its gradient, one element.
    pub fn push(&mut self, note: Note, loss: BatchLoss, grad_norm: Tensor<1>) {
        self.steps.push((note, loss, grad_norm));
    }

    /// Reads all steps in one transfer and removes them. All processes must have the same steps.
    pub fn read(&mut self, communicator: &dyn Communicator) -> Vec<(Note, StepNumbers)> {
        let steps = std::mem::take(&mut self.steps);
        let tensors = steps.iter().flat_map(|(_, loss, norm)| {
            let parts = loss.parts.iter().map(|(_, values)| values);
            parts.chain([norm]).cloned()
        });
        let data = match tensors.collect::<Vec<_>>() {
            none if none.is_empty() => TensorData::from([0f32; 0]),
            tensors => Tensor::cat(tensors, 0).into_data(),
        };
        let mut read = data.iter::<f64>();
        let mut take = || read.next().unwrap_or(f64::NAN);
        let (mut sums, mut norms) = (Vec::new(), Vec::new());
        for (_, loss, _) in &steps {
            sums.extend(loss.sums(&mut take));
            norms.push(take());
        }
        communicator.sum(&mut sums);
        let mut sums = sums.into_iter();
        let numbers = |((note, loss, _), grad_norm): ((Note, BatchLoss, _), f64)| {
            let mean = 1.0 / loss.weight;
            let mut means = sums.by_ref().map(|sum| sum * mean);
            let numbers = StepNumbers {
                loss: means.next().unwrap_or(f64::NAN),
                terms: loss.names.into_iter().zip(means).collect(),
                grad_norm,
            };
            (note, numbers)
        };
        steps.into_iter().zip(norms).map(numbers).collect()
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::Alone;

    fn scalar(value: f64) -> Tensor<1> {
        Tensor::from_data([value as f32], &Device::flex())
    }

    #[test]
    fn parts_are_averaged_by_weight_and_steps_come_in_order() {
        let mut readings = Readings::default();
        for step in [1.0f64, 2.0] {
            let mut loss = BatchLoss::default();
            loss.add(1.0, scalar(4.0 * step), vec![("term", scalar(1.0))]);
            loss.add(3.0, scalar(8.0 * step), vec![("term", scalar(3.0))]);
            loss.weigh(&Alone);
            readings.push(step, loss, scalar(0.5 * step));
        }
        let read = readings.read(&Alone);
        for ((note, numbers), step) in read.into_iter().zip([1.0, 2.0]) {
            assert_eq!(note, step);
            assert_eq!(
                numbers,
                StepNumbers {
                    loss: 7.0 * step,
                    terms: vec![("term", 2.5)],
                    grad_norm: 0.5 * step,
                }
            );
        }
        assert!(
            readings.read(&Alone).is_empty(),
            "what was read is forgotten"
        );
    }
}
