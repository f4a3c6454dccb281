//! Comparison of cleaning with numpy, scipy and nilearn: see `golden/README.md` in the tests.

use serde::Deserialize;

use super::super::band_pass::BandPass;
use super::super::z_score::mean_and_sd;
use super::super::*;
use crate::motion::framewise_displacement;

#[derive(Deserialize)]
struct Golden {
    tr_secs: f64,
    raw: Vec<f64>,
    motion: [Vec<f64>; 6],
    framewise_displacement_mm: Vec<f64>,
    detrended: Vec<f64>,
    z_scored: Vec<f64>,
    motion_24_regressed: Vec<f64>,
    band_pass: Vec<Filtered>,
    resampled: Vec<Resampled>,
    whole: Whole,
}

#[derive(Deserialize)]
struct Filtered {
    #[serde(flatten)]
    band: BandPass,
    expected: Vec<f64>,
}

#[derive(Deserialize)]
struct Resampled {
    tr_secs: f64,
    dt_secs: f64,
    expected: Vec<f64>,
}

#[derive(Deserialize)]
struct Whole {
    expected: Vec<f64>,
    kept: Vec<bool>,
}

/// Tolerance as a share of the standard deviation of the raw signal.
const TOLERANCE: f64 = 1e-8;

impl Golden {
    fn read() -> Self {
        serde_json::from_str(include_str!("../../../tests/golden/cleaning.json")).unwrap()
    }

    /// The raw signal with its motion parameters, after cleaning.
    fn clean(&self, tr_secs: f64, steps: &[CleaningStep]) -> CleanedSignals {
        let input = ScanSignals {
            values: self.raw.clone(),
            n_rois: 1,
            tr_secs,
            confounds: Some(ConfoundTable {
                n_volumes: self.raw.len(),
                motion: Some(self.motion.clone()),
                ..ConfoundTable::default()
            }),
            outliers: None,
        };
        check_steps(steps).unwrap();
        clean_scan(input, steps).unwrap()
    }

    fn assert_near(&self, found: &[f64], expected: &[f64], what: &str) {
        let (_, sd) = mean_and_sd(self.raw.iter().copied());
        assert_near(found, expected, TOLERANCE * sd, what);
    }
}

fn assert_near(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= tolerance,
            "{what}: {found} where {expected} is expected, at {at}"
        );
    }
}

#[test]
fn band_passes_are_those_of_scipy() {
    let golden = Golden::read();
    for Filtered { band, expected } in &golden.band_pass {
        let cleaned = golden.clean(golden.tr_secs, &[CleaningStep::BandPass(*band)]);
        golden.assert_near(&cleaned.values, expected, &band.to_string());
    }
}

#[test]
fn resampled_signals_are_those_of_scipy_up_to_the_last_volume() {
    let golden = Golden::read();
    for case in &golden.resampled {
        let step = CleaningStep::Resample {
            dt_secs: case.dt_secs,
        };
        let cleaned = golden.clean(case.tr_secs, &[step]);
        let n_samples = cleaned.values.len();
        let end_secs = (golden.raw.len() - 1) as f64 * case.tr_secs;
        let next_secs = n_samples as f64 * case.dt_secs;
        assert!(next_secs > end_secs && next_secs - case.dt_secs < end_secs + 1e-9);
        golden.assert_near(&cleaned.values, &case.expected[..n_samples], "resampled");
    }
}

#[test]
fn regression_is_that_of_nilearn() {
    let golden = Golden::read();
    let model = ConfoundModel::Motion24;
    let step = CleaningStep::RegressConfounds { model };
    let cleaned = golden.clean(golden.tr_secs, &[step]);
    golden.assert_near(&cleaned.values, &golden.motion_24_regressed, "regressed");
}

#[test]
fn detrending_and_z_score_are_those_of_scipy() {
    let golden = Golden::read();
    let detrended = golden.clean(golden.tr_secs, &[CleaningStep::DetrendLinear]);
    golden.assert_near(&detrended.values, &golden.detrended, "detrended");
    let z_scored = golden.clean(golden.tr_secs, &[CleaningStep::ZScore]);
    assert_near(&z_scored.values, &golden.z_scored, TOLERANCE, "z-scored");
}

#[test]
fn framewise_displacement_is_that_of_numpy() {
    let golden = Golden::read();
    let found = framewise_displacement(&golden.motion);
    assert_near(&found, &golden.framewise_displacement_mm, 1e-12, "FD");
}

#[test]
fn all_steps_together_are_those_of_numpy_and_scipy() {
    let golden = Golden::read();
    let steps = [
        CleaningStep::DropDummies(Dummies::Volumes(4)),
        CleaningStep::RegressConfounds {
            model: ConfoundModel::Motion24,
        },
        CleaningStep::Censor(Censoring {
            fd_mm: 0.28,
            before: 0,
            after: 1,
            min_run: 0,
        }),
        CleaningStep::DetrendLinear,
        CleaningStep::BandPass(BandPass {
            high_pass_hz: Some(0.01),
            low_pass_hz: Some(0.4),
            order: 2,
        }),
        CleaningStep::Resample { dt_secs: 0.8 },
        CleaningStep::ZScore,
    ];
    let cleaned = golden.clean(golden.tr_secs, &steps);
    assert_eq!(cleaned.kept, golden.whole.kept);
    assert_near(
        &cleaned.values,
        &golden.whole.expected,
        TOLERANCE,
        "all steps",
    );
}
