mod golden;

use super::CleaningStep::{DetrendLinear, ZScore};
use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

fn scan(values: &[f64], n_rois: usize) -> ScanSignals {
    ScanSignals {
        values: values.to_vec(),
        n_rois,
        tr_secs: 2.0,
        confounds: None,
        outliers: None,
    }
}

/// One ROI and a table with this framewise displacement.
fn moving_scan(values: &[f64], fd_mm: &[f64]) -> ScanSignals {
    ScanSignals {
        confounds: Some(ConfoundTable {
            n_volumes: fd_mm.len(),
            framewise_displacement_mm: Some(fd_mm.to_vec()),
            non_steady_state: Some(2),
            ..ConfoundTable::default()
        }),
        ..scan(values, 1)
    }
}

fn refusal(input: ScanSignals, steps: &[CleaningStep]) -> String {
    let unusable = clean_scan(input, steps).unwrap_err();
    unusable.describe(|roi| format!("r{roi}"))
}

const DROP_2: CleaningStep = CleaningStep::DropDummies(Dummies::Volumes(2));
const NON_STEADY: CleaningStep = CleaningStep::DropDummies(Dummies::NonSteadyState);
const CENSOR: CleaningStep = CleaningStep::Censor(Censoring {
    fd_mm: 0.5,
    before: 0,
    after: 0,
    min_run: 0,
});
const MOTION_6: CleaningStep = CleaningStep::RegressConfounds {
    model: ConfoundModel::Motion6,
};
const LOW_PASS: CleaningStep = CleaningStep::BandPass(BandPass {
    high_pass_hz: None,
    low_pass_hz: Some(0.1),
    order: 1,
});

#[test]
fn z_scores_come_with_what_was_taken_out() {
    // Mean 4, deviations −2, 0, 2: variance 8/3.
    let cleaned = clean_scan(scan(&[2.0, 4.0, 6.0], 1), &[ZScore]).unwrap();
    let sd = (8.0_f64 / 3.0).sqrt();
    assert_eq!(cleaned.constants[0].mean, Some(4.0));
    assert_eq!(cleaned.constants[0].sd, Some(sd));
    assert_eq!(cleaned.constants[0].slope_per_volume, None);
    assert_eq!(cleaned.values, [-2.0 / sd, 0.0, 2.0 / sd]);
    assert_eq!((cleaned.dt_secs, cleaned.kept), (2.0, vec![true; 3]));
}

#[test]
fn the_constants_bring_the_scan_back() {
    let raw = [900.0, 907.0, 911.0, 930.0, 3.0, 2.0, 8.0, 1.0];
    let cleaned = clean_scan(scan(&raw, 2), &[DetrendLinear, ZScore]).unwrap();
    for (at, value) in cleaned.values.iter().enumerate() {
        let (roi, volume) = (at / 4, (at % 4) as f64);
        let RoiConstants {
            mean: Some(mean),
            sd: Some(sd),
            slope_per_volume: Some(slope),
        } = cleaned.constants[roi]
        else {
            panic!("a constant is missing")
        };
        let back = mean + sd * value + slope * (volume - 1.5);
        assert!((back - raw[at]).abs() < 1e-9, "{back} for {}", raw[at]);
    }
}

#[test]
fn rois_without_a_signal_are_named() {
    let nan = f64::NAN;
    let values = [
        [1.0, 2.0, 0.5],
        [5.0, 5.0, 5.0],
        [nan, 1.0, 1.0],
        [0.0, 1.0, 2.0],
    ];
    // ROI 1 is constant, ROI 2 has a NaN, ROI 3 is a straight line.
    let unusable = clean_scan(scan(values.as_flattened(), 4), &[DetrendLinear, ZScore]);
    let unusable = unusable.unwrap_err();
    let Unusable::Rois(rois) = &unusable else {
        panic!("{unusable:?}")
    };
    assert_eq!((&rois.not_finite, &rois.constant), (&vec![2], &vec![1, 3]));
    assert_eq!(
        unusable.describe(|roi| format!("r{roi}")),
        "missing or infinite values: ROI 2 (r2); constant signal: ROI 1 (r1) and 1 more"
    );
    // Single precision cannot hold this value.
    assert!(refusal(scan(&[1e39, 1.0], 1), &[]).contains("missing or infinite"));
}

