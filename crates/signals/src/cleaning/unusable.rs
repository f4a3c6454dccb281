//! Unusable scans: reasons why a scan cannot be cleaned and must be excluded.

use std::fmt;

/// Why a scan cannot be used with the requested steps.
#[derive(Clone, Debug, PartialEq)]
pub enum Unusable {
    /// Some ROIs have no signal.
    Rois(UnusableRois),
    /// The scan has no table of confounds.
    NoConfounds {
        /// The step that needs the table.
        step: &'static str,
    },
    /// The table of confounds does not have what a step needs.
    Confound {
        /// The column.
        column: String,
        /// The problem.
        problem: ConfoundProblem,
    },
    /// An input does not have one entry per volume.
    Length {
        /// Name of the input.
        what: &'static str,
        /// Number of its entries.
        found: usize,
        /// Number of volumes in the scan.
        expected: usize,
    },
    /// No volume remains.
    NothingKept {
        /// Number of volumes acquired.
        n_volumes: usize,
        /// Number of volumes dropped, or to be dropped, at the start.
        dropped: usize,
        /// Number of volumes censored.
        censored: usize,
    },
    /// There are too few uncensored volumes for the regression.
    TooFewForRegression {
        /// Number of uncensored volumes.
        kept: usize,
        /// Number of volumes needed.
        needed: usize,
        /// Number of confounds.
        confounds: usize,
    },
    /// Too few degrees of freedom are left after censoring, filter and regression.
    TooLittleFreedom {
        /// Number of uncensored volumes.
        kept: usize,
        /// Share of the frequencies that filter and resampling retain.
        band_share: f64,
        /// Number of linearly independent confounds.
        confounds: usize,
        /// Degrees of freedom that are left.
        left: f64,
        /// Degrees of freedom that are needed.
        needed: f64,
    },
    /// The scan is too short for the filter.
    TooShortToFilter {
        /// Number of volumes that are not dropped.
        n_volumes: usize,
        /// Number of volumes needed.
        needed: usize,
    },
    /// A cut-off, or the width of a band, is impossible for a filter at this TR.
    CutOff {
        /// The cut-off or width, Hz.
        found_hz: f64,
        /// The lowest possible value, Hz.
        lowest_hz: f64,
        /// Half the sampling rate, Hz; the value must be below it.
        nyquist_hz: f64,
    },
    /// The ratio of two intervals is not a simple fraction.
    Ratio {
        /// Seconds between volumes as acquired.
        tr_secs: f64,
        /// Requested seconds between volumes.
        dt_secs: f64,
    },
}

/// Why a confound cannot be regressed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfoundProblem {
    /// The table does not have it.
    #[error("is not in the table")]
    Missing,
    /// Only fMRIPrep writes it, but the table is from another program.
    #[error("can be in tables of fMRIPrep only")]
    OfFmriprep,
    /// Its values are not all finite.
    #[error("has missing, infinite or huge values")]
    NotFinite,
    /// The names of components do not tell the tissue.
    #[error(
        "may be of CSF, of white matter or of both: put the JSON file that fMRIPrep wrote with the \
         table, of the same name, beside it, which tells those with the mask \"combined\""
    )]
    Ambiguous,
}

impl Unusable {
    /// Text for the list of exclusions; `name` returns the name of an ROI.
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
            Self::TooLittleFreedom {
                kept,
                band_share,
                confounds,
                left,
                needed,
            } => format!(
                "{kept} kept volumes, with {band_share:.3} of their frequencies retained, minus {confounds} confounds leave {left:.1} degrees of freedom, {needed} are needed: pass a wider band, regress out fewer confounds, censor fewer volumes, or do without this scan"
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

/// ROIs that make a scan unusable, by problem.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnusableRois {
    /// ROIs with missing or infinite values.
    pub not_finite: Vec<usize>,
    /// ROIs with a constant signal.
    pub constant: Vec<usize>,
}

impl UnusableRois {
    /// Text for the list of exclusions; `name` returns the name of an ROI.
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
