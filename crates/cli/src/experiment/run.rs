//! Runs of an experiment, stage after stage; finished stages are not repeated.

use anyhow::{Result, bail};
use brainmae_machine::{interrupt, workspace};
use brainmae_model::Precision;

use super::{Options, Resolved, Variant, seeds};
use crate::stage::{Graph, pretrain};

/// Runs every stage of an experiment that is needed and not finished, with each of its seeds;
/// prints the table of results and the path of the report.
///
/// # Errors
/// Errors of the stages.
pub fn run(experiment: &Resolved, options: &Options) -> Result<()> {
    let graph = Graph::of(experiment)?;
    begin(&experiment.variants, options)?;
    let _span = tracing::info_span!("experiment", name = experiment.name).entered();
    match experiment.base.seeds.is_empty() {
        true => graph.run(options).map(|_| ()),
        false => seeds::run(experiment, options),
    }
}

/// Describes each repetition of an experiment, as `describe` does for one.
///
/// # Errors
/// Errors of `describe`, or if settings of the experiment contradict one another.
pub fn describe(
    experiment: &Resolved,
    describe: impl Fn(&Graph) -> Result<String>,
) -> Result<String> {
    let mut text = String::new();
    for one in experiment.repetitions() {
        if !experiment.base.seeds.is_empty() {
            text += &format!("seed {}\n", one.base.seed);
        }
        text += &describe(&Graph::of(&one)?)?;
    }
    Ok(text)
}

/// Trains one variant; prints the folder of its best checkpoint.
///
/// # Errors
/// Errors of the stage, or if there is no such variant.
pub fn pretrain_one(experiment: &Resolved, variant: &str, options: &Options) -> Result<()> {
    let Some(at) = experiment
        .variants
        .iter()
        .position(|known| known.name == variant)
    else {
        let known: Vec<&String> = experiment.variants.iter().map(|v| &v.name).collect();
        bail!(
            "experiment {} has no variant {variant:?}\nhint: its variants are {known:?}",
            experiment.name
        );
    };
    if !experiment.base.seeds.is_empty() {
        bail!(
            "experiment {} has the seeds {:?}, and one training has one seed\nhint: `--set seeds=[] --set seed=N` chooses one",
            experiment.name,
            experiment.base.seeds
        );
    }
    let graph = Graph::of_training(experiment, &[variant])?;
    begin(&experiment.variants[at..=at], options)?;
    let is_first = options.processes.communicator()?.is_first();
    let desk = graph.run(options)?;
    if is_first {
        let run = desk.run_of(&pretrain::name(variant))?;
        println!("{}", workspace::shown(&run.checkpoints().join("best")));
    }
    Ok(())
}

/// Provides devices and processes, and installs the handlers of Ctrl-C.
fn begin(variants: &[Variant], options: &Options) -> Result<()> {
    options
        .processes
        .provide(&options.device, precision(variants)?)?;
    interrupt::listen()
}

/// Precision that the device must support for all of these configs.
///
/// # Errors
/// If only some of them use tf32, because it applies to all computations of the program.
fn precision(variants: &[Variant]) -> Result<Precision> {
    let all: Vec<Precision> = variants.iter().map(|v| v.config.train.precision).collect();
    let with = |precision| all.iter().filter(|one| **one == precision).count();
    match with(Precision::Tf32) {
        0 if with(Precision::Bf16) > 0 => Ok(Precision::Bf16),
        0 => Ok(Precision::F32),
        n if n == all.len() => Ok(Precision::Tf32),
        _ => bail!(
            "train.precision is tf32 for some variants, and {all:?} for all; tf32 is set for the whole program\nhint: make it one experiment for tf32 and one for the others"
        ),
    }
}
