//! Constant predictor: the mean of the training set, or its class shares.

use crate::protocol::blind;
use crate::{
    DownstreamError, Examples, FitResult, Fitted, Kind, Labelled, Learner, Output, Problem,
};

/// Constant predictor: one output for all examples.
pub struct Constant;

impl Learner for Constant {
    fn name(&self) -> &str {
        "constant"
    }

    fn fit(&self, problem: &Problem, training: &Labelled, _validation: &Labelled) -> FitResult {
        Ok(Box::new(FittedConstant {
            kind: problem.kind,
            row: blind(problem, training),
        }))
    }
}

struct FittedConstant {
    kind: Kind,
    row: Vec<f64>,
}

impl Fitted for FittedConstant {
    fn predict(&self, examples: &Examples) -> Result<Output, DownstreamError> {
        Ok(Output::new(self.kind, self.row.repeat(examples.len())))
    }
}
