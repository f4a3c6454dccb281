//! Downstream stage: every model predicts every target, on the same folds; finished predictions are
//! not repeated.

mod encoders;
mod place;
mod work;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use brainmae_data::duplicates::find_duplicates;
use brainmae_data::{PreparedDataset, ScanId};
use brainmae_downstream::motion::{confound_links, has_confounds, without_confounds};
use brainmae_downstream::registry::PLACE;
use brainmae_downstream::{
    FoldOf, Predictions, Repeated, Results, Signals, Subgroups, TargetNotes, Task, motion, notes,
};
use brainmae_encoder::WEIGHTS;
use brainmae_files::sha256_bytes;
use brainmae_machine::front::command;
use brainmae_machine::progress::Steps;
use brainmae_machine::{interrupt, workspace};
use brainmae_run::table::write_table;
use brainmae_run::{Manifest, RunFolder, Seeds, Status, write_atomic};

use super::{
    Desk, Material, PlannedRun, Scans, Stage, data, fail, manifest, pretrain, refusal, stopped,
};
use crate::experiment::{Design, Resolved};
use work::{Predicted, Work};

/// Folder of finished predictions, and of unfinished fits, within a run.
const PARTS: &str = "parts";

/// Name of the stage.
pub const NAME: &str = "downstream";

/// Predictions of all targets by all models, and their scores.
struct Downstream<'a> {
    design: Design<'a>,
    /// Targets with their examples; read once, on first use.
    tasks: OnceCell<Vec<Task>>,
}

/// Returns the stage of an experiment that predicts targets.
///
/// # Errors
/// If the experiment names a variant that does not exist.
pub fn stages(experiment: &Resolved) -> Result<Vec<Box<dyn Stage + '_>>> {
    let design = Design::of(experiment)?;
    let stage = |design| -> Box<dyn Stage + '_> {
        Box::new(Downstream {
            design,
            tasks: OnceCell::new(),
        })
    };
    Ok(design.map(stage).into_iter().collect())
}

/// Manifest of the stage.
///
/// # Errors
/// If a checkpoint cannot be read, or a config cannot be written as JSON.
fn manifest_of(design: &Design, desk: &Desk) -> Result<Manifest> {
    let base = &design.experiment.base;
    let folds = &desk.material()?.folds;
    let mut inputs = BTreeMap::new();
    let pretrained = desk.identities(&pretrain::name(&design.variant.name));
    for (number, identity) in (1..).zip(pretrained) {
        inputs.insert(format!("pretrain fold {number}"), identity.to_string());
    }
    if let Some(checkpoint) = design.checkpoint()? {
        inputs.insert("ckpt".to_string(), sha256_bytes(&checkpoint.read(WEIGHTS)?));
    }
    let hashes: Vec<String> = folds.iter().map(|fold| fold.split.hash()).collect();
    inputs.insert("folds".into(), sha256_bytes(hashes.concat().as_bytes()));
    let repeated = desk.material()?.repeated.iter().flatten();
    let hashes: Vec<String> = repeated.map(|fold| fold.split.hash()).collect();
    if !hashes.is_empty() {
        let hash = sha256_bytes(hashes.concat().as_bytes());
        inputs.insert("repeated folds".into(), hash);
    }
    if let Some(Scans { dataset, .. }) = folds.first() {
        inputs.insert("data".into(), dataset.content_hash().to_string());
    }
    let what = serde_json::json!({
        "about": base.about,
        "segments": base.segments,
        "model": pretrain::settings(design.variant),
        "downstream": design.config,
    });
    let (name, device) = (&design.experiment.name, &desk.options.device);
    Ok(manifest(name, NAME, what, inputs, base.seed, device))
}

