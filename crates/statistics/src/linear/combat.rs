//! ComBat: removal of the shift and scale that a site gives to each feature.

use nalgebra::{DMatrix, RowDVector};

use super::decomposition::Decomposition;
use super::standard::{Scaling, Standard};

/// Largest number of steps to the empirical Bayes estimates of a feature.
const MOST_STEPS: usize = 1000;

/// Largest relative change in the last of these steps.
const TOLERANCE: f64 = 1e-10;

/// Shift and scale of each feature at each site, fitted on the training set;
/// [`apply`](Self::apply) takes them away.
///
/// ```text
/// y = a + c B + s (g + d e)         y: a feature, c: covariates, e: noise of mean 0 and variance 1
/// returned: a + c B + s (y − a − c B − s g) / (s d)      g, d: of the row's site and the feature
/// ```
/// `B` and `s` come from least squares with an intercept for each site; `a` is the mean of these,
/// weighted by rows. `g` and `d²` are shrunk to their distribution over the features of the site
/// (empirical Bayes, normal and inverse gamma). Effects of the covariates stay.
///
/// # Source
/// Johnson et al. 2007, Biostatistics (parametric priors). A feature that does not vary within the
/// sites of the training set is left as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Combat {
    /// `a`, one for each feature.
    intercepts: RowDVector<f64>,
    /// Covariates without their mean are multiplied by this, `[covariates, columns]`.
    slopes: DMatrix<f64>,
    /// `s`; 0 for a feature that does not vary.
    scales: RowDVector<f64>,
    /// `g` of each site, `[sites, columns]`.
    shifts: DMatrix<f64>,
    /// `d` of each site, `[sites, columns]`.
    spreads: DMatrix<f64>,
}

impl Combat {
    /// Fits on rows `x` `[rows, columns]` of at least two sites, numbered from 0 in `sites`, each
    /// with at least two rows; `covariates` are `[rows, covariates]`, without any column if no
    /// effect is to be kept.
    ///
    /// # Panics
    /// If a site has fewer than two rows.
    pub fn fit(x: &DMatrix<f64>, sites: &[usize], covariates: &DMatrix<f64>) -> Self {
        let n_sites = sites.iter().max().map_or(0, |site| site + 1);
        let rows_of: Vec<Vec<usize>> = (0..n_sites)
            .map(|site| (0..sites.len()).filter(|row| sites[*row] == site).collect())
            .collect();
        assert!(
            rows_of.iter().all(|rows| rows.len() > 1),
            "two rows at each site"
        );
        let means = |of: &DMatrix<f64>| {
            let means: Vec<_> = rows_of
                .iter()
                .map(|rows| of.select_rows(rows).row_mean())
                .collect();
            match of.ncols() {
                0 => DMatrix::zeros(n_sites, 0),
                _ => DMatrix::from_rows(&means),
            }
        };
        let within = |of: &DMatrix<f64>, means: &DMatrix<f64>| {
            let mut within = of.clone();
            for (mut row, site) in within.row_iter_mut().zip(sites) {
                row -= means.row(*site);
            }
            within
        };
        let (x_means, c_means) = (means(x), means(covariates));
        let mut residual = within(x, &x_means);
        let slopes = slopes(&within(covariates, &c_means), &residual);
        residual -= within(covariates, &c_means) * &slopes;
        let n = x.nrows() as f64;
        let scales = RowDVector::from_iterator(
            x.ncols(),
            residual
                .column_iter()
                .zip(x.column_iter())
                .map(|(rest, x)| {
                    // Smaller residuals are rounding of single-precision features.
                    let varies = rest.norm() > 1e-6 * x.norm();
                    if varies { rest.norm() / n.sqrt() } else { 0.0 }
                }),
        );
        let of_sites = &x_means - &c_means * &slopes;
        let mut intercepts = RowDVector::zeros(x.ncols());
        for (rows, of_site) in rows_of.iter().zip(of_sites.row_iter()) {
            intercepts += of_site * (rows.len() as f64 / n);
        }
        let mut fitted = Self {
            intercepts,
            slopes,
            scales,
            shifts: DMatrix::zeros(n_sites, x.ncols()),
            spreads: DMatrix::from_element(n_sites, x.ncols(), 1.0),
        };
        let z = fitted.standardised(x, covariates);
        for (site, rows) in rows_of.iter().enumerate() {
            fitted.estimate(site, &z.select_rows(rows));
        }
        fitted
    }