#[test]
fn dummies_are_dropped_and_counted() {
    let input = moving_scan(&[9., 8., 1., 2., 4.], &[0., 1., 2., 0., 1.]);
    for step in [DROP_2, NON_STEADY] {
        let cleaned = clean_scan(input.clone(), &[step]).unwrap();
        assert_eq!(cleaned.values, [1., 2., 4.]);
        assert_eq!((cleaned.dropped_volumes, cleaned.kept.len()), (2, 3));
        assert_eq!(cleaned.mean_fd_mm, Some(1.0));
    }
    let two = scan(&[1.0, 2.0], 1);
    assert_eq!(
        refusal(two.clone(), &[DROP_2]),
        "of 2 volumes none is left: 2 are dropped at the start, 0 censored"
    );
    let most = CleaningStep::DropDummies(Dummies::Volumes(usize::MAX));
    assert!(refusal(two, &[most]).contains("none is left"));
}

#[test]
fn censored_volumes_are_filled_in_and_marked() {
    let input = moving_scan(&[1., 3., 90., f64::NAN, 9., 4.], &[0., 0., 1., 1., 0., 0.]);
    let cleaned = clean_scan(input.clone(), &[CENSOR]).unwrap();
    assert_eq!(cleaned.values, [1., 3., 5., 7., 9., 4.]);
    assert_eq!(cleaned.kept, [true, true, false, false, true, true]);
    assert_eq!(cleaned.mean_fd_mm, Some(1.0 / 3.0));

    let cleaned = clean_scan(input, &[CENSOR, ZScore]).unwrap();
    assert_eq!(cleaned.constants[0].mean, Some(17.0 / 4.0));
}

#[test]
fn outliers_of_others_are_censored_whatever_the_steps() {
    let outliers = Some(vec![true, false, true, false]);
    let input = ScanSignals {
        outliers: outliers.clone(),
        ..scan(&[7., 1., 7., 3.], 1)
    };
    let cleaned = clean_scan(input.clone(), &[]).unwrap();
    assert_eq!(cleaned.values, [1., 1., 2., 3.]);
    assert_eq!(cleaned.kept, [false, true, false, true]);

    let input = ScanSignals {
        outliers,
        ..moving_scan(&[7., 1., 7., 3.], &[0., 0., 0., 1.])
    };
    assert!(refusal(input, &[CENSOR]).contains("constant"));
}

#[test]
fn what_a_step_needs_and_is_missing_is_told() {
    let bare = scan(&[1.0, 2.0, 4.0], 1);
    for (step, word) in [
        (NON_STEADY, "dropping volumes before the steady state needs"),
        (MOTION_6, "confound regression needs a table of confounds"),
        (CENSOR, "censoring needs a table of confounds"),
    ] {
        let told = refusal(bare.clone(), &[step]);
        assert!(told.contains(word), "{told}");
    }
    let table = ConfoundTable {
        n_volumes: 3,
        ..ConfoundTable::default()
    };
    let empty = ScanSignals {
        confounds: Some(table),
        ..bare.clone()
    };
    for (step, word) in [
        (NON_STEADY, "fMRIPrep only"),
        (MOTION_6, "trans_x is not in the table"),
        (CENSOR, "framewise_displacement is not in the table"),
    ] {
        let told = refusal(empty.clone(), &[step]);
        assert!(told.contains(word), "{told}");
    }
    let short = moving_scan(&[1.0, 2.0, 4.0], &[0.0; 2]);
    assert!(refusal(short, &[]).contains("2 rows of confounds for 3 volumes"));
    let long = ScanSignals {
        outliers: Some(vec![false; 4]),
        ..bare
    };
    assert!(refusal(long, &[]).contains("4 marks of outliers for 3 volumes"));
}

