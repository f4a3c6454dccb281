//! Discriminability: the probability that two vectors of one subject are more similar than vectors
//! of two subjects.

use nalgebra::DMatrix;

/// Discriminability, for any weights of subjects.
///
/// # Source
/// Bridgeford et al. 2021, PLoS Computational Biology 17: the mean over pairs of vectors of one
/// subject and over the vectors of all others; equal similarities count half. There, vectors are
/// compared by their Euclidean distance; here, by their correlation.
pub struct Discriminability {
    /// Mean over the vectors of a subject (row) and of another one (column), `[subjects,
    /// subjects]`; 0 on the diagonal.
    pairs: DMatrix<f64>,
}

impl Discriminability {
    /// From the similarity of each pair of vectors, `repeats` one after another for each subject.
    pub fn new(similarity: &DMatrix<f64>, repeats: usize) -> Self {
        let n = similarity.nrows() / repeats;
        let vectors = |subject: usize| subject * repeats..(subject + 1) * repeats;
        let n_compared = (repeats * (repeats - 1) * repeats) as f64;
        let mut pairs = DMatrix::zeros(n, n);
        for subject in 0..n {
            for (a, b) in vectors(subject).flat_map(|a| vectors(subject).map(move |b| (a, b))) {
                if a == b {
                    continue;
                }
                let own = similarity[(a, b)];
                for other in (0..n).filter(|other| *other != subject) {
                    let won = vectors(other).map(|c| win(own, similarity[(a, c)]));
                    pairs[(subject, other)] += won.sum::<f64>() / n_compared;
                }
            }
        }
        Self { pairs }
    }

    /// Discriminability of subjects with these weights; `None` if fewer than two have one. A
    /// subject is never compared with itself, whatever its weight.
    pub fn of(&self, weights: &[f64]) -> Option<f64> {
        let drawn: Vec<usize> = (0..weights.len()).filter(|i| weights[*i] > 0.0).collect();
        let (mut sum, mut total) = (0.0, 0.0);
        for i in &drawn {
            for j in drawn.iter().filter(|j| *j != i) {
                let weight = weights[*i] * weights[*j];
                sum += weight * self.pairs[(*i, *j)];
                total += weight;
            }
        }
        (total > 0.0).then(|| sum / total)
    }
}

/// 1 if vectors of one subject are more similar than those of two, one half for equal ones.
fn win(within: f64, between: f64) -> f64 {
    match within.total_cmp(&between) {
        std::cmp::Ordering::Less => 0.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Greater => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three subjects with two vectors each. The vectors of subject 0 are told from those of
    /// subject 1 in three of four comparisons, all others in all.
    fn similarity() -> DMatrix<f64> {
        let mut r = DMatrix::from_element(6, 6, 0.1);
        for subject in 0..3 {
            let (a, b) = (2 * subject, 2 * subject + 1);
            (r[(a, b)], r[(b, a)]) = (0.5, 0.5);
        }
        r[(0, 2)] = 0.6;
        r
    }

    #[test]
    fn comparisons_are_counted() {
        let found = Discriminability::new(&similarity(), 2);
        // Six ordered pairs of subjects: five at 1, one at 3/4.
        assert_eq!(found.of(&[1.0; 3]), Some(5.75 / 6.0));
        let equal = Discriminability::new(&DMatrix::from_element(6, 6, 0.1), 2);
        assert_eq!(equal.of(&[1.0; 3]), Some(0.5));
    }

    #[test]
    fn copies_of_a_subject_are_not_another_subject() {
        let found = Discriminability::new(&similarity(), 2);
        assert_eq!(found.of(&[3.0, 0.0, 0.0]), None);
        assert_eq!(found.of(&[2.0, 1.0, 0.0]), found.of(&[1.0, 1.0, 0.0]));
        assert_eq!(found.of(&[1.0, 1.0, 0.0]), Some(1.75 / 2.0));
    }
}
