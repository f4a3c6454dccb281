//! Table of predictions of all models for all test examples. Scores and statistical tests use this
//! table alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::{DownstreamError, Kind};

mod error;
mod sample;
mod table;

pub use error::PredictionError;
pub use sample::Sample;

/// Prediction of one model, trained without this unit, for a subject, a scan or a segment.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// Name of the target, with its unit of measurement.
    pub target: String,
    /// Name of the model.
    pub model: String,
    /// Share of the training set that the model learned from, within 0..1.
    pub train_share: f64,
    /// Fold whose test set contains the example.
    pub fold: u32,
    /// Identifier of the scan; `None` if the prediction uses all scans of the subject.
    pub scan: Option<String>,
    /// Subject of the scan.
    pub subject: String,
    /// Unit that a split keeps together: a family, a subject, or a scan if there is only one
    /// subject.
    pub unit: String,
    /// Start of the segment in seconds; `None` if the prediction uses the whole scan.
    pub start_secs: Option<f64>,
    /// The value in the target's unit of measurement, or the number of the class.
    pub truth: f64,
    /// The predicted value, or a probability for each class.
    pub output: Vec<f64>,
    /// Output of the constant predictor: the mean truth of the training set, or the share of each
    /// class (the base rate). Its shape is that of `output`.
    pub blind: Vec<f64>,
    /// Number of units that the model learned from.
    pub n_train_units: u32,
    /// Values of the confounds, in the order of [`Predictions::confounds`].
    pub confounds: Vec<Option<f64>>,
}

impl Prediction {
    /// Description of the example, for messages.
    fn place(&self) -> String {
        match &self.scan {
            Some(scan) => format!("scan {scan}"),
            None => format!("subject {}", self.subject),
        }
    }

    /// Kind of the target, from the number of outputs.
    pub fn kind(&self) -> Kind {
        match self.output.len() {
            1 => Kind::Regression,
            n_classes => Kind::Classification { n_classes },
        }
    }
}

/// Predictions that were checked for consistency; also the content of `predictions.parquet`.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions {
    confounds: Vec<String>,
    rows: Vec<Prediction>,
}

/// Largest deviation of a sum of probabilities from 1; models compute in 32 bits.
const SUM_TOLERANCE: f64 = 1e-3;

impl Predictions {
    /// Predictions with confounds of these names.
    ///
    /// # Errors
    /// [`DownstreamError::Predictions`] if a number is not finite, a class is out of range,
    /// probabilities do not sum to 1, examples of one target differ in kind, models disagree on the
    /// truth of an example, an example is predicted twice by a model, or a unit is tested in two
    /// folds.
    pub fn new(confounds: Vec<String>, rows: Vec<Prediction>) -> Result<Self, DownstreamError> {
        let mut n_outputs = BTreeMap::new();
        let mut truths = BTreeMap::new();
        let mut folds = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for row in &rows {
            let refuse = |reason: PredictionError| DownstreamError::Predictions {
                target: row.target.clone(),
                model: row.model.clone(),
                place: Some(row.place()),
                reason,
            };
            check(row, confounds.len()).map_err(refuse)?;
            let expected = *n_outputs.entry(&row.target).or_insert(row.output.len());
            if expected != row.output.len() {
                let found = row.output.len();
                return Err(refuse(PredictionError::OtherKind { found, expected }));
            }
            let example = (&row.subject, &row.scan, row.start_secs.map(f64::to_bits));
            let truth = *truths.entry((&row.target, example)).or_insert(row.truth);
            if truth != row.truth {
                return Err(refuse(PredictionError::OtherTruth {
                    found: row.truth,
                    expected: truth,
                }));
            }
            let group = (&row.target, &row.model, row.train_share.to_bits());
            let fold = *folds.entry((group, &row.unit)).or_insert(row.fold);
            if fold != row.fold {
                return Err(refuse(PredictionError::TwoFolds {
                    unit: row.unit.clone(),
                    first: fold,
                    second: row.fold,
                }));
            }
            if !seen.insert((group, example)) {
                return Err(refuse(PredictionError::Twice));
            }
        }
        Ok(Self { confounds, rows })
    }

    /// Names of the confounds, the same for all rows: `mean_fd_mm`, `age_years`.
    pub fn confounds(&self) -> &[String] {
        &self.confounds
    }

    /// All predictions, in the order given.
    pub fn rows(&self) -> &[Prediction] {
        &self.rows
    }

    /// One sample per target, model and share of training data, in this order.
    pub fn samples(&self) -> Vec<Sample<'_>> {
        let mut groups = BTreeMap::<_, Vec<&Prediction>>::new();
        for row in &self.rows {
            // Shares are positive, and the bits of positive numbers have the same order as the
            // numbers.
            let group = (&row.target, &row.model, row.train_share.to_bits());
            groups.entry(group).or_default().push(row);
        }
        groups.into_values().map(Sample::new).collect()
    }
}

