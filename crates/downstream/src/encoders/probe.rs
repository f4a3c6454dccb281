//! Linear probe on a frozen encoder.

use brainmae_data::SegmentLayout;
use brainmae_encoder::Embed;
use nalgebra::DMatrix;

use super::FoldEncoder;
use super::embedding::{embed, vectors};
use crate::linear::LinearModel;
use crate::{DownstreamError, Examples, FitResult, Fitted, Labelled, Learner, Output, Problem};

/// Ridge or logistic regression on the outputs of a frozen encoder: on the representation of a
/// scan, averaged over its samples, or on the token of a segment.
pub struct LinearProbe {
    name: String,
    encoder: FoldEncoder,
}

impl LinearProbe {
    /// A probe called `name` in tables.
    pub fn new(name: &str, encoder: FoldEncoder) -> Self {
        Self {
            name: name.to_string(),
            encoder,
        }
    }
}

impl Learner for LinearProbe {
    fn name(&self) -> &str {
        &self.name
    }

    fn fit(&self, problem: &Problem, training: &Labelled, validation: &Labelled) -> FitResult {
        let (encoder, layout) = (self.encoder.embedder(problem)?, self.encoder.layout);
        let x = rows(&*encoder, layout, &training.examples)?;
        let deciding = rows(&*encoder, layout, &validation.examples)?;
        let model = LinearModel::choose(problem, [(x, training), (deciding, validation)]);
        Ok(Box::new(FittedProbe {
            encoder,
            layout,
            model,
            problem: problem.clone(),
        }))
    }
}

struct FittedProbe {
    encoder: Box<dyn Embed>,
    layout: SegmentLayout,
    model: LinearModel,
    problem: Problem,
}

impl Fitted for FittedProbe {
    fn predict(&self, examples: &Examples) -> Result<Output, DownstreamError> {
        let x = rows(&*self.encoder, self.layout, examples)?;
        Ok(self.model.predict(&self.problem, examples, x))
    }
}

fn rows(
    encoder: &dyn Embed,
    layout: SegmentLayout,
    examples: &Examples,
) -> Result<DMatrix<f64>, DownstreamError> {
    let samples = embed(encoder, layout, examples)?;
    let vectors = vectors(&samples, &layout, examples)?;
    let width = vectors.first().map_or(0, Vec::len);
    let values = vectors.iter().flatten().map(|x| f64::from(*x));
    Ok(DMatrix::from_row_iterator(vectors.len(), width, values))
}
