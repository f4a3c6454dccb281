//! Data of the report of a finished reconstruction run, read from run folders.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use brainmae_data::DataCard;
use brainmae_pretrain::notes::Notes;
use brainmae_pretrain::reconstruction::ScanScore;
use brainmae_run::table::read_table;
use brainmae_run::{Card, Checkpoint, Manifest, MetricLog};

use super::{Curve, NetworkSimilarity, ReportData, RoiSimilarity, Score, Trace};
use crate::facts::{flatten, rows};
use crate::{FactGroup, ReportError, Result};

/// Metrics that the report plots over steps.
const CURVES: [&str; 3] = ["train/loss", "train/loss_hidden", "validation/loss_hidden"];

/// Pretraining run that a reconstruction used.
struct Pretraining {
    variant: String,
    folder: PathBuf,
    manifest: Manifest,
}

impl ReportData {
    /// Reads the folder of a finished run, and the folders of its inputs below `runs`, the folder
    /// of all runs.
    ///
    /// # Errors
    /// If a manifest, a table, a checkpoint, a log or the notes are missing or damaged.
    pub fn read(run: &Path, runs: &Path) -> Result<Self> {
        let manifest = Manifest::read(&run.join("manifest.json"))?;
        let trained = trained(&manifest, runs)?;
        let by_scan = ScanScore::from_table(&read_table(run, "reconstruction_by_scan")?)?;
        let subjects: BTreeSet<&str> = by_scan.iter().map(|s| s.subject.as_str()).collect();
        let scores = Score::from_table(&read_table(run, "reconstruction")?)?;
        let notes = Notes::read(run)?;
        let mut warnings = Vec::new();
        let n_units = scores.first().map_or(0, |score| score.n_units);
        if n_units < 10 {
            warnings.push(format!(
                "Intervals rest on {n_units} held-out units: they show how far these differ, and not how other data would."
            ));
        }
        Ok(Self {
            facts: facts(run, &manifest, &trained)?,
            title: manifest.experiment,
            lead: notes.about,
            unit: match subjects.len() {
                1 => "held-out scans of one subject".to_string(),
                n => format!("{n} held-out subjects"),
            },
            scores,
            curves: curves(&trained)?,
            traces: traces(run)?,
            similarity: similarity(run, &notes.networks)?,
            excluded: notes.excluded,
            warnings,
        })
    }
}

fn trained(manifest: &Manifest, runs: &Path) -> Result<Vec<Pretraining>> {
    let of_experiment = runs.join(&manifest.experiment);
    let mut trained = Vec::new();
    for (input, identity) in &manifest.inputs {
        if let Some(variant) = input.strip_prefix("pretrain-") {
            let folder = of_experiment.join(format!("{input}-{identity}"));
            let manifest = Manifest::read(&folder.join("manifest.json"))?;
            trained.push(Pretraining {
                variant: variant.to_string(),
                folder,
                manifest,
            });
        }
    }
    Ok(trained)
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

fn traces(run: &Path) -> Result<Vec<Trace>> {
    let mut traces = Trace::from_table(&read_table(run, "traces")?)?;
    for trace in &mut traces {
        // A constant prediction needs no line.
        trace.drawn.retain(|(predictor, _)| predictor != "zero");
    }
    Ok(traces)
}

fn similarity(run: &Path, networks: &BTreeMap<String, String>) -> Result<Vec<NetworkSimilarity>> {
    let all = RoiSimilarity::from_table(&read_table(run, "roi_similarity")?)?;
    let metrics = MetricLog::read(&run.join("metrics.jsonl"))?;
    let with_networks = |similarity: RoiSimilarity| {
        let name = format!("{}/network_auroc", similarity.variant);
        let auroc = metrics.iter().find(|metric| metric.name == name);
        let rois = similarity.rois.iter();
        NetworkSimilarity {
            networks: rois.map(|roi| networks.get(roi).cloned()).collect(),
            auroc: auroc.and_then(|metric| metric.value),
            similarity,
        }
    };
    Ok(all.into_iter().map(with_networks).collect())
}

fn facts(run: &Path, manifest: &Manifest, trained: &[Pretraining]) -> Result<Vec<FactGroup>> {
    let mut groups = Vec::new();
    if let Some(first) = trained.first() {
        let best = Checkpoint::open(&best_of(first))?;
        let data: DataCard =
            serde_json::from_value(best.card().data.clone()).map_err(|source| {
                let path = best_of(first);
                ReportError::Card { path, source }
            })?;
        groups.push(FactGroup::new("Data", data_rows(best.card(), &data)));
    }
    for run in trained {
        let best = Checkpoint::open(&best_of(run))?;
        let mut entries = rows([
            ("run", run.manifest.identity.to_string()),
            ("steps to the best checkpoint", best.card().step.to_string()),
            ("device", run.manifest.device.clone()),
            ("seed", run.manifest.seed.to_string()),
        ]);
        flatten("", &run.manifest.config, &mut entries);
        groups.push(FactGroup::new(
            &format!("BrainMAE {}", run.variant),
            entries,
        ));
    }
    let mut entries = rows([("run", run.display().to_string())]);
    for (name, version) in &manifest.versions {
        entries.push((format!("version of {name}"), version.clone()));
    }
    for metric in MetricLog::read(&run.join("metrics.jsonl"))? {
        if metric.name.starts_with("ridge of") {
            let ridge = metric.value;
            let ridge = ridge.map_or("–".to_string(), |value| value.to_string());
            entries.push((
                format!("{}, chosen on validation scans", metric.name),
                ridge,
            ));
        }
    }
    flatten("", &manifest.config["reconstruction"], &mut entries);
    groups.push(FactGroup::new("Scores", entries));
    Ok(groups)
}

fn best_of(run: &Pretraining) -> PathBuf {
    run.folder.join("checkpoints/best")
}

fn data_rows(card: &Card, data: &DataCard) -> Vec<(String, String)> {
    let segment_secs = data.segment_len_trs as f64 * data.dt_secs;
    rows([
        ("data set", data.dataset.clone()),
        ("data set sha256", data.dataset_sha256.clone()),
        ("atlas", format!("{}, {} ROIs", data.atlas, data.rois.len())),
        ("time between volumes", format!("{} s", data.dt_secs)),
        (
            "segment",
            format!("{} volumes, {segment_secs} s", data.segment_len_trs),
        ),
        ("sample", format!("{} segments", data.n_segments)),
        ("cleaning", data.cleaning.join(", ")),
        ("training scans", card.pretraining_scans.len().to_string()),
        (
            "training subjects",
            card.pretraining_subjects.len().to_string(),
        ),
        ("split sha256", card.split_sha256.clone()),
    ])
}