#[test]
fn a_scan_of_which_nothing_is_kept_is_told() {
    let input = moving_scan(&[1.0, 2.0, 4.0], &[1.0; 3]);
    assert_eq!(
        refusal(input, &[CENSOR]),
        "of 3 volumes none is left: 0 are dropped at the start, 3 censored"
    );
    assert!(refusal(scan(&[], 1), &[]).contains("none is left"));
    assert!(refusal(scan(&[], 0), &[ZScore]).contains("none is left"));
    // No sample lies between two uncensored volumes.
    let input = moving_scan(&[1., 2., 4., 2., 1.], &[1., 0., 1., 0., 1.]);
    let told = refusal(input, &[CENSOR, CleaningStep::Resample { dt_secs: 1.6 }]);
    assert!(told.contains("none is left"), "{told}");
}

#[test]
fn resampling_to_the_same_interval_changes_nothing_but_its_rounding() {
    let input = ScanSignals {
        tr_secs: f64::from(0.72_f32),
        ..scan(&[1.0, 5.0, 2.0], 1)
    };
    let step = CleaningStep::Resample { dt_secs: 0.72 };
    let cleaned = clean_scan(input, &[step]).unwrap();
    assert_eq!((cleaned.dt_secs, cleaned.values), (0.72, vec![1., 5., 2.]));
}

#[test]
fn resampling_marks_what_lies_beside_a_censored_volume() {
    let input = moving_scan(&[1., 2., 4., 3., 1.], &[0., 0., 0., 1., 0.]);
    let steps = [CENSOR, CleaningStep::Resample { dt_secs: 1.0 }];
    let cleaned = clean_scan(input, &steps).unwrap();
    let marks: Vec<u8> = cleaned.kept.iter().map(|kept| u8::from(*kept)).collect();
    assert_eq!(marks, [1, 1, 1, 1, 1, 0, 0, 0, 1]);
    assert_eq!((cleaned.dt_secs, cleaned.values.len()), (1.0, 9));
}

#[test]
fn a_scan_with_too_few_degrees_of_freedom_is_refused() {
    // 90 volumes of a TR of 2 s: a low-pass of 0.1 Hz retains 0.4 of 0.25 Hz.
    let n_volumes = 90;
    let noise = |scale: usize| (0..n_volumes).map(move |t| ((t * t * scale) % 31) as f64);
    let motion: Vec<f64> = (1..7).flat_map(noise).collect();
    let clean = |censored: usize, steps: &[CleaningStep]| {
        let fd_mm: Vec<f64> = (0..n_volumes)
            .map(|t| f64::from(u8::from(t < censored)))
            .collect();
        clean_scan(
            noisy_scan(noise(9).collect(), motion.clone(), &fd_mm),
            steps,
        )
    };
    // 90 · 0.4 - 6 = 30; 65 · 0.4 - 6 = 20; 64 · 0.4 - 6 = 19.6.
    let all = [MOTION_6, CENSOR, LOW_PASS];
    assert!(clean(0, &all).is_ok());
    assert!(clean(25, &all).is_ok());
    let refused = clean(26, &all).unwrap_err().to_string();
    assert!(
        refused.starts_with("64 kept volumes, with 0.400 of their frequencies retained, minus 6 confounds leave 19.6 degrees of freedom, 20 are needed: pass a wider band"),
        "{refused}"
    );
    // Resampled to 5 s, frequencies up to 0.1 Hz are left, too.
    let resampled = CleaningStep::Resample { dt_secs: 5.0 };
    assert_eq!(
        clean(26, &[MOTION_6, CENSOR, resampled])
            .unwrap_err()
            .to_string(),
        refused
    );
    // Without a filter: 26 - 6 = 20.
    assert!(clean(64, &[MOTION_6, CENSOR]).is_ok());
    assert!(clean(65, &[MOTION_6, CENSOR]).is_err());
    // Where nothing is taken out of the signal, the limits of the recipe alone count.
    assert!(clean(80, &[CENSOR]).is_ok());
}

