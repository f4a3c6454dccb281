//! Confound models: the usual sets of confounds, by name.

use std::fmt::{Display, Formatter, Result as Written};

use brainmae_files::CommonErrors as _;
use serde::{Deserialize, Serialize};

use super::unusable::{ConfoundProblem, Unusable};
use crate::confounds::{ACompCor, ConfoundTable, MOTION};
use crate::error::SignalError;

/// A set of confounds; the regression always has an intercept too.
///
/// Derivatives are differences to the previous volume, 0 in the first. They are computed from the
/// parameters, even if the table has columns for them. Those of fMRIPrep and HCP are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ConfoundModel {
    /// The 6 parameters of head movement.
    #[serde(rename = "motion-6")]
    Motion6,
    /// The 6 parameters of head movement, their derivatives, and the squares of both.
    ///
    /// # Source
    /// Friston et al. (1996), Movement-related effects in fMRI time-series, MRM 35. Derivatives
    /// replace the parameters of the previous volume, as in Satterthwaite et al. (2013); except for
    /// the squares, they span the same space.
    #[serde(rename = "motion-24")]
    Motion24,
    /// `motion-24`, and the same four terms of white matter, CSF and the global signal.
    ///
    /// # Source
    /// Satterthwaite et al. (2013), An improved framework for confound regression, NeuroImage 64:
    /// their model of 36 parameters.
    #[serde(rename = "motion-36")]
    Motion36,
    /// The first principal components of white matter and CSF together: the columns
    /// `a_comp_cor_00`, … of fMRIPrep, in the order of their numbers. Up to version 20.2 these
    /// columns also hold components of single tissues, and the JSON file beside the table must give
    /// the tissue.
    ///
    /// fMRIPrep removes slow drifts before it computes the components, so this model needs a
    /// high-pass; [`check_steps`](super::check_steps) refuses it without one.
    ///
    /// # Source
    /// Behzadi et al. (2007), A component based noise correction method (CompCor), NeuroImage 37.
    #[serde(rename = "a-comp-cor")]
    ACompCor {
        /// Number of components.
        components: usize,
        /// Whether `motion-24` is regressed out as well.
        #[serde(default = "yes")]
        motion: bool,
    },
}

fn yes() -> bool {
    true
}

/// One confound, with one value per acquired volume.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Confound {
    pub name: String,
    pub values: Vec<f64>,
}

impl ConfoundModel {
    pub(super) fn check(&self) -> Result<(), SignalError> {
        match self {
            Self::ACompCor { components: 0, .. } => Err(SignalError::config(
                "components of a-comp-cor",
                0,
                "1 or more",
            )),
            _ => Ok(()),
        }
    }

    /// The confounds of one scan.
    pub(super) fn confounds(&self, table: &ConfoundTable) -> Result<Vec<Confound>, Unusable> {
        let mut confounds = Vec::new();
        let with_motion = !matches!(self, Self::ACompCor { motion: false, .. });
        if with_motion {
            let motion = table.motion.as_ref().ok_or_else(|| missing(MOTION[0]))?;
            for (name, values) in MOTION.iter().zip(motion) {
                match self {
                    Self::Motion6 => confounds.push(Confound {
                        name: (*name).to_owned(),
                        values: values.clone(),
                    }),
                    _ => expand(name, values, &mut confounds),
                }
            }
        }
        match self {
            Self::Motion6 | Self::Motion24 => {}
            Self::Motion36 => {
                for (name, values) in [
                    ("white_matter", &table.white_matter),
                    ("csf", &table.csf),
                    ("global_signal", &table.global_signal),
                ] {
                    let values = values.as_ref().ok_or_else(|| missing(name))?;
                    expand(name, values, &mut confounds);
                }
            }
            Self::ACompCor { components, .. } => {
                let found = match &table.a_comp_cor {
                    ACompCor::Combined(found) => found.as_slice(),
                    ACompCor::Absent => &[],
                    ACompCor::Ambiguous => return Err(ambiguous()),
                };
                let first = found.get(..*components).ok_or_else(|| {
                    missing(&format!("aCompCor component number {}", found.len() + 1))
                })?;
                confounds.extend(first.iter().map(|column| Confound {
                    name: column.name.clone(),
                    values: column.values.clone(),
                }));
            }
        }
        Ok(confounds)
    }
}

impl Display for ConfoundModel {
    fn fmt(&self, f: &mut Formatter) -> Written {
        match self {
            Self::Motion6 => f.write_str("6 motion parameters"),
            Self::Motion24 => f.write_str("24 motion parameters"),
            Self::Motion36 => {
                f.write_str("24 motion parameters and 12 of tissues and global signal")
            }
            Self::ACompCor { components, motion } => {
                write!(f, "{components} aCompCor components")?;
                match motion {
                    true => f.write_str(" and 24 motion parameters"),
                    false => Ok(()),
                }
            }
        }
    }
}

fn missing(column: &str) -> Unusable {
    Unusable::Confound {
        column: column.to_owned(),
        problem: ConfoundProblem::Missing,
    }
}

