//! Scores of predictions against the truth.
//!
//! Each score takes the weights of rows and a truth as arguments. The same code therefore computes
//! the score of a sample, of a bootstrap replicate (weights count how often a row was drawn) and of
//! permuted truth.
//!
//! A score of several folds is *pooled*: errors are averaged over all rows. The order of
//! predictions ([`Score::PearsonR`], [`Score::Auroc`]) has a meaning within one trained model only,
//! so it is compared within folds. Otherwise the constant predictor would have a negative
//! correlation, because a fold of old subjects is predicted by a model trained on younger ones.
//!
//! Balanced accuracy, macro F1 and the confusion matrix are of [decisions](decision::decide) by
//! probability and base rate, accuracy is of the most probable class, and all other scores of
//! classes are of the probabilities themselves.
//!
//! An undefined score (one class, a constant prediction) is `None`, never 0 and never NaN.

use brainmae_statistics::RankOrder;
use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::predictions::Sample;
use crate::{Kind, kind::likeliest};

pub mod calibration;
pub mod confusion;
pub mod decision;
pub mod regression;

use calibration::Calibration;
use confusion::Confusion;
use decision::decide;

/// A score of predictions. Its name in tables is read with [`str::parse`].
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum Score {
    /// Mean absolute error, in the target's unit of measurement.
    Mae,
    /// Root of the mean squared error, in the target's unit of measurement.
    Rmse,
    /// 1 minus the ratio of the squared error to that of the training mean; negative if the
    /// training mean is better.
    R2,
    /// Pearson correlation of truth and prediction, within folds.
    PearsonR,
    /// Share of rows whose most probable class is the true one.
    Accuracy,
    /// Mean recall over classes, of [decisions](decision::decide) by probability and base rate.
    BalancedAccuracy,
    /// Mean over classes of the F1 score, the harmonic mean of precision and recall, of the same
    /// decisions.
    MacroF1,
    /// Area under the receiver operating characteristic, within folds; the mean over classes if
    /// there are more than two.
    Auroc,
    /// Mean squared error of probabilities, within 0..1.
    Brier,
    /// Expected calibration error, within 0..1.
    CalibrationError,
    /// Slope of the least-squares line of truth on prediction, within folds. It is 1 if a
    /// difference of two predictions is the expected difference of their truths, above 1 if
    /// predictions are shrunk towards their mean, below 1 if they are spread too far.
    CalibrationSlope,
    /// Mean truth minus mean prediction, in the target's unit of measurement; positive if
    /// predictions are too low.
    CalibrationInTheLarge,
}

impl Score {
    /// Scores of a kind of target, the primary one first.
    pub fn of(kind: Kind) -> &'static [Score] {
        match kind {
            Kind::Regression => &[
                Score::R2,
                Score::Mae,
                Score::Rmse,
                Score::PearsonR,
                Score::CalibrationSlope,
                Score::CalibrationInTheLarge,
            ],
            Kind::Classification { .. } => &[
                Score::BalancedAccuracy,
                Score::Accuracy,
                Score::MacroF1,
                Score::Auroc,
                Score::Brier,
                Score::CalibrationError,
            ],
        }
    }

    /// True if it ranks models and hypotheses are about it.
    pub fn is_primary(self) -> bool {
        matches!(self, Score::R2 | Score::BalancedAccuracy)
    }

    /// Name in tables.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// 1 if a higher score is better, −1 if a lower one is. `None` if the best value is between
    /// others: such a score describes a model; it has no p value and compares no models.
    pub fn sign(self) -> Option<f64> {
        match self {
            Score::CalibrationSlope | Score::CalibrationInTheLarge => None,
            Score::Mae | Score::Rmse | Score::Brier | Score::CalibrationError => Some(-1.0),
            _ => Some(1.0),
        }
    }

    /// Loss of each row, if the ranking by the score is the ranking by a sum of losses: absolute or
    /// squared errors, wrong answers (for balanced accuracy, divided by the number of rows of their
    /// class), squared errors of probabilities.
    pub fn losses(self, sample: &Sample) -> Option<Vec<f64>> {
        let n_outputs = sample.kind().n_outputs();
        let truth = sample.truth();
        let rows = truth.iter().zip(sample.output().chunks_exact(n_outputs));
        match self {
            Score::Mae => Some(rows.map(|(truth, row)| (truth - row[0]).abs()).collect()),
            Score::Rmse | Score::R2 => {
                Some(rows.map(|(truth, row)| (truth - row[0]).powi(2)).collect())
            }
            Score::Accuracy => Some(
                rows.map(|(truth, row)| f64::from(likeliest(row) as f64 != *truth))
                    .collect(),
            ),
            Score::BalancedAccuracy => {
                let mut of_class = vec![0.0; n_outputs];
                truth
                    .iter()
                    .for_each(|class| of_class[*class as usize] += 1.0);
                let decisions = decisions(sample);
                let rows = truth.iter().zip(decisions.chunks_exact(n_outputs));
                let loss = |(truth, decision): (&f64, &[f64])| {
                    let class = *truth as usize;
                    (1.0 - decision[class]) / of_class[class]
                };
                Some(rows.map(loss).collect())
            }
            Score::Brier => Some(
                rows.map(|(truth, row)| calibration::brier(*truth as usize, row))
                    .collect(),
            ),
            Score::PearsonR
            | Score::MacroF1
            | Score::Auroc
            | Score::CalibrationError
            | Score::CalibrationSlope
            | Score::CalibrationInTheLarge => None,
        }
    }
}

