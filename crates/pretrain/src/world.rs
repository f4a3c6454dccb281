//! The processes that train one model together.

use std::ops::Range;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};

/// Some processes that go through the same steps, each with parts of every batch.
///
/// What one is asked, all must be asked, in the same order and with as many values. One that cannot
/// go on must end the others: they would wait for it for ever.
pub trait World {
    /// Which one this is, from 0. The first writes the run folder, and shows progress.
    fn rank(&self) -> usize;

    /// How many there are.
    fn size(&self) -> usize;

    /// Puts the sums over all processes in the place of `values`, the same bits everywhere.
    fn sum(&self, values: &mut [f64]);

    /// [`World::sum`] in single precision.
    fn sum_f32(&self, values: &mut [f32]);

    /// Whether this is the one that writes.
    fn is_first(&self) -> bool {
        self.rank() == 0
    }

    /// The values of the first process; of the others, only how many they have counts.
    fn of_first(&self, values: &[f64]) -> Vec<f64> {
        let mut told = match self.is_first() {
            true => values.to_vec(),
            false => vec![0.0; values.len()],
        };
        self.sum(&mut told);
        told
    }

    /// Whether `flag` is set in any process.
    fn any(&self, flag: bool) -> bool {
        let mut count = [f64::from(u8::from(flag))];
        self.sum(&mut count);
        count[0] > 0.0
    }

    /// Waits until all processes have come here.
    fn wait(&self) {
        self.sum(&mut [0.0]);
    }
}

/// One process, as trainings usually are.
#[derive(Clone, Copy, Debug)]
pub struct Alone;

impl World for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn sum(&self, _values: &mut [f64]) {}

    fn sum_f32(&self, _values: &mut [f32]) {}
}

/// Does something in the first process, and only then in the others, who find it done.
///
/// # Errors
/// From `work`; the other processes must be ended then.
pub fn first_alone<T, E>(world: &dyn World, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    if !world.is_first() {
        world.wait();
    }
    let done = work()?;
    if world.is_first() {
        world.wait();
    }
    Ok(done)
}

/// The parts of a batch that are a process's own: those of all processes are as many, and the first
/// ones are the first's.
pub fn share(world: &dyn World, parts: usize) -> Range<usize> {
    let each = parts / world.size();
    world.rank() * each..(world.rank() + 1) * each
}

/// The sums of gradients over all processes, on `device`: all values go through one buffer on the
/// host.
pub(crate) fn sum_gradients<M: Module>(
    world: &dyn World,
    model: &M,
    gradients: GradientsParams,
    device: &Device,
) -> GradientsParams {
    if world.size() == 1 {
        return gradients;
    }
    let mut flat = Flatten {
        gradients,
        values: Vec::new(),
    };
    model.visit(&mut flat);
    let data = Tensor::cat(flat.values, 0).into_data().convert::<f32>();
    let mut values = data.try_into_vec::<f32>().expect("just converted");
    world.sum_f32(&mut values);
    let mut sum = Unflatten {
        values: Tensor::from_data(values.as_slice(), device),
        taken: 0,
        own: &flat.gradients,
        sum: GradientsParams::new(),
    };
    model.visit(&mut sum);
    sum.sum
}

/// Takes all values, parameter by parameter.
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

/// Gives the values back, to the parameters that had some.
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
