//! Errors of reports.

use std::path::PathBuf;

use brainmae_downstream::DownstreamError;
use brainmae_pretrain::PretrainError;
use brainmae_run::RunError;
use plotters::drawing::DrawingAreaErrorKind;

/// What of this crate may fail.
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
        /// The scan.
        scan: String,
        /// The ROI.
        roi: String,
        /// Length of the first series that differs.
        found: usize,
        /// Number of times.
        expected: usize,
    },
    /// A similarity that is no square matrix over its ROIs.
    #[error(
        "variant {variant} has {rois} ROIs, {networks} networks and {similarities} similarities"
    )]
    SimilaritySize {
        /// The variant of the model.
        variant: String,
        /// Number of ROIs.
        rois: usize,
        /// Number of networks, expected one for each ROI.
        networks: usize,
        /// Number of similarities, expected one for each pair of ROIs.
        similarities: usize,
    },
    /// A target that the tables of one run contradict one another about.
    #[error("target {target} has scores and no predictions")]
    NoPredictions {
        /// The target.
        target: String,
    },
    /// What failed within the report of one target.
    #[error("the report of target {target}")]
    Target {
        /// The target.
        target: String,
        /// Why.
        #[source]
        source: Box<ReportError>,
    },
    /// A checkpoint whose card does not tell of its data.
    #[error("the card of a checkpoint does not tell of its data: {path:?}")]
    Card {
        /// The checkpoint.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A plot that cannot be drawn.
    #[error("cannot draw a plot")]
    Draw(#[from] DrawingAreaErrorKind<std::io::Error>),
    /// A template that is damaged, or asks for what the page has not.
    #[error("cannot render the template {template}")]
    Template {
        /// Its name.
        template: &'static str,
        /// Why.
        #[source]
        source: minijinja::Error,
    },
    /// From the run folder.
    #[error(transparent)]
    Run(#[from] RunError),
    /// From a table or the notes of a reconstruction.
    #[error(transparent)]
    Pretrain(#[from] PretrainError),
    /// From a table or the notes of predictions.
    #[error(transparent)]
    Downstream(#[from] DownstreamError),
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
