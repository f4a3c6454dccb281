//! Error texts, held by the snapshots; other tests match variants.

use brainmae_signals::cleaning::{ConfoundProblem, Unusable, UnusableRois, check_steps};
use brainmae_signals::{BoldSeries, CleaningStep, ExclusionLimits};

#[test]
fn series_and_settings() {
    let limits = ExclusionLimits {
        min_kept_share: Some(1.5),
        ..ExclusionLimits::default()
    };
    let series = |values: &[f32], tr_secs| BoldSeries::new(values.to_vec(), 2, tr_secs);
    let texts = [
        series(&[1.0, 2.0], 0.0).unwrap_err(),
        series(&[1.0, 2.0, 3.0], 1.0).unwrap_err(),
        series(&[1.0, f32::NAN], 1.0).unwrap_err(),
        check_steps(&[CleaningStep::ZScore, CleaningStep::DetrendLinear]).unwrap_err(),
        limits.check().unwrap_err(),
    ]
    .map(|error| error.to_string());
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn scans_that_are_left_out() {
    let confound = |column: &str, problem| Unusable::Confound {
        column: column.into(),
        problem,
    };
    let texts = [
        Unusable::Rois(UnusableRois {
            not_finite: vec![3, 5],
            constant: vec![7],
        }),
        Unusable::NoConfounds { step: "censoring" },
        confound("csf", ConfoundProblem::Missing),
        confound("csf", ConfoundProblem::NotFinite),
        confound("a_comp_cor", ConfoundProblem::Ambiguous),
        Unusable::NothingKept {
            n_volumes: 9,
            dropped: 4,
            censored: 5,
        },
        Unusable::Ratio {
            tr_secs: 0.7,
            dt_secs: 60.0,
        },
    ]
    .map(|unusable| unusable.to_string());
    insta::assert_snapshot!(texts.join("\n"));
}