impl Stage for Downstream<'_> {
    fn name(&self) -> String {
        NAME.to_string()
    }

    fn inputs(&self) -> Vec<String> {
        let design = &self.design;
        let pretrained = design
            .pretrains()
            .then(|| pretrain::name(&design.variant.name));
        [data::NAME.to_string()]
            .into_iter()
            .chain(pretrained)
            .collect()
    }

    fn cost(&self, _desk: &Desk) -> Result<String> {
        let config = self.design.config;
        let (models, targets) = (config.models.len(), config.targets.len());
        let mut words = format!("{models} models for {targets} targets");
        if config.repeats > 0 {
            words += &format!(", linear models on {} more partitions", config.repeats);
        }
        Ok(words)
    }

    fn runs(&self, desk: &Desk) -> Result<Vec<PlannedRun>> {
        Ok(vec![manifest_of(&self.design, desk)?.into()])
    }

    fn check(&self, desk: &Desk) -> Result<()> {
        let material = desk.material()?;
        for variant in &self.design.experiment.variants {
            pretrain::check(variant, &material.scans, desk.options)?;
        }
        refuse_duplicates(material)?;
        let seeds = Seeds::new(self.design.experiment.base.seed);
        let tasks = self.tasks(material)?;
        let all = [&material.folds].into_iter().chain(&material.repeated);
        all.into_iter()
            .try_for_each(|folds| check_folds(&self.design, folds, tasks, &seeds))
    }

    fn run(&self, desk: &Desk) -> Result<Vec<RunFolder>> {
        let (manifest, material) = (manifest_of(&self.design, desk)?, desk.material()?);
        let _span = tracing::info_span!("stage", name = manifest.stage).entered();
        if desk.is_finished(NAME)? {
            let run = desk.options.open(manifest)?;
            tracing::info!("finished already: {}", workspace::shown(run.path()));
            return Ok(vec![run]);
        }
        let tasks = self.tasks(material)?;
        let starts = encoders::starts(&self.design, desk)?;
        let mut run = desk.options.open(manifest)?;
        let device = desk.options.device.open()?;
        let work = Work {
            design: &self.design,
            folds: &material.folds,
            repeated: &material.repeated,
            seeds: Seeds::new(self.design.experiment.base.seed),
            device,
            parts: run.path().join(PARTS),
            threads: desk.options.threads,
            // A GPU, or LibTorch with all threads, computes one fit after another.
            side_by_side: desk.options.device.share_threads(desk.options.threads),
            memory: desk.options.device.memory(),
        };
        match work.predict_all(tasks, &starts).and_then(|all| {
            let dataset = &material.scans.dataset;
            write(run.path(), &self.design, all, tasks, dataset)
        }) {
            Ok(()) => run.set_status(Status::Finished, None)?,
            Err(error) => return Err(fail(&mut run, error)),
        }
        Ok(vec![run])
    }
}

impl Downstream<'_> {
    fn tasks(&self, material: &Material) -> Result<&[Task]> {
        if let Some(tasks) = self.tasks.get() {
            return Ok(tasks);
        }
        let tasks = tasks(&self.design, material)?;
        Ok(self.tasks.get_or_init(|| tasks))
    }
}

/// Table of primary scores, as text.
///
/// # Errors
/// If the run has no such table.
pub fn summary(run: &RunFolder) -> Result<String> {
    let path = run.path().join("results.md");
    std::fs::read_to_string(&path).with_context(|| format!("cannot read {path:?}"))
}

/// Refuses duplicate subjects: one person under two names could be in training and test set.
fn refuse_duplicates(material: &Material) -> Result<()> {
    let dataset = &material.scans.dataset;
    let mut steps = Steps::new("looking for duplicates", dataset.included().count() as u64);
    let duplicates = find_duplicates(dataset, |done, _| {
        steps.set(done as u64, String::new());
        interrupt::flow()
    })
    .map_err(stopped)?;
    drop(steps);
    for pair in duplicates {
        let repeated = material.repeated.iter().flatten();
        for Scans { split, .. } in material.folds.iter().chain(repeated) {
            let tested = |scan: &ScanId| split.test.contains(scan);
            let [a, b] = [&pair.first, &pair.second];
            ensure!(
                tested(a) == tested(b),
                "scans {a} and {b} hold the same signal, and one is tested where the other is trained on\nhint: `{}` lists such pairs; remove one, or give both subjects one family",
                command("data check")
            );
        }
    }
    Ok(())
}

