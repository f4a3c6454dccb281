//! The downstream stage: everyone predicts every target, on the same folds; what is finished is not done again.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use brainmae_data::duplicates::find_duplicates;
use brainmae_data::{PreparedDataset, ScanId, Split};
use brainmae_downstream::brainmae::Encoder;
use brainmae_downstream::motion::{confound_links, without_confounds};
use brainmae_downstream::protocol::TABLE_CONFOUNDS;
use brainmae_downstream::{
    FoldOf, ModelName, Prediction, Predictions, Problem, Results, Signals, Task, motion,
};
use brainmae_run::identity::sha256;
use brainmae_run::table::{read_table, write_table};
use brainmae_run::{Manifest, RunFolder, Seeds, Status, write_atomic};
use burn::tensor::Device;

use super::downstream_notes::{self, TargetNotes};
use super::{Scans, fail, manifest, pretrain};
use crate::experiment::{DownstreamConfig, ExperimentConfig, Options, Resolved};
use crate::progress::Steps;
use crate::{interrupt, workspace};

/// Folder of finished predictions within a run.
const PARTS: &str = "parts";

/// Predicts all targets, or finds them predicted. Returns the run's folder, and nothing if it was asked to stop before the end.
///
/// # Errors
/// From data, models or files.
pub fn downstream(
    experiment: &Resolved,
    scans: &Scans,
    options: &Options,
) -> Result<Option<RunFolder>> {
    let config = experiment.base.downstream.as_ref();
    let config = config.context("the experiment has no [downstream] table")?;
    config.check()?;
    let (variant, model) = variant(experiment, config)?;
    let splits = folds(&experiment.base, config, scans)?;
    refuse_duplicates(scans, &splits)?;
    let tasks = tasks(config, scans, &splits[0])?;
    let mut encoders = Vec::new();
    for split in &splits {
        let scans = scans.with_split(split.clone());
        let pretrained = config.models.iter().any(|model| model.is_pretrained());
        let run = if pretrained {
            let run = pretrain::pretrain(&experiment.name, variant, model, &scans, options)?;
            let Some(run) = run else { return Ok(None) };
            Some(run)
        } else {
            None
        };
        encoders.push((scans, run));
    }
    let identities = encoders.iter().enumerate().filter_map(|(i, (_, run))| {
        let identity = run.as_ref()?.manifest().identity.to_string();
        Some((format!("pretrain fold {}", i + 1), identity))
    });
    let mut inputs: BTreeMap<String, String> = identities.collect();
    let hashes: Vec<String> = splits.iter().map(Split::hash).collect();
    inputs.insert("folds".into(), sha256(hashes.concat().as_bytes()));
    inputs.insert("data".into(), scans.dataset.content_hash().to_string());
    let what = serde_json::json!({
        "about": experiment.base.about,
        "segments": experiment.base.segments,
        "model": model.model,
        "downstream": config,
    });
    let name = &experiment.name;
    let seed = experiment.base.seed;
    let manifest: Manifest = manifest(name, "downstream", what, inputs, seed, &options.device);
    let _span = tracing::info_span!("stage", name = manifest.stage).entered();
    let mut run = options.open(manifest)?;
    if run.found() == Some(&Status::Finished) {
        tracing::info!("finished already: {}", workspace::shown(run.path()));
        return Ok(Some(run));
    }
    let device = options.device.open()?;
    options.device.share_threads(options.threads);
    let work = Work {
        config,
        model,
        seeds: Seeds::new(seed),
        device,
        run: &run,
    };
    match work
        .predict_all(&tasks, &encoders)
        .and_then(|all| work.write(&all, &tasks, &scans.dataset))
    {
        Ok(()) => run.set_status(Status::Finished, None)?,
        Err(error) => return Err(fail(&mut run, error)),
    }
    Ok(Some(run))
}

/// The table of primary scores, for people.
///
/// # Errors
/// If the run has none.
pub fn summary(run: &RunFolder) -> Result<String> {
    let path = run.path().join("results.md");
    std::fs::read_to_string(&path).with_context(|| format!("cannot read {path:?}"))
}

