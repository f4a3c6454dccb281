//! Steps of cleaning, with their settings and fixed order.

use std::fmt::{Display, Formatter, Result as Written};

use brainmae_files::CommonErrors as _;
use serde::{Deserialize, Serialize};

use super::band_pass::BandPass;
use super::censor::Censoring;
use super::confound_model::ConfoundModel;
use crate::error::SignalError;

/// One step of cleaning, done per ROI over a whole scan.
///
/// The variants have the order in which steps are done; each is optional.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum CleaningStep {
    /// Drops the non-steady-state volumes at the start.
    DropDummies(Dummies),
    /// Subtracts the least-squares fit of the confounds over the uncensored volumes, but keeps the
    /// mean.
    RegressConfounds {
        /// The set of confounds.
        model: ConfoundModel,
    },
    /// Censors volumes with head movement: no estimate uses them, and their values are
    /// interpolated.
    Censor(Censoring),
    /// Subtracts the least-squares line, but keeps its value at the middle of the scan.
    DetrendLinear,
    /// Keeps a range of frequencies.
    BandPass(BandPass),
    /// Resamples the signals to another interval between volumes.
    Resample {
        /// New interval between volumes, seconds.
        dt_secs: f64,
    },
    /// Subtracts the mean and divides by the standard deviation (of the population: over n), both
    /// of the uncensored volumes.
    ZScore,
}

/// Number of non-steady-state volumes to drop at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dummies {
    /// The same number in every scan.
    Volumes(usize),
    /// The number that fMRIPrep found in the scan: one per column `non_steady_state_outlier_XX`.
    NonSteadyState,
}

/// Names of the steps in configurations, in the fixed order.
const ORDER: [&str; 7] = [
    "drop-dummies",
    "regress-confounds",
    "censor",
    "detrend-linear",
    "band-pass",
    "resample",
    "z-score",
];

impl CleaningStep {
    /// Position of the step in the fixed order, from 0; independent of the settings.
    pub fn place(&self) -> usize {
        match self {
            Self::DropDummies(_) => 0,
            Self::RegressConfounds { .. } => 1,
            Self::Censor(_) => 2,
            Self::DetrendLinear => 3,
            Self::BandPass(_) => 4,
            Self::Resample { .. } => 5,
            Self::ZScore => 6,
        }
    }

    fn check(&self) -> Result<(), SignalError> {
        match self {
            Self::DropDummies(_) | Self::DetrendLinear | Self::ZScore => Ok(()),
            Self::RegressConfounds { model } => model.check(),
            Self::Censor(censoring) => censoring.check(),
            Self::BandPass(band) => band.check(),
            Self::Resample { dt_secs } if dt_secs.is_finite() && *dt_secs > 0.0 => Ok(()),
            Self::Resample { dt_secs } => Err(SignalError::config(
                "dt_secs of resample",
                dt_secs,
                "a number above zero",
            )),
        }
    }
}

/// Checks that every step occurs at most once, in the right order, with valid settings, and that a
/// high-pass comes with aCompCor.
///
/// # Errors
/// [`SignalError::Config`] with the expected value.
pub fn check_steps(steps: &[CleaningStep]) -> Result<(), SignalError> {
    let places: Vec<usize> = steps.iter().map(CleaningStep::place).collect();
    if !places.is_sorted_by(|first, second| first < second) {
        let names = |places: &[usize]| {
            let names: Vec<&str> = places.iter().map(|place| ORDER[*place]).collect();
            names.join(", ")
        };
        let mut right = places.clone();
        right.sort_unstable();
        right.dedup();
        return Err(SignalError::config(
            "cleaning",
            names(&places),
            format!("every step at most once, in this order: {}", names(&right)),
        ));
    }
    steps.iter().try_for_each(CleaningStep::check)?;
    let has_components = |step: &CleaningStep| {
        let CleaningStep::RegressConfounds { model } = step else {
            return false;
        };
        matches!(model, ConfoundModel::ACompCor { .. })
    };
    let has_high_pass = |step: &CleaningStep| matches!(step, CleaningStep::BandPass(band) if band.high_pass_hz.is_some());
    if steps.iter().any(has_components) && !steps.iter().any(has_high_pass) {
        return Err(SignalError::config(
            "cleaning",
            "regression on a-comp-cor without a high-pass",
            "a band-pass with high_pass_hz too, such as 0.008 (fMRIPrep's 128 s), because the components were computed without slow drifts and cannot remove them; or another model of confounds",
        ));
    }
    Ok(())
}

