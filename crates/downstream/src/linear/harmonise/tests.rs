use std::sync::Arc;

use brainmae_data::BoldSeries;
use brainmae_run::Seeds;
use burn::tensor::Device;
use rand::RngExt;

use super::*;
use crate::features::Fc;
use crate::kind::likeliest;
use crate::linear::LinearLearner;
use crate::linear::spec::LinearSpec;
use crate::{Example, Kind, Learner, Scan};

const ROIS: usize = 6;
const VOLUMES: usize = 150;
const SUBJECTS: usize = 120;
const SITES: [&str; 2] = ["Leiden", "Oslo"];

/// Subjects of two sites, aged 20 to 80, in random order. Age couples the first two ROIs; the site
/// couples all, adds noise to all, and so changes mean and variance of each correlation.
fn scans() -> (Vec<Scan>, Vec<f64>, Vec<f64>) {
    let rng = &mut Seeds::new(4).stream("scans");
    let (mut scans, mut ages, mut sites) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..SUBJECTS {
        let (age, site) = (rng.random_range(20.0..80.0), i * 7 % 5 % 2);
        let (mut common, mut own) = (Vec::new(), Vec::new());
        for _ in 0..VOLUMES {
            common.push(rng.random_range(-1.7f32..1.7));
            own.push(rng.random_range(-1.7f32..1.7));
        }
        let of_site = [0.3, 0.9][site] + [0.05, 0.15][site] * rng.random_range(-1.7f32..1.7);
        let of_age = (age as f32 - 20.0) / 40.0;
        let values = (0..VOLUMES * ROIS).map(|at| {
            let (volume, roi) = (at / ROIS, at % ROIS);
            let aged = if roi < 2 { of_age * own[volume] } else { 0.0 };
            of_site * common[volume] + aged + rng.random_range(-1.7f32..1.7)
        });
        let series = BoldSeries::new(values.collect(), ROIS, 1.0).expect("finite");
        scans.push(Scan {
            series: Arc::new(series),
            confounds: vec![Some(age)],
            site: Some(SITES[site].to_string()),
            ..crate::testing::scan(&format!("{i}"), 1)
        });
        ages.push(age);
        sites.push(site as f64);
    }
    (scans, ages, sites)
}

fn problem(kind: Kind, confounds: &[&str]) -> Problem {
    Problem {
        kind,
        n_rois: ROIS,
        confounds: confounds.iter().map(|name| name.to_string()).collect(),
        ..crate::testing::problem(false, Device::flex())
    }
}

fn examples(scans: &[Scan], numbers: std::ops::Range<usize>) -> Examples<'_> {
    let whole = |scan| Example {
        scan,
        start_volume: 0,
        n_volumes: VOLUMES,
    };
    Examples {
        scans,
        list: numbers.map(whole).collect(),
    }
}

/// Predictions of FC for the last third of the subjects, with the truth.
fn predict(
    problem: &Problem,
    scans: &[Scan],
    truth: &[f64],
    harmonise: Option<Harmonise>,
) -> Result<Vec<(Vec<f64>, f64)>, DownstreamError> {
    let spec = LinearSpec {
        harmonise,
        ..LinearSpec::default()
    };
    let learner = LinearLearner::new("FC", Arc::new(Fc), spec);
    let set = |numbers: std::ops::Range<usize>| Labelled {
        truth: truth[numbers.clone()].to_vec(),
        examples: examples(scans, numbers),
    };
    let fitted = learner.fit(problem, &set(0..60), &set(60..80))?;
    let said = fitted.predict(&examples(scans, 80..SUBJECTS))?;
    let said = said.rows().map(<[f64]>::to_vec).zip(truth[80..].to_vec());
    Ok(said.collect())
}

