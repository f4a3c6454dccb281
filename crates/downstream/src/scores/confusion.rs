//! Confusion matrix and the scores computed from it.

/// Sum of weights for each pair of true class and [decision](super::decision::decide). A row whose
/// classes tie counts for each of them in equal shares.
#[derive(Clone, Debug, PartialEq)]
pub struct Confusion {
    n_classes: usize,
    counts: Vec<f64>,
}

impl Confusion {
    /// Adds the weight of each row; `decisions` are `[rows, n_classes]`, row-major.
    pub(super) fn new(n_classes: usize, truth: &[f64], decisions: &[f64], weights: &[f64]) -> Self {
        let mut counts = vec![0.0; n_classes * n_classes];
        let decisions = decisions.chunks_exact(n_classes);
        for ((truth, decision), weight) in truth.iter().zip(decisions).zip(weights) {
            let of_truth = &mut counts[*truth as usize * n_classes..][..n_classes];
            for (count, share) in of_truth.iter_mut().zip(decision) {
                *count += weight * share;
            }
        }
        Self { n_classes, counts }
    }

    /// Weight of the rows with the class `truth` and a decision for `predicted`.
    pub fn count(&self, truth: usize, predicted: usize) -> f64 {
        self.counts[truth * self.n_classes + predicted]
    }

    /// Number of classes.
    pub fn n_classes(&self) -> usize {
        self.n_classes
    }

    /// Mean recall over the classes with rows; `None` if there is only one.
    pub fn balanced_accuracy(&self) -> Option<f64> {
        let (mut sum, mut n) = (0.0, 0.0);
        for class in self.classes() {
            let true_ones = self.of_truth(class);
            if true_ones > 0.0 {
                sum += self.count(class, class) / true_ones;
                n += 1.0;
            }
        }
        (n > 1.0).then(|| sum / n)
    }

    /// Mean of `2 · hits / (true + predicted)` over classes that are true or decided for in at
    /// least one row, as in sklearn's `f1_score`; `None` if only one class has rows.
    pub fn macro_f1(&self) -> Option<f64> {
        let (mut sum, mut n, mut n_true) = (0.0, 0.0, 0);
        for class in self.classes() {
            let true_ones = self.of_truth(class);
            let predicted: f64 = self.classes().map(|truth| self.count(truth, class)).sum();
            n_true += usize::from(true_ones > 0.0);
            if true_ones + predicted > 0.0 {
                sum += 2.0 * self.count(class, class) / (true_ones + predicted);
                n += 1.0;
            }
        }
        (n_true > 1).then(|| sum / n)
    }

    fn classes(&self) -> std::ops::Range<usize> {
        0..self.n_classes
    }

    fn of_truth(&self, class: usize) -> f64 {
        self.classes().map(|other| self.count(class, other)).sum()
    }
}