/// Seconds between volumes after `steps`, for a scan with TR `tr_secs`.
pub fn dt_after(steps: &[CleaningStep], tr_secs: f64) -> f64 {
    let resampled = steps.iter().rev().find_map(|step| match step {
        CleaningStep::Resample { dt_secs } => Some(*dt_secs),
        _ => None,
    });
    resampled.unwrap_or(tr_secs)
}

impl Display for CleaningStep {
    fn fmt(&self, f: &mut Formatter) -> Written {
        match self {
            Self::DropDummies(Dummies::Volumes(1)) => f.write_str("first volume dropped"),
            Self::DropDummies(Dummies::Volumes(n)) => write!(f, "first {n} volumes dropped"),
            Self::DropDummies(Dummies::NonSteadyState) => {
                f.write_str("volumes before the steady state dropped")
            }
            Self::RegressConfounds { model } => write!(f, "regression on {model}"),
            Self::Censor(censoring) => write!(f, "{censoring}"),
            Self::DetrendLinear => f.write_str("linear detrending"),
            Self::BandPass(band) => write!(f, "{band}"),
            Self::Resample { dt_secs } => write!(f, "resampling to {dt_secs} s"),
            Self::ZScore => f.write_str("z-score"),
        }
    }
}

#[cfg(test)]
mod tests {
    use brainmae_files::InvalidField;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Card {
        cleaning: Vec<CleaningStep>,
        after: String,
    }

    fn parse(cleaning: &str) -> Result<Vec<CleaningStep>, toml::de::Error> {
        let card: Card = toml::from_str(&format!("cleaning = {cleaning}\nafter = \"\""))?;
        Ok(card.cleaning)
    }