fn noisy_scan(values: Vec<f64>, motion: Vec<f64>, fd_mm: &[f64]) -> ScanSignals {
    let n_volumes = fd_mm.len();
    let columns: Vec<Vec<f64>> = motion.chunks(n_volumes).map(<[f64]>::to_vec).collect();
    let mut input = moving_scan(&values, fd_mm);
    input.n_rois = values.len() / n_volumes;
    if let Some(table) = &mut input.confounds {
        table.motion = columns.try_into().ok();
    }
    input
}

proptest! {
    #[test]
    fn what_is_censored_changes_nothing_that_is_kept(
        values in vec(-100.0..100.0_f64, 2 * 120),
        motion in vec(-1.0..1.0_f64, 6 * 120),
        wild in vec(-1e9..1e9_f64, 2 * 120),
        moved in vec(prop::bool::weighted(0.3), 120),
        filters in any::<bool>(),
    ) {
        let fd_mm: Vec<f64> = moved.iter().map(|moved| f64::from(u8::from(*moved))).collect();
        let changed = values.iter().zip(&wild).enumerate();
        let changed = changed.map(|(at, (value, wild))| if moved[at % 120] { *wild } else { *value });
        let changed: Vec<f64> = changed.collect();
        let mut steps = vec![MOTION_6, CENSOR, DetrendLinear];
        if filters {
            steps.extend([LOW_PASS, CleaningStep::Resample { dt_secs: 1.5 }]);
        }
        steps.push(ZScore);
        let cleaned = [values, changed].map(|values| {
            clean_scan(noisy_scan(values, motion.clone(), &fd_mm), &steps)
        });
        // Of 84 volumes on average, 26 are needed, and 65 with the low-pass: 65 · 0.4 - 6 = 20.
        if !filters {
            prop_assert!(cleaned[0].is_ok());
        }
        prop_assert_eq!(&cleaned[0], &cleaned[1]);
    }

    #[test]
    fn whatever_goes_in_nothing_panics_and_what_comes_out_is_whole(
        values in vec(prop_oneof![4 => -100.0..100.0_f64, 1 => any::<f64>()], 0..120),
        n_rois in 0..3_usize,
        tr_secs in prop_oneof![Just(0.72), Just(2.0), any::<f64>()],
        dummies in 0..5_usize,
        fd_mm in vec(0.0..0.6_f64, 120),
        chosen in vec(any::<bool>(), 7),
    ) {
        let n_volumes = values.len() / n_rois.max(1);
        let table = ConfoundTable {
            n_volumes,
            motion: Some([0, 1, 2, 3, 4, 5].map(|at| fd_mm[at..][..n_volumes.min(110)].to_vec())),
            ..ConfoundTable::default()
        };
        prop_assume!(n_volumes <= 110);
        let input = ScanSignals { values, n_rois, tr_secs, confounds: Some(table), outliers: None };
        let all = [
            CleaningStep::DropDummies(Dummies::Volumes(dummies)),
            MOTION_6,
            CENSOR,
            DetrendLinear,
            LOW_PASS,
            CleaningStep::Resample { dt_secs: 1.5 },
            ZScore,
        ];
        let steps: Vec<CleaningStep> = all
            .into_iter()
            .zip(&chosen)
            .filter_map(|(step, chosen)| chosen.then_some(step))
            .collect();
        if let Ok(cleaned) = clean_scan(input, &steps) {
            prop_assert_eq!(cleaned.values.len(), cleaned.kept.len() * n_rois);
            prop_assert!(cleaned.kept.contains(&true));
            prop_assert_eq!(cleaned.constants.len(), n_rois);
        }
    }
}
