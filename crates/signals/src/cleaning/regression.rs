//! Regression of confounds.

use nalgebra::DMatrix;

use super::confound_model::Confound;
use super::unusable::{ConfoundProblem, Unusable};
use super::z_score::mean_and_sd;

/// Minimum number of uncensored volumes beyond the number of confounds.
const SPARE_VOLUMES: usize = 10;

/// A confound is constant if its standard deviation is below this share of its largest value. It is
/// redundant if less than this share remains after projection on the other confounds.
const NOTHING_BELOW: f64 = 1e-10;

/// An orthonormal basis of the centred confounds, over the uncensored volumes of a scan.
pub(super) struct Regression {
    /// The basis vectors, concatenated; each has one value per uncensored volume.
    basis: Vec<f64>,
    /// Number of basis vectors.
    rank: usize,
}

impl Regression {
    /// Computes the basis from the confounds at the acquired volumes `kept_at`.
    ///
    /// Constant and linearly dependent confounds are left out, which does not change the fit.
    pub fn new(confounds: &[Confound], kept_at: &[usize]) -> Result<Self, Unusable> {
        let needed = confounds.len().saturating_add(SPARE_VOLUMES);
        if kept_at.len() < needed {
            return Err(Unusable::TooFewForRegression {
                kept: kept_at.len(),
                needed,
                confounds: confounds.len(),
            });
        }
        let n_kept = kept_at.len();
        let root = (n_kept as f64).sqrt();
        let mut columns = Vec::with_capacity(confounds.len() * n_kept);
        for confound in confounds {
            let values = kept_at.iter().map(|volume| confound.values[*volume]);
            let (mean, sd) = mean_and_sd(values.clone());
            if !sd.is_finite() {
                return Err(Unusable::Confound {
                    column: confound.name.clone(),
                    problem: ConfoundProblem::NotFinite,
                });
            }
            let scale = values
                .clone()
                .fold(0.0, |max: f64, value| max.max(value.abs()));
            if sd > NOTHING_BELOW * scale {
                columns.extend(values.map(|value| (value - mean) / sd / root));
            }
        }
        if columns.is_empty() {
            return Ok(Self {
                basis: columns,
                rank: 0,
            });
        }
        let n_columns = columns.len() / n_kept;
        let factors = DMatrix::from_vec(n_kept, n_columns, columns).col_piv_qr();
        // Pivoting takes the largest remainder first, so all remainders after the first negligible
        // one are negligible.
        let own = factors.r().diagonal();
        let rank = own
            .iter()
            .take_while(|own| own.abs() > NOTHING_BELOW)
            .count();
        let mut basis = factors.q().as_slice().to_vec();
        basis.truncate(rank * n_kept);
        Ok(Self { basis, rank })
    }

    /// Number of linearly independent confounds.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// Subtracts the fit of the confounds from the uncensored values, but not the mean.
    pub fn remove(&self, signal: &mut [f64]) {
        let mean = signal.iter().sum::<f64>() / signal.len() as f64;
        for vector in self.basis.chunks_exact(signal.len()) {
            let weight: f64 = vector
                .iter()
                .zip(&*signal)
                .map(|(part, value)| part * (value - mean))
                .sum();
            for (part, value) in vector.iter().zip(&mut *signal) {
                *value -= weight * part;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn confounds(columns: &[Vec<f64>]) -> Vec<Confound> {
        let named = columns.iter().enumerate().map(|(number, values)| Confound {
            name: format!("c{number}"),
            values: values.clone(),
        });
        named.collect()
    }

    #[test]
    fn what_a_confound_explains_goes_and_the_mean_stays() {
        // 5 + 3c + e, where e is orthogonal to c and to a constant.
        let c: Vec<f64> = (0..12).map(|t| [1., -1., 1., -1.][t % 4]).collect();
        let e: Vec<f64> = (0..12).map(|t| [1., 1., -1., -1.][t % 4]).collect();
        let mut signal: Vec<f64> = (0..12).map(|t| 5.0 + 3.0 * c[t] + e[t]).collect();
        let all: Vec<usize> = (0..12).collect();
        let regression = Regression::new(&confounds(&[c]), &all).unwrap();
        regression.remove(&mut signal);
        for (value, e) in signal.iter().zip(&e) {
            assert!((value - 5.0 - e).abs() < 1e-12, "{value}");
        }
    }

    #[test]
    fn constant_and_repeated_confounds_change_nothing() {
        let wave: Vec<f64> = (0..30).map(|t| (f64::from(t) * 0.7).sin()).collect();
        let other: Vec<f64> = (0..30).map(|t| (f64::from(t) * 0.2).cos()).collect();
        let sum: Vec<f64> = wave.iter().zip(&other).map(|(a, b)| 3.0 * a - b).collect();
        let all: Vec<usize> = (0..30).collect();
        let raw: Vec<f64> = (0..30).map(|t| f64::from(t * t % 17)).collect();
        let clean = |columns: &[Vec<f64>]| {
            let mut signal = raw.clone();
            let regression = Regression::new(&confounds(columns), &all).unwrap();
            regression.remove(&mut signal);
            signal
        };
        let plain = clean(&[wave.clone(), other.clone()]);
        let crowded = clean(&[wave.clone(), vec![4.2; 30], sum, wave, vec![0.0; 30], other]);
        for (plain, crowded) in plain.iter().zip(&crowded) {
            assert!((plain - crowded).abs() < 1e-9, "{plain} and {crowded}");
        }
        assert_eq!(clean(&[vec![1e6; 30]]), raw);
    }

    #[test]
    fn missing_values_count_in_kept_volumes_only() {
        let mut values: Vec<f64> = (0..12).map(f64::from).collect();
        values[3] = f64::NAN;
        let columns = confounds(&[values]);
        let all: Vec<usize> = (0..12).collect();
        let Err(error) = Regression::new(&columns, &all) else {
            panic!("a missing value was used")
        };
        assert!(error.describe(|_| "".into()).contains("confound c0 has"));
        let without: Vec<usize> = all.into_iter().filter(|volume| *volume != 3).collect();
        assert!(Regression::new(&columns, &without).is_ok());
        let Err(error) = Regression::new(&columns, &without[1..]) else {
            panic!("10 volumes were enough for a confound")
        };
        assert_eq!(
            error,
            Unusable::TooFewForRegression {
                kept: 10,
                needed: 11,
                confounds: 1
            }
        );
    }

    proptest! {
        #[test]
        fn what_is_left_is_orthogonal_to_every_confound(
            columns in vec(vec(-100.0..100.0_f64, 40), 1..8),
            raw in vec(-1000.0..1000.0_f64, 40),
            keep in vec(prop::bool::weighted(0.8), 40),
        ) {
            let kept_at: Vec<usize> = (0..40).filter(|volume| keep[*volume]).collect();
            let Ok(regression) = Regression::new(&confounds(&columns), &kept_at) else {
                return Ok(());
            };
            let mut signal: Vec<f64> = kept_at.iter().map(|volume| raw[*volume]).collect();
            let mean = |signal: &[f64]| signal.iter().sum::<f64>() / signal.len() as f64;
            let before = mean(&signal);
            regression.remove(&mut signal);
            prop_assert!((mean(&signal) - before).abs() < 1e-9);
            for column in &columns {
                let product: f64 = kept_at
                    .iter()
                    .zip(&signal)
                    .map(|(volume, value)| column[*volume] * (value - before))
                    .sum();
                prop_assert!(product.abs() < 1e-6, "{product}");
            }
        }
    }
}
