//! How often a row of a class is given a larger probability of it than a row of another class.

use std::ops::Range;

/// Rows of every fold in order of the probability of one class.
///
/// ```text
/// AUROC = Σf Σ(i of the class, j not) [pᵢ > pⱼ] + ½ [pᵢ = pⱼ]   /   Σf n_class · n_rest      i, j: rows of fold f
/// ```
/// # Source
/// Mann & Whitney 1947; within folds as Forman & Scholz 2010 argue (probabilities of two models are not on one scale). With one
/// fold it is sklearn's `roc_auc_score`, for more than two classes its `multi_class="ovr", average="macro"`.
pub struct RankOrder {
    class: usize,
    /// Numbers of rows, in order of fold and probability.
    rows: Vec<usize>,
    /// Whether the next row has a larger probability, or is of another fold.
    ends_tie: Vec<bool>,
    /// Whether the next row is of another fold.
    ends_fold: Vec<bool>,
}

impl RankOrder {
    /// The order of rows by `p`, the probability of `class`.
    pub(super) fn new(class: usize, p: &[f64], folds: &[Range<usize>]) -> Self {
        let mut rows: Vec<usize> = (0..p.len()).collect();
        for fold in folds {
            rows[fold.clone()].sort_by(|a, b| p[*a].total_cmp(&p[*b]));
        }
        let mut ends_fold = vec![false; p.len()];
        folds.iter().for_each(|fold| ends_fold[fold.end - 1] = true);
        let ends_tie = (0..p.len()).map(|i| ends_fold[i] || p[rows[i]] < p[rows[i + 1]]);
        Self {
            class,
            ends_tie: ends_tie.collect(),
            rows,
            ends_fold,
        }
    }

    /// Nothing if no fold has rows both of the class and of others.
    fn area(&self, truth: &[f64], weights: &[f64]) -> Option<f64> {
        let class = self.class as f64;
        let (mut wins, mut pairs) = (0.0, 0.0);
        let (mut of_class, mut rest) = (0.0, 0.0);
        let (mut tied_class, mut tied_rest) = (0.0, 0.0);
        for (i, row) in self.rows.iter().enumerate() {
            if truth[*row] == class {
                tied_class += weights[*row];
            } else {
                tied_rest += weights[*row];
            }
            if self.ends_tie[i] {
                wins += tied_class * (rest + tied_rest / 2.0);
                of_class += tied_class;
                rest += tied_rest;
                (tied_class, tied_rest) = (0.0, 0.0);
            }
            if self.ends_fold[i] {
                pairs += of_class * rest;
                (of_class, rest) = (0.0, 0.0);
            }
        }
        (pairs > 0.0).then(|| wins / pairs)
    }
}

/// The mean area over classes for which there is one; nothing if there is none.
pub(super) fn mean(orders: &[RankOrder], truth: &[f64], weights: &[f64]) -> Option<f64> {
    let areas = orders.iter().filter_map(|order| order.area(truth, weights));
    let (sum, n) = areas.fold((0.0, 0), |(sum, n), area| (sum + area, n + 1));
    (n > 0).then(|| sum / f64::from(n))
}
