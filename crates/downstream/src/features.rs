//! Features of linear models: numbers of an example, computed from its signals; one file for each
//! kind.

pub mod autocorrelation;
pub mod confounds;
pub mod fc;
pub mod fc_log;
pub mod mean_signal;
pub mod tangent;
pub mod time;

pub use autocorrelation::Autocorrelation;
pub use confounds::Confounds;
pub use fc::{Fc, fc_of, fc_of_examples};
pub use fc_log::FcLog;
pub use mean_signal::MeanSignal;
pub use tangent::Tangent;
pub use time::Time;

use brainmae_statistics::linear::Scaling;
use nalgebra::DMatrix;
use rayon::prelude::*;

use crate::{DownstreamError, Example, Examples, FitError, Labelled, Problem, Scan};

/// A kind of features. [`LearnerKinds::with_features`](crate::LearnerKinds::with_features) makes a
/// linear model of it: ridge or logistic regression, with removal of confounds, principal
/// components, and the mean over the scans of a subject.
///
/// Features of signals use [uncensored](Scan::kept) volumes alone.
pub trait Features: Send + Sync + 'static {
    /// Name of the linear model of these features in experiment files.
    fn name(&self) -> &str;

    /// Earlier name of the same model, which experiment files may still use.
    fn former_name(&self) -> Option<&str> {
        None
    }

    /// Name of the features in tables, in front of the kind of regression.
    fn title(&self) -> &str {
        self.name()
    }

    /// Whether they are computed from signals; if not, they are not transformed as
    /// `downstream.linear` says.
    fn are_of_signals(&self) -> bool {
        true
    }

    /// Scale of the columns in front of the linear model: each by itself, unless differences of
    /// their variances tell something.
    fn scaling(&self) -> Scaling {
        Scaling::EachColumn
    }

    /// Whether they differ between the segments of a scan only. Targets of whole scans then have no
    /// linear model of them.
    fn need_segments(&self) -> bool {
        false
    }

    /// Fits the parameters of the features on the training set, which has at least one example.
    fn fit(&self, problem: &Problem, training: &Labelled) -> Box<dyn FittedFeatures>;
}

/// Features with parameters fitted on the training set.
pub trait FittedFeatures: Send + Sync {
    /// Features of one example of `scan`: finite numbers, as many for every example of a problem.
    fn row(&self, scan: &Scan, example: Example) -> Vec<f32>;
}

/// Features of examples, `[examples, features]`; each thread computes one example at a time.
///
/// # Errors
/// [`DownstreamError::Fit`] if there are no features, such as confounds if none is known, or if a
/// row has another length than the first one or a number that is not finite.
pub fn rows(
    features: &dyn FittedFeatures,
    problem: &Problem,
    examples: &Examples,
) -> Result<DMatrix<f64>, DownstreamError> {
    let list: Vec<_> = examples.iter().collect();
    let rows: Vec<Vec<f32>> = (list.par_iter())
        .map(|(scan, example)| features.row(scan, *example))
        .collect();
    let refuse = |reason| Err(problem.refused("a linear model", reason));
    let width = rows.first().map_or(0, Vec::len);
    if width == 0 {
        return refuse(FitError::NoFeatures);
    }
    for ((scan, _), row) in list.iter().zip(&rows) {
        if row.len() != width {
            return refuse(FitError::FeatureCount {
                scan: scan.scan.clone(),
                found: row.len(),
                expected: width,
            });
        }
        if let Some(feature) = row.iter().position(|value| !value.is_finite()) {
            return refuse(FitError::FeatureNotFinite {
                scan: scan.scan.clone(),
                feature,
                value: row[feature],
            });
        }
    }
    let values = rows.iter().flatten().map(|value| f64::from(*value));
    Ok(DMatrix::from_row_iterator(rows.len(), width, values))
}

#[cfg(test)]
mod tests;
