//! Repeated vectors of subjects.

use nalgebra::DMatrix;

use crate::linear::gram::gram;

/// Features that are multiplied at once, so that only these are held in double precision.
const FEATURES: usize = 4096;

/// Vectors of subjects, the same number for each.
#[derive(Clone, Debug)]
pub struct Repeated {
    rows: Vec<Vec<f32>>,
    n_repeats: usize,
}

impl Repeated {
    /// Vectors in the order of subjects, `n_repeats` one after another for each.
    ///
    /// `None` if there are fewer than two subjects or than two vectors of each, if a subject has
    /// another number of vectors, if vectors are empty or of different lengths, or if a number is
    /// not finite.
    pub fn new(rows: Vec<Vec<f32>>, n_repeats: usize) -> Option<Self> {
        let width = rows.first()?.len();
        let is_whole = n_repeats >= 2 && rows.len().is_multiple_of(n_repeats);
        let fits = |row: &Vec<f32>| row.len() == width && row.iter().all(|x| x.is_finite());
        let fit = is_whole && rows.len() >= 2 * n_repeats && width > 0 && rows.iter().all(fits);
        fit.then_some(Self { rows, n_repeats })
    }

    /// Number of subjects.
    pub fn n_subjects(&self) -> usize {
        self.rows.len() / self.n_repeats
    }

    /// Number of vectors of a subject.
    pub fn n_repeats(&self) -> usize {
        self.n_repeats
    }

    /// Number of elements of a vector.
    pub fn n_features(&self) -> usize {
        self.rows[0].len()
    }

    /// The vectors of each subject.
    pub(super) fn subjects(&self) -> impl Iterator<Item = &[Vec<f32>]> {
        self.rows.chunks_exact(self.n_repeats)
    }

    /// Pearson correlation of each pair of vectors, `[vectors, vectors]`; 0 for a vector of equal
    /// numbers.
    pub(super) fn similarity(&self) -> DMatrix<f64> {
        let (n, width) = (self.rows.len(), self.n_features());
        let means: Vec<f64> = (self.rows.iter())
            .map(|row| row.iter().map(|x| f64::from(*x)).sum::<f64>() / width as f64)
            .collect();
        let mut products = DMatrix::zeros(n, n);
        for start in (0..width).step_by(FEATURES) {
            let columns = FEATURES.min(width - start);
            let centred = DMatrix::from_fn(n, columns, |i, j| {
                f64::from(self.rows[i][start + j]) - means[i]
            });
            products += gram(&centred);
        }
        let scale = |i: usize| {
            let square: f64 = products[(i, i)];
            // Rounding leaves a little of equal numbers.
            let least = 1e-20 * width as f64 * means[i] * means[i];
            if square > least {
                square.sqrt().recip()
            } else {
                0.0
            }
        };
        let scales: Vec<f64> = (0..n).map(scale).collect();
        DMatrix::from_fn(n, n, |i, j| products[(i, j)] * scales[i] * scales[j])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unequal_numbers_of_vectors_are_refused() {
        let rows = |n: usize| vec![vec![1.0, 2.0]; n];
        assert!(Repeated::new(rows(4), 2).is_some());
        for (n, repeats) in [(5, 2), (2, 2), (4, 1), (0, 2)] {
            assert!(Repeated::new(rows(n), repeats).is_none(), "{n}, {repeats}");
        }
        let mut ragged = rows(4);
        ragged[2].pop();
        assert!(Repeated::new(ragged, 2).is_none());
        let mut broken = rows(4);
        broken[1][0] = f32::NAN;
        assert!(Repeated::new(broken, 2).is_none());
    }

    #[test]
    fn similarity_is_the_correlation_of_vectors() {
        // More features than are multiplied at once.
        let width = FEATURES + 10;
        let wave = |step: usize| {
            (0..width)
                .map(|j| ((j * step) as f32 * 0.1).sin())
                .collect()
        };
        let rows: Vec<Vec<f32>> = vec![wave(1), wave(2), wave(3), vec![0.1; width]];
        let r = Repeated::new(rows.clone(), 2)
            .expect("they fit")
            .similarity();
        let mean = |row: &[f32]| row.iter().map(|x| f64::from(*x)).sum::<f64>() / width as f64;
        let product = |a: &[f32], b: &[f32]| -> f64 {
            let both = a.iter().zip(b);
            both.map(|(a_i, b_i)| (f64::from(*a_i) - mean(a)) * (f64::from(*b_i) - mean(b)))
                .sum()
        };
        for (i, j) in [(0, 0), (0, 1), (1, 2), (2, 0)] {
            let (a, b) = (&rows[i], &rows[j]);
            let expected = product(a, b) / (product(a, a) * product(b, b)).sqrt();
            assert!((r[(i, j)] - expected).abs() < 1e-10, "{i}, {j}");
        }
        assert_eq!((r[(3, 3)], r[(0, 3)]), (0.0, 0.0), "of equal numbers");
    }
}
