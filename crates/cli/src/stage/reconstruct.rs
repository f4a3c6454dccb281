//! Reconstruction stage: every trained model and the simple predictors fill in the same hidden ROIs
//! of the test scans.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use brainmae_data::{Exclusion, ScanId, ScanStore};
use brainmae_machine::progress::Steps;
use brainmae_machine::{interrupt, workspace};
use brainmae_pretrain::notes::Notes;
use brainmae_pretrain::predictor::{
    LinearBottleneck, LinearPredictor, MixturePredictor, NeighbouringSegments, Predictor, Scope,
    VisibleMean, Zero,
};
use brainmae_pretrain::reconstruction::{
    ReconstructionConfig, ScanScore, Score, score, scored_training_scans, scoring_batches,
    summarise,
};
use brainmae_pretrain::roi_similarity::RoiSimilarity;
use brainmae_pretrain::traces::{Trace, traces};
use brainmae_run::table::{read_table, write_table};
use brainmae_run::{Manifest, Metric, RunFolder, Seeds, Status};

use super::{Desk, PlannedRun, Scans, Stage, data, fail, manifest, pretrain, stopped};
use crate::experiment::{Options, Resolved, Variant};

/// Largest number of values of a segment for the linear predictor of whole segments. It inverts a
/// matrix with `rois * time` rows and columns for every mask, which would take hours beyond this.
const MOST_SEGMENT_VALUES: usize = 1000;

/// Scoring of all variants and of the simple predictors.
struct Reconstruct<'a> {
    experiment: &'a Resolved,
}

/// Returns the stage of an experiment without targets whose models fill in hidden ROIs.
///
/// # Errors
/// Never.
pub fn stages(experiment: &Resolved) -> Result<Vec<Box<dyn Stage + '_>>> {
    Ok(match is_there(experiment) {
        true => vec![Box::new(Reconstruct { experiment })],
        false => Vec::new(),
    })
}

/// Whether the experiment has this stage.
pub fn is_there(experiment: &Resolved) -> bool {
    experiment.base.downstream.is_none() && predicting(experiment).next().is_some()
}

/// Variants whose models fill in hidden ROIs.
fn predicting(experiment: &Resolved) -> impl Iterator<Item = &Variant> {
    let variants = experiment.variants.iter();
    variants.filter(|variant| variant.model.reconstructs_rois())
}

/// Name of the stage.
pub const NAME: &str = "reconstruct";

impl Stage for Reconstruct<'_> {
    fn name(&self) -> String {
        NAME.to_string()
    }

    fn inputs(&self) -> Vec<String> {
        let trained = predicting(self.experiment).map(|variant| pretrain::name(&variant.name));
        [data::NAME.to_string()]
            .into_iter()
            .chain(trained)
            .collect()
    }

    fn cost(&self, _desk: &Desk) -> Result<String> {
        let config = &self.experiment.base.reconstruction;
        let (ratios, draws) = (config.mask_ratios.len(), config.draws);
        Ok(format!("{draws} masks of each of {ratios} mask ratios"))
    }

    fn runs(&self, desk: &Desk) -> Result<Vec<PlannedRun>> {
        let scans = &desk.material()?.scans;
        let manifest = identify(self.experiment, desk, scans)?;
        Ok(vec![manifest.into()])
    }

    fn check(&self, desk: &Desk) -> Result<()> {
        let n_rois = desk.material()?.scans.dataset.atlas().n_rois();
        check(&self.experiment.base.reconstruction, n_rois)
    }

    fn run(&self, desk: &Desk) -> Result<Vec<RunFolder>> {
        let mut trained = Vec::new();
        for variant in predicting(self.experiment) {
            trained.push(Trained {
                variant,
                run: desk.run_of(&pretrain::name(&variant.name))?,
            });
        }
        let scans = &desk.material()?.scans;
        let manifest = identify(self.experiment, desk, scans)?;
        let run = reconstruct(self.experiment, &trained, scans, desk.options, manifest)?;
        Ok(vec![run])
    }
}

/// A trained variant.
struct Trained<'a> {
    variant: &'a Variant,
    /// Finished run of the variant.
    run: &'a RunFolder,
}

impl Trained<'_> {
    /// Name of the model in tables.
    fn predictor_name(&self) -> String {
        let kind = self.variant.model.encoder_kind();
        format!("{} {}", kind.title, self.variant.name)
    }
}

/// Manifest of a reconstruction run.
fn identify(experiment: &Resolved, desk: &Desk, scans: &Scans) -> Result<Manifest> {
    let what = serde_json::json!({
        "about": experiment.base.about,
        "segments": experiment.base.segments,
        "reconstruction": experiment.base.reconstruction,
    });
    let mut inputs = scans.inputs();
    for variant in predicting(experiment) {
        let stage = pretrain::name(&variant.name);
        let identities = desk.identities(&stage);
        let identity = identities
            .first()
            .with_context(|| format!("no run of {stage} is planned"))?;
        inputs.insert(stage, identity.to_string());
    }
    let (seed, device) = (experiment.base.seed, &desk.options.device);
    Ok(manifest(&experiment.name, NAME, what, inputs, seed, device))
}

