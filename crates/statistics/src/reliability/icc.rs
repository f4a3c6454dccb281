//! Intraclass correlation of single features.

use super::Repeated;

/// Standard deviation of a constant feature, relative to its mean: what rounding to single
/// precision leaves.
const CONSTANT: f64 = 1e-6;

/// ICC(3,1) of features, for any weights of subjects.
///
/// ```text
/// ICC(3,1) = (BMS − EMS) / (BMS + (k − 1) EMS)
/// ```
///
/// BMS and EMS are the mean squares between subjects and of the residuals in the two-way table of
/// subjects and their `k` vectors. A difference between the first and the second vectors of all
/// subjects, such as habituation, changes neither.
///
/// # Source
/// Shrout & Fleiss 1979, Psychological Bulletin 86.
pub struct Icc<'a> {
    scans: &'a Repeated,
    /// Mean of each feature, which is subtracted first, for precision.
    centre: Vec<f64>,
}

impl<'a> Icc<'a> {
    /// ICC of the features of `scans`.
    pub fn new(scans: &'a Repeated) -> Self {
        let mut centre = vec![0.0; scans.n_features()];
        let n = (scans.n_subjects() * scans.n_repeats()) as f64;
        for row in scans.subjects().flatten() {
            for (centre, x) in centre.iter_mut().zip(row) {
                *centre += f64::from(*x) / n;
            }
        }
        Self { scans, centre }
    }

    /// ICC of each feature for subjects with these weights; `None` for a constant feature.
    pub fn of(&self, weights: &[f64]) -> Vec<Option<f64>> {
        let (width, repeats) = (self.scans.n_features(), self.scans.n_repeats());
        let mut of_subject = vec![0.0; width];
        let mut sums = vec![Sums::default(); width];
        // Sums of each repeat, `[repeats][features]`.
        let mut of_repeat = vec![vec![0.0; width]; repeats];
        let weighted = self.scans.subjects().zip(weights);
        for (rows, weight) in weighted.filter(|(_, weight)| **weight > 0.0) {
            of_subject.fill(0.0);
            for (row, of_repeat) in rows.iter().zip(&mut of_repeat) {
                for (f, x) in row.iter().enumerate() {
                    let x = f64::from(*x) - self.centre[f];
                    of_subject[f] += x;
                    of_repeat[f] += weight * x;
                    sums[f].squares += weight * x * x;
                }
            }
            for (sums, sum) in sums.iter_mut().zip(&of_subject) {
                sums.of_subjects += weight * sum * sum;
            }
        }
        let (n, k) = (weights.iter().sum::<f64>(), repeats as f64);
        (sums.into_iter().enumerate())
            .map(|(f, sums)| {
                let least = n * k * (CONSTANT * self.centre[f]).powi(2);
                let repeats = || of_repeat.iter().map(|sums| sums[f]);
                let whole = repeats().sum::<f64>().powi(2) / (n * k);
                let total = sums.squares - whole;
                if n < 2.0 || total <= least {
                    return None;
                }
                let between = sums.of_subjects / k - whole;
                let of_repeats = repeats().map(|sum| sum * sum).sum::<f64>() / n - whole;
                let residual = (total - between - of_repeats).max(0.0);
                let (bms, ems) = (between / (n - 1.0), residual / ((n - 1.0) * (k - 1.0)));
                let scale = bms + (k - 1.0) * ems;
                (scale > 0.0).then(|| (bms - ems) / scale)
            })
            .collect()
    }
}

/// Weighted sums of squares of one feature.
#[derive(Clone, Copy, Default)]
struct Sums {
    /// Of all values.
    squares: f64,
    /// Of the sum of each subject.
    of_subjects: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Six subjects and four judges: table 2 of Shrout & Fleiss 1979.
    const RATINGS: [[f32; 4]; 6] = [
        [9.0, 2.0, 5.0, 8.0],
        [6.0, 1.0, 3.0, 2.0],
        [8.0, 4.0, 6.0, 8.0],
        [7.0, 1.0, 2.0, 6.0],
        [10.0, 5.0, 6.0, 9.0],
        [6.0, 2.0, 4.0, 7.0],
    ];

    fn rated(table: &[[f32; 4]], of: impl Fn(f32) -> Vec<f32>) -> Repeated {
        let rows = table.iter().flatten().map(|x| of(*x)).collect();
        Repeated::new(rows, 4).expect("four ratings of each")
    }

    #[test]
    fn the_example_of_the_source_has_its_value() {
        let scans = rated(&RATINGS, |x| vec![x, -2.0 * x + 1000.0, 0.3]);
        let found = Icc::new(&scans).of(&[1.0; 6]);
        // BMS 11.24 and EMS 1.02 in table 3; .71 in table 4.
        let expected = (11.241_667 - 1.019_444) / (11.241_667 + 3.0 * 1.019_444);
        assert!((found[0].expect("it varies") - expected).abs() < 1e-6);
        // Another unit of measurement changes nothing.
        assert!((found[1].expect("it varies") - expected).abs() < 1e-5);
        assert_eq!(found[2], None, "a constant feature");
    }

    #[test]
    fn a_shift_of_all_second_vectors_changes_nothing() {
        let mut shifted = RATINGS;
        shifted.iter_mut().for_each(|ratings| ratings[1] += 50.0);
        let of = |table: &[[f32; 4]]| {
            let scans = rated(table, |x| vec![x]);
            Icc::new(&scans).of(&[1.0; 6])[0].expect("it varies")
        };
        assert!((of(&RATINGS) - of(&shifted)).abs() < 1e-9);
    }

    #[test]
    fn a_weight_of_two_is_a_second_row() {
        let scans = rated(&RATINGS, |x| vec![x]);
        let weighted = Icc::new(&scans).of(&[2.0, 0.0, 1.0, 1.0, 1.0, 1.0])[0];
        let [a, _, c, d, e, f] = RATINGS;
        let scans = rated(&[a, a, c, d, e, f], |x| vec![x]);
        let copied = Icc::new(&scans).of(&[1.0; 6])[0];
        let difference = weighted.expect("it varies") - copied.expect("it varies");
        assert!(difference.abs() < 1e-12);
    }
}
