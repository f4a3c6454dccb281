//! Predictions after removal of confounds by linear regression.

use std::ops::Range;

use nalgebra::DMatrix;

use crate::predictions::{Prediction, PredictionError, Predictions, Sample};
use crate::{DownstreamError, Kind, Output};

/// Lower limit of probabilities before their logarithm is taken.
const LEAST_PROBABILITY: f64 = 1e-6;

/// The predictions after removal of the share that confounds explain, as input for new
/// [`Results`](crate::Results).
///
/// ```text
/// ŷ′ = ŷ − (c − c̄) · β
/// β: least squares of ŷ on c over the rows of all other folds, both centred in each fold
/// c̄: mean confounds of these rows
/// ```
/// The regression for one fold is fitted on the test rows of the other folds, the only predictions
/// that no model has trained on. For classes, it applies to the logarithms of probabilities, which
/// are then normalised again. A confound that all rows of a model lack is not used; rows that lack
/// another one are left out, and so is a model without a row. The truth is not changed, so a target
/// that correlates with motion gets lower scores.
///
/// # Errors
/// [`DownstreamError::Predictions`] if there is only one fold, or if nothing is left.
pub fn without_confounds(predictions: &Predictions) -> Result<Predictions, DownstreamError> {
    if predictions.confounds().is_empty() {
        return Ok(predictions.clone());
    }
    let (mut cleaned, mut nothing) = (Vec::new(), None);
    for sample in predictions.samples() {
        let refuse = |reason: PredictionError| DownstreamError::Predictions {
            target: sample.target().into(),
            model: sample.model().into(),
            place: None,
            reason,
        };
        let known = known_confounds(&sample);
        let rows: Vec<&Prediction> = rows_with(&sample, &known);
        if rows.is_empty() {
            nothing = nothing.or(Some(refuse(PredictionError::NoConfounds)));
            continue;
        }
        let sample = Sample::new(rows);
        if sample.folds().len() < 2 {
            return Err(refuse(PredictionError::OneFold));
        }
        let confounds = sample.rows().iter();
        let confounds = confounds.flat_map(|row| known.iter().filter_map(|i| row.confounds[*i]));
        let confounds: Vec<f64> = confounds.collect();
        let confounds = DMatrix::from_row_slice(sample.len(), known.len(), &confounds);
        let kind = sample.kind();
        let output = match kind {
            Kind::Regression => sample.output().to_vec(),
            Kind::Classification { .. } => {
                let p = sample.output().iter();
                p.map(|p| p.max(LEAST_PROBABILITY).ln()).collect()
            }
        };
        let output = DMatrix::from_row_slice(sample.len(), kind.n_outputs(), &output);
        let left = rest(&sample, &confounds, &output);
        for (row, left) in sample.rows().iter().zip(left.row_iter()) {
            let left = left.iter().copied().collect();
            let output = match kind {
                Kind::Regression => left,
                Kind::Classification { n_classes } => {
                    let probabilities = Output::from_logits(n_classes, left);
                    probabilities.rows().flatten().copied().collect()
                }
            };
            cleaned.push(Prediction {
                output,
                ..(*row).clone()
            });
        }
    }
    match nothing {
        Some(error) if cleaned.is_empty() => Err(error),
        _ => Predictions::new(predictions.confounds().to_vec(), cleaned),
    }
}

/// Whether [`without_confounds`] has rows to work on.
pub fn has_confounds(predictions: &Predictions) -> bool {
    let samples = predictions.samples();
    (samples.iter()).any(|sample| !rows_with(sample, &known_confounds(sample)).is_empty())
}

/// Numbers of the confounds that at least one row has.
fn known_confounds(sample: &Sample) -> Vec<usize> {
    let rows = sample.rows();
    let n = rows.first().map_or(0, |row| row.confounds.len());
    (0..n)
        .filter(|i| rows.iter().any(|row| row.confounds[*i].is_some()))
        .collect()
}

/// The rows that have all of these confounds; none if there are no confounds.
fn rows_with<'a>(sample: &Sample<'a>, confounds: &[usize]) -> Vec<&'a Prediction> {
    let has_all = |row: &&&Prediction| confounds.iter().all(|i| row.confounds[*i].is_some());
    match confounds.is_empty() {
        true => Vec::new(),
        false => sample.rows().iter().filter(has_all).copied().collect(),
    }
}

/// Residuals of `output` after regression on `confounds` in the other folds; both have the rows of
/// `sample`.
fn rest(sample: &Sample, confounds: &DMatrix<f64>, output: &DMatrix<f64>) -> DMatrix<f64> {
    let centred_confounds = centred(sample.folds(), confounds);
    let centred_output = centred(sample.folds(), output);
    let mut left = output.clone();
    for fold in sample.folds() {
        let others: Vec<usize> = (0..sample.len())
            .filter(|row| !fold.contains(row))
            .collect();
        let there = confounds.select_rows(&others);
        let slopes = slopes(
            centred_confounds.select_rows(&others),
            &there,
            &centred_output.select_rows(&others),
        );
        let mean = there.row_mean();
        for row in fold.clone() {
            let explained = (confounds.row(row) - &mean) * &slopes;
            let mut left = left.row_mut(row);
            left -= explained;
        }
    }
    left
}

/// Columns minus their mean in each fold.
fn centred(folds: &[Range<usize>], of: &DMatrix<f64>) -> DMatrix<f64> {
    let mut centred = of.clone();
    for fold in folds {
        let mean = of.rows(fold.start, fold.len()).row_mean();
        for row in fold.clone() {
            let mut row = centred.row_mut(row);
            row -= &mean;
        }
    }
    centred
}

/// Variance below this share of the mean square is rounding.
const CONSTANT: f64 = 1e-24;

/// Least squares, `[confounds, outputs]`; the smallest solution if confounds are dependent, 0 for a
/// constant confound.
fn slopes(mut design: DMatrix<f64>, raw: &DMatrix<f64>, output: &DMatrix<f64>) -> DMatrix<f64> {
    // Columns are scaled to length 1, so the result does not depend on units of measurement.
    let lengths = design
        .column_iter()
        .zip(raw.column_iter())
        .map(|(column, raw)| {
            let constant = column.norm_squared() <= CONSTANT * raw.norm_squared();
            if constant {
                f64::INFINITY
            } else {
                column.norm()
            }
        });
    let lengths: Vec<f64> = lengths.collect();
    for (mut column, length) in design.column_iter_mut().zip(&lengths) {
        column /= *length;
    }
    let mut slopes = design
        .svd(true, true)
        .solve(output, 1e-9)
        .expect("both sets of singular vectors are there");
    for (mut row, length) in slopes.row_iter_mut().zip(&lengths) {
        row /= *length;
    }
    slopes
}
