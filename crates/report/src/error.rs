//! Errors of reports.

use std::path::PathBuf;

use brainmae_downstream::DownstreamError;
use brainmae_pretrain::PretrainError;
use brainmae_run::RunError;
use plotters::drawing::DrawingAreaErrorKind;

/// Result of fallible functions of this crate.
pub type Result<T> = std::result::Result<T, ReportError>;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// Series of a trace that differ in length.
    #[error(
        "the trace of ROI {roi} in scan {scan} has a series of {found} volumes, expected {expected}"
    )]
    TraceLength {
        /// Name of the scan.
        scan: String,
        /// Name of the ROI.
        roi: String,
        /// Length of the first series that differs.
        found: usize,
        /// Number of times.
        expected: usize,
    },
    /// A similarity matrix that is not square over its ROIs.
    #[error(
        "variant {variant} has {rois} ROIs, {networks} networks and {similarities} similarities"
    )]
    SimilaritySize {
        /// Variant of the model.
        variant: String,
        /// Number of ROIs.
        rois: usize,
        /// Number of networks, expected one for each ROI.
        networks: usize,
        /// Number of similarities, expected one for each pair of ROIs.
        similarities: usize,
    },
    /// A target with contradictory tables of one run.
    #[error("target {target} has scores and no predictions")]
    NoPredictions {
        /// Name of the target.
        target: String,
    },
    /// An error within the report of one target.
    #[error("the report of target {target}")]
    Target {
        /// Name of the target.
        target: String,
        /// Underlying error.
        #[source]
        source: Box<ReportError>,
    },
    /// A checkpoint whose card does not describe its data.
    #[error("the card of a checkpoint does not tell of its data: {path:?}")]
    Card {
        /// Path of the checkpoint.
        path: PathBuf,
        /// Underlying error.
        #[source]
        source: serde_json::Error,
    },
    /// A plot that cannot be drawn.
    #[error("cannot draw a plot")]
    Draw(#[from] DrawingAreaErrorKind<std::io::Error>),
    /// A template that is damaged, or needs a value that the page lacks.
    #[error("cannot render the template {template}")]
    Template {
        /// Name of the template.
        template: &'static str,
        /// Underlying error.
        #[source]
        source: minijinja::Error,
    },
    /// Error of the run folder.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Error of a table or the notes of a reconstruction.
    #[error(transparent)]
    Pretrain(Box<PretrainError>),
    /// Error of a table or the notes of predictions.
    #[error(transparent)]
    Downstream(Box<DownstreamError>),
}

// In boxes: results carry errors on every path, and these are the largest.
impl From<PretrainError> for ReportError {
    fn from(error: PretrainError) -> Self {
        Self::Pretrain(Box::new(error))
    }
}

impl From<DownstreamError> for ReportError {
    fn from(error: DownstreamError) -> Self {
        Self::Downstream(Box::new(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_say_what_did_not_hold() {
        let errors = [
            ReportError::TraceLength {
                scan: "sub-01_rest".into(),
                roi: "Vis_1".into(),
                found: 19,
                expected: 20,
            },
            ReportError::SimilaritySize {
                variant: "sg".into(),
                rois: 6,
                networks: 6,
                similarities: 35,
            },
            ReportError::NoPredictions {
                target: "age_years".into(),
            },
            ReportError::Target {
                target: "age_years".into(),
                source: Box::new(ReportError::NoPredictions {
                    target: "age_years".into(),
                }),
            },
        ];
        let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(texts.join("\n"), @r"
        the trace of ROI Vis_1 in scan sub-01_rest has a series of 19 volumes, expected 20
        variant sg has 6 ROIs, 6 networks and 35 similarities
        target age_years has scores and no predictions
        the report of target age_years
        ");
    }
}
