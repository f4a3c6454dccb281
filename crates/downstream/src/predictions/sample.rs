//! Sample of predictions: arrays of one model and one target.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Prediction;
use crate::Kind;

/// Predictions of one model for one target, trained on one share of the training set; never empty.
///
/// Rows are in order of fold, unit, subject, scan and start. Each fold, unit, subject and scan is
/// therefore a range of rows.
#[derive(Clone, Debug)]
pub struct Sample<'a> {
    rows: Vec<&'a Prediction>,
    truth: Vec<f64>,
    output: Vec<f64>,
    folds: Vec<Range<usize>>,
    units: Vec<Range<usize>>,
}

impl<'a> Sample<'a> {
    /// Sorts the rows of one model and target; there is at least one row.
    pub(crate) fn new(mut rows: Vec<&'a Prediction>) -> Self {
        rows.sort_by(|a, b| {
            let key = |row: &'a Prediction| (row.fold, &row.unit, &row.subject, &row.scan);
            let start = |row: &Prediction| row.start_secs.unwrap_or(f64::NEG_INFINITY);
            key(a).cmp(&key(b)).then(start(a).total_cmp(&start(b)))
        });
        let all = 0..rows.len();
        Self {
            truth: rows.iter().map(|row| row.truth).collect(),
            output: rows.iter().flat_map(|row| row.output.clone()).collect(),
            folds: ranges(&rows, all.clone(), |row| row.fold),
            units: ranges(&rows, all, |row| (row.fold, row.unit.as_str())),
            rows,
        }
    }

    /// Name of the target.
    pub fn target(&self) -> &'a str {
        &self.rows[0].target
    }

    /// Name of the model.
    pub fn model(&self) -> &'a str {
        &self.rows[0].model
    }

    /// Share of the training set that the model learned from.
    pub fn train_share(&self) -> f64 {
        self.rows[0].train_share
    }

    /// Number or class.
    pub fn kind(&self) -> Kind {
        self.rows[0].kind()
    }

    /// Number of predictions.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Always false.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The predictions, in order.
    pub fn rows(&self) -> &[&'a Prediction] {
        &self.rows
    }

    /// Truth of each row: a value, or the number of a class.
    pub fn truth(&self) -> &[f64] {
        &self.truth
    }

    /// `[rows, n_outputs]`, row-major.
    pub fn output(&self) -> &[f64] {
        &self.output
    }

    /// Rows of each fold.
    pub fn folds(&self) -> &[Range<usize>] {
        &self.folds
    }

    /// Rows of each unit.
    pub fn units(&self) -> &[Range<usize>] {
        &self.units
    }

    /// One sample per fold, with the fold's number.
    pub fn by_fold(&self) -> impl Iterator<Item = (u32, Sample<'a>)> {
        self.folds.iter().map(|fold| {
            let rows = self.rows[fold.clone()].to_vec();
            (rows[0].fold, Sample::new(rows))
        })
    }

    /// The sample with the output of the constant predictor; see [`Prediction::blind`].
    pub fn blind(&self) -> Self {
        let blind = self.rows.iter().flat_map(|row| row.blind.clone());
        Self {
            output: blind.collect(),
            ..self.clone()
        }
    }

    /// This sample and another, both reduced to their common examples; `None` if there are none.
    pub fn in_common(&self, other: &Sample<'a>) -> Option<(Self, Self)> {
        let theirs: BTreeMap<_, _> = other.rows.iter().map(|row| (key(row), *row)).collect();
        let (ours, theirs): (Vec<_>, Vec<_>) = self
            .rows
            .iter()
            .filter_map(|row| Some((*row, *theirs.get(&key(row))?)))
            .unzip();
        let some = !ours.is_empty();
        some.then(|| (Sample::new(ours), Sample::new(theirs)))
    }

    /// Ranges within `range` whose rows have the same `key`.
    pub(crate) fn ranges<K: PartialEq>(
        &self,
        range: Range<usize>,
        key: impl Fn(&'a Prediction) -> K,
    ) -> Vec<Range<usize>> {
        ranges(&self.rows, range, key)
    }
}

/// Identity of an example, the same for all models.
fn key(row: &Prediction) -> (u32, &str, &str, Option<&str>, Option<u64>) {
    let start = row.start_secs.map(f64::to_bits);
    (
        row.fold,
        &row.unit,
        &row.subject,
        row.scan.as_deref(),
        start,
    )
}

fn ranges<'a, K: PartialEq>(
    rows: &[&'a Prediction],
    range: Range<usize>,
    key: impl Fn(&'a Prediction) -> K,
) -> Vec<Range<usize>> {
    let mut start = range.start;
    rows[range]
        .chunk_by(|a, b| key(a) == key(b))
        .map(|chunk| {
            let range = start..start + chunk.len();
            start = range.end;
            range
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::Predictions;
    use super::super::tests::number;

    #[test]
    fn folds_and_units_are_ranges_of_rows() {
        let mut later = number(0, "b", 5.0, 0.0);
        later.start_secs = Some(30.0);
        let mut early = number(0, "b", 4.0, 0.0);
        early.start_secs = Some(15.0);
        let rows = vec![
            number(1, "a", 3.0, 0.0),
            later,
            early,
            number(0, "c", 6.0, 0.0),
        ];
        let predictions = Predictions::new(vec![], rows).expect("they agree");
        let sample = &predictions.samples()[0];
        assert_eq!(sample.truth(), [4.0, 5.0, 6.0, 3.0]);
        assert_eq!(sample.folds(), [0..3, 3..4]);
        assert_eq!(sample.units(), [0..2, 2..3, 3..4]);
    }

    #[test]
    fn two_models_share_what_both_were_asked() {
        let mut theirs = number(0, "b", 2.0, 9.0);
        theirs.model = "n".into();
        let rows = vec![number(0, "a", 1.0, 7.0), number(0, "b", 2.0, 8.0), theirs];
        let predictions = Predictions::new(vec![], rows).expect("they agree");
        let samples = predictions.samples();
        let (ours, theirs) = samples[0].in_common(&samples[1]).expect("b");
        assert_eq!((ours.output(), theirs.output()), (&[8.0][..], &[9.0][..]));
    }
}
