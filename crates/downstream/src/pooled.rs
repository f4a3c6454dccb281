//! Pooling of scans: one row per subject, over all its scans.

use std::collections::BTreeMap;

use brainmae_data::SubjectId;
use nalgebra::DMatrix;

use crate::{Examples, Labelled, Output, Problem};

/// Row number of each example: its own row, or the row of its subject if all scans of a subject
/// have one truth.
pub(crate) struct Pooled {
    row_of: Vec<usize>,
    n_rows: usize,
}

impl Pooled {
    /// The rows of `examples`.
    pub fn new(problem: &Problem, examples: &Examples) -> Self {
        if !problem.of_subjects {
            return Self {
                row_of: (0..examples.len()).collect(),
                n_rows: examples.len(),
            };
        }
        let mut rows: BTreeMap<&SubjectId, usize> = BTreeMap::new();
        let row_of = (examples.iter())
            .map(|(scan, _)| {
                let next = rows.len();
                *rows.entry(&scan.subject).or_insert(next)
            })
            .collect();
        Self {
            row_of,
            n_rows: rows.len(),
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.n_rows
    }

    /// Numbers of the examples of each row.
    pub fn members(&self) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); self.n_rows];
        for (example, row) in self.row_of.iter().enumerate() {
            members[*row].push(example);
        }
        members
    }

    /// Mean output of each row, `[rows, n_outputs]`, row-major, over the outputs of all samples of
    /// its examples; a long scan has more samples than a short one. An error is the number of an
    /// example whose row has no sample.
    pub fn means<'a>(
        &self,
        n_outputs: usize,
        samples: impl Iterator<Item = (usize, &'a [f32])>,
    ) -> Result<Vec<f64>, usize> {
        let mut sums = vec![0.0; self.n_rows * n_outputs];
        let mut counts = vec![0.0; self.n_rows];
        for (example, outputs) in samples {
            let row = self.row_of[example];
            counts[row] += 1.0;
            let sums = sums[row * n_outputs..].iter_mut();
            sums.zip(outputs).for_each(|(sum, x)| *sum += f64::from(*x));
        }
        let missing = self.row_of.iter().position(|row| counts[*row] == 0.0);
        if let Some(example) = missing {
            return Err(example);
        }
        for (sums, count) in sums.chunks_exact_mut(n_outputs).zip(counts) {
            sums.iter_mut().for_each(|sum| *sum /= count);
        }
        Ok(sums)
    }

    /// Mean over the examples of each row; `x` has one row per example.
    pub fn rows(&self, x: DMatrix<f64>) -> DMatrix<f64> {
        if self.n_rows == x.nrows() {
            return x;
        }
        let mut sums = DMatrix::zeros(self.n_rows, x.ncols());
        let mut counts = vec![0.0; self.n_rows];
        for (row, values) in self.row_of.iter().zip(x.row_iter()) {
            counts[*row] += 1.0;
            let mut sum = sums.row_mut(*row);
            sum += values;
        }
        for (mut sum, count) in sums.row_iter_mut().zip(counts) {
            sum /= count;
        }
        sums
    }

    /// Truth of each row.
    pub fn truth(&self, labelled: &Labelled) -> Vec<f64> {
        let mut truth = vec![0.0; self.n_rows];
        for (row, value) in self.row_of.iter().zip(&labelled.truth) {
            truth[*row] = *value;
        }
        truth
    }

    /// Predictions of examples from the predictions of rows.
    pub fn spread(&self, problem: &Problem, said: &Output) -> Output {
        let rows: Vec<&[f64]> = said.rows().collect();
        let values = self
            .row_of
            .iter()
            .flat_map(|row| rows[*row].iter().copied());
        Output::new(problem.kind, values.collect())
    }
}

#[cfg(test)]
mod tests {

    use burn::tensor::Device;

    use super::*;
    use crate::testing::{problem, scan};
    use crate::{Example, Kind};

    #[test]
    fn scans_of_a_subject_are_one_row_where_they_share_their_truth() {
        let scans = [scan("b", 4), scan("a", 4), scan("b", 4)];
        let list = (0..3).map(|scan| Example {
            scan,
            start_volume: 0,
            n_volumes: 4,
        });
        let labelled = Labelled {
            examples: Examples {
                scans: &scans,
                list: list.collect(),
            },
            truth: vec![7.0, 5.0, 7.0],
        };
        let mut problem = problem(true, Device::flex());
        let x = || DMatrix::from_row_slice(3, 2, &[1.0, 2.0, 10.0, 20.0, 3.0, 6.0]);
        let pooled = Pooled::new(&problem, &labelled.examples);
        let expected = DMatrix::from_row_slice(2, 2, &[2.0, 4.0, 10.0, 20.0]);
        assert_eq!(pooled.rows(x()), expected);
        assert_eq!(pooled.truth(&labelled), [7.0, 5.0]);
        assert_eq!(pooled.members(), [vec![0, 2], vec![1]]);
        let samples = [(0, [1.0f32]), (2, [2.0]), (2, [6.0])];
        let outputs = || {
            samples
                .iter()
                .map(|(example, output)| (*example, &output[..]))
        };
        assert_eq!(pooled.means(1, outputs()), Err(1));
        let with_last = outputs().chain([(1, &[5.0][..])]);
        assert_eq!(pooled.means(1, with_last), Ok(vec![3.0, 5.0]));
        let said = Output::new(Kind::Regression, vec![1.0, 2.0]);
        let spread = pooled.spread(&problem, &said);
        assert_eq!(
            spread.rows().flatten().copied().collect::<Vec<_>>(),
            [1.0, 2.0, 1.0]
        );
        problem.of_subjects = false;
        assert_eq!(Pooled::new(&problem, &labelled.examples).rows(x()), x());
    }
}
