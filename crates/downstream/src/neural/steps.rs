//! Single steps of a network, for measurements.

use brainmae_train::batch_gradient::BatchGradient;
use brainmae_train::{Alone, Objective, Optimizer, Workers};
use burn::module::Module;

use super::trainer::Training;
use super::{Architecture, Budget};
use crate::training::n_threads;
use crate::{DownstreamError, Fitted, Labelled, Problem};

/// A network in training, one step after another.
pub trait Steps {
    /// One training step at a learning rate of 1e-4: forward, loss, backward, norm of the gradient,
    /// optimiser. Returns the norm of the gradient.
    ///
    /// # Errors
    /// If the batch cannot be made.
    fn train(&mut self) -> Result<f32, DownstreamError>;

    /// The network as it is now, ready to predict.
    fn fitted(&self) -> Box<dyn Fitted>;
}

struct NetworkSteps<'a, A: Architecture> {
    training: Training<'a, A>,
    network: Option<A::Network>,
    optimizer: Optimizer,
    workers: Workers,
    next: u64,
}

/// The steps of `architecture` on `examples`, with random initial weights and the settings of its
/// paper.
///
/// # Errors
/// [`DownstreamError::Fit`] if the network cannot be trained on these examples.
pub fn steps<'a>(
    architecture: impl Architecture,
    problem: &'a Problem,
    examples: &'a Labelled,
) -> Result<Box<dyn Steps + 'a>, DownstreamError> {
    let optimizer = architecture.paper().recipe.optimizer();
    // One crop of each example, so that a step has the paper's batch.
    let budget = Budget {
        bag: 1,
        ..Budget::default()
    };
    let training = Training::new(architecture, problem, examples, examples, budget)?;
    let network = training.init();
    Ok(Box::new(NetworkSteps {
        optimizer: Optimizer::new(&optimizer, &[], &network),
        workers: Workers::on_one_device(n_threads(problem, training.parts())),
        network: Some(network),
        training,
        next: 0,
    }))
}

impl<A: Architecture> Steps for NetworkSteps<'_, A> {
    fn train(&mut self) -> Result<f32, DownstreamError> {
        let network = self.network.take().expect("a step puts it back");
        let batch = BatchGradient::of(&self.training, &network, self.next, &self.workers, &Alone);
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) => {
                self.network = Some(network);
                return Err(error);
            }
        };
        let (network, norm) = self.optimizer.step(1e-4, network, batch.gradients);
        self.network = Some(network);
        self.next += 1;
        Ok(norm.into_scalar::<f32>())
    }

    fn fitted(&self) -> Box<dyn Fitted> {
        let network = self.network.as_ref().expect("a step puts it back");
        Box::new(self.training.uncalibrated(network.valid()))
    }
}
