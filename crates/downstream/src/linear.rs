//! Linear models of features, the baselines of all other models.

mod harmonise;
mod kind;
mod machine;
pub mod spec;

use std::sync::Arc;

use brainmae_statistics::linear::{Logistic, LogisticPath, Ridge, RidgePath, Scaling, Standard};
use nalgebra::DMatrix;

use crate::features::Features;
use crate::pooled::Pooled;
use crate::{
    Computed, DownstreamError, Examples, FitError, FitResult, Fitted, Kind, Labelled, Learner,
    Output, Problem,
};
pub use harmonise::Harmonise;
pub(crate) use kind::{LinearKind, linear_title};
use machine::MachineModel;
pub use machine::Method;
use spec::{LinearSpec, Prepared};

/// Penalties on the grid, from strong to weak, per row and standardised column. A model of 5,000
/// correlated columns needs about 1,000 times the penalty of a model of five.
pub const PENALTIES: [f64; 13] = [
    1e4, 3e3, 1e3, 3e2, 1e2, 3e1, 1e1, 3.0, 1.0, 3e-1, 1e-1, 1e-2, 1e-3,
];

/// A linear model of features. The penalty of ridge regression is chosen by leave-one-out over
/// training and validation set together, that of other methods by the validation set; then the
/// model is fitted on both sets together. If all scans of a subject have one truth, as they do of
/// every number, the features of a subject are the mean over its scans.
pub struct LinearLearner {
    name: String,
    features: Arc<dyn Features>,
    method: Method,
    spec: LinearSpec,
}

impl LinearLearner {
    /// Ridge or logistic regression on `features`, called `name` in tables; `spec` is the
    /// preparation of the features.
    pub fn new(name: &str, features: Arc<dyn Features>, spec: LinearSpec) -> Self {
        Self {
            name: name.to_string(),
            features,
            method: Method::Regression,
            spec,
        }
    }

    /// The same model, fitted by `method`.
    pub fn by(self, method: Method) -> Self {
        Self { method, ..self }
    }
}

impl Learner for LinearLearner {
    fn name(&self) -> &str {
        &self.name
    }

    fn fit(&self, problem: &Problem, training: &Labelled, validation: &Labelled) -> FitResult {
        if validation.examples.is_empty() {
            return Err(problem.refused(&self.name, FitError::NoValidation));
        }
        // Parameters of the features are fitted on the training set alone and are not refitted.
        let (features, x) = self.spec.fit(&*self.features, problem, training)?;
        let deciding = features.of(problem, &validation.examples)?;
        let sets = [(x, training), (deciding, validation)];
        let scaling = self.features.scaling();
        let model: Box<dyn RowModel> = match self.method {
            Method::Regression => Box::new(LinearModel::choose(problem, scaling, sets)),
            method => Box::new(MachineModel::choose(method, problem, sets)),
        };
        Ok(Box::new(FittedLinear {
            model,
            features,
            problem: problem.clone(),
        }))
    }
}

/// A fitted model of rows of numbers.
trait RowModel {
    /// Predictions for rows, one for each subject or example.
    fn predict_rows(&self, x: DMatrix<f64>) -> Output;
}

struct FittedLinear {
    features: Prepared,
    model: Box<dyn RowModel>,
    problem: Problem,
}

impl Fitted for FittedLinear {
    fn predict(&self, examples: &Examples) -> Result<Output, DownstreamError> {
        let x = self.features.of(&self.problem, examples)?;
        let pooled = Pooled::new(&self.problem, examples);
        let said = self.model.predict_rows(pooled.rows(x));
        Ok(pooled.spread(&self.problem, &said))
    }
}