/// Scores all predictors on the test scans, unless they are already scored.
fn reconstruct(
    experiment: &Resolved,
    trained: &[Trained],
    scans: &Scans,
    options: &Options,
    manifest: Manifest,
) -> Result<RunFolder> {
    let _span = tracing::info_span!("stage", name = NAME).entered();
    let mut run = options.open(manifest)?;
    if run.found() == Some(&Status::Finished) {
        tracing::info!("finished already: {}", workspace::shown(run.path()));
        return Ok(run);
    }
    match score_all(experiment, trained, scans, options, &run) {
        Ok(()) => run.set_status(Status::Finished, None)?,
        Err(error) => return Err(fail(&mut run, error)),
    }
    Ok(run)
}

fn score_all(
    experiment: &Resolved,
    trained: &[Trained],
    scans: &Scans,
    options: &Options,
    run: &RunFolder,
) -> Result<()> {
    let config = &experiment.base.reconstruction;
    let seeds = Seeds::new(experiment.base.seed);
    let mut budget = experiment.base.data.budget()?;
    let mut load =
        |ids: &[ScanId]| ScanStore::load_within(&scans.dataset, ids, &scans.layout, &mut budget);
    // The test scans take memory first, because they are read most often; the training scans are
    // read only once or twice.
    let test = load(&scans.split.test)?;
    let validation_store = load(&scans.split.validation)?;
    let training = load(&scans.split.train)?;
    let seen = load(&scored_training_scans(&scans.split.train))?;
    // Ridge penalties and numbers of Gaussians are chosen like the models' best checkpoints: on the
    // validation set, with half of the ROIs hidden.
    let validation = || scoring_batches(&validation_store, &scans.layout, config, 0.5, &seeds);
    let fit = |scope| LinearPredictor::fit(scope, &training, &scans.layout, validation());
    let linear = fit(Scope::Volume)?;
    let n_values = training.n_rois() * scans.layout.segment_len_trs;
    let segment = (n_values <= MOST_SEGMENT_VALUES)
        .then(|| fit(Scope::Segment))
        .transpose()?;
    let neighbours = NeighbouringSegments::fit(&training, &scans.layout, validation())?;
    let mut mixtures = Vec::new();
    for scope in [Scope::Segment, Scope::Volume] {
        let layout = &scans.layout;
        mixtures.extend(MixturePredictor::fit(
            scope,
            &training,
            layout,
            validation(),
            &seeds,
        )?);
    }
    let device = options.device.open()?;
    options.device.share_threads(options.threads);
    let (mut models, mut widths, mut similarities) = (Vec::new(), Vec::new(), Vec::new());
    for t in trained {
        let name = t.predictor_name();
        let load = || -> Result<_> {
            let best = pretrain::best(t.run)?;
            let model = &t.variant.model;
            let predictor = model.predictor(&name, &best, scans.evaluation(), &device)?;
            let encoder = best.encoder_of(&experiment.registry.encoders(), &device)?;
            Ok((predictor, encoder))
        };
        let (predictor, encoder) = load().with_context(|| format!("loading {name}"))?;
        models.extend(predictor);
        let width = encoder.model().width();
        widths.push(width);
        if let Some(vectors) = encoder.model().roi_vectors() {
            let values: Vec<f32> = vectors.into_data().iter::<f32>().collect();
            let atlas = scans.dataset.atlas();
            let variant = &t.variant.name;
            similarities.push(RoiSimilarity::new(variant, &values, width, atlas));
        }
    }
    // Numbers of components equal to the widths of the models' states.
    widths.sort_unstable();
    widths.dedup();
    let bottlenecks = widths
        .into_iter()
        .map(|d| LinearBottleneck::fit(linear.clone(), &training, &scans.layout, d))
        .collect::<Result<Vec<_>, _>>()?;
    let mut predictors: Vec<&dyn Predictor> = models.iter().map(|m| &**m).collect();
    predictors.extend(mixtures.iter().map(|m| m as &dyn Predictor));
    predictors.extend(segment.iter().map(|s| s as &dyn Predictor));
    predictors.push(&linear);
    predictors.extend(bottlenecks.iter().map(|b| b as &dyn Predictor));
    predictors.extend([&neighbours as &dyn Predictor, &VisibleMean, &Zero]);

    let mut steps = Steps::new("reconstruct", 2 * config.mask_ratios.len() as u64);
    let mut score_on = |store: &ScanStore, what: &str| {
        let tick = |ratio| {
            let hidden = 100.0 * ratio;
            steps.tick(format!("{what} scans, {hidden:.0} % of the ROIs hidden"));
            interrupt::flow()
        };
        score(store, &scans.layout, config, &predictors, &seeds, tick).map_err(stopped)
    };
    let scores = score_on(&test, "test")?;
    let of_training = score_on(&seen, "training")?;
    drop(steps);
    let summary = summarise(&scores, &of_training, config.resamples, &seeds);

    let folder = run.path();
    write_table(
        folder,
        "reconstruction_by_scan",
        &ScanScore::to_table(&scores)?,
    )?;
    write_table(
        folder,
        "reconstruction_by_training_scan",
        &ScanScore::to_table(&of_training)?,
    )?;
    write_table(folder, "reconstruction", &Score::to_table(&summary)?)?;
    let atlas = scans.dataset.atlas();
    let traces = traces(&test, &scans.layout, &predictors, &seeds, atlas)?;
    write_table(folder, "traces", &Trace::to_table(&traces)?)?;
    let similarity = RoiSimilarity::to_table(&similarities)?;
    write_table(folder, "roi_similarity", &similarity)?;

    let mut metrics = vec![("ridge of linear".to_string(), linear.ridge())];
    metrics.extend(
        segment
            .iter()
            .map(|s| (format!("ridge of {}", s.name()), s.ridge())),
    );
    metrics.push((
        format!("ridge of {}", neighbours.name()),
        neighbours.ridge(),
    ));
    for mixture in &mixtures {
        let (name, n) = (mixture.name(), mixture.n_components() as f64);
        metrics.push((format!("Gaussians of {name}"), n));
        metrics.push((format!("exponent of {name}"), mixture.exponent()));
    }
    metrics.extend(similarities.iter().filter_map(|of| {
        Some((
            format!("{}/network_auroc", of.variant),
            of.network_auroc(atlas)?,
        ))
    }));
    log(run, metrics)?;
    let stores = [&training, &validation_store, &test];
    let mut excluded = scans.dataset.exclusions();
    excluded.extend(stores.iter().flat_map(|store| store.exclusions()).cloned());
    Ok(notes(experiment, scans, &excluded).write(folder)?)
}

