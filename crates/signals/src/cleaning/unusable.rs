//! Unusable scans: why a scan cannot be cleaned and must be left out.

use std::fmt;

/// What makes a scan unusable for the steps asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Unusable {
    /// ROIs without a signal.
    Rois(UnusableRois),
    /// The scan has no table of confounds.
    NoConfounds {
        /// The step that needs one.
        step: &'static str,
    },
    /// The table of confounds lacks what a step needs.
    Confound {
        /// The column.
        column: String,
        /// What is wrong with it.
        problem: ConfoundProblem,
    },
    /// Something has not one entry per volume.
    Length {
        /// What.
        what: &'static str,
        /// Its entries.
        found: usize,
        /// Volumes of the scan.
        expected: usize,
    },
    /// Nothing is left.
    NothingKept {
        /// Volumes acquired.
        n_volumes: usize,
        /// Volumes dropped, or to be dropped, at the start.
        dropped: usize,
        /// Volumes censored.
        censored: usize,
    },
    /// Too few kept volumes to estimate the share of the confounds.
    TooFewForRegression {
        /// Volumes kept.
        kept: usize,
        /// Volumes needed.
        needed: usize,
        /// Confounds.
        confounds: usize,
    },
    /// Too short to filter.
    TooShortToFilter {
        /// Volumes after dummies.
        n_volumes: usize,
        /// Volumes needed.
        needed: usize,
    },
    /// A cut-off, or the width of a band, that a filter at this TR cannot have.
    CutOff {
        /// The cut-off or width.
        found_hz: f64,
        /// The lowest possible.
        lowest_hz: f64,
        /// Half the sampling rate, which it must be below.
        nyquist_hz: f64,
    },
    /// Intervals that are in no simple ratio.
    Ratio {
        /// Seconds between volumes as acquired.
        tr_secs: f64,
        /// Seconds between volumes asked for.
        dt_secs: f64,
    },
}

/// Why a confound cannot be regressed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfoundProblem {
    /// The table lacks it.
    #[error("is not in the table")]
    Missing,
    /// Only tables of fMRIPrep have it, and the table is of another program.
    #[error("can be in tables of fMRIPrep only")]
    OfFmriprep,
    /// Its values cannot be computed with.
    #[error("has missing, infinite or huge values")]
    NotFinite,
    /// Components of several tissues have names that do not tell the tissue.
    #[error(
        "may be of CSF, of white matter or of both: put the JSON file that fMRIPrep wrote with the \
         table, of the same name, beside it, which tells those with the mask \"combined\""
    )]
    Ambiguous,
}

impl Unusable {
    /// A sentence for the list of exclusions; `name` gives the name of an ROI.
    pub fn describe(&self, name: impl Fn(usize) -> String) -> String {
        match self {
            Self::Rois(rois) => rois.describe(name),
            Self::NoConfounds { step } => {
                format!("{step} needs a table of confounds, the scan has none")
            }
            Self::Confound { column, problem } => format!("the confound {column} {problem}"),
            Self::Length {
                what,
                found,
                expected,
            } => format!("{found} {what} for {expected} volumes, one per volume is needed"),
            Self::NothingKept {
                n_volumes,
                dropped,
                censored,
            } => format!(
                "of {n_volumes} volumes none is left: {dropped} are dropped at the start, {censored} censored"
            ),
            Self::TooFewForRegression {
                kept,
                needed,
                confounds,
            } => format!(
                "{kept} volumes are kept, regression on {confounds} confounds needs {needed}"
            ),
            Self::TooShortToFilter { n_volumes, needed } => {
                format!("{n_volumes} volumes are too few for the band-pass, which needs {needed}")
            }
            Self::CutOff {
                found_hz,
                lowest_hz,
                nyquist_hz,
            } => format!(
                "the band-pass cannot have a cut-off or width of {found_hz} Hz at this TR, only from {lowest_hz} Hz to below {nyquist_hz} Hz"
            ),
            Self::Ratio { tr_secs, dt_secs } => format!(
                "a TR of {tr_secs} s cannot be resampled to {dt_secs} s: they must be in a ratio of whole numbers up to 2000, at most 50 to 1"
            ),
        }
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.describe(|roi| format!("index {roi}")))
    }
}

impl std::error::Error for Unusable {}

/// ROIs that make a scan unusable, by what is wrong with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnusableRois {
    /// With values that are missing or infinite.
    pub not_finite: Vec<usize>,
    /// Without any change over the scan.
    pub constant: Vec<usize>,
}

impl UnusableRois {
    /// A sentence for the list of exclusions; `name` gives the name of an ROI.
    pub fn describe(&self, name: impl Fn(usize) -> String) -> String {
        let part = |rois: &[usize], what: &str| {
            let first = *rois.first()?;
            let more = match rois.len() {
                1 => String::new(),
                n => format!(" and {} more", n - 1),
            };
            Some(format!("{what}: ROI {first} ({}){more}", name(first)))
        };
        [
            part(&self.not_finite, "missing or infinite values"),
            part(&self.constant, "constant signal"),
        ]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("; ")
    }
}
