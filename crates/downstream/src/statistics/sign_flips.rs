//! Sign-flip test: comparison of two models over units.

use brainmae_run::Seeds;
use rand::RngExt;
use rayon::prelude::*;

/// Two-sided p value of the paired permutation test. `differences` are losses of one model minus
/// those of the other, one per unit. Their sum is compared with sums after random exchanges of the
/// two models within units.
///
/// If there are at most `permutations` exchanges, all are computed. Otherwise that many random ones
/// are used, plus the observed one: p is then at least `1 / (permutations + 1)`. `None` if there
/// are no units or no unit differs.
///
/// # Source
/// Fisher 1935; Phipson & Smyth 2010 for adding the observed one to the random ones.
pub fn sign_flips(differences: &[f64], permutations: usize, seeds: &Seeds) -> Option<f64> {
    let size: f64 = differences.iter().map(|d| d.abs()).sum();
    if size == 0.0 {
        return None;
    }
    // Equal up to the order of summation.
    let observed = differences.iter().sum::<f64>().abs() - 1e-12 * size;
    let flipped = |mut signs: u64, differences: &[f64]| {
        differences.iter().fold(0.0, |sum, d| {
            let flip = signs & 1 == 1;
            signs >>= 1;
            if flip { sum - d } else { sum + d }
        })
    };
    let n = differences.len();
    if n < 63 && 1usize << n <= permutations {
        let all = 1u64 << n;
        let as_far = (0..all).filter(|signs| flipped(*signs, differences).abs() >= observed);
        return Some(as_far.count() as f64 / all as f64);
    }
    let as_far = (0..permutations as u64)
        .into_par_iter()
        .filter(|permutation| {
            let rng = &mut seeds.stream_at("sign-flips", &[*permutation]);
            let words = differences.chunks(64);
            let sum: f64 = words.map(|word| flipped(rng.random(), word)).sum();
            sum.abs() >= observed
        })
        .count();
    Some((as_far + 1) as f64 / (permutations + 1) as f64)
}

#[cfg(test)]
mod tests {
    use rand_distr::{Distribution, StandardNormal};

    use super::*;

    #[test]
    fn few_units_are_exchanged_in_every_way() {
        // Of 16 sign patterns, two reach 3.5 (all kept, all flipped), and two more reach 2.5 (with
        // the half flipped).
        let p = sign_flips(&[1.0, 1.0, 1.0, 0.5], 1000, &Seeds::new(1));
        assert_eq!(p, Some(2.0 / 16.0));
        let p = sign_flips(&[1.0, 1.0, 1.0, -0.5], 1000, &Seeds::new(1));
        assert_eq!(p, Some(4.0 / 16.0));
        assert_eq!(sign_flips(&[0.0; 4], 1000, &Seeds::new(1)), None);
    }

    #[test]
    fn random_exchanges_agree_with_all_of_them() {
        let rng = &mut Seeds::new(8).stream("data");
        let noise = |_| -> f64 {
            0.4 + <StandardNormal as Distribution<f64>>::sample(&StandardNormal, rng)
        };
        let differences: Vec<f64> = (0..14).map(noise).collect();
        let all = sign_flips(&differences, 1 << 14, &Seeds::new(1)).expect("differences");
        let some = sign_flips(&differences, (1 << 14) - 1, &Seeds::new(1)).expect("differences");
        assert!((0.01..0.6).contains(&all), "{all}");
        assert!((all - some).abs() < 0.02, "{all} {some}");
    }

    #[test]
    fn p_values_of_equal_models_are_uniform() {
        let p = (0..400u64).map(|trial| {
            let rng = &mut Seeds::new(trial).stream("data");
            let differences: Vec<f64> = (0..30).map(|_| StandardNormal.sample(rng)).collect();
            sign_flips(&differences, 399, &Seeds::new(trial)).expect("differences")
        });
        super::super::chance::tests::assert_uniform(p.collect());
    }
}
