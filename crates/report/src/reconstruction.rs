//! Report of an experiment that reconstructs hidden ROIs: one HTML page without other files.
//!
//! [`ReportData`] holds the numbers and words of a page, and [`render`] makes the page from them. A
//! number that is not finite appears as "–" and is left out of plots.

mod curve_plot;
mod error_plot;
mod error_table;
mod heatmap;
mod run;
mod summary;
mod trace_plot;

use serde::Serialize;

pub use brainmae_pretrain::reconstruction::{Score, TrainingError};
pub use brainmae_pretrain::roi_similarity::RoiSimilarity;
pub use brainmae_pretrain::traces::Trace;
pub use brainmae_statistics::MeanInterval;

use crate::figure::Figure;
use crate::page;
use crate::palette::Palette;
use crate::{FactGroup, ReportError, Result};
use error_table::ErrorTable;

/// Contents of a report.
#[derive(Debug, Clone, Default)]
pub struct ReportData {
    /// Name of the experiment.
    pub title: String,
    /// One paragraph about the experiment.
    pub lead: String,
    /// Facts about the origin of the numbers: data, split, model, training, machine, identities.
    pub facts: Vec<FactGroup>,
    /// Unit that the intervals of the scores resample: "held-out subjects".
    pub unit: String,
    /// Error of each predictor at each mask ratio; a predictor whose name starts with "BrainMAE" is
    /// compared with the others.
    pub scores: Vec<Score>,
    /// Losses over training.
    pub curves: Vec<Curve>,
    /// Example time courses; predictions are drawn where the ROI was hidden.
    pub traces: Vec<Trace>,
    /// Similarity of ROI vectors, for each variant.
    pub similarity: Vec<NetworkSimilarity>,
    /// Excluded scans, each with the reason.
    pub excluded: Vec<(String, String)>,
    /// Warnings that precede the numbers.
    pub warnings: Vec<String>,
}

/// Values of a metric over training.
#[derive(Debug, Clone)]
pub struct Curve {
    /// Model variant: "sg", "ag".
    pub variant: String,
    /// Name of the metric. A name that starts with "train/" is noisy and drawn with a running
    /// median.
    pub name: String,
    /// Step and value, in the order of steps.
    pub points: Vec<(f64, f64)>,
}

/// Similarity of the ROI vectors of one variant, with the networks of the ROIs.
#[derive(Debug, Clone)]
pub struct NetworkSimilarity {
    /// Cosine similarities of all pairs of ROIs.
    pub similarity: RoiSimilarity,
    /// Network of each ROI; `None` if unknown.
    pub networks: Vec<Option<String>>,
    /// Area under the ROC curve: how well similarity separates pairs within one network from other
    /// pairs; 0.5 is chance.
    pub auroc: Option<f64>,
}

/// Input of the template.
#[derive(Serialize)]
struct Page<'a> {
    title: &'a str,
    lead: &'a str,
    warnings: &'a [String],
    findings: Vec<String>,
    table: ErrorTable,
    figures: Vec<Figure>,
    excluded: &'a [(String, String)],
    facts: &'a [FactGroup],
}

/// Renders the page.
///
/// # Errors
/// [`ReportError::TraceLength`], [`ReportError::SimilaritySize`].
pub fn render(data: &ReportData) -> Result<String> {
    check(data)?;
    let scored = data.scores.iter().map(|row| &row.predictor);
    let drawn = data.traces.iter().flat_map(|trace| &trace.drawn);
    let palette = Palette::of(scored.chain(drawn.map(|(name, _)| name)));
    let page = Page {
        title: &data.title,
        lead: &data.lead,
        warnings: &data.warnings,
        findings: summary::findings(&data.scores),
        table: ErrorTable::new(&data.scores, &data.unit),
        figures: vec![
            error_plot::figure(&data.scores, &data.unit, &palette)?,
            curve_plot::figure(&data.curves)?,
            trace_plot::figure(&data.traces, &palette)?,
            heatmap::figure(&data.similarity),
        ],
        excluded: &data.excluded,
        facts: &data.facts,
    };
    page::render("reconstruction.html", page)
}

fn check(data: &ReportData) -> Result<()> {
    for trace in &data.traces {
        let expected = trace.time_secs.len();
        let drawn = trace.drawn.iter().map(|(_, values)| values.len());
        let mut lengths = [trace.measured.len(), trace.hidden.len()]
            .into_iter()
            .chain(drawn);
        if let Some(found) = lengths.find(|n| *n != expected) {
            return Err(ReportError::TraceLength {
                scan: trace.scan.clone(),
                roi: trace.roi.clone(),
                found,
                expected,
            });
        }
    }
    for of_variant in &data.similarity {
        let similarity = &of_variant.similarity;
        let n = similarity.rois.len();
        let networks = of_variant.networks.len();
        let similarities = similarity.cosine.len();
        if networks != n || similarities != n * n {
            return Err(ReportError::SimilaritySize {
                variant: similarity.variant.clone(),
                rois: n,
                networks,
                similarities,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
