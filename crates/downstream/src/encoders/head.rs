//! Head of fine-tuning: a linear map, and where its training starts.

use brainmae_model::init::Init;
use burn::module::Param;
use burn::nn::Linear;
use burn::tensor::{Tensor, TensorData};
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::frozen::Frozen;
use super::{FoldEncoder, Readout};
use crate::linear::LinearModel;
use crate::supervised::Target;
use crate::{DownstreamError, Labelled, Problem};

/// Weights of the head at the start of fine-tuning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeadStart {
    /// Those of ridge or logistic regression on the vectors of the frozen encoder, fitted on the
    /// training set with the penalty that is best for the validation set. Training starts at the
    /// linear probe, so the first gradients do not distort the encoder (Kumar et al. 2022).
    #[default]
    Linear,
    /// Random weights.
    Random,
}

/// A head with random weights, for vectors of `width` elements.
pub(super) fn random(problem: &Problem, width: usize) -> Linear {
    let rng = &mut problem.seeds.stream("head");
    let device = &problem.device;
    Init { rng, device }.linear(width, problem.kind.n_outputs())
}

/// The head of the linear probe of `encoder`; `sets` are the training and the validation set.
///
/// # Errors
/// If the encoder cannot be made for the problem, or an example has no valid segment.
pub(super) fn of_probe(
    name: &str,
    problem: &Problem,
    (encoder, readout): (&FoldEncoder, Readout),
    target: &Target,
    sets: [&Labelled; 2],
) -> Result<Linear, DownstreamError> {
    let frozen = Frozen::new(name, problem, encoder, readout)?;
    let [training, validation] = sets;
    let rows = |set: &Labelled| frozen.rows(problem, &set.examples);
    let sets = [(rows(training)?, training), (rows(validation)?, validation)];
    let (slopes, offsets) = LinearModel::choose_for_first(problem, sets).map();
    let (slopes, offsets) = target.map_of(slopes, offsets);
    Ok(head(problem, &slopes, &offsets))
}

/// The map with these slopes, `[width, outputs]`.
fn head(problem: &Problem, slopes: &DMatrix<f64>, offsets: &[f64]) -> Linear {
    let device = &problem.device;
    let shape = [slopes.nrows(), slopes.ncols()];
    let weight: Vec<f32> = slopes.transpose().iter().map(|x| *x as f32).collect();
    let bias: Vec<f32> = offsets.iter().map(|x| *x as f32).collect();
    let bias = Tensor::<1>::from_data(TensorData::new(bias, [offsets.len()]), device);
    Linear {
        weight: Param::from_tensor(Tensor::from_data(TensorData::new(weight, shape), device)),
        bias: Some(Param::from_tensor(bias)),
    }
}
