//! Repetitions of an experiment with several seeds: their scores in one table and on one page.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use brainmae_downstream::{Predictions, SeedsResults};
use brainmae_machine::processes::Processes;
use brainmae_machine::workspace;
use brainmae_pretrain::reconstruction::ScanScore;
use brainmae_pretrain::reconstruction::seeds::{SeedsScore, over_seeds};
use brainmae_run::table::{read_table, write_table};
use brainmae_run::{Identity, RunFolder, Seeds, Status, write_atomic};

use super::{Options, Resolved};
use crate::stage::{Graph, downstream, fail, manifest, reconstruct, report};

/// Name of the folder's stage, and of its table.
pub const NAME: &str = "seeds";

/// The results of one repetition.
struct Repetition {
    seed: u64,
    /// Folder of the run with the results.
    run: PathBuf,
    identity: Identity,
}

/// Runs the experiment once with each of its seeds, then writes the table over the seeds and its
/// page. Finished stages are not repeated.
///
/// # Errors
/// Errors of the stages, or if several processes train together.
pub fn run(experiment: &Resolved, options: &Options) -> Result<()> {
    if options.processes != Processes::One {
        bail!(
            "several processes cannot train several seeds in one go: all but the first end with the first training\nhint: run each seed by itself, with `--set seeds=[] --set seed=N`; then run this once without --processes, which finds them finished"
        );
    }
    let shown = match experiment.base.downstream {
        Some(_) => downstream::NAME,
        None => reconstruct::NAME,
    };
    let mut repetitions = Vec::new();
    for (at, one) in experiment.repetitions().iter().enumerate() {
        let seed = one.base.seed;
        let _span = tracing::info_span!("repetition", seed).entered();
        println!("seed {seed}");
        let options = Options {
            // Later seeds may not have begun.
            resume: options.resume && at == 0,
            ..options.clone()
        };
        let desk = Graph::of(one)?.run(&options)?;
        // A model that hides no ROIs and predicts nothing has no results.
        let [run] = desk.runs(shown) else { continue };
        repetitions.push(Repetition {
            seed,
            run: run.path().to_path_buf(),
            identity: run.manifest().identity.clone(),
        });
    }
    if repetitions.is_empty() {
        return Ok(());
    }
    let run = summarise(experiment, &repetitions, options)?;
    let text = std::fs::read_to_string(run.path().join("seeds.md"));
    print!("{}", text.context("reading the table over seeds")?);
    println!("report: {}", workspace::shown(&report::write(run.path())?));
    Ok(())
}

fn summarise(
    experiment: &Resolved,
    repetitions: &[Repetition],
    options: &Options,
) -> Result<RunFolder> {
    let (base, seeds) = (&experiment.base, &experiment.base.seeds);
    let mut what = serde_json::json!({ "about": base.about, "seeds": seeds });
    match &base.downstream {
        Some(config) => what["results"] = serde_json::to_value(&config.results)?,
        None => what["reconstruction"] = serde_json::to_value(&base.reconstruction)?,
    }
    let identity = |one: &Repetition| (format!("seed {}", one.seed), one.identity.to_string());
    let inputs: BTreeMap<String, String> = repetitions.iter().map(identity).collect();
    let first = repetitions.first().map_or(0, |one| one.seed);
    let manifest = manifest(&experiment.name, NAME, what, inputs, first, &options.device);
    let mut run = options.open(manifest)?;
    if run.found() == Some(&Status::Finished) {
        return Ok(run);
    }
    let written = match &base.downstream {
        Some(_) => write_predictions(experiment, repetitions, run.path()),
        None => write_reconstructions(experiment, repetitions, run.path()),
    };
    match written {
        Ok(()) => run.set_status(Status::Finished, None)?,
        Err(error) => return Err(fail(&mut run, error)),
    }
    Ok(run)
}

/// Seeds of the resamples, the same whatever seeds the experiment has.
fn resampling() -> Seeds {
    Seeds::new(0).within("seeds", &[])
}