fn variant<'a>(
    experiment: &'a Resolved,
    config: &DownstreamConfig,
) -> Result<(&'a str, &'a ExperimentConfig)> {
    let mut variants = experiment.variants.iter();
    let found = match &config.variant {
        None => variants.next(),
        Some(wanted) => variants.find(|(name, _)| name == wanted),
    };
    let Some((name, config)) = found else {
        let known: Vec<&String> = experiment.variants.iter().map(|(name, _)| name).collect();
        bail!(
            "downstream.variant is {:?}, expected one of {known:?}",
            config.variant
        );
    };
    Ok((name, config))
}

fn folds(base: &ExperimentConfig, config: &DownstreamConfig, scans: &Scans) -> Result<Vec<Split>> {
    let rng = &mut Seeds::new(base.split_seed).stream("folds");
    let splits = config.folds.draw(&scans.dataset, rng)?;
    for split in &splits {
        split.check(&scans.dataset)?;
    }
    Ok(splits)
}

/// Somebody under two names would be trained on and tested.
fn refuse_duplicates(scans: &Scans, splits: &[Split]) -> Result<()> {
    let mut steps = Steps::new(
        "looking for duplicates",
        scans.dataset.included().count() as u64,
    );
    let duplicates = find_duplicates(&scans.dataset, |done, _| {
        steps.set(done as u64, String::new())
    })?;
    drop(steps);
    for pair in duplicates {
        for split in splits {
            let tested = |scan: &ScanId| split.test.contains(scan);
            let [a, b] = [&pair.first, &pair.second];
            ensure!(
                tested(a) == tested(b),
                "scans {a} and {b} hold the same signal, and one is tested where the other is trained on\nhint: `cargo xtask data check` lists such pairs; remove one, or give both subjects one family"
            );
        }
    }
    Ok(())
}

fn tasks(config: &DownstreamConfig, scans: &Scans, split: &Split) -> Result<Vec<Task>> {
    let signals = Signals::read(&scans.dataset)?;
    let mut tasks = Vec::new();
    for (name, spec) in &config.targets {
        let task = Task::new(
            name,
            spec,
            &scans.dataset,
            &signals,
            split.unit,
            &scans.layout,
        )?;
        tracing::info!(
            examples = task.examples.len(),
            left_out = task.left_out.len(),
            mixed = task.n_mixed,
            "target {name}"
        );
        tasks.push(task);
    }
    Ok(tasks)
}

struct Work<'a> {
    config: &'a DownstreamConfig,
    model: &'a ExperimentConfig,
    seeds: Seeds,
    device: Device,
    run: &'a RunFolder,
}

