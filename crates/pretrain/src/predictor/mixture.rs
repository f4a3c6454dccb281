//! Mixture predictor: conditional mean of hidden ROIs under a mixture of Gaussians.

use brainmae_data::ScanStore;
use brainmae_run::Seeds;
use nalgebra::{Cholesky, DMatrix, DVector};
use rand::RngExt;

use super::{Predictor, by_segment};
use crate::PretrainError;
use crate::masked_batch::MaskedBatch;
use crate::reconstruction::hidden_error;

/// Conditional mean of the hidden ROIs of a volume, given the visible ones, if volumes are drawn
/// from `K` Gaussians.
///
/// ```text
/// x_H = sum_k p(k | x_V) (m_kH + C_kHV (C_kVV)^-1 (x_V - m_kV))
/// ```
/// It is the simplest predictor that is not linear: a volume belongs to one of `K` brain states,
/// and each state has a mean and a covariance of its own. `K` is chosen on the validation scans.
/// Fitted by expectation maximisation (Dempster et al. 1977).
pub struct MixturePredictor {
    components: Vec<Component>,
}

/// One Gaussian.
#[derive(Clone, Debug)]
struct Component {
    log_share: f64,
    mean: DVector<f64>,
    covariance: DMatrix<f64>,
}

/// Numbers of Gaussians of which the best one is taken.
const NUMBERS: [usize; 4] = [2, 4, 8, 16];

/// Most volumes that the mixture is fitted on, at equal distances over the training scans.
const MOST_VOLUMES: usize = 20_000;

/// Most products of a volume with itself, `volumes * rois^2`: 20,000 volumes of 200 ROIs, 5,000 of
/// 400. Fitting takes half a minute then.
const MOST_PRODUCTS: usize = 800_000_000;

/// Most iterations of expectation maximisation.
const ITERATIONS: usize = 40;

/// Iterations end when the log likelihood of a volume grows by less.
const LEAST_GAIN: f64 = 1e-3;

/// Volumes, per ROI, that the covariance of all states together counts in that of each state.
const PRIOR_PER_ROI: f64 = 1.0;

/// Added to the variances, relative to the unit variance of a z-scored ROI.
const RIDGE: f64 = 1e-3;

impl MixturePredictor {
    /// Fits mixtures on `training` and takes the one with the smallest error on `validation`.
    /// Mixtures with fewer than two volumes for each ROI and Gaussian are not tried; `None` if none
    /// is left, as for short data and for 600 ROIs.
    ///
    /// # Errors
    /// [`PretrainError::NoScans`] without training scans, or from the data.
    pub fn fit(
        training: &ScanStore,
        validation: impl IntoIterator<Item = Result<MaskedBatch, PretrainError>>,
        seeds: &Seeds,
    ) -> Result<Option<Self>, PretrainError> {
        if training.is_empty() {
            return Err(PretrainError::NoScans { set: "training" });
        }
        let volumes = volumes(training)?;
        let enough = |n: &usize| volumes.ncols() >= 2 * n * training.n_rois();
        let mut candidates: Vec<Self> = (NUMBERS.into_iter().filter(enough))
            .filter_map(|n| Self::of_volumes(&volumes, n, seeds))
            .collect();
        let mut errors = vec![0.0; candidates.len()];
        if candidates.len() > 1 {
            for batch in validation {
                let batch = batch?;
                for (error, candidate) in errors.iter_mut().zip(&candidates) {
                    *error += hidden_error(&batch, &candidate.predict(&batch)).sum();
                }
            }
        }
        let all = errors.into_iter().enumerate();
        let best = all.min_by(|(_, a), (_, b)| a.total_cmp(b));
        Ok(best.map(|(best, _)| candidates.swap_remove(best)))
    }

    /// Number of Gaussians.
    pub fn n_components(&self) -> usize {
        self.components.len()
    }

