//! Corrected resampled t-test: comparison of two models over folds with overlapping training sets.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Two-sided p value of the corrected resampled t-test. The null hypothesis is that the mean of
/// `differences` is zero: one per fold, or one per repeat and fold if the folds are repeated.
///
/// ```text
/// t = d̄ / √((1/n + n_test / n_train) · s²)
/// n = r k for r repeats of k folds, s² variance of differences (n − 1), n − 1 degrees of freedom
/// ```
/// `test_share` is `n_test / n_train`, in units. The term `1/n` alone assumes independent folds;
/// the other term does not become smaller with more repeats. `None` if there are fewer than two
/// folds, or if all differences are equal.
///
/// # Source
/// Nadeau & Bengio 2003, section 3; for cross-validation as Bouckaert & Frank 2004.
pub fn corrected_t(differences: &[f64], test_share: f64) -> Option<f64> {
    let n = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / n;
    let squares = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>();
    let rounding = 1e-24 * differences.iter().map(|d| d * d).sum::<f64>();
    if n < 2.0 || squares <= rounding {
        return None;
    }
    let t = mean / ((1.0 / n + test_share) * squares / (n - 1.0)).sqrt();
    let distribution = StudentsT::new(0.0, 1.0, n - 1.0).ok()?;
    Some((2.0 * distribution.sf(t.abs())).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(differences: &[f64], test_share: f64) -> f64 {
        corrected_t(differences, test_share).expect("folds that differ")
    }

    #[test]
    fn p_values_are_those_of_scipy() {
        // t = 2.828427 with 4 degrees of freedom, t = 1.407505 with 9.
        let five = p(&[0.02, 0.05, 0.01, 0.04, 0.03], 0.25);
        assert!((five - 0.047_420_655_584_319_61).abs() < 1e-9, "{five}");
        let ten = [-0.1, 0.3, 0.2, 0.0, 0.15, 0.05, 0.1, -0.02, 0.12, 0.2];
        let ten = p(&ten, 0.25);
        assert!((ten - 0.192_864_303_555_570_44).abs() < 1e-9, "{ten}");
    }

    #[test]
    fn overlap_makes_it_less_sure() {
        let differences = [0.02, 0.05, 0.01, 0.04, 0.03];
        assert!(p(&differences, 0.25) > p(&differences, 0.0));
    }

    #[test]
    fn without_variance_there_is_no_test() {
        assert_eq!(corrected_t(&[0.1, 0.1, 0.1], 0.25), None);
        assert_eq!(corrected_t(&[0.1], 0.25), None);
    }
}
