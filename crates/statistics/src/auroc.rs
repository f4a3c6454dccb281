//! Area under the ROC curve: the probability that a row of a class has a higher score for it than a
//! row of another class.

use std::ops::Range;

/// Order of the rows of each fold by the probability of one class.
///
/// ```text
/// AUROC = Σf Σ(i of the class, j not) [pᵢ > pⱼ] + ½ [pᵢ = pⱼ]   /   Σf n_class · n_rest
///         i, j: rows of fold f
/// ```
/// # Source
/// Mann & Whitney 1947; within folds after Forman & Scholz 2010, because probabilities of two
/// models do not have the same scale. With one fold it equals sklearn's `roc_auc_score`, for more
/// than two classes with `multi_class="ovr", average="macro"`.
pub struct RankOrder {
    class: usize,
    /// Numbers of rows, in order of fold and probability.
    rows: Vec<usize>,
    /// True if the next row has a larger probability, or is of another fold.
    ends_tie: Vec<bool>,
    /// True if the next row is of another fold.
    ends_fold: Vec<bool>,
}

impl RankOrder {
    /// The order of rows by `p`, the probability of `class`.
    pub fn new(class: usize, p: &[f64], folds: &[Range<usize>]) -> Self {
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

    /// The area for the classes `truth` and the weights of rows `weights`. `None` if no fold has
    /// rows both of the class and of others.
    pub fn area(&self, truth: &[f64], weights: &[f64]) -> Option<f64> {
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

/// Area under the ROC curve of `scores`: the probability that a row with label `true` has a higher
/// score than one with `false`; ties count one half. `None` if there are no rows of either label.
pub fn auroc(scores: &[f64], labels: &[bool]) -> Option<f64> {
    if scores.is_empty() {
        return None;
    }
    let truth: Vec<f64> = labels.iter().map(|l| f64::from(u8::from(*l))).collect();
    let all = 0..scores.len();
    RankOrder::new(1, scores, &[all]).area(&truth, &vec![1.0; scores.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_counts_pairs_in_the_right_order() {
        // Positives 0.9 and 0.4, negatives 0.5 and 0.4: of four pairs, two are right, one is wrong,
        // one is a tie.
        let labels = [true, true, false, false];
        assert_eq!(auroc(&[0.9, 0.4, 0.5, 0.4], &labels), Some(0.625));
        assert_eq!(auroc(&[0.9], &[true]), None);
        assert_eq!(auroc(&[], &[]), None);
    }
}
