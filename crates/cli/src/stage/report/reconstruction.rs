//! From a finished reconstruction run to its report: everything on the page is read from run folders.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use brainmae_data::DataCard;
use brainmae_machine::workspace;
use brainmae_pretrain::reconstruction::Score;
use brainmae_run::table::read_table;
use brainmae_run::{Checkpoint, Manifest, MetricLog, RunFolder, write_atomic};
use polars::prelude::DataFrame;

use crate::report::{Curve, FactGroup, ReportData, ScoreRow, Similarity, Trace, render};

/// Writes `report.html` into the run folder; `runs` is the folder of all runs. Returns the page's path.
///
/// # Errors
/// If a table or a log is missing.
pub fn write(run: &Path, runs: &Path) -> Result<PathBuf> {
    let page = run.join("report.html");
    let data =
        gather(run, runs).with_context(|| format!("reading the run {}", workspace::shown(run)))?;
    write_atomic(&page, render(&data)?.as_bytes())?;
    Ok(page)
}

/// Metrics that the report draws over steps.
const CURVES: [&str; 3] = ["train/loss", "train/loss_hidden", "validation/loss_hidden"];

/// A pretraining run that a reconstruction used.
struct Pretraining {
    variant: String,
    folder: PathBuf,
    manifest: Manifest,
}

fn gather(run: &Path, runs: &Path) -> Result<ReportData> {
    let manifest = Manifest::read(&run.join("manifest.json"))?;
    let mut trained = Vec::new();
    for (input, identity) in &manifest.inputs {
        if let Some(variant) = input.strip_prefix("pretrain-") {
            let folder = runs
                .join(&manifest.experiment)
                .join(format!("{input}-{identity}"));
            let manifest = Manifest::read(&folder.join("manifest.json"))?;
            trained.push(Pretraining {
                variant: variant.to_string(),
                folder,
                manifest,
            });
        }
    }
    let by_scan = read_table(run, "reconstruction_by_scan")?;
    let subjects = by_scan.column("subject")?.n_unique()?;
    let scores = Score::from_frame(&read_table(run, "reconstruction")?)?;
    let notes = Notes::read(run)?;
    let mut warnings = Vec::new();
    let n_units = scores.first().map_or(0, |score| score.n_units);
    if n_units < 10 {
        warnings.push(format!(
            "Intervals rest on {n_units} held-out units: they show how far these differ, and not how other data would."
        ));
    }
    Ok(ReportData {
        title: manifest.experiment.clone(),
        lead: notes.about,
        facts: facts(run, &manifest, &trained)?,
        unit: match subjects {
            1 => "held-out scans of one subject".to_string(),
            n => format!("{n} held-out subjects"),
        },
        scores: scores
            .into_iter()
            .map(|score| ScoreRow {
                predictor: score.predictor,
                mask_ratio: score.mask_ratio,
                mse: score.mse.mean,
                low: score.mse.low,
                high: score.mse.high,
                n_units: score.n_units,
            })
            .collect(),
        curves: curves(&trained)?,
        traces: traces(&read_table(run, "traces")?)?,
        similarity: similarity(run, &notes.networks)?,
        excluded: notes.excluded,
        warnings,
    })
}

/// What a report says beside numbers; written by the stage, as `notes.json`.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct Notes {
    /// What the experiment asks.
    pub about: String,
    /// Scans left out, with reasons.
    pub excluded: Vec<(String, String)>,
    /// Network of every ROI, where the atlas has networks.
    pub networks: BTreeMap<String, String>,
}

impl Notes {
    fn read(run: &Path) -> Result<Self> {
        let path = run.join("notes.json");
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {path:?}"))?;
        serde_json::from_str(&text).with_context(|| format!("{path:?} is damaged"))
    }

    /// # Errors
    /// If the run folder is not writable.
    pub fn write(&self, run: &RunFolder) -> Result<()> {
        let text = serde_json::to_vec_pretty(self)?;
        Ok(write_atomic(&run.path().join("notes.json"), &text)?)
    }
}

fn curves(trained: &[Pretraining]) -> Result<Vec<Curve>> {
    let mut curves: Vec<Curve> = Vec::new();
    for run in trained {
        for metric in MetricLog::read(&run.folder.join("metrics.jsonl"))? {
            if !CURVES.contains(&metric.name.as_str()) {
                continue;
            }
            let known = |c: &&mut Curve| c.variant == run.variant && c.name == metric.name;
            let point = (metric.step as f64, metric.value.unwrap_or(f64::NAN));
            match curves.iter_mut().find(known) {
                Some(curve) => curve.points.push(point),
                None => curves.push(Curve {
                    variant: run.variant.clone(),
                    name: metric.name,
                    points: vec![point],
                }),
            }
        }
    }
    Ok(curves)
}

