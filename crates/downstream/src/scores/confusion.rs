//! Confusion matrix and the scores computed from it.

/// Sum of weights for each pair of true and predicted class.
#[derive(Clone, Debug, PartialEq)]
pub struct Confusion {
    n_classes: usize,
    counts: Vec<f64>,
}

impl Confusion {
    /// Adds the weight of each row.
    pub(super) fn new(
        n_classes: usize,
        truth: &[f64],
        likeliest: &[usize],
        weights: &[f64],
    ) -> Self {
        let mut counts = vec![0.0; n_classes * n_classes];
        for ((truth, likeliest), weight) in truth.iter().zip(likeliest).zip(weights) {
            counts[*truth as usize * n_classes + likeliest] += weight;
        }
        Self { n_classes, counts }
    }

    /// Weight of the rows with the class `truth` and the prediction `predicted`.
    pub fn count(&self, truth: usize, predicted: usize) -> f64 {
        self.counts[truth * self.n_classes + predicted]
    }

    /// Number of classes.
    pub fn n_classes(&self) -> usize {
        self.n_classes
    }

    /// Share of rows on the diagonal; `None` if there are no rows.
    pub fn accuracy(&self) -> Option<f64> {
        let all: f64 = self.counts.iter().sum();
        let right: f64 = self.classes().map(|class| self.count(class, class)).sum();
        (all > 0.0).then(|| right / all)
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

    /// Mean of `2 · hits / (true + predicted)` over classes that are true or predicted in at least
    /// one row, as in sklearn's `f1_score`; `None` if only one class has rows.
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
