//! Linear probe on a frozen encoder.

use super::frozen::Frozen;
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
        let frozen = Frozen::new(&self.name, problem, &self.encoder, self.readout)?;
        let x = frozen.rows(problem, &training.examples)?;
        let deciding = frozen.rows(problem, &validation.examples)?;
        let model = LinearModel::choose(problem, [(x, training), (deciding, validation)]);
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