/// A linear model of rows of numbers.
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
    /// Fits a model on the rows of both sets, one row for each example. If a subject has one truth,
    /// its scans become one row, their mean. The penalty of ridge regression is the best one by
    /// leave-one-out over the rows of both sets, that of logistic regression the best one for the
    /// second set after a fit on the first.
    pub fn choose(
        problem: &Problem,
        scaling: Scaling,
        sets: [(DMatrix<f64>, &Labelled); 2],
    ) -> Self {
        let scans = sets[0].1.examples.scans.first();
        let computed = scans.map(|scan| scan.computed.clone()).unwrap_or_default();
        let [(x, truth), (deciding, decided)] = sets.map(|set| pooled(problem, set));
        let both = stack(&x, &deciding);
        let standard = Standard::fit(&both, scaling);
        let rows = standard.apply(both);
        let all = [&truth[..], &decided].concat();
        let fitted = match problem.kind {
            Kind::Regression => FittedModel::Ridge(ridge(&rows, &all, &computed)),
            Kind::Classification { n_classes } => {
                let alpha = logistic_penalty(n_classes, scaling, [x, deciding], [&truth, &decided]);
                FittedModel::Logistic(LogisticPath::new(&rows, &all, n_classes).at(alpha))
            }
        };
        Self {
            standard,
            kind: problem.kind,
            fitted,
        }
    }

    /// Predictions for examples; `x` has one row for each. Scans are averaged as in training.
    pub fn predict(&self, problem: &Problem, examples: &Examples, x: DMatrix<f64>) -> Output {
        let pooled = Pooled::new(problem, examples);
        pooled.spread(problem, &self.predict_rows(pooled.rows(x)))
    }
}

impl RowModel for LinearModel {
    fn predict_rows(&self, x: DMatrix<f64>) -> Output {
        let x = self.standard.apply(x);
        match &self.fitted {
            FittedModel::Ridge(ridge) => {
                Output::new(self.kind, ridge.predict(&x).as_slice().to_vec())
            }
            FittedModel::Logistic(logistic) => Output::new(self.kind, logistic.predict(&x)),
        }
    }
}

/// Ridge regression with the penalty whose sum of squared errors of leave-one-out is the smallest;
/// the strongest one if no sum is a number, as of a single row.
fn ridge(x: &DMatrix<f64>, truth: &[f64], computed: &Computed) -> Ridge {
    let gram = computed.gram(x);
    let path = RidgePath::new(x, &gram, &column(truth));
    let errors = path.left_out(&PENALTIES);
    let alpha = best_penalty(errors.iter().map(|errors| errors.norm_squared()));
    let fitted = path.at(&[alpha]).into_iter().next();
    fitted.expect("one penalty")
}

/// The penalty with the lowest `-log p` of the second rows after a fit on the first.
fn logistic_penalty(
    n_classes: usize,
    scaling: Scaling,
    [x, deciding]: [DMatrix<f64>; 2],
    truth: [&[f64]; 2],
) -> f64 {
    let standard = Standard::fit(&x, scaling);
    let [x, deciding] = [x, deciding].map(|x| standard.apply(x));
    let mut path = LogisticPath::new(&x, truth[0], n_classes);
    best_penalty(PENALTIES.into_iter().map(|alpha| {
        let predicted = path.at(alpha).predict(&deciding);
        log_loss(predicted.chunks_exact(n_classes), truth[1])
    }))
}

/// The penalty with the lowest of the losses, which are in the order of [`PENALTIES`].
fn best_penalty(losses: impl Iterator<Item = f64>) -> f64 {
    let mut best = (f64::INFINITY, PENALTIES[0]);
    for (loss, alpha) in losses.zip(PENALTIES) {
        if loss < best.0 {
            best = (loss, alpha);
        }
    }
    best.1
}

/// Rows and truths of a set. If a subject has one truth, its scans become one row, their mean.
fn pooled(problem: &Problem, (x, set): (DMatrix<f64>, &Labelled)) -> (DMatrix<f64>, Vec<f64>) {
    let pooled = Pooled::new(problem, &set.examples);
    (pooled.rows(x), pooled.truth(set))
}

/// Sum of `-log p` of the true classes; `rows` are probabilities.
fn log_loss<'a>(rows: impl Iterator<Item = &'a [f64]>, truth: &[f64]) -> f64 {
    let pairs = rows.zip(truth);
    let losses = pairs.map(|(row, t)| -row[*t as usize].max(1e-12).ln());
    losses.sum()
}

/// Truths as the only column of a matrix.
fn column(truth: &[f64]) -> DMatrix<f64> {
    DMatrix::from_column_slice(truth.len(), 1, truth)
}

/// Rows of both matrices, one below the other.
fn stack(first: &DMatrix<f64>, second: &DMatrix<f64>) -> DMatrix<f64> {
    let (n, p) = first.shape();
    let mut both = first.clone().resize_vertically(n + second.nrows(), 0.0);
    both.view_mut((n, 0), (second.nrows(), p)).copy_from(second);
    both
}

#[cfg(test)]
mod tests;
