//! Gaussian of one brain state, and its conditional mean given the visible ROIs.

use nalgebra::{Cholesky, DMatrix, DVector};

/// Volumes, per ROI, that the covariance of all states together counts in that of each state.
const PRIOR_PER_ROI: f64 = 1.0;

/// Added to the variances, relative to the unit variance of a z-scored ROI.
const RIDGE: f64 = 1e-3;

/// Mean and covariance of the volumes of one brain state.
#[derive(Clone, Debug)]
pub(super) struct Gaussian {
    mean: DVector<f64>,
    covariance: DMatrix<f64>,
}

impl Gaussian {
    /// The Gaussian of `volumes`, `[rois, volumes]`, with these shares, `[volumes]`. Its covariance
    /// is shrunk towards `pooled`.
    pub(super) fn of_volumes(
        volumes: &DMatrix<f64>,
        shares: &DVector<f64>,
        pooled: &DMatrix<f64>,
    ) -> Self {
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
        Self { mean, covariance }
    }

    /// This Gaussian, given visible ROIs; `None` if the covariance has no inverse.
    pub(super) fn conditional(&self, visible: &[usize], hidden: &[usize]) -> Option<Conditional> {
        let c = &self.covariance;
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
            DVector::from_iterator(rois.len(), rois.iter().map(|roi| self.mean[*roi]))
        };
        let log_tau = std::f64::consts::TAU.ln();
        Some(Conditional {
            log_factor: -log_roots - 0.5 * n as f64 * log_tau,
            visible_mean: mean(visible),
            hidden_mean: mean(hidden),
            whitening,
            slopes,
        })
    }
}

/// A Gaussian of the visible ROIs, and the mean of the hidden ones given them.
pub(super) struct Conditional {
    /// Logarithm of the constant of the density.
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
    pub(super) fn means(&self, seen: &DMatrix<f64>) -> DMatrix<f64> {
        let mut means = &self.slopes * self.centred(seen);
        for mut volume in means.column_iter_mut() {
            volume += &self.hidden_mean;
        }
        means
    }

    /// Logarithm of the density at each volume of `seen`, `[visible, volumes]`.
    pub(super) fn log_densities(&self, seen: &DMatrix<f64>) -> DVector<f64> {
        let white = &self.whitening * self.centred(seen);
        let logs =
            (white.column_iter()).map(|volume| self.log_factor - 0.5 * volume.norm_squared());
        DVector::from_iterator(seen.ncols(), logs)
    }
}