    /// `n` Gaussians of `volumes`, `[rois, volumes]`; `None` if a covariance has no inverse.
    fn of_volumes(volumes: &DMatrix<f64>, n: usize, seeds: &Seeds) -> Option<Self> {
        let (n_rois, n_volumes) = volumes.shape();
        let pooled = volumes * volumes.transpose() / n_volumes as f64;
        let mut shares = first_shares(volumes, n, seeds);
        let mut before = f64::NEG_INFINITY;
        let mut components = Vec::new();
        for _ in 0..ITERATIONS {
            components = (shares.row_iter())
                .map(|shares| component(volumes, &shares.transpose(), &pooled))
                .collect();
            let visible: Vec<usize> = (0..n_rois).collect();
            let conditionals = conditionals(&components, &visible, &[])?;
            let mut likelihood = 0.0;
            shares = log_densities(&conditionals, volumes);
            for mut column in shares.column_iter_mut() {
                likelihood += to_shares(column.as_mut_slice());
            }
            let likelihood = likelihood / n_volumes as f64;
            if likelihood - before < LEAST_GAIN {
                break;
            }
            before = likelihood;
        }
        Some(Self { components })
    }

    /// Fills in the hidden ROIs of one segment, `[rois, time]`; NaN if a covariance has no inverse.
    fn predict_segment(&self, bold: &[f32], hidden: &[bool], time: usize, out: &mut [f32]) {
        let (hidden, visible): (Vec<usize>, Vec<usize>) =
            (0..hidden.len()).partition(|roi| hidden[*roi]);
        if hidden.is_empty() {
            return;
        }
        let Some(conditionals) = conditionals(&self.components, &visible, &hidden) else {
            out.fill(f32::NAN);
            return;
        };
        let seen = DMatrix::from_fn(visible.len(), time, |i, t| {
            f64::from(bold[visible[i] * time + t])
        });
        let mut shares = log_densities(&conditionals, &seen);
        let mut drawn = DMatrix::zeros(hidden.len(), time);
        for mut column in shares.column_iter_mut() {
            to_shares(column.as_mut_slice());
        }
        for (conditional, shares) in conditionals.iter().zip(shares.row_iter()) {
            let mut of_state = conditional.means(&seen);
            for (mut volume, share) in of_state.column_iter_mut().zip(shares.iter()) {
                volume *= *share;
            }
            drawn += of_state;
        }
        for (row, roi) in hidden.iter().enumerate() {
            for t in 0..time {
                out[roi * time + t] = drawn[(row, t)] as f32;
            }
        }
    }
}

impl Predictor for MixturePredictor {
    fn name(&self) -> &str {
        "mixture"
    }

    fn predict(&self, batch: &MaskedBatch) -> Vec<f32> {
        by_segment(batch, |bold, hidden, time, out| {
            self.predict_segment(bold, hidden, time, out);
        })
    }
}

/// Uncensored volumes of all scans, at equal distances, `[rois, volumes]`.
fn volumes(store: &ScanStore) -> Result<DMatrix<f64>, PretrainError> {
    let all: usize = store.scans().iter().map(|scan| scan.n_volumes).sum();
    let n_rois = store.n_rois();
    let most = MOST_VOLUMES
        .min(MOST_PRODUCTS / n_rois.pow(2).max(1))
        .max(1);
    let stride = all.div_ceil(most).max(1);
    let (mut values, mut at) = (Vec::new(), 0);
    for scan in 0..store.len() {
        let series = store.series(scan)?;
        for volume in 0..series.n_volumes() {
            if at % stride == 0 && series.is_kept(volume) {
                values.extend(series.row(volume).iter().map(|x| f64::from(*x)));
            }
            at += 1;
        }
    }
    Ok(DMatrix::from_vec(n_rois, values.len() / n_rois, values))
}

