//! Functional connectivity: the Pearson correlations of all pairs of ROIs.
//!
//! [`correlations`] uses single precision and is fast enough for large data sets;
//! [`exact_fisher_z`] follows the definition in double precision. They agree to 1e-6.

mod gram;
mod shrinkage;

use nalgebra::{DMatrix, DVector, Scalar};

use crate::bold::BoldSeries;
use crate::scales::Scales;
use gram::Gram;
pub use shrinkage::ledoit_wolf;

/// Largest correlation that [`fisher_z`] uses: atanh is infinite at 1, which rounding can reach for
/// equal signals.
const LARGEST: f64 = 0.999_999;

/// Pearson correlations of all ROIs over `volumes`; each volume has one number per ROI. The result
/// is `[rois, rois]`, symmetric, with 1 on the diagonal. For a constant ROI, its row and column are
/// 0, with the diagonal.
///
/// The signals are standardised row by row during the product, so that no copy is needed.
pub fn correlations<'a>(
    volumes: impl Iterator<Item = &'a [f32]> + Clone,
    n_rois: usize,
) -> DMatrix<f32> {
    let scales = Scales::of(volumes.clone(), n_rois);
    let mut products = Gram::new(n_rois);
    for volume in volumes {
        scales.standardise(volume, products.next_row());
    }
    // The matrix is symmetric, so row-major data can be read as column-major.
    let mut r = DMatrix::from_vec(n_rois, n_rois, products.finish());
    // Corrects the rounding error in the length of the standardised signals.
    let inverse_length = DVector::from_fn(n_rois, |i, _| match scales.changes(i) {
        true => r[(i, i)].sqrt().recip(),
        false => 0.0,
    });
    for (j, mut column) in r.column_iter_mut().enumerate() {
        let of_column = inverse_length[j];
        for (r, of_row) in column.iter_mut().zip(&inverse_length) {
            *r = (*r * (of_row * of_column)).clamp(-1.0, 1.0);
        }
        if of_column > 0.0 {
            column[j] = 1.0;
        }
    }
    r
}

/// [`correlations`] of a scan over its uncensored volumes; over all volumes if none is uncensored.
pub fn of_series(series: &BoldSeries) -> DMatrix<f32> {
    let none_is_kept = series.n_kept() == 0;
    let volumes = (0..series.n_volumes())
        .filter(|volume| none_is_kept || series.is_kept(*volume))
        .map(|volume| series.row(volume));
    correlations(volumes, series.n_rois())
}

/// Fisher's `atanh r` of every pair of different ROIs, row by row of the upper triangle: `rois *
/// (rois - 1) / 2` numbers.
pub fn fisher_z(correlations: &DMatrix<f32>) -> Vec<f32> {
    let largest = LARGEST as f32;
    upper_triangle(correlations, |r| r.clamp(-largest, largest).atanh())
}

/// The results of `of` for every value above the diagonal, row by row.
pub fn upper_triangle<T: Scalar + Copy>(matrix: &DMatrix<T>, of: impl Fn(T) -> f32) -> Vec<f32> {
    pairs(matrix.nrows())
        .map(|(i, j)| of(matrix[(i, j)]))
        .collect()
}

/// Fisher's z of every pair of different ROIs over all volumes of a scan, in the order of
/// [`fisher_z`], by the definition in double precision.
pub fn exact_fisher_z(series: &BoldSeries) -> Vec<f64> {
    let n_rois = series.n_rois();
    let courses: Vec<Vec<f64>> = (0..n_rois)
        .map(|roi| {
            let course = series.values().iter().skip(roi).step_by(n_rois);
            standardised(course.map(|x| f64::from(*x)).collect())
        })
        .collect();
    let r = |i: usize, j: usize| {
        let products = courses[i].iter().zip(&courses[j]).map(|(a, b)| a * b);
        products.sum::<f64>() / series.n_volumes() as f64
    };
    pairs(n_rois)
        .map(|(i, j)| r(i, j).clamp(-LARGEST, LARGEST).atanh())
        .collect()
}

/// The values with mean 0 and variance 1; constant values become 0.
pub fn standardised(mut values: Vec<f64>) -> Vec<f64> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    let scale = if variance > 0.0 {
        variance.sqrt().recip()
    } else {
        0.0
    };
    values.iter_mut().for_each(|x| *x = (*x - mean) * scale);
    values
}

/// Pairs of different ROIs, row by row of the upper triangle.
fn pairs(n_rois: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n_rois).flat_map(move |i| (i + 1..n_rois).map(move |j| (i, j)))
}

#[cfg(test)]
mod tests;