    /// Rows without the effects of their sites, which are of the training set.
    pub fn apply(
        &self,
        x: DMatrix<f64>,
        sites: &[usize],
        covariates: &DMatrix<f64>,
    ) -> DMatrix<f64> {
        let z = self.standardised(&x, covariates);
        let kept = covariates * &self.slopes;
        let harmonised = |row: usize, column: usize| {
            let (site, scale) = (sites[row], self.scales[column]);
            if scale == 0.0 {
                return x[(row, column)];
            }
            let rest =
                (z[(row, column)] - self.shifts[(site, column)]) / self.spreads[(site, column)];
            self.intercepts[column] + kept[(row, column)] + scale * rest
        };
        DMatrix::from_fn(x.nrows(), x.ncols(), harmonised)
    }

    /// `(y − a − c B) / s`; 0 for a feature that does not vary.
    fn standardised(&self, x: &DMatrix<f64>, covariates: &DMatrix<f64>) -> DMatrix<f64> {
        let mut z = x - covariates * &self.slopes;
        let by = self.scales.map(|s| if s == 0.0 { 0.0 } else { s.recip() });
        for mut row in z.row_iter_mut() {
            row -= &self.intercepts;
            row.component_mul_assign(&by);
        }
        z
    }

    /// Empirical Bayes estimates of a site, from the standardised rows of its training set.
    fn estimate(&mut self, site: usize, z: &DMatrix<f64>) {
        let n = z.nrows() as f64;
        let columns = (0..z.ncols()).filter(|column| self.scales[*column] > 0.0);
        let columns: Vec<usize> = columns.collect();
        let found: Vec<[f64; 2]> = (columns.iter())
            .map(|column| {
                let column = z.column(*column);
                let mean = column.mean();
                let squares: f64 = column.iter().map(|z| (z - mean).powi(2)).sum();
                [mean, squares / (n - 1.0)]
            })
            .collect();
        let [shift_mean, shift_variance] = moments(found.iter().map(|[shift, _]| *shift));
        let [mean, variance] = moments(found.iter().map(|[_, spread]| *spread));
        for (column, [shift, spread]) in columns.into_iter().zip(found) {
            // With one feature there is nothing to learn from others.
            let (shift, spread) = match variance > 1e-12 * mean.powi(2) {
                true => {
                    let shape = mean.powi(2) / variance + 2.0;
                    let rate = mean * (shape - 1.0);
                    let prior = [shift_mean, shift_variance, shape, rate];
                    posterior(z.column(column).as_slice(), [shift, spread], prior)
                }
                false => (shift, spread),
            };
            self.shifts[(site, column)] = shift;
            self.spreads[(site, column)] = spread.sqrt();
        }
    }
}

/// Least squares of `x` on `covariates`, both centred within sites; the smallest solution if
/// covariates are dependent.
fn slopes(covariates: &DMatrix<f64>, x: &DMatrix<f64>) -> DMatrix<f64> {
    if covariates.ncols() == 0 {
        return DMatrix::zeros(0, x.ncols());
    }
    let standard = Standard::fit(covariates, Scaling::EachColumn);
    let decomposition = Decomposition::of(&standard.apply(covariates.clone()));
    let mut along = decomposition.left.tr_mul(x);
    for (mut row, singular) in along.row_iter_mut().zip(decomposition.singular.iter()) {
        row /= *singular;
    }
    standard.scaled_back(&decomposition.right * along)
}

/// Mean and unbiased variance; a variance of 0 for one value.
fn moments(values: impl Iterator<Item = f64> + Clone) -> [f64; 2] {
    let n = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / n;
    let squares: f64 = values.map(|x| (x - mean).powi(2)).sum();
    [mean, squares / (n - 1.0).max(1.0)]
}