fn traces(table: &DataFrame) -> Result<Vec<Trace>> {
    let fixed = [
        "scan",
        "roi",
        "segment_secs",
        "time_secs",
        "measured",
        "hidden",
    ];
    let rois = table.column("roi")?.str()?;
    let scans = table.column("scan")?.str()?;
    let segment_secs = table.column("segment_secs")?.f64()?;
    let time_secs = table.column("time_secs")?.f64()?;
    let measured = table.column("measured")?.f32()?;
    let hidden = table.column("hidden")?.bool()?;
    let mut drawn = Vec::new();
    for column in table.columns() {
        // Predicting a constant needs no line.
        if !fixed.contains(&column.name().as_str()) && column.name() != "zero" {
            drawn.push((column.name().to_string(), column.f32()?));
        }
    }
    let mut traces: Vec<Trace> = Vec::new();
    for i in 0..table.height() {
        let roi = rois.get(i).unwrap_or_default();
        if traces.last().is_none_or(|trace| trace.roi != roi) {
            traces.push(Trace {
                scan: scans.get(i).unwrap_or_default().to_string(),
                roi: roi.to_string(),
                segment_secs: segment_secs.get(i).unwrap_or(f64::NAN),
                time_secs: vec![],
                measured: vec![],
                hidden: vec![],
                drawn: drawn
                    .iter()
                    .map(|(name, _)| (name.clone(), vec![]))
                    .collect(),
            });
        }
        let Some(trace) = traces.last_mut() else {
            continue;
        };
        trace.time_secs.push(time_secs.get(i).unwrap_or(f64::NAN));
        trace.measured.push(measured.get(i).unwrap_or(f32::NAN));
        trace.hidden.push(hidden.get(i).unwrap_or(false));
        for ((_, values), (_, column)) in trace.drawn.iter_mut().zip(&drawn) {
            values.push(column.get(i).unwrap_or(f32::NAN));
        }
    }
    Ok(traces)
}

fn similarity(run: &Path, networks: &BTreeMap<String, String>) -> Result<Vec<Similarity>> {
    let table = read_table(run, "roi_similarity")?;
    let metrics = MetricLog::read(&run.join("metrics.jsonl"))?;
    let variants = table.column("variant")?.str()?;
    let rois = table.column("roi_b")?.str()?;
    let cosine = table.column("cosine")?.f32()?;
    let mut found: Vec<Similarity> = Vec::new();
    for i in 0..table.height() {
        let variant = variants.get(i).unwrap_or_default();
        if found.last().is_none_or(|s| s.variant != variant) {
            let auroc = metrics
                .iter()
                .find(|m| m.name == format!("{variant}/network_auroc"));
            found.push(Similarity {
                variant: variant.to_string(),
                rois: vec![],
                networks: vec![],
                matrix: vec![],
                auroc: auroc.and_then(|m| m.value),
            });
        }
        if let Some(similarity) = found.last_mut() {
            similarity.matrix.push(cosine.get(i).unwrap_or(f32::NAN));
            similarity
                .rois
                .push(rois.get(i).unwrap_or_default().to_string());
        }
    }
    for similarity in &mut found {
        // The table has a row per pair; the names of the first row of the matrix are all.
        similarity.rois.truncate(similarity.matrix.len().isqrt());
        similarity.networks = similarity
            .rois
            .iter()
            .map(|roi| networks.get(roi).cloned())
            .collect();
    }
    Ok(found)
}

fn facts(run: &Path, manifest: &Manifest, trained: &[Pretraining]) -> Result<Vec<FactGroup>> {
    let mut groups = Vec::new();
    if let Some(first) = trained.first() {
        let card = Checkpoint::open(&first.folder.join("checkpoints/best"))?
            .card()
            .clone();
        let data: DataCard = serde_json::from_value(card.data.clone())?;
        groups.push(FactGroup {
            name: "Data".to_string(),
            rows: rows([
                ("data set", data.dataset.clone()),
                ("data set sha256", data.dataset_sha256.clone()),
                ("atlas", format!("{}, {} ROIs", data.atlas, data.rois.len())),
                ("time between volumes", format!("{} s", data.dt_secs)),
                (
                    "segment",
                    format!(
                        "{} volumes, {} s",
                        data.segment_len_trs,
                        data.segment_len_trs as f64 * data.dt_secs
                    ),
                ),
                ("sample", format!("{} segments", data.n_segments)),
                ("cleaning", data.cleaning.join(", ")),
                ("training scans", card.pretraining_scans.len().to_string()),
                (
                    "training subjects",
                    card.pretraining_subjects.len().to_string(),
                ),
                ("split sha256", card.split_sha256.clone()),
            ]),
        });
    }
    for run in trained {
        let best = Checkpoint::open(&run.folder.join("checkpoints/best"))?;
        let mut entries = rows([
            ("run", run.manifest.identity.to_string()),
            ("steps to the best checkpoint", best.card().step.to_string()),
            ("device", run.manifest.device.clone()),
            ("seed", run.manifest.seed.to_string()),
        ]);
        flatten("", &run.manifest.config, &mut entries);
        groups.push(FactGroup {
            name: format!("BrainMAE {}", run.variant),
            rows: entries,
        });
    }
    let mut entries = rows([("run", workspace::shown(run))]);
    for (name, version) in &manifest.versions {
        entries.push((format!("version of {name}"), version.clone()));
    }
    for metric in MetricLog::read(&run.join("metrics.jsonl"))? {
        if metric.name.starts_with("ridge of") {
            let ridge = metric
                .value
                .map_or("–".to_string(), |value| value.to_string());
            entries.push((
                format!("{}, chosen on validation scans", metric.name),
                ridge,
            ));
        }
    }
    flatten("", &manifest.config["reconstruction"], &mut entries);
    groups.push(FactGroup {
        name: "Scores".to_string(),
        rows: entries,
    });
    Ok(groups)
}

fn rows<const N: usize>(rows: [(&str, String); N]) -> Vec<(String, String)> {
    rows.map(|(name, value)| (name.to_string(), value)).to_vec()
}

/// Every leaf of a config with its dotted name.
pub(super) fn flatten(name: &str, value: &serde_json::Value, rows: &mut Vec<(String, String)>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (key, value) in fields {
                let name = if name.is_empty() {
                    key.clone()
                } else {
                    format!("{name}.{key}")
                };
                flatten(&name, value, rows);
            }
        }
        serde_json::Value::String(text) => rows.push((name.to_string(), text.clone())),
        other => rows.push((name.to_string(), other.to_string())),
    }
}
