//! Exchange of truths between rows, for permutation tests.

use std::collections::BTreeMap;
use std::ops::Range;

use rand::{Rng, RngExt};

use crate::predictions::Sample;

/// Random exchanges of truth between rows of a [`Sample`] that keep blocks together.
///
/// - Truths of units are exchanged within a fold, as a whole; truths of subjects within a unit;
///   truths of scans within a subject.
/// - Units, subjects and scans with one truth are exchanged with each other, for any number of
///   rows. Others are exchanged only with blocks that have the same number of rows in the same
///   number of scans and subjects.
/// - If truth varies within a scan (the condition of each segment), its time course is shifted
///   circularly against the predictions, because neighbouring segments are similar in both.
///
/// There is no exchange between folds, because their predictions are of models that were trained on
/// the other folds' truth.
///
/// # Source
/// Winkler et al. 2015, multi-level block permutation.
pub struct Exchange {
    n_rows: usize,
    shifted: Vec<Range<usize>>,
    /// Groups of exchangeable blocks: first of scans, then of subjects, then of units.
    alike: Vec<Alike>,
}

struct Alike {
    blocks: Vec<Range<usize>>,
    one_truth: bool,
}

impl Exchange {
    /// All possible exchanges in `sample`.
    pub fn new(sample: &Sample) -> Self {
        let truth = sample.truth();
        let one_truth = |rows: &Range<usize>| {
            let first = truth[rows.start];
            truth[rows.clone()].iter().all(|other| *other == first)
        };
        let mut exchange = Self {
            n_rows: sample.len(),
            shifted: Vec::new(),
            alike: Vec::new(),
        };
        let scans = |rows: Range<usize>| sample.ranges(rows, |row| (&row.subject, &row.scan));
        let subjects = |rows: Range<usize>| sample.ranges(rows, |row| &row.subject);
        let varied = |ranges: Vec<Range<usize>>| ranges.into_iter().filter(|r| !one_truth(r));

        let all = 0..sample.len();
        exchange.shifted =
            varied(sample.ranges(all, |row| (&row.unit, &row.subject, &row.scan))).collect();
        let mut group = |blocks: Vec<Range<usize>>| {
            let mut shapes = BTreeMap::<Vec<Vec<usize>>, Vec<Range<usize>>>::new();
            for block in blocks {
                // Blocks with one truth have no shape.
                let of_subject = |rows| scans(rows).iter().map(Range::len).collect();
                let shape = match one_truth(&block) {
                    true => Vec::new(),
                    false => subjects(block.clone())
                        .into_iter()
                        .map(of_subject)
                        .collect(),
                };
                shapes.entry(shape).or_default().push(block);
            }
            for (shape, blocks) in shapes {
                let first = truth[blocks[0].start];
                let one_truth = shape.is_empty();
                let differ = !one_truth || blocks.iter().any(|b| truth[b.start] != first);
                if blocks.len() > 1 && differ {
                    exchange.alike.push(Alike { blocks, one_truth });
                }
            }
        };
        let units = || varied(sample.units().to_vec());
        units()
            .flat_map(|unit| varied(subjects(unit)))
            .for_each(|subject| group(scans(subject)));
        units().for_each(|unit| group(subjects(unit)));
        for fold in sample.folds() {
            group(sample.ranges(fold.clone(), |row| &row.unit));
        }
        exchange
    }

    /// True if at least one exchange is possible.
    pub fn is_possible(&self) -> bool {
        !(self.alike.is_empty() && self.shifted.is_empty())
    }

