//! The report of an experiment: one HTML page that needs nothing else. That of predictions is [`downstream`].
//!
//! It knows numbers and words, and neither run folders nor tables: [`ReportData`] goes in, a page comes
//! out. A number that isn't finite is shown as "–" and left out of plots.

mod canvas;
mod curve_plot;
mod dot_plot;
pub mod downstream;
mod drawing;
mod error_plot;
mod error_table;
mod figure;
mod heatmap;
mod marked_axis;
mod number;
mod page;
mod palette;
mod summary;
mod thin;
mod trace_plot;
mod words;

use anyhow::{Result, ensure};
use serde::Serialize;

use error_table::ErrorTable;
use figure::Figure;
use palette::Palette;

/// Everything that a report shows.
#[derive(Debug, Clone, Default)]
pub struct ReportData {
    /// Name of the experiment.
    pub title: String,
    /// One paragraph about the experiment.
    pub lead: String,
    /// How the numbers came about: data, split, model, training, machine, identities.
    pub facts: Vec<FactGroup>,
    /// What the intervals of the scores are over: "held-out subjects".
    pub unit: String,
    /// Error of each predictor at each mask ratio.
    pub scores: Vec<ScoreRow>,
    /// Losses over training.
    pub curves: Vec<Curve>,
    /// Example time courses.
    pub traces: Vec<Trace>,
    /// Similarity of ROI vectors, for each variant.
    pub similarity: Vec<Similarity>,
    /// Scans left out, each with the reason.
    pub excluded: Vec<(String, String)>,
    /// What a reader must know before the numbers.
    pub warnings: Vec<String>,
}

/// Facts under one heading.
#[derive(Debug, Clone, Serialize)]
pub struct FactGroup {
    /// The heading.
    pub name: String,
    /// Names and values.
    pub rows: Vec<(String, String)>,
}

/// Error of one predictor at one mask ratio.
#[derive(Debug, Clone)]
pub struct ScoreRow {
    /// "BrainMAE sg", "linear", …: what starts with "BrainMAE" is judged against the rest.
    pub predictor: String,
    /// Part of the signal that was hidden, within 0..1.
    pub mask_ratio: f64,
    /// Mean squared error of hidden ROIs.
    pub mse: f64,
    /// Lower end of its interval.
    pub low: f64,
    /// Upper end of its interval.
    pub high: f64,
    /// How many units the interval rests on.
    pub n_units: usize,
}

/// A metric over training.
#[derive(Debug, Clone)]
pub struct Curve {
    /// Model variant: "sg", "ag".
    pub variant: String,
    /// Name of the metric; what starts with "train/" is noisy and drawn with a running median.
    pub name: String,
    /// Step and value, in the order of steps.
    pub points: Vec<(f64, f64)>,
}

/// Time course of one ROI, measured and predicted.
#[derive(Debug, Clone)]
pub struct Trace {
    /// The scan it is from.
    pub scan: String,
    /// Name of the ROI.
    pub roi: String,
    /// Length of a segment.
    pub segment_secs: f64,
    /// Time of each volume.
    pub time_secs: Vec<f64>,
    /// Measured signal, z-scored.
    pub measured: Vec<f32>,
    /// Which volumes were hidden from the predictors.
    pub hidden: Vec<bool>,
    /// Predictors and what they predict; drawn where hidden.
    pub drawn: Vec<(String, Vec<f32>)>,
}

/// Cosine similarity between the ROI vectors of one variant.
#[derive(Debug, Clone)]
pub struct Similarity {
    /// Model variant.
    pub variant: String,
    /// Names of ROIs.
    pub rois: Vec<String>,
    /// The network of each ROI, where known.
    pub networks: Vec<Option<String>>,
    /// `rois × rois` similarities, row after row.
    pub matrix: Vec<f32>,
    /// How well similarity tells pairs of one network from other pairs; 0.5 is chance.
    pub auroc: Option<f64>,
}

/// What the template sees.
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
/// If lengths within a trace or a similarity don't agree.
pub fn render(data: &ReportData) -> Result<String> {
    check(data)?;
    let palette = Palette::of_predictors(data);
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
    page::render("report.html", page)
}

fn check(data: &ReportData) -> Result<()> {
    for trace in &data.traces {
        let volumes = trace.time_secs.len();
        let drawn = trace.drawn.iter().map(|(_, values)| values.len());
        ensure!(
            [trace.measured.len(), trace.hidden.len()]
                .into_iter()
                .chain(drawn)
                .all(|n| n == volumes),
            "the trace of ROI {} in scan {} has {volumes} times, and series of another length",
            trace.roi,
            trace.scan
        );
    }
    for similarity in &data.similarity {
        let n = similarity.rois.len();
        ensure!(
            similarity.networks.len() == n && similarity.matrix.len() == n * n,
            "variant {} has {n} ROIs, {} networks and {} similarities",
            similarity.variant,
            similarity.networks.len(),
            similarity.matrix.len()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests;
