//! Communicator of the processes that train one model together.

use std::ops::Range;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};

/// Processes that compute the same steps, each with its parts of every batch.
///
/// All processes must call the same methods in the same order, with the same number of values. A
/// process that fails must end the others, because they would wait for it forever.
pub trait Communicator {
    /// Rank of this process, from 0. The first process writes the run folder and shows progress.
    fn rank(&self) -> usize;

    /// Number of processes.
    fn size(&self) -> usize;

    /// Replaces `values` by their sums over all processes, with the same bits in all processes.
    fn sum(&self, values: &mut [f64]);

    /// [`Communicator::sum`] in single precision.
    fn sum_f32(&self, values: &mut [f32]);

    /// True in the first process, which writes.
    fn is_first(&self) -> bool {
        self.rank() == 0
    }

    /// The values of the first process. From the others only the number of values is used.
    fn of_first(&self, values: &[f64]) -> Vec<f64> {
        let mut told = match self.is_first() {
            true => values.to_vec(),
            false => vec![0.0; values.len()],
        };
        self.sum(&mut told);
        told
    }

    /// True if `flag` is true in any process.
    fn any(&self, flag: bool) -> bool {
        let mut count = [f64::from(u8::from(flag))];
        self.sum(&mut count);
        count[0] > 0.0
    }

    /// Waits until all processes have called it.
    fn wait(&self) {
        self.sum(&mut [0.0]);
    }
}

/// A single process, the default.
#[derive(Clone, Copy, Debug)]
pub struct Alone;

impl Communicator for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn sum(&self, _values: &mut [f64]) {}

    fn sum_f32(&self, _values: &mut [f32]) {}
}

/// Runs `work` in the first process, and after it in the others, which find its result.
///
/// # Errors
/// From `work`; the caller must then end the other processes.
pub fn first_alone<T, E>(
    communicator: &dyn Communicator,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    if !communicator.is_first() {
        communicator.wait();
    }
    let done = work()?;
    if communicator.is_first() {
        communicator.wait();
    }
    Ok(done)
}

/// Parts of a batch that belong to this process. All processes have the same number, in order of
/// rank.
pub fn share(communicator: &dyn Communicator, parts: usize) -> Range<usize> {
    let each = parts / communicator.size();
    communicator.rank() * each..(communicator.rank() + 1) * each
}

/// Sums of gradients over all processes, on `device`. All values are copied through one buffer on
/// the host.
pub(crate) fn sum_gradients<M: Module>(
    communicator: &dyn Communicator,
    model: &M,
    gradients: GradientsParams,
    device: &Device,
) -> GradientsParams {
    if communicator.size() == 1 {
        return gradients;
    }
    let mut flat = Flatten {
        gradients,
        values: Vec::new(),
    };
    model.visit(&mut flat);
    let data = Tensor::cat(flat.values, 0).into_data().convert::<f32>();
    let mut values = data.try_into_vec::<f32>().expect("just converted");
    communicator.sum_f32(&mut values);
    let mut sum = Unflatten {
        values: Tensor::from_data(values.as_slice(), device),
        taken: 0,
        own: &flat.gradients,
        sum: GradientsParams::new(),
    };
    model.visit(&mut sum);
    sum.sum
}

/// Collects the values of all parameters in order.
struct Flatten {
    gradients: GradientsParams,
    values: Vec<Tensor<1>>,
}

impl ModuleVisitor for Flatten {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            self.values.push(gradient.reshape([-1]));
        }
    }
}

/// Writes the values back to the parameters that they came from.
struct Unflatten<'a> {
    values: Tensor<1>,
    taken: usize,
    own: &'a GradientsParams,
    sum: GradientsParams,
}

impl ModuleVisitor for Unflatten<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.own.get::<D>(param.id) {
            let shape = gradient.dims();
            let n = shape.iter().product();
            let values = self.values.clone().narrow(0, self.taken, n);
            self.taken += n;
            self.sum.register::<D>(param.id, values.reshape(shape));
        }
    }
}