fn write_predictions(
    experiment: &Resolved,
    repetitions: &[Repetition],
    folder: &Path,
) -> Result<()> {
    let config = experiment.base.downstream.as_ref();
    let spec = &config
        .context("the experiment predicts no targets")?
        .results;
    let read = |one: &Repetition| -> Result<(u64, Predictions)> {
        let table = read_table(&one.run, "predictions")?;
        Ok((one.seed, Predictions::from_table(&table)?))
    };
    let runs = repetitions.iter().map(read).collect::<Result<Vec<_>>>()?;
    let results = SeedsResults::new(&runs, spec, &resampling());
    write_table(folder, NAME, &results.to_table()?)?;
    write_atomic(&folder.join("seeds.md"), results.to_markdown().as_bytes())?;
    Ok(())
}

fn write_reconstructions(
    experiment: &Resolved,
    repetitions: &[Repetition],
    folder: &Path,
) -> Result<()> {
    let read = |one: &Repetition| -> Result<Vec<ScanScore>> {
        let table = read_table(&one.run, "reconstruction_by_scan")?;
        Ok(ScanScore::from_table(&table)?)
    };
    let runs = repetitions.iter().map(read).collect::<Result<Vec<_>>>()?;
    let resamples = experiment.base.reconstruction.resamples;
    let scores = over_seeds(&runs, resamples, &resampling());
    let seeds: Vec<u64> = repetitions.iter().map(|one| one.seed).collect();
    write_table(folder, NAME, &SeedsScore::to_table(&scores, &seeds)?)?;
    let text = markdown(&scores, seeds.len());
    write_atomic(&folder.join("seeds.md"), text.as_bytes())?;
    Ok(())
}

/// Table of errors: predictors in rows, mask ratios in columns.
fn markdown(scores: &[SeedsScore], n_seeds: usize) -> String {
    let (mut names, mut ratios) = (Vec::new(), Vec::new());
    for score in scores {
        if !names.contains(&&score.predictor) {
            names.push(&score.predictor);
        }
        if !ratios.contains(&score.mask_ratio) {
            ratios.push(score.mask_ratio);
        }
    }
    let mut text = format!("### hidden ROIs, {n_seeds} seeds\n\n| predictor |");
    // Writing to a string cannot fail.
    for ratio in &ratios {
        let _ = write!(text, " {ratio} |");
    }
    text += "\n|---|";
    text += &"---|".repeat(ratios.len());
    for name in names {
        let _ = write!(text, "\n| {name} |");
        for ratio in &ratios {
            let found = (scores.iter()).find(|s| s.predictor == *name && s.mask_ratio == *ratio);
            let mse = found.map(|score| &score.mse);
            let cell = mse.and_then(|mse| Some(format!("{:.3} ± {:.3}", mse.mean?, mse.std?)));
            let _ = write!(text, " {} |", cell.unwrap_or("–".into()));
        }
    }
    text += "\n\nMean squared error of hidden ROIs, mean ± standard deviation over seeds.\n";
    text
}

#[cfg(test)]
mod tests {
    use brainmae_statistics::OverSeeds;

    use super::*;

    #[test]
    fn errors_over_seeds_are_a_table() {
        let score = |predictor: &str, mask_ratio, values: [f64; 2]| SeedsScore {
            predictor: predictor.into(),
            mask_ratio,
            mse: OverSeeds::new(values.map(Some).to_vec(), None),
        };
        let scores = [
            score("BrainMAE sg", 0.1, [0.3, 0.5]),
            score("BrainMAE sg", 0.5, [0.5, 0.5]),
            score("zero", 0.5, [1.0, 1.0]),
        ];
        insta::assert_snapshot!(markdown(&scores, 2), @r"
        ### hidden ROIs, 2 seeds

        | predictor | 0.1 | 0.5 |
        |---|---|---|
        | BrainMAE sg | 0.400 ± 0.141 | 0.500 ± 0.000 |
        | zero | – | 1.000 ± 0.000 |

        Mean squared error of hidden ROIs, mean ± standard deviation over seeds.
        ");
    }
}