/// Shares of the Gaussians in each volume at the start, `[n, volumes]`: all of a volume belongs to
/// the nearest of `n` volumes that are drawn as by k-means++ (Arthur and Vassilvitskii 2007).
fn first_shares(volumes: &DMatrix<f64>, n: usize, seeds: &Seeds) -> DMatrix<f64> {
    let rng = &mut seeds.stream_at("mixture", &[n as u64]);
    let n_volumes = volumes.ncols();
    let mut nearest = vec![(f64::INFINITY, 0); n_volumes];
    let mut centre = rng.random_range(0..n_volumes);
    for k in 0..n {
        let of_centre = volumes.column(centre);
        for (volume, nearest) in volumes.column_iter().zip(&mut nearest) {
            let distance = (volume - of_centre).norm_squared();
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
    DMatrix::from_fn(n, n_volumes, |k, volume| {
        f64::from(u8::from(nearest[volume].1 == k))
    })
}

/// The Gaussian of volumes with these shares. Its covariance is shrunk towards `pooled`.
fn component(volumes: &DMatrix<f64>, shares: &DVector<f64>, pooled: &DMatrix<f64>) -> Component {
    let n_rois = volumes.nrows();
    let weight = shares.sum();
    let mean = volumes * shares / weight.max(1e-9);
    let mut centred = volumes.clone();
    for (mut volume, share) in centred.column_iter_mut().zip(shares.iter()) {
        volume -= &mean;
        volume *= share.sqrt();
    }
    let prior = PRIOR_PER_ROI * n_rois as f64;
    let mut covariance = pooled * (prior / (weight + prior));
    covariance.gemm(1.0 / (weight + prior), &centred, &centred.transpose(), 1.0);
    for roi in 0..n_rois {
        covariance[(roi, roi)] += RIDGE;
    }
    Component {
        log_share: (weight / volumes.ncols() as f64).max(1e-300).ln(),
        mean,
        covariance,
    }
}

/// A Gaussian of the visible ROIs, and the mean of the hidden ones given them.
struct Conditional {
    /// Logarithm of the share and of the density's constant.
    log_factor: f64,
    visible_mean: DVector<f64>,
    hidden_mean: DVector<f64>,
    /// `L^-1` with `C_VV = L L'`.
    whitening: DMatrix<f64>,
    /// `(C_VV)^-1 C_VH`, transposed: `[hidden, visible]`.
    slopes: DMatrix<f64>,
}

impl Conditional {
    fn centred(&self, seen: &DMatrix<f64>) -> DMatrix<f64> {
        let mut centred = seen.clone();
        for mut volume in centred.column_iter_mut() {
            volume -= &self.visible_mean;
        }
        centred
    }

    /// Means of the hidden ROIs of each volume of `seen`, `[visible, volumes]`.
    fn means(&self, seen: &DMatrix<f64>) -> DMatrix<f64> {
        let mut means = &self.slopes * self.centred(seen);
        for mut volume in means.column_iter_mut() {
            volume += &self.hidden_mean;
        }
        means
    }
}

/// The Gaussians, given visible ROIs; `None` if a covariance has no inverse.
fn conditionals(
    components: &[Component],
    visible: &[usize],
    hidden: &[usize],
) -> Option<Vec<Conditional>> {
    let of = |component: &Component| {
        let c = &component.covariance;
        let block = |rows: &[usize], columns: &[usize]| {
            DMatrix::from_fn(rows.len(), columns.len(), |i, j| c[(rows[i], columns[j])])
        };
        let factor = Cholesky::new(block(visible, visible))?;
        let slopes = factor.solve(&block(visible, hidden)).transpose();
        let log_roots = factor.l_dirty().diagonal().map(f64::ln).sum();
        let n = visible.len();
        let whitening = factor
            .l()
            .solve_lower_triangular(&DMatrix::identity(n, n))?;
        let mean = |rois: &[usize]| {
            DVector::from_iterator(rois.len(), rois.iter().map(|roi| component.mean[*roi]))
        };
        let log_tau = std::f64::consts::TAU.ln();
        Some(Conditional {
            log_factor: component.log_share - log_roots - 0.5 * n as f64 * log_tau,
            visible_mean: mean(visible),
            hidden_mean: mean(hidden),
            whitening,
            slopes,
        })
    };
    components.iter().map(of).collect()
}

/// Logarithm of share and density of each Gaussian at each volume, `[Gaussians, volumes]`.
fn log_densities(conditionals: &[Conditional], seen: &DMatrix<f64>) -> DMatrix<f64> {
    let mut logs = DMatrix::zeros(conditionals.len(), seen.ncols());
    for (conditional, mut row) in conditionals.iter().zip(logs.row_iter_mut()) {
        let white = &conditional.whitening * conditional.centred(seen);
        for (log, volume) in row.iter_mut().zip(white.column_iter()) {
            *log = conditional.log_factor - 0.5 * volume.norm_squared();
        }
    }
    logs
}

/// Turns logarithms into shares of their sum; returns the logarithm of that sum.
fn to_shares(logs: &mut [f64]) -> f64 {
    let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for log in logs.iter_mut() {
        *log = (*log - top).exp();
        sum += *log;
    }
    logs.iter_mut().for_each(|share| *share /= sum);
    top + sum.ln()
}