fn tasks(design: &Design, material: &Material) -> Result<Vec<Task>> {
    let scans = &material.scans;
    let signals = Signals::read(&scans.dataset)?;
    let unit = material.folds.first().context("no folds")?.split.unit;
    let mut tasks = Vec::new();
    for (name, spec) in &design.config.targets {
        let (dataset, layout) = (&scans.dataset, &scans.layout);
        let confounds = &design.config.confounds;
        let task = Task::new(name, spec, dataset, &signals, unit, layout, confounds)
            .map_err(|error| refusal::downstream("downstream", error))?;
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

/// Checks all folds first, so that an error of the last one does not appear after hours.
fn check_folds(design: &Design, folds: &[Scans], tasks: &[Task], seeds: &Seeds) -> Result<()> {
    for task in tasks {
        for (number, Scans { split, .. }) in (1..).zip(folds) {
            for share in &design.config.train_shares {
                FoldOf::new(task, number, split, *share, seeds)?;
            }
        }
    }
    Ok(())
}

/// Writes all tables of a run.
fn write(
    folder: &Path,
    design: &Design,
    all: Predicted,
    tasks: &[Task],
    dataset: &PreparedDataset,
) -> Result<()> {
    let seeds = &Seeds::new(design.experiment.base.seed);
    let names = tasks.first().map(|task| task.table_confounds.clone());
    let names = names.unwrap_or_default();
    let predictions = Predictions::new(names.clone(), all.folds)?;
    write_table(folder, "predictions", &predictions.to_table()?)?;
    let spec = &design.config.results;
    let results = Results::new(&predictions, spec, seeds);
    let place = design.models.iter().find(|model| model.name() == PLACE);
    let notes = tasks.iter().map(|task| {
        let unit = design.config.targets.get(&task.name);
        let unit = unit.and_then(|spec| unit_of(spec.column.as_deref()?));
        let warning = place
            .and_then(|place| notes::place_tells(&results, &task.name, &place.title(task.kind)));
        let notes = TargetNotes {
            unit,
            warnings: warning.into_iter().collect(),
            ..TargetNotes::of(task, dataset.events())
        };
        (task.name.clone(), notes)
    });
    let notes: BTreeMap<String, TargetNotes> = notes.collect();
    notes::write(folder, &notes)?;
    write_table(folder, "results", &results.to_table()?)?;
    let links = confound_links(&predictions, spec.resamples, seeds);
    write_table(folder, "motion", &motion::to_table(&links)?)?;
    // Without measured confounds, no statement about them is possible.
    if has_confounds(&predictions) {
        let cleaned = Results::new(&without_confounds(&predictions)?, spec, seeds);
        write_table(folder, "results_without_motion", &cleaned.to_table()?)?;
    }
    let subgroups = Subgroups::new(&predictions, dataset.subjects(), spec, seeds);
    let mut text = results.to_markdown();
    if !all.repeated.is_empty() {
        let mut repeats = Vec::new();
        for rows in all.repeated {
            repeats.push(Predictions::new(names.clone(), rows)?);
        }
        let repeated = Repeated::new(&repeats, spec);
        write_table(folder, "repeated", &repeated.to_table()?)?;
        text.push_str(&repeated.to_markdown());
    }
    if !subgroups.rows().is_empty() {
        write_table(folder, "subgroups", &subgroups.to_table()?)?;
        text.push_str(&subgroups.to_markdown(spec));
    }
    for warning in notes.values().flat_map(|notes| &notes.warnings) {
        tracing::warn!("{warning}");
        text.push_str(&format!("\n**Warning:** {warning}.\n"));
    }
    write_atomic(&folder.join("results.md"), text.as_bytes())?;
    Ok(())
}

/// Unit of measurement at the end of a column's name: `age_years`.
fn unit_of(column: &str) -> Option<String> {
    const UNITS: [&str; 6] = ["years", "months", "days", "secs", "mm", "kg"];
    let (_, unit) = column.rsplit_once('_')?;
    UNITS.contains(&unit).then(|| unit.to_string())
}
