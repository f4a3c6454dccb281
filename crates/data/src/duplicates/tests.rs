//! Tests that all copies, and only copies, are found.

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::*;

const DT_SECS: f64 = 2.0;
const N_ROIS: usize = 30;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Slow signals of `n_rois` ROIs that follow six networks. `person` determines the weights, `seed`
/// all other draws. `task` is the standard deviation of a response to a block every 40 s that all
/// scans share.
fn scan(person: u64, seed: u64, n_volumes: usize, n_rois: usize, task: f64) -> Vec<f64> {
    let (own, rng) = (&mut rng(person), &mut rng(1000 + seed));
    let normal = |rng: &mut ChaCha8Rng| -> f64 { rng.sample(StandardNormal) };
    let loadings: Vec<f64> = (0..n_rois * 6).map(|_| normal(own)).collect();
    let mut networks = [0.0; 6];
    let mut drift = vec![0.0; n_rois];
    let mut values = Vec::with_capacity(n_volumes * n_rois);
    for volume in 0..n_volumes {
        for network in &mut networks {
            *network = 0.8 * *network + 0.6 * normal(rng);
        }
        let block = if volume % 20 < 10 { task } else { -task };
        for roi in 0..n_rois {
            let loads = &loadings[roi * 6..][..6];
            let shared: f64 = loads.iter().zip(&networks).map(|(l, n)| l * n).sum();
            drift[roi] += 0.1 * normal(rng);
            values.push(shared + drift[roi] + 0.7 * normal(rng) + block * loads[0].signum());
        }
    }
    values
}

/// Volumes `cut` of a scan. Every ROI has its own scale and offset, and noise with this share of
/// its standard deviation.
fn copy(
    values: &[f64],
    n_rois: usize,
    cut: std::ops::Range<usize>,
    noise: f64,
    seed: u64,
) -> Vec<f64> {
    let rng = &mut rng(seed);
    let constants: Vec<[f64; 2]> = (0..n_rois)
        .map(|_| [rng.random_range(0.1..10.0), rng.random_range(-50.0..50.0)])
        .collect();
    let sd: Vec<f64> = (0..n_rois)
        .map(|roi| {
            let own: Vec<f64> = values.iter().skip(roi).step_by(n_rois).copied().collect();
            let mean = own.iter().sum::<f64>() / own.len() as f64;
            (own.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / own.len() as f64).sqrt()
        })
        .collect();
    values[cut.start * n_rois..cut.end * n_rois]
        .iter()
        .enumerate()
        .map(|(at, value)| {
            let [scale, offset] = constants[at % n_rois];
            let noisy = value + noise * sd[at % n_rois] * rng.sample::<f64, _>(StandardNormal);
            scale * noisy + offset
        })
        .collect()
}

/// Compares all scans with each other; returns pairs with their likeness.
fn compare(scans: Vec<Vec<f64>>, n_rois: usize, dt_secs: f64) -> Vec<([usize; 2], Likeness)> {
    let stored = scans
        .into_iter()
        .enumerate()
        .map(|(at, values)| crate::StoredScan {
            scan: ScanId::new(at.to_string()),
            subject: crate::SubjectId::new(at.to_string()),
            series: BoldSeries::new(values.iter().map(|x| *x as f32).collect(), n_rois, dt_secs)
                .unwrap(),
        })
        .collect();
    search(&ScanStore::new(stored).unwrap(), |_, _| {
        std::ops::ControlFlow::Continue(())
    })
    .unwrap()
}

fn pairs(found: &[([usize; 2], Likeness)]) -> Vec<[usize; 2]> {
    found.iter().map(|(pair, _)| *pair).collect()
}

#[test]
fn an_exact_copy_is_the_same_and_a_scaled_one_is_near() {
    let first = scan(1, 1, 150, N_ROIS, 0.0);
    let scaled = copy(&first, N_ROIS, 0..150, 0.0, 3);
    let found = compare(
        vec![scan(2, 2, 150, N_ROIS, 0.0), first.clone(), first, scaled],
        N_ROIS,
        DT_SECS,
    );
    assert_eq!(pairs(&found), [[1, 2], [1, 3], [2, 3]]);
    assert_eq!(found[0].1, Likeness::Same);
    let Likeness::Near {
        correlation,
        lag_secs,
        overlap_secs,
    } = found[1].1
    else {
        panic!("{found:?}")
    };
    assert!(correlation > 0.999_99);
    assert_eq!((lag_secs, overlap_secs), (0.0, 300.0));
}