fn ambiguous() -> Unusable {
    Unusable::Confound {
        column: "a_comp_cor".to_owned(),
        problem: ConfoundProblem::Ambiguous,
    }
}

/// Appends a signal, its derivative, and the squares of both, with the names of fMRIPrep.
fn expand(name: &str, values: &[f64], confounds: &mut Vec<Confound>) {
    let mut derivative = vec![0.0; values.len()];
    for (derivative, pair) in derivative.iter_mut().skip(1).zip(values.windows(2)) {
        *derivative = pair[1] - pair[0];
    }
    let squares = |values: &[f64]| values.iter().map(|value| value * value).collect();
    let all = [
        ("power2", squares(values)),
        ("derivative1_power2", squares(&derivative)),
        ("derivative1", derivative),
    ];
    confounds.push(Confound {
        name: name.to_owned(),
        values: values.to_vec(),
    });
    confounds.extend(all.map(|(what, values)| Confound {
        name: format!("{name}_{what}"),
        values,
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::confounds::ConfoundColumn as Column;

    fn table() -> ConfoundTable {
        let column = |scale: f64| vec![scale, 3.0 * scale, 2.0 * scale];
        let component = |number: usize, scale| Column {
            name: format!("a_comp_cor_{number:02}"),
            values: column(scale),
        };
        ConfoundTable {
            n_volumes: 3,
            motion: Some([1., 2., 3., 4., 5., 6.].map(column)),
            white_matter: Some(column(7.0)),
            csf: Some(column(8.0)),
            global_signal: Some(column(9.0)),
            a_comp_cor: ACompCor::Combined(vec![component(4, 10.0), component(5, 11.0)]),
            ..ConfoundTable::default()
        }
    }

    #[test]
    fn a_model_has_as_many_confounds_as_its_name_says() {
        let comp_cor = |motion| ConfoundModel::ACompCor {
            components: 2,
            motion,
        };
        for (model, expected) in [
            (ConfoundModel::Motion6, 6),
            (ConfoundModel::Motion24, 24),
            (ConfoundModel::Motion36, 36),
            (comp_cor(true), 26),
            (comp_cor(false), 2),
        ] {
            let confounds = model.confounds(&table()).unwrap();
            assert_eq!(confounds.len(), expected, "{model}");
        }
    }

    #[test]
    fn derivatives_start_at_zero_and_are_squared_too() {
        let confounds = ConfoundModel::Motion24.confounds(&table()).unwrap();
        let of = |name: &str| {
            let found = confounds.iter().find(|confound| confound.name == name);
            found.unwrap().values.clone()
        };
        assert_eq!(of("trans_y"), [2., 6., 4.]);
        assert_eq!(of("trans_y_derivative1"), [0., 4., -2.]);
        assert_eq!(of("trans_y_power2"), [4., 36., 16.]);
        assert_eq!(of("trans_y_derivative1_power2"), [0., 16., 4.]);
    }

    #[test]
    fn the_column_that_is_missing_is_named() {
        let lacking = |change: fn(&mut ConfoundTable), model: ConfoundModel| {
            let mut table = table();
            change(&mut table);
            model.confounds(&table).unwrap_err().describe(|_| "".into())
        };
        let three = ConfoundModel::ACompCor {
            components: 3,
            motion: true,
        };
        assert_eq!(
            lacking(|table| table.csf = None, ConfoundModel::Motion36),
            "the confound csf is not in the table"
        );
        assert_eq!(
            lacking(|table| table.motion = None, ConfoundModel::Motion6),
            "the confound trans_x is not in the table"
        );
        assert_eq!(
            lacking(|_| {}, three),
            "the confound aCompCor component number 3 is not in the table"
        );
        assert_eq!(
            lacking(|table| table.a_comp_cor = ACompCor::Absent, three),
            "the confound aCompCor component number 1 is not in the table"
        );
    }

    #[test]
    fn components_keep_the_names_of_their_columns() {
        let two = ConfoundModel::ACompCor {
            components: 2,
            motion: false,
        };
        let names = two.confounds(&table()).unwrap();
        let names: Vec<&str> = names.iter().map(|found| found.name.as_str()).collect();
        assert_eq!(names, ["a_comp_cor_04", "a_comp_cor_05"]);
    }

    #[test]
    fn ambiguous_components_are_refused_and_other_models_are_not() {
        let table = ConfoundTable {
            a_comp_cor: ACompCor::Ambiguous,
            ..table()
        };
        let two = ConfoundModel::ACompCor {
            components: 2,
            motion: true,
        };
        let why = two.confounds(&table).unwrap_err().describe(|_| "".into());
        assert!(
            why.starts_with("the confound a_comp_cor may be of CSF"),
            "{why}"
        );
        assert!(why.contains("put the JSON file"), "{why}");
        assert_eq!(ConfoundModel::Motion36.confounds(&table).unwrap().len(), 36);
    }
}