fn check(row: &Prediction, n_confounds: usize) -> Result<(), PredictionError> {
    let confounds = row.confounds.iter().flatten();
    let numbers = row.output.iter().chain(&row.blind).chain(confounds);
    if !numbers
        .chain([&row.truth])
        .chain(&row.start_secs)
        .all(|number| number.is_finite())
    {
        return Err(PredictionError::NotFinite);
    }
    if !(row.train_share > 0.0 && row.train_share <= 1.0) {
        return Err(PredictionError::TrainShare(row.train_share));
    }
    if row.confounds.len() != n_confounds {
        return Err(PredictionError::ConfoundCount {
            found: row.confounds.len(),
            expected: n_confounds,
        });
    }
    if row.output.is_empty() || row.blind.len() != row.output.len() {
        return Err(PredictionError::OutputCount {
            predicted: row.output.len(),
            blind: row.blind.len(),
        });
    }
    if let Kind::Classification { n_classes } = row.kind() {
        if row.truth.fract() != 0.0 || !(0.0..n_classes as f64).contains(&row.truth) {
            return Err(PredictionError::NoSuchClass {
                found: row.truth,
                n_classes,
            });
        }
        for probabilities in [&row.output, &row.blind] {
            let sum: f64 = probabilities.iter().sum();
            let positive = probabilities.iter().all(|p| *p >= 0.0);
            if !positive || (sum - 1.0).abs() > SUM_TOLERANCE {
                return Err(PredictionError::Probabilities(probabilities.clone()));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A regression prediction of a model called `m`; the name of the scan is that of its unit.
    pub(crate) fn number(fold: u32, unit: &str, truth: f64, predicted: f64) -> Prediction {
        Prediction {
            target: "age_years".into(),
            model: "m".into(),
            train_share: 1.0,
            fold,
            scan: Some(format!("{unit}-rest")),
            subject: unit.into(),
            unit: unit.into(),
            start_secs: None,
            truth,
            output: vec![predicted],
            blind: vec![0.0],
            n_train_units: 4,
            confounds: vec![],
        }
    }

    /// A classification prediction.
    pub(crate) fn class(fold: u32, unit: &str, truth: usize, probabilities: &[f64]) -> Prediction {
        let blind = vec![1.0 / probabilities.len() as f64; probabilities.len()];
        Prediction {
            target: "sex".into(),
            output: probabilities.to_vec(),
            blind,
            ..number(fold, unit, truth as f64, 0.0)
        }
    }

    fn reason(rows: Vec<Prediction>) -> PredictionError {
        match Predictions::new(vec![], rows) {
            Err(DownstreamError::Predictions { reason, .. }) => reason,
            other => panic!("expected a refusal, found {other:?}"),
        }
    }

    #[test]
    fn rows_that_contradict_one_another_are_refused() {
        use PredictionError as P;
        let one = || number(0, "a", 1.0, 2.0);
        assert_eq!(reason(vec![one(), one()]), P::Twice);
        let mut other = number(0, "a", 1.5, 2.0);
        other.model = "n".into();
        let other_truth = P::OtherTruth {
            found: 1.5,
            expected: 1.0,
        };
        assert_eq!(reason(vec![one(), other]), other_truth);
        let mut elsewhere = number(1, "a", 1.0, 2.0);
        elsewhere.scan = Some("a-task".into());
        let two_folds = P::TwoFolds {
            unit: "a".into(),
            first: 0,
            second: 1,
        };
        assert_eq!(reason(vec![one(), elsewhere]), two_folds);
        assert_eq!(reason(vec![number(0, "a", f64::NAN, 1.0)]), P::NotFinite);
        let no_such_class = P::NoSuchClass {
            found: 2.0,
            n_classes: 2,
        };
        assert_eq!(reason(vec![class(0, "a", 2, &[0.5, 0.5])]), no_such_class);
        let probabilities = P::Probabilities(vec![0.5, 0.2]);
        assert_eq!(reason(vec![class(0, "a", 1, &[0.5, 0.2])]), probabilities);
        let mut third = class(0, "b", 1, &[0.5, 0.25, 0.25]);
        third.target = "age_years".into();
        let other_kind = P::OtherKind {
            found: 3,
            expected: 1,
        };
        assert_eq!(reason(vec![one(), third]), other_kind);
    }

    #[test]
    fn a_sample_is_a_model_and_a_target() {
        let mut other = number(0, "a", 1.0, 2.0);
        other.model = "l".into();
        let rows = vec![
            number(1, "a", 1.0, 2.0),
            number(0, "b", 1.0, 2.0),
            other,
            class(0, "b", 1, &[0.5, 0.5]),
        ];
        let predictions = Predictions::new(vec![], rows).expect("they agree");
        let names: Vec<_> = predictions
            .samples()
            .iter()
            .map(|s| (s.target().to_owned(), s.model().to_owned(), s.len()))
            .collect();
        let name = |target: &str, model: &str, n| (target.to_owned(), model.to_owned(), n);
        let expected = [
            name("age_years", "l", 1),
            name("age_years", "m", 2),
            name("sex", "m", 1),
        ];
        assert_eq!(names, expected);
    }
}