impl Work<'_> {
    fn predict_all(
        &self,
        tasks: &[Task],
        encoders: &[(Scans, Option<RunFolder>)],
    ) -> Result<Vec<Prediction>> {
        let parts = self.run.path().join(PARTS);
        std::fs::create_dir_all(&parts).with_context(|| format!("cannot make {parts:?}"))?;
        let per_fold = tasks.len() * self.config.train_shares.len() * self.config.models.len();
        let mut steps = Steps::new("downstream", (per_fold * encoders.len()) as u64);
        let mut all = Vec::new();
        for (fold, (scans, pretrained)) in encoders.iter().enumerate() {
            let encoder = self.encoder(scans, pretrained.as_ref())?;
            let number = fold as u32 + 1;
            for task in tasks {
                for share in &self.config.train_shares {
                    for model in &self.config.models {
                        let place = [
                            task.name.as_str(),
                            &number.to_string(),
                            &share.to_string(),
                            &model.title(task.kind),
                        ];
                        let part = sha256(place.join("\n").as_bytes());
                        let rows = match part_of(&parts, &part)? {
                            Some(rows) => rows,
                            None => {
                                let rows =
                                    self.predict(task, number, *share, *model, &encoder, scans)?;
                                let frame = Predictions::new(confounds(), rows.clone())?;
                                write_table(&parts, &part, &mut frame.to_frame()?)?;
                                rows
                            }
                        };
                        all.extend(rows);
                        steps.tick(format!(
                            "fold {number}, {}, {}",
                            task.name,
                            model.title(task.kind)
                        ));
                        interrupt::exit_if_asked();
                    }
                }
            }
        }
        Ok(all)
    }

    fn encoder(&self, scans: &Scans, pretrained: Option<&RunFolder>) -> Result<Encoder> {
        let weights = pretrained
            .map(|run| pretrain::best_model(run, self.model, scans, &self.device))
            .transpose()?;
        Ok(Encoder {
            config: self.model.model.clone(),
            layout: scans.layout,
            weights,
        })
    }

    fn predict(
        &self,
        task: &Task,
        number: u32,
        share: f64,
        model: ModelName,
        encoder: &Encoder,
        scans: &Scans,
    ) -> Result<Vec<Prediction>> {
        let fold = FoldOf::new(task, number, &scans.split, share, &self.seeds)?;
        let (budget, linear) = (self.config.neural, self.config.linear);
        let learner = model.learner(task.kind, encoder, &self.config.finetune, budget, linear)?;
        let problem = Problem {
            target: task.name.clone(),
            kind: task.kind,
            n_rois: scans.dataset.atlas().n_rois(),
            dt_secs: scans.dataset.dt_secs(),
            segment_len_trs: scans.layout.segment_len_trs,
            confounds: task.confounds.clone(),
            seeds: self.seeds.within("downstream", &[u64::from(number)]),
            device: self.device.clone(),
        };
        let predicted = fold.predict(&*learner, &problem);
        predicted.with_context(|| format!("{} for {}, fold {number}", learner.name(), task.name))
    }

    fn write(&self, all: &[Prediction], tasks: &[Task], dataset: &PreparedDataset) -> Result<()> {
        let folder = self.run.path();
        let predictions = Predictions::new(confounds(), all.to_vec())?;
        let notes = tasks.iter().map(|task| {
            let notes = TargetNotes::of(task, dataset.events());
            let unit = self.config.targets.get(&task.name);
            let unit = unit.and_then(|spec| unit_of(spec.column.as_deref()?));
            (task.name.clone(), TargetNotes { unit, ..notes })
        });
        downstream_notes::write(folder, &notes.collect())?;
        write_table(folder, "predictions", &mut predictions.to_frame()?)?;
        let spec = &self.config.results;
        let results = Results::new(&predictions, spec, &self.seeds);
        write_table(folder, "results", &mut results.to_frame()?)?;
        let links = confound_links(&predictions, spec.resamples, &self.seeds);
        write_table(folder, "motion", &mut motion::to_frame(&links)?)?;
        // Where motion was not measured, nothing can be said of it.
        let known = |row: &Prediction| row.confounds.iter().all(Option::is_some);
        if predictions.rows().iter().any(known) {
            let cleaned = Results::new(&without_confounds(&predictions)?, spec, &self.seeds);
            write_table(folder, "results_without_motion", &mut cleaned.to_frame()?)?;
        }
        write_atomic(&folder.join("results.md"), results.to_markdown().as_bytes())?;
        Ok(())
    }
}

/// The unit at the end of a column's name: `age_years`.
fn unit_of(column: &str) -> Option<String> {
    const UNITS: [&str; 6] = ["years", "months", "days", "secs", "mm", "kg"];
    let (_, unit) = column.rsplit_once('_')?;
    UNITS.contains(&unit).then(|| unit.to_string())
}

fn confounds() -> Vec<String> {
    TABLE_CONFOUNDS.map(String::from).to_vec()
}

/// Predictions that were finished before.
fn part_of(parts: &std::path::Path, name: &str) -> Result<Option<Vec<Prediction>>> {
    if !parts.join(format!("{name}.parquet")).exists() {
        return Ok(None);
    }
    let frame = read_table(parts, name)?;
    Ok(Some(Predictions::from_frame(&frame)?.rows().to_vec()))
}
