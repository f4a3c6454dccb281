//! Linear probe on a frozen encoder.

use brainmae_data::SegmentLayout;
use brainmae_encoder::Embed;
use brainmae_statistics::linear::Scaling;
use nalgebra::DMatrix;

use super::embedding::vectors;
use super::samples::Samples;
use super::{FoldEncoder, Readout};
use crate::linear::LinearModel;
use crate::{DownstreamError, Examples, FitResult, Fitted, Labelled, Learner, Output, Problem};

/// Ridge or logistic regression on the outputs of a frozen encoder: on the vector of a scan,
/// averaged over its samples, or of a segment.
pub struct LinearProbe {
    name: String,
    encoder: FoldEncoder,
    readout: Readout,
}

impl LinearProbe {
    /// A probe called `name` in tables.
    pub fn new(name: &str, encoder: FoldEncoder, readout: Readout) -> Self {
        Self {
            name: name.to_string(),
            encoder,
            readout,
        }
    }
}

impl Learner for LinearProbe {
    fn name(&self) -> &str {
        &self.name
    }

    fn fit(&self, problem: &Problem, training: &Labelled, validation: &Labelled) -> FitResult {
        let frozen = Frozen {
            name: self.name.clone(),
            model: self.encoder.embedder(problem)?,
            layout: self.encoder.layout,
            readout: self.readout,
        };
        let x = frozen.rows(problem, &training.examples)?;
        let deciding = frozen.rows(problem, &validation.examples)?;
        let sets = [(x, training), (deciding, validation)];
        let model = LinearModel::choose(problem, Scaling::EachColumn, sets);
        Ok(Box::new(FittedProbe {
            frozen,
            model,
            problem: problem.clone(),
        }))
    }
}

struct FittedProbe {
    frozen: Frozen,
    model: LinearModel,
    problem: Problem,
}

impl Fitted for FittedProbe {
    fn predict(&self, examples: &Examples) -> Result<Output, DownstreamError> {
        let x = self.frozen.rows(&self.problem, examples)?;
        Ok(self.model.predict(&self.problem, examples, x))
    }
}

/// The frozen encoder.
struct Frozen {
    name: String,
    model: Box<dyn Embed>,
    layout: SegmentLayout,
    readout: Readout,
}

impl Frozen {
    /// One row for each example.
    fn rows(
        &self,
        problem: &Problem,
        examples: &Examples,
    ) -> Result<DMatrix<f64>, DownstreamError> {
        let samples = Samples::new(&self.name, problem, examples, self.layout)?;
        let vectors = vectors(&self.name, problem, &*self.model, &samples, self.readout)?;
        let width = vectors.first().map_or(0, Vec::len);
        let values = vectors.iter().flatten().map(|x| f64::from(*x));
        Ok(DMatrix::from_row_iterator(vectors.len(), width, values))
    }
}