#[test]
fn a_site_cannot_be_told_afterwards_and_age_can() {
    let (scans, ages, sites) = scans();
    // Mean recall of both sites, of 40 tested subjects; a decision by chance has a standard
    // deviation of .08.
    let balanced = |harmonise| {
        let problem = problem(Kind::Classification { n_classes: 2 }, &["age_years"]);
        let said = predict(&problem, &scans, &sites, harmonise).expect("sites are known");
        let recall = [0, 1].map(|site| {
            let own = said.iter().filter(|(_, truth)| *truth == site as f64);
            let right = own.clone().filter(|(p, _)| likeliest(p) == site).count();
            right as f64 / own.count() as f64
        });
        (recall[0] + recall[1]) / 2.0
    };
    assert!(balanced(None) > 0.9, "{}", balanced(None));
    for harmonise in [Harmonise::Combat, Harmonise::CombatPreserving] {
        let found = balanced(Some(harmonise));
        assert!((found - 0.5).abs() < 0.25, "{harmonise:?}: {found}");
    }
    let r2 = |harmonise| {
        // Age is the target, so it is no confound.
        let said = predict(&problem(Kind::Regression, &["t"]), &scans, &ages, harmonise);
        let said = said.expect("sites are known");
        let mean = said.iter().map(|(_, age)| age).sum::<f64>() / said.len() as f64;
        let error: f64 = said.iter().map(|(p, age)| (p[0] - age).powi(2)).sum();
        let spread: f64 = said.iter().map(|(_, age)| (age - mean).powi(2)).sum();
        1.0 - error / spread
    };
    // By chance the sites differ a little in age, and that part goes with the effect of the site.
    let (plain, found) = (r2(None), r2(Some(Harmonise::Combat)));
    assert!(plain > 0.75 && found > plain - 0.1, "{found} of {plain}");
}

#[test]
fn effects_that_are_kept_are_those_of_age_and_sex() {
    let (mut scans, _, _) = scans();
    for scan in &mut scans {
        scan.confounds = vec![scan.confounds[0], Some(1.0), None, Some(0.2)];
    }
    let problem = problem(
        Kind::Regression,
        &["age_years", "sex=M", "site=Oslo", "mean_fd_mm"],
    );
    let training = Labelled {
        examples: examples(&scans, 0..60),
        truth: vec![0.0; 60],
    };
    let x = DMatrix::from_fn(60, 2, |i, j| ((i * 7 + j) % 11) as f64);
    let kept = |harmonise: Harmonise| {
        let fitted = harmonise.fit(&problem, &training, &x);
        fitted.expect("sites are known").kept
    };
    assert!(kept(Harmonise::Combat).is_empty());
    assert_eq!(kept(Harmonise::CombatPreserving), [0, 1]);
}

#[test]
fn the_tested_change_nothing_and_one_site_alone_is_left_as_it_is() {
    let (mut scans, ages, _) = scans();
    let problem = problem(Kind::Regression, &["t"]);
    let training = Labelled {
        examples: examples(&scans, 0..60),
        truth: ages[..60].to_vec(),
    };
    let spec = |harmonise| LinearSpec {
        harmonise,
        ..LinearSpec::default()
    };
    let combat = spec(Some(Harmonise::Combat));
    let (prepared, x) = combat.fit(&Fc, &problem, &training).expect("known");
    let again = prepared.of(&problem, &training.examples).expect("known");
    assert_eq!(x, again);
    let one = prepared
        .of(&problem, &examples(&scans, 90..91))
        .expect("known");
    let some = prepared
        .of(&problem, &examples(&scans, 85..95))
        .expect("known");
    assert_eq!(one.row(0), some.row(5));

    scans
        .iter_mut()
        .for_each(|scan| scan.site = Some("Oslo".into()));
    let training = Labelled {
        examples: examples(&scans, 0..60),
        truth: ages[..60].to_vec(),
    };
    let (_, x) = combat.fit(&Fc, &problem, &training).expect("known");
    let (_, plain) = spec(None).fit(&Fc, &problem, &training).expect("known");
    assert_eq!(x, plain);
}

#[test]
fn sites_that_cannot_be_harmonised_are_refused() {
    let refused = |change: &dyn Fn(&mut Vec<Scan>)| {
        let (mut scans, ages, _) = scans();
        change(&mut scans);
        let problem = problem(Kind::Regression, &["t"]);
        match predict(&problem, &scans, &ages, Some(Harmonise::Combat)) {
            Err(DownstreamError::Fit { reason, .. }) => reason.to_string(),
            other => panic!("not refused: {other:?}"),
        }
    };
    let texts = [
        refused(&|scans| scans[100].site = Some("Rome".into())),
        refused(&|scans| scans[3].site = None),
        refused(&|scans| scans[3].site = Some("Rome".into())),
    ];
    insta::assert_snapshot!(texts.join("\n"));
}