#[test]
fn a_short_scan_is_compared_value_by_value() {
    let short = scan(1, 1, 5, N_ROIS, 0.0);
    let found = compare(
        vec![short.clone(), scan(1, 2, 150, N_ROIS, 0.0), short],
        N_ROIS,
        DT_SECS,
    );
    assert_eq!(found, [([0, 2], Likeness::Same)]);
}

#[test]
fn the_lag_says_where_the_first_scan_begins_in_the_second() {
    let whole = scan(1, 1, 200, N_ROIS, 0.0);
    let late = copy(&whole, N_ROIS, 60..200, 0.1, 1);
    for (scans, expected) in [
        (vec![late.clone(), whole.clone()], 120.0),
        (vec![whole, late], -120.0),
    ] {
        let [
            (
                [0, 1],
                Likeness::Near {
                    lag_secs,
                    overlap_secs,
                    ..
                },
            ),
        ] = compare(scans, N_ROIS, DT_SECS)[..]
        else {
            panic!("one pair")
        };
        assert_eq!((lag_secs, overlap_secs), (expected, 280.0));
    }
}

#[test]
fn scans_of_one_person_or_of_one_task_are_no_copies() {
    // The same networks have the same weights; the same blocks explain half of the variance.
    let scans = (0..12)
        .map(|seed| scan(5, seed, 300, N_ROIS, 1.5))
        .collect();
    assert_eq!(compare(scans, N_ROIS, DT_SECS), []);
}

#[test]
fn short_copies_of_slow_signals_that_go_alike_in_all_rois_are_found() {
    const N_VOLUMES: usize = 600;
    let rng = &mut rng(11);
    let slow = |seed: u64, rng: &mut ChaCha8Rng| {
        let mut values = scan(3, seed, N_VOLUMES, N_ROIS, 0.5);
        let mut shared = 0.0;
        for volume in values.chunks_mut(N_ROIS) {
            shared = 0.8 * shared + 0.6 * rng.sample::<f64, _>(StandardNormal);
            volume.iter_mut().for_each(|value| *value += 4.0 * shared);
        }
        // Means over 6 s.
        let mean = |at: usize| (0..8).map(|v| values[at + v * N_ROIS]).sum::<f64>() / 8.0;
        (0..(N_VOLUMES - 8) * N_ROIS)
            .map(mean)
            .collect::<Vec<f64>>()
    };
    let mut scans: Vec<Vec<f64>> = (0..8).map(|seed| slow(seed, rng)).collect();
    for whole in 0..4 {
        let from = 100 * whole;
        let cut = copy(&scans[whole], N_ROIS, from..from + 80, 0.1, whole as u64);
        scans.push(cut);
    }
    let found = compare(scans, N_ROIS, 0.75);
    assert_eq!(pairs(&found), [[0, 8], [1, 9], [2, 10], [3, 11]]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    /// The common part of two scans is 60 s or longer, for any TR and number of ROIs.
    #[test]
    fn a_noisy_scaled_cut_copy_is_found_and_nothing_else(
        seed in any::<u32>(),
        dt_secs in 0.7..3.0_f64,
        n_rois in 8..60_usize,
        total_secs in 200.0..400.0_f64,
        start in 0.0..1.0_f64,
        length in 0.0..1.0_f64,
        swap in any::<bool>(),
    ) {
        let seed = u64::from(seed);
        let n_volumes = (total_secs / dt_secs) as usize;
        let least = (60.0 / dt_secs).ceil() as usize;
        let n = least + (length * (n_volumes - least) as f64) as usize;
        let from = (start * (n_volumes - n) as f64) as usize;
        let whole = scan(seed, seed, n_volumes, n_rois, 0.5);
        let cut = copy(&whole, n_rois, from..from + n, 0.1, seed);
        let other = scan(seed, seed + 1, n_volumes, n_rois, 0.5);
        let scans = if swap { vec![cut, other, whole] } else { vec![whole, other, cut] };
        let found = compare(scans, n_rois, dt_secs);
        prop_assert_eq!(pairs(&found), [[0, 2]]);
        let Likeness::Near { lag_secs, .. } = found[0].1 else { unreachable!() };
        let expected = if swap { from as f64 } else { -(from as f64) } * dt_secs;
        prop_assert!((lag_secs - expected).abs() < 1e-9);
    }
}