    const ALL: &str = r#"[
        { drop-dummies = { volumes = 4 } },
        { regress-confounds = { model = { a-comp-cor = { components = 5 } } } },
        { censor = { fd_mm = 0.5, before = 1, after = 2, min_run = 5 } },
        "detrend-linear",
        { band-pass = { high_pass_hz = 0.01, low_pass_hz = 0.1, order = 2 } },
        { resample = { dt_secs = 1 } },
        "z-score",
    ]"#;

    #[test]
    fn every_step_is_read_and_told_to_a_person() {
        let steps = parse(ALL).unwrap();
        check_steps(&steps).unwrap();
        let told: Vec<String> = steps.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "first 4 volumes dropped",
                "regression on 5 aCompCor components and 24 motion parameters",
                "volumes above 0.5 mm FD censored, 1 before and 2 after them, runs below 5 volumes too",
                "linear detrending",
                "band-pass 0.01 to 0.1 Hz of order 2",
                "resampling to 1 s",
                "z-score",
            ]
        );
    }

    #[test]
    fn short_forms_are_read() {
        let steps = parse(
            r#"[{ drop-dummies = "non-steady-state" }, { regress-confounds = { model = "motion-36" } },
                { censor = { fd_mm = 0.2 } }, { band-pass = { low_pass_hz = 0.1, order = 1 } }]"#,
        )
        .unwrap();
        let told: Vec<String> = steps.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "volumes before the steady state dropped",
                "regression on 24 motion parameters and 12 of tissues and global signal",
                "volumes above 0.2 mm FD censored",
                "low-pass 0.1 Hz of order 1",
            ]
        );
    }

    #[test]
    fn what_is_written_is_read_back() {
        for cleaning in [ALL, r#"[{ resample = { dt_secs = 0.8 } }]"#, "[]"] {
            let card = Card {
                cleaning: parse(cleaning).unwrap(),
                after: "x".into(),
            };
            let text = toml::to_string(&card).unwrap();
            assert_eq!(toml::from_str::<Card>(&text).unwrap(), card, "{text}");
            let text = serde_json::to_string(&card).unwrap();
            assert_eq!(serde_json::from_str::<Card>(&text).unwrap(), card, "{text}");
        }
    }

    #[test]
    fn plain_steps_are_written_as_plain_names() {
        let card = Card {
            cleaning: vec![CleaningStep::DetrendLinear, CleaningStep::ZScore],
            after: "x".into(),
        };
        assert_eq!(
            toml::to_string(&card).unwrap(),
            "cleaning = [\"detrend-linear\", \"z-score\"]\nafter = \"x\"\n"
        );
    }

    #[test]
    fn unknown_keys_and_names_are_errors() {
        for (cleaning, word) in [
            (r#"["zscore"]"#, "zscore"),
            (r#"[{ resample = { tr_secs = 1.0 } }]"#, "tr_secs"),
            (r#"[{ drop-dummies = { seconds = 4 } }]"#, "seconds"),
            (r#"[{ drop-dummies = { volumes = -4 } }]"#, "-4"),
            (r#"[{ censor = { fd_mm = 0.5, above = 1 } }]"#, "above"),
            (
                r#"[{ band-pass = { high_pass = 0.01, order = 2 } }]"#,
                "high_pass",
            ),
            (
                r#"[{ regress-confounds = { model = "motion-12" } }]"#,
                "motion-12",
            ),
            (
                r#"[{ regress-confounds = { model = { a-comp-cor = { components = 5, motions = true } } } }]"#,
                "motions",
            ),
        ] {
            let error = parse(cleaning).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn a_wrong_order_is_refused_with_the_right_one() {
        let steps = parse(r#"["z-score", "detrend-linear", { drop-dummies = { volumes = 1 } }]"#);
        let SignalError::Config(InvalidField {
            field, expected, ..
        }) = check_steps(&steps.unwrap()).unwrap_err()
        else {
            panic!("another error");
        };
        assert_eq!(field, "cleaning");
        let right = "every step at most once, in this order: drop-dummies, detrend-linear, z-score";
        assert_eq!(expected, right);
    }

    #[test]
    fn components_of_a_comp_cor_need_a_high_pass() {
        let model = "{ regress-confounds = { model = { a-comp-cor = { components = 5 } } } }";
        let check = |others: &str| check_steps(&parse(&format!("[{model}{others}]")).unwrap());
        for others in [
            "",
            r#", "detrend-linear""#,
            ", { band-pass = { low_pass_hz = 0.1, order = 2 } }",
        ] {
            let error = check(others).unwrap_err();
            assert!(matches!(
                &error,
                SignalError::Config(InvalidField { field: "cleaning", found, .. })
                    if found == "regression on a-comp-cor without a high-pass"
            ));
            assert!(
                error.to_string().contains("a band-pass with high_pass_hz"),
                "{error}"
            );
        }
        check(", { band-pass = { high_pass_hz = 0.008, order = 2 } }").unwrap();
    }

    #[test]
    fn a_step_that_is_there_twice_is_refused() {
        let steps = parse(r#"[{ resample = { dt_secs = 1 } }, { resample = { dt_secs = 2 } }]"#);
        assert!(matches!(
            check_steps(&steps.unwrap()),
            Err(SignalError::Config(InvalidField { field: "cleaning", found, .. }))
                if found == "resample, resample"
        ));
    }

    #[test]
    fn settings_that_cannot_be_are_refused() {
        for (step, key, value) in [
            ("{ resample = { dt_secs = 0 } }", "dt_secs of resample", "0"),
            (
                "{ resample = { dt_secs = nan } }",
                "dt_secs of resample",
                "NaN",
            ),
            ("{ censor = { fd_mm = -1 } }", "fd_mm of censor", "-1"),
            (
                "{ band-pass = { order = 2 } }",
                "band-pass",
                "without a cut-off",
            ),
            (
                "{ band-pass = { high_pass_hz = 0.1, low_pass_hz = 0.1, order = 2 } }",
                "low_pass_hz of band-pass",
                "0.1",
            ),
            (
                "{ band-pass = { low_pass_hz = inf, order = 2 } }",
                "low_pass_hz of band-pass",
                "inf",
            ),
            (
                "{ band-pass = { low_pass_hz = 0.1, order = 0 } }",
                "order of band-pass",
                "0",
            ),
            (
                "{ regress-confounds = { model = { a-comp-cor = { components = 0 } } } }",
                "components of a-comp-cor",
                "0",
            ),
        ] {
            let steps = parse(&format!("[{step}]")).unwrap();
            match check_steps(&steps).unwrap_err() {
                SignalError::Config(InvalidField { field, found, .. }) => {
                    assert_eq!((field, found.as_str()), (key, value));
                }
                other => panic!("{other}"),
            }
        }
    }
}
