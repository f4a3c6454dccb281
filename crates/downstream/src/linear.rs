//! Linear models of features: the baseline that every other model has to beat.

pub mod decomposition;
pub mod deconfound;
mod lbfgs;
pub mod logistic;
mod pooled;
pub mod principal;
pub mod ridge;
pub mod spec;
pub mod standard;

use nalgebra::DMatrix;

use crate::features::Features;
use crate::{
    DownstreamError, Examples, FitError, Fitted, Kind, Labelled, Learner, Output, Problem,
};
use logistic::Logistic;
use pooled::Pooled;
use ridge::{Ridge, RidgePath};
use spec::{LinearSpec, Prepared};
use standard::Standard;

/// Penalties that are tried, from strong to weak, per row and standardised column; a model of 5,000
/// correlated columns wants a thousand times that of one of five.
const ALPHAS: [f64; 13] = [
    1e4, 3e3, 1e3, 3e2, 1e2, 3e1, 1e1, 3.0, 1.0, 3e-1, 1e-1, 1e-2, 1e-3,
];

/// Ridge or logistic regression of features. The validation side chooses the penalty; then both
/// sides are fitted. Where all scans of a subject have one truth, the features of a subject are the
/// mean over its scans.
pub struct LinearLearner {
    name: String,
    features: Features,
    spec: LinearSpec,
}

impl LinearLearner {
    /// A linear model of these features, called `name` in tables, after what `spec` does to them.
    pub fn new(name: &str, features: Features, spec: LinearSpec) -> Self {
        Self {
            name: name.to_string(),
            features,
            spec,
        }
    }
}

impl Learner for LinearLearner {
    fn name(&self) -> &str {
        &self.name
    }

    fn fit(
        &self,
        problem: &Problem,
        training: &Labelled,
        validation: &Labelled,
    ) -> Result<Box<dyn Fitted>, DownstreamError> {
        if validation.examples.is_empty() {
            return Err(problem.refused(&self.name, FitError::NoValidation));
        }
        // What features learn stays as it is: it is learned from the training side alone.
        let (features, x) = self.spec.fit(self.features, problem, training)?;
        let deciding = features.of(problem, &validation.examples)?;
        let model = LinearModel::choose(problem, [(x, training), (deciding, validation)]);
        Ok(Box::new(FittedLinear {
            model,
            features,
            problem: problem.clone(),
        }))
    }
}

struct FittedLinear {
    features: Prepared,
    model: LinearModel,
    problem: Problem,
}

impl Fitted for FittedLinear {
    fn predict(&self, examples: &Examples) -> Result<Output, DownstreamError> {
        let x = self.features.of(&self.problem, examples)?;
        Ok(self.model.predict(&self.problem, examples, x))
    }
}

/// A linear model of rows of numbers, whatever they are.
pub struct LinearModel {
    standard: Standard,
    kind: Kind,
    fitted: FittedModel,
}

enum FittedModel {
    Ridge(Ridge),
    Logistic(Logistic),
}

impl LinearModel {
    /// The model of all rows, one for each example, with the penalty that fits the second ones best
    /// where the first alone are learned from. Scans of a subject are one row, their mean, where
    /// they have one truth.
    pub fn choose(problem: &Problem, sides: [(DMatrix<f64>, &Labelled); 2]) -> Self {
        let [(x, truth), (deciding, decided)] = sides.map(|(x, side)| {
            let pooled = Pooled::new(problem, &side.examples);
            (pooled.rows(x), pooled.truth(side))
        });
        let (x, truth) = ([&x, &deciding], [&truth[..], &decided]);
        let alpha = Self::best_alpha(problem.kind, x, truth);
        Self::fit(problem.kind, stack(x[0], x[1]), &truth.concat(), alpha)
    }

    /// The penalty that fits the second rows best when the first are learned from: least squared
    /// error, or least `-log p`.
    fn best_alpha(kind: Kind, [x, deciding]: [&DMatrix<f64>; 2], truth: [&[f64]; 2]) -> f64 {
        let standard = Standard::fit(x);
        let [x, deciding] = [x, deciding].map(|x| standard.apply(x.clone()));
        let mut best = (f64::INFINITY, ALPHAS[0]);
        let mut keep = |alpha: f64, loss: f64| {
            if loss < best.0 {
                best = (loss, alpha);
            }
        };
        match kind {
            Kind::Regression => {
                let path = RidgePath::new(&x, truth[0]);
                for alpha in ALPHAS {
                    let predicted = path.at(alpha).predict(&deciding);
                    let pairs = predicted.iter().zip(truth[1]);
                    keep(alpha, pairs.map(|(p, t)| (p - t).powi(2)).sum());
                }
            }
            Kind::Classification { n_classes } => {
                let mut start: Option<Logistic> = None;
                for alpha in ALPHAS {
                    let fitted = Logistic::fit(&x, truth[0], n_classes, alpha, start.as_ref());
                    let predicted = fitted.predict(&deciding);
                    let pairs = predicted.rows().zip(truth[1]);
                    let loss = pairs.map(|(row, t)| -row[*t as usize].max(1e-12).ln());
                    keep(alpha, loss.sum());
                    start = Some(fitted);
                }
            }
        }
        best.1
    }

    /// Fits rows with this penalty.
    fn fit(kind: Kind, x: DMatrix<f64>, truth: &[f64], alpha: f64) -> Self {
        let standard = Standard::fit(&x);
        let x = standard.apply(x);
        let fitted = match kind {
            Kind::Regression => FittedModel::Ridge(RidgePath::new(&x, truth).at(alpha)),
            Kind::Classification { n_classes } => {
                FittedModel::Logistic(Logistic::fit(&x, truth, n_classes, alpha, None))
            }
        };
        Self {
            standard,
            kind,
            fitted,
        }
    }

    /// Predictions for examples, of which `x` has one row each; scans that were one row to learn
    /// from are one here.
    pub fn predict(&self, problem: &Problem, examples: &Examples, x: DMatrix<f64>) -> Output {
        let pooled = Pooled::new(problem, examples);
        pooled.spread(problem, &self.predict_rows(pooled.rows(x)))
    }

    fn predict_rows(&self, x: DMatrix<f64>) -> Output {
        let x = self.standard.apply(x);
        match &self.fitted {
            FittedModel::Ridge(ridge) => Output::new(self.kind, ridge.predict(&x)),
            FittedModel::Logistic(logistic) => logistic.predict(&x),
        }
    }
}

/// The rows of both.
fn stack(first: &DMatrix<f64>, second: &DMatrix<f64>) -> DMatrix<f64> {
    let (n, p) = first.shape();
    let mut both = first.clone().resize_vertically(n + second.nrows(), 0.0);
    both.view_mut((n, 0), (second.nrows(), p)).copy_from(second);
    both
}
