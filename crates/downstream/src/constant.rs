//! The mean, or the shares of the classes: what is predicted without looking at anything.

use crate::{DownstreamError, Examples, Fitted, Kind, Labelled, Learner, Output, Problem};

/// Predicts the same for everybody.
pub struct Constant;

impl Learner for Constant {
    fn name(&self) -> &str {
        "constant"
    }

    fn fit(
        &self,
        problem: &Problem,
        training: &Labelled,
        _validation: &Labelled,
    ) -> Result<Box<dyn Fitted>, DownstreamError> {
        let n = training.truth.len() as f64;
        let row = match problem.kind {
            Kind::Regression => vec![training.truth.iter().sum::<f64>() / n],
            Kind::Classification { n_classes } => (0..n_classes)
                .map(|class| {
                    let of_class = training.truth.iter().filter(|t| **t == class as f64);
                    of_class.count() as f64 / n
                })
                .collect(),
        };
        Ok(Box::new(FittedConstant {
            kind: problem.kind,
            row,
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
