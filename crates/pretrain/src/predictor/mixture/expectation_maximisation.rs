//! Expectation maximisation: Gaussians of training volumes of which some share a brain state.

use brainmae_data::ScanStore;
use brainmae_run::Seeds;
use nalgebra::{DMatrix, DVector};
use rand::RngExt;

use super::gaussian::Gaussian;
use crate::PretrainError;

/// Most volumes that a mixture is fitted on, at equal distances over the training scans.
const MOST_VOLUMES: usize = 20_000;

/// Most products of a volume with itself, `volumes * rois^2`: 20,000 volumes of 200 ROIs, 5,000 of
/// 400. Fitting takes half a minute then.
const MOST_PRODUCTS: usize = 800_000_000;

/// Most iterations of expectation maximisation.
const ITERATIONS: usize = 40;

/// Iterations end when the log likelihood of a volume grows by less.
const LEAST_GAIN: f64 = 1e-3;

/// Weighted Gaussians.
#[derive(Clone, Debug)]
pub(super) struct Mixture {
    /// Logarithm of the share of each Gaussian in all units.
    pub(super) log_shares: Vec<f64>,
    /// One Gaussian for each brain state.
    pub(super) gaussians: Vec<Gaussian>,
}

/// Training volumes in units. All volumes of a unit share a brain state.
pub(super) struct Units {
    /// `[rois, volumes]`.
    volumes: DMatrix<f64>,
    /// Unit of each volume, in ascending order.
    unit: Vec<usize>,
    n_units: usize,
}

impl Units {
    /// Units of `len` consecutive volumes, at equal distances over all scans. Censored volumes are
    /// left out.
    ///
    /// # Errors
    /// If a scan cannot be read.
    pub(super) fn of(store: &ScanStore, len: usize) -> Result<Self, PretrainError> {
        let all: usize = store.scans().iter().map(|scan| scan.n_volumes / len).sum();
        let n_rois = store.n_rois();
        let most = MOST_VOLUMES.min(MOST_PRODUCTS / n_rois.pow(2).max(1)) / len;
        let stride = all.div_ceil(most.max(1)).max(1);
        let (mut values, mut unit) = (Vec::new(), Vec::new());
        let (mut at, mut n_units) = (0, 0);
        for scan in 0..store.len() {
            let series = store.series(scan)?;
            for i in 0..series.n_volumes() / len {
                let kept = (i * len..(i + 1) * len).filter(|volume| series.is_kept(*volume));
                let kept: Vec<usize> = kept.collect();
                if at % stride == 0 && !kept.is_empty() {
                    unit.extend(kept.iter().map(|_| n_units));
                    let rows = kept.iter().flat_map(|volume| series.row(*volume));
                    values.extend(rows.map(|x| f64::from(*x)));
                    n_units += 1;
                }
                at += 1;
            }
        }
        Ok(Self {
            volumes: DMatrix::from_vec(n_rois, unit.len(), values),
            unit,
            n_units,
        })
    }

    /// Number of volumes.
    pub(super) fn n_volumes(&self) -> usize {
        self.unit.len()
    }

    /// Mixture of `n` Gaussians of these volumes; `None` if a covariance has no inverse.
    pub(super) fn mixture(&self, n: usize, seeds: &Seeds) -> Option<Mixture> {
        let n_volumes = self.n_volumes() as f64;
        let visible: Vec<usize> = (0..self.volumes.nrows()).collect();
        let pooled = &self.volumes * self.volumes.transpose() / n_volumes;
        let mut shares = first_shares(&self.means(), n, seeds);
        let mut before = f64::NEG_INFINITY;
        let mut mixture = self.maximised(&shares, &pooled);
        for _ in 1..ITERATIONS {
            let mut likelihood = 0.0;
            shares.fill(0.0);
            for (k, gaussian) in mixture.gaussians.iter().enumerate() {
                let logs = gaussian
                    .conditional(&visible, &[])?
                    .log_densities(&self.volumes);
                shares.row_mut(k).fill(mixture.log_shares[k]);
                for (log, unit) in logs.iter().zip(&self.unit) {
                    shares[(k, *unit)] += log;
                }
            }
            for mut column in shares.column_iter_mut() {
                likelihood += to_shares(column.as_mut_slice());
            }
            let likelihood = likelihood / n_volumes;
            if likelihood - before < LEAST_GAIN {
                break;
            }
            before = likelihood;
            mixture = self.maximised(&shares, &pooled);
        }
        Some(mixture)
    }

    /// The Gaussians of units with these shares, `[n, units]`.
    fn maximised(&self, shares: &DMatrix<f64>, pooled: &DMatrix<f64>) -> Mixture {
        let log_share = |of_state: f64| (of_state / self.n_units as f64).max(1e-300).ln();
        let gaussian = |k: usize| {
            let of_volumes = self.unit.iter().map(|unit| shares[(k, *unit)]);
            let of_volumes = DVector::from_iterator(self.n_volumes(), of_volumes);
            Gaussian::of_volumes(&self.volumes, &of_volumes, pooled)
        };
        Mixture {
            log_shares: shares.row_iter().map(|row| log_share(row.sum())).collect(),
            gaussians: (0..shares.nrows()).map(gaussian).collect(),
        }
    }

    /// Mean of each unit, `[rois, units]`.
    fn means(&self) -> DMatrix<f64> {
        let mut means = DMatrix::zeros(self.volumes.nrows(), self.n_units);
        let mut counts = vec![0.0; self.n_units];
        for (volume, unit) in self.volumes.column_iter().zip(&self.unit) {
            let mut mean = means.column_mut(*unit);
            mean += volume;
            counts[*unit] += 1.0;
        }
        for (mut mean, count) in means.column_iter_mut().zip(counts) {
            mean /= count;
        }
        means
    }
}

/// Shares of the Gaussians in each unit at the start, `[n, units]`: all of a unit belongs to the
/// nearest of `n` units that are drawn as by k-means++ (Arthur and Vassilvitskii 2007), by their
/// means, `[rois, units]`.
fn first_shares(means: &DMatrix<f64>, n: usize, seeds: &Seeds) -> DMatrix<f64> {
    let rng = &mut seeds.stream_at("mixture", &[n as u64]);
    let n_units = means.ncols();
    let mut nearest = vec![(f64::INFINITY, 0); n_units];
    let mut centre = rng.random_range(0..n_units);
    for k in 0..n {
        let of_centre = means.column(centre);
        for (mean, nearest) in means.column_iter().zip(&mut nearest) {
            let distance = (mean - of_centre).norm_squared();
            if distance < nearest.0 {
                *nearest = (distance, k);
            }
        }
        let total: f64 = nearest.iter().map(|(distance, _)| distance).sum();
        let mut left = total * rng.random::<f64>();
        centre = nearest
            .iter()
            .position(|(distance, _)| {
                left -= distance;
                left < 0.0
            })
            .unwrap_or(0);
    }
    DMatrix::from_fn(n, n_units, |k, unit| {
        f64::from(u8::from(nearest[unit].1 == k))
    })
}

/// Turns logarithms into shares of their sum; returns the logarithm of that sum.
pub(super) fn to_shares(logs: &mut [f64]) -> f64 {
    let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for log in logs.iter_mut() {
        *log = (*log - top).exp();
        sum += *log;
    }
    logs.iter_mut().for_each(|share| *share /= sum);
    top + sum.ln()
}
