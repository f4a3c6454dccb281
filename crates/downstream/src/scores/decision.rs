//! Decision for one class from probabilities and base rates.

/// Relative difference below which two ratios are a tie: models compute in 32 bits, and the mean
/// over the scans of a subject rounds.
const TIE: f64 = 1e-6;

/// Decision for the class whose probability is the largest multiple of its base rate, as the share
/// of each class in it: 1 for one class and 0 for the others, or equal shares of all classes in a
/// tie. A class with base rate 0 has share 0.
///
/// ```text
/// class = argmax pₖ / πₖ      p: probabilities   π: class shares of the training set
/// ```
/// If `p` are right and `π` are the shares of the tested population, no decision has a higher
/// balanced accuracy. The class with the largest `p` is best for accuracy; with rare classes it is
/// the common one in nearly all rows. The constant predictor (`p = π`) ties all classes, so its
/// balanced accuracy is `1 / n_classes`.
///
/// # Source
/// Menon et al. 2013, for two classes: the threshold that is best for balanced accuracy is the base
/// rate.
pub fn decide<'a>(
    p: &'a [f64],
    base_rates: &'a [f64],
) -> impl ExactSizeIterator<Item = f64> + use<'a> {
    let ratio = |(p, base_rate): (&f64, &f64)| (*base_rate > 0.0).then(|| p / base_rate);
    let ratios = || p.iter().zip(base_rates).map(ratio);
    let least = ratios().flatten().fold(0.0, f64::max) * (1.0 - TIE);
    let chosen = move |ratio: Option<f64>| ratio.is_some_and(|ratio| ratio >= least);
    let n = ratios().filter(|ratio| chosen(*ratio)).count();
    p.iter()
        .zip(base_rates)
        .map(ratio)
        .map(move |ratio| f64::from(u8::from(chosen(ratio))) / n as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(p: &[f64], base_rates: &[f64]) -> Vec<f64> {
        decide(p, base_rates).collect()
    }

    #[test]
    fn a_rare_class_needs_less_than_half() {
        // .2 is twice .1; .8 is less than .9.
        assert_eq!(decided(&[0.8, 0.2], &[0.9, 0.1]), [0.0, 1.0]);
        assert_eq!(decided(&[0.92, 0.08], &[0.9, 0.1]), [1.0, 0.0]);
    }

    #[test]
    fn equal_ratios_are_a_tie_despite_rounding() {
        assert_eq!(decided(&[0.7, 0.2, 0.1], &[0.7, 0.2, 0.1]), [1.0 / 3.0; 3]);
        let mean = (0.1 + 0.1 + 0.1) / 3.0;
        assert_ne!(mean, 0.1);
        assert_eq!(decided(&[1.0 - mean, mean], &[0.9, 0.1]), [0.5; 2]);
        assert_eq!(decided(&[0.6, 0.3, 0.1], &[0.4, 0.2, 0.4]), [0.5, 0.5, 0.0]);
    }

    #[test]
    fn no_decision_is_for_a_class_that_the_training_set_lacks() {
        assert_eq!(decided(&[0.1, 0.2, 0.7], &[0.5, 0.5, 0.0]), [0.0, 1.0, 0.0]);
        assert_eq!(decided(&[0.0, 0.0, 1.0], &[0.5, 0.5, 0.0]), [0.5, 0.5, 0.0]);
    }
}