/// Scores of one sample; terms that depend on neither truth nor weights are computed once.
pub struct Scorer<'s, 'a> {
    sample: &'s Sample<'a>,
    likeliest: Vec<f64>,
    /// `[rows, n_classes]`, row-major.
    decisions: Vec<f64>,
    orders: Vec<RankOrder>,
    calibration: Calibration,
}

impl<'s, 'a> Scorer<'s, 'a> {
    /// Prepares the scores of `sample`.
    pub fn new(sample: &'s Sample<'a>) -> Self {
        let Kind::Classification { n_classes } = sample.kind() else {
            return Self {
                sample,
                likeliest: Vec::new(),
                decisions: Vec::new(),
                orders: Vec::new(),
                calibration: Calibration::default(),
            };
        };
        let rows = || sample.output().chunks_exact(n_classes);
        // With two classes, the area of the second class equals that of the first.
        let classes = if n_classes == 2 { 1..2 } else { 0..n_classes };
        let orders = classes.map(|class| {
            let p: Vec<f64> = rows().map(|row| row[class]).collect();
            RankOrder::new(class, &p, sample.folds())
        });
        Self {
            sample,
            likeliest: rows().map(|row| likeliest(row) as f64).collect(),
            decisions: decisions(sample),
            orders: orders.collect(),
            calibration: Calibration::new(n_classes, sample.output()),
        }
    }

    /// All scores of the sample's kind of target, in the order of [`Score::of`].
    pub fn scores(&self) -> Vec<Option<f64>> {
        self.scores_of(self.sample.truth(), &vec![1.0; self.sample.len()])
    }

    /// All scores for another truth, with `weights` of the rows.
    pub fn scores_of(&self, truth: &[f64], weights: &[f64]) -> Vec<Option<f64>> {
        let n_classes = match self.sample.kind() {
            Kind::Regression => return regression::scores(self.sample, truth, weights).into(),
            Kind::Classification { n_classes } => n_classes,
        };
        let confusion = Confusion::new(n_classes, truth, &self.decisions, weights);
        let output = self.sample.output();
        vec![
            confusion.balanced_accuracy(),
            accuracy(&self.likeliest, truth, weights),
            confusion.macro_f1(),
            mean_area(&self.orders, truth, weights),
            calibration::mean_brier(n_classes, truth, output, weights),
            self.calibration.error(truth, weights),
        ]
    }

    /// True classes against [decisions](decision::decide); `None` for regression.
    pub fn confusion(&self) -> Option<Confusion> {
        let Kind::Classification { n_classes } = self.sample.kind() else {
            return None;
        };
        let weights = vec![1.0; self.sample.len()];
        let truth = self.sample.truth();
        Some(Confusion::new(n_classes, truth, &self.decisions, &weights))
    }

    /// Accuracy by predicted probability; empty for regression.
    pub fn calibration_curve(&self) -> Vec<calibration::Bin> {
        let weights = vec![1.0; self.sample.len()];
        self.calibration.curve(self.sample.truth(), &weights)
    }
}

/// Decisions of all rows by the base rates of their folds, `[rows, n_classes]`, row-major.
fn decisions(sample: &Sample) -> Vec<f64> {
    let output = sample.output().chunks_exact(sample.kind().n_outputs());
    let rows = output.zip(sample.rows());
    rows.flat_map(|(p, row)| decide(p, &row.blind)).collect()
}

/// Share of rows whose most probable class is the true one; `None` if there are no rows.
fn accuracy(likeliest: &[f64], truth: &[f64], weights: &[f64]) -> Option<f64> {
    let (mut right, mut all) = (0.0, 0.0);
    for ((likeliest, truth), weight) in likeliest.iter().zip(truth).zip(weights) {
        right += weight * f64::from(u8::from(likeliest == truth));
        all += weight;
    }
    (all > 0.0).then(|| right / all)
}

/// Mean area over the classes with a defined area; `None` if there is none.
fn mean_area(orders: &[RankOrder], truth: &[f64], weights: &[f64]) -> Option<f64> {
    let areas = orders.iter().filter_map(|order| order.area(truth, weights));
    let (sum, n) = areas.fold((0.0, 0), |(sum, n), area| (sum + area, n + 1));
    (n > 0).then(|| sum / f64::from(n))
}

#[cfg(test)]
mod tests;