fn notes(experiment: &Resolved, scans: &Scans, excluded: &[Exclusion]) -> Notes {
    let network = |roi: &brainmae_data::Roi| Some((roi.name.clone(), roi.network.clone()?));
    Notes {
        about: experiment.base.about.clone(),
        excluded: excluded
            .iter()
            .map(|e| (e.scan.to_string(), e.reason.clone()))
            .collect(),
        networks: scans
            .dataset
            .atlas()
            .rois
            .iter()
            .filter_map(network)
            .collect(),
    }
}

fn log(run: &RunFolder, metrics: Vec<(String, f64)>) -> Result<()> {
    let stage = &run.manifest().stage;
    let metrics: Vec<Metric> = metrics
        .into_iter()
        .map(|(name, value)| Metric {
            stage: stage.clone(),
            fold: None,
            epoch: 0.0,
            step: 0,
            name,
            value: value.is_finite().then_some(value),
        })
        .collect();
    Ok(run.metric_log(None)?.append(&metrics)?)
}

/// Table of errors as text: predictors in rows, mask ratios in columns.
///
/// # Errors
/// If the run has no such table.
pub fn summary(run: &Path) -> Result<String> {
    let rows = Score::from_table(&read_table(run, "reconstruction")?)?;
    let mut ratios: Vec<f64> = rows.iter().map(|row| row.mask_ratio).collect();
    ratios.sort_by(f64::total_cmp);
    ratios.dedup();
    let mut names: Vec<&str> = Vec::new();
    for row in &rows {
        if !names.contains(&row.predictor.as_str()) {
            names.push(&row.predictor);
        }
    }
    let n_units = rows.first().map_or(0, |row| row.n_units);
    let mut text = format!(
        "mean squared error of hidden ROIs on {n_units} held-out units, by share of ROIs hidden\n"
    );
    let errors = |of: &dyn Fn(&Score) -> Option<f64>| {
        let mut text = format!("{:<22}", "");
        (ratios.iter()).for_each(|ratio| text += &format!("{ratio:>7.1}"));
        text.push('\n');
        for name in &names {
            text += &format!("{name:<22}");
            for ratio in &ratios {
                let row = rows
                    .iter()
                    .find(|row| row.predictor == *name && row.mask_ratio == *ratio);
                let error = row.and_then(of);
                text += &error.map_or(format!("{:>7}", "–"), |error| format!("{error:>7.3}"));
            }
            text.push('\n');
        }
        text
    };
    text += &errors(&|row| Some(row.mse.mean));
    if let Some(training) = rows.iter().find_map(|row| row.training) {
        text += &format!(
            "\nthe same on {} scans of the training set\n",
            training.n_scans
        );
        text += &errors(&|row| Some(row.training?.mse));
    }
    Ok(text)
}

/// Refuses mask ratios that hide no ROI or all ROIs.
fn check(config: &ReconstructionConfig, n_rois: usize) -> Result<()> {
    for ratio in &config.mask_ratios {
        let hidden = (ratio * n_rois as f64).round();
        ensure!(
            hidden >= 1.0 && hidden < n_rois as f64,
            "reconstruction.mask_ratios has {ratio}, which hides {hidden} of {n_rois} ROIs, expected at least one hidden and one visible"
        );
    }
    ensure!(
        !config.mask_ratios.is_empty(),
        "reconstruction.mask_ratios is empty, expected some shares"
    );
    ensure!(
        config.draws > 0,
        "reconstruction.draws is 0, expected at least 1"
    );
    Ok(())
}