/// Most probable shift and variance of a feature, from its rows at a site, their mean and variance,
/// and the priors: mean and variance of shifts, shape and rate of variances.
fn posterior(z: &[f64], [shift, spread]: [f64; 2], prior: [f64; 4]) -> (f64, f64) {
    let [shift_mean, shift_variance, shape, rate] = prior;
    let n = z.len() as f64;
    let (mut at, mut variance) = (shift, spread);
    for _ in 0..MOST_STEPS {
        let next =
            (n * shift_variance * shift + variance * shift_mean) / (n * shift_variance + variance);
        let squares: f64 = z.iter().map(|z| (z - next).powi(2)).sum();
        let next_variance = (rate + 0.5 * squares) / (n / 2.0 + shape - 1.0);
        let change = (next - at).abs() / at.abs().max(1e-12);
        let change = change.max((next_variance - variance).abs() / variance.max(1e-12));
        (at, variance) = (next, next_variance);
        if change < TOLERANCE {
            break;
        }
    }
    (at, variance)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values that look random, of about mean 0 and variance 1.
    fn noise(row: usize, column: usize) -> f64 {
        let at = (row * 7919 + column * 104_729 + row * column * 31) % 1009;
        (at as f64 / 1009.0 - 0.5) * 12f64.sqrt()
    }

    /// 60 rows at two sites, with a covariate that differs between the sites.
    fn planted() -> (DMatrix<f64>, Vec<usize>, DMatrix<f64>) {
        let sites: Vec<usize> = (0..60).map(|row| usize::from(row % 3 == 0)).collect();
        let covariate = DMatrix::from_fn(60, 1, |row, _| noise(row, 99) + sites[row] as f64);
        let x = DMatrix::from_fn(60, 30, |row, column| {
            let (shift, spread) = match sites[row] {
                0 => (0.0, 1.0),
                _ => (2.0 + noise(column, 7), 1.5),
            };
            5.0 + 0.8 * covariate[row] + shift + spread * noise(row, column)
        });
        (x, sites, covariate)
    }

    fn at_site(x: &DMatrix<f64>, sites: &[usize], site: usize) -> DMatrix<f64> {
        let rows: Vec<usize> = (0..sites.len()).filter(|row| sites[*row] == site).collect();
        x.select_rows(&rows)
    }

    #[test]
    fn sites_lose_shift_and_scale_and_the_covariate_stays() {
        let (x, sites, covariate) = planted();
        let fitted = Combat::fit(&x, &sites, &covariate);
        let left = fitted.apply(x.clone(), &sites, &covariate);
        let slope = |x: &DMatrix<f64>| fitted_slope(x, &sites, &covariate);
        assert!((slope(&left) - slope(&x)).abs() < 0.15, "{}", slope(&left));
        // Without the covariate's effect, means and standard deviations are alike.
        let rest = &left - &covariate * RowDVector::from_element(30, 0.8);
        let [a, b] = [0, 1].map(|site| at_site(&rest, &sites, site));
        let apart = (a.row_mean() - b.row_mean()).amax();
        assert!(apart < 0.35, "{apart}");
        let ratio = b.row_variance().mean() / a.row_variance().mean();
        assert!((0.8..1.25).contains(&ratio), "{ratio}");
        let before = at_site(&x, &sites, 1).row_mean() - at_site(&x, &sites, 0).row_mean();
        assert!(before.mean() > 2.0);
    }

    /// Mean slope of the columns on the covariate, within sites.
    fn fitted_slope(x: &DMatrix<f64>, sites: &[usize], covariate: &DMatrix<f64>) -> f64 {
        Combat::fit(x, sites, covariate).slopes.mean()
    }

    #[test]
    fn a_feature_that_does_not_vary_is_left_alone() {
        let (mut x, sites, covariate) = planted();
        x.column_mut(3).fill(7.0);
        let left = Combat::fit(&x, &sites, &covariate).apply(x, &sites, &covariate);
        assert!(left.column(3).iter().all(|x| *x == 7.0));
        assert!(left.iter().all(|x| x.is_finite()));
    }

    #[test]
    fn one_feature_has_its_own_mean_and_scale() {
        let (x, sites, _) = planted();
        let none = DMatrix::zeros(60, 0);
        let x = x.columns(0, 1).into_owned();
        let left = Combat::fit(&x, &sites, &none).apply(x, &sites, &none);
        let [a, b] = [0, 1].map(|site| at_site(&left, &sites, site));
        assert!((a.mean() - b.mean()).abs() < 1e-9);
        assert!((a.row_variance()[0] / b.row_variance()[0] - 1.0).abs() < 0.1);
    }
}