    /// Random exchange: for each row, the number of the row whose truth it gets.
    pub fn draw(&self, rng: &mut impl Rng) -> Vec<usize> {
        let mut from: Vec<usize> = (0..self.n_rows).collect();
        for scan in &self.shifted {
            from[scan.clone()].rotate_left(rng.random_range(0..scan.len()));
        }
        for Alike { blocks, one_truth } in &self.alike {
            if *one_truth {
                let mut sources: Vec<usize> = blocks.iter().map(|b| from[b.start]).collect();
                for last in (1..sources.len()).rev() {
                    sources.swap(last, rng.random_range(0..=last));
                }
                for (block, source) in blocks.iter().zip(sources) {
                    from[block.clone()].fill(source);
                }
            } else {
                for last in (1..blocks.len()).rev() {
                    let (a, b) = (&blocks[last], &blocks[rng.random_range(0..=last)]);
                    for (a, b) in a.clone().zip(b.clone()) {
                        from.swap(a, b);
                    }
                }
            }
        }
        from
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use brainmae_run::Seeds;

    use super::*;
    use crate::predictions::tests::number;
    use crate::{Prediction, Predictions};

    /// All orders of truths that occur in 500 exchanges.
    fn drawn(rows: Vec<Prediction>) -> BTreeSet<Vec<i64>> {
        let predictions = Predictions::new(vec![], rows).expect("rows that agree");
        let sample = &predictions.samples()[0];
        let exchange = Exchange::new(sample);
        let rng = &mut Seeds::new(1).stream("test");
        (0..500)
            .map(|_| {
                let from = exchange.draw(rng);
                from.iter().map(|row| sample.truth()[*row] as i64).collect()
            })
            .collect()
    }

    fn scan(unit: &str, subject: &str, scan: &str, truth: f64) -> Prediction {
        Prediction {
            subject: subject.into(),
            scan: Some(scan.into()),
            ..number(0, unit, truth, 0.0)
        }
    }

    #[test]
    fn units_change_places_within_folds_however_many_scans_they_have() {
        let mut rows = vec![
            scan("a", "a", "a1", 1.0),
            scan("a", "a", "a2", 1.0),
            scan("b", "b", "b1", 2.0),
        ];
        rows.extend([number(1, "c", 3.0, 0.0), number(1, "d", 4.0, 0.0)]);
        let expected = [
            vec![1, 1, 2, 3, 4],
            vec![1, 1, 2, 4, 3],
            vec![2, 2, 1, 3, 4],
            vec![2, 2, 1, 4, 3],
        ];
        assert_eq!(drawn(rows), BTreeSet::from(expected));
    }

    #[test]
    fn families_change_places_with_families_of_their_size() {
        // Twins a1, a2 and b1, b2; an only child c, whose truth cannot be exchanged with a twin's.
        let rows = vec![
            scan("a", "a1", "a1", 1.0),
            scan("a", "a2", "a2", 2.0),
            scan("b", "b1", "b1", 3.0),
            scan("b", "b2", "b2", 4.0),
            scan("c", "c1", "c1", 5.0),
        ];
        let drawn = drawn(rows);
        assert_eq!(drawn.len(), 8);
        for truth in &drawn {
            assert_eq!(truth[4], 5);
            assert_eq!(truth[0].min(truth[1]) % 2, 1, "twins stay together");
            assert_eq!((truth[0] - truth[1]).abs(), 1, "twins stay together");
        }
    }

    #[test]
    fn what_a_scan_goes_through_is_shifted() {
        let rows = (0..4).map(|i| Prediction {
            start_secs: Some(15.0 * f64::from(i)),
            ..number(0, "a", f64::from(i), 0.0)
        });
        let expected = [[0, 1, 2, 3], [1, 2, 3, 0], [2, 3, 0, 1], [3, 0, 1, 2]];
        assert_eq!(drawn(rows.collect()), expected.map(Vec::from).into());
    }

    #[test]
    fn one_unit_in_each_fold_has_nobody_to_change_with() {
        let rows = vec![number(0, "a", 1.0, 0.0), number(1, "b", 2.0, 0.0)];
        let predictions = Predictions::new(vec![], rows).expect("rows that agree");
        assert!(!Exchange::new(&predictions.samples()[0]).is_possible());
    }
}
