//! A self-supervised model of one's own, through every stage: pretraining, a frozen probe,
//! fine-tuning, the report, and `embed`; beside it a linear model of features of one's own. The
//! model is `model.rs`, its pretext task is `objective.rs`, the features are `features.rs`, the
//! experiment is `experiment.toml`; nothing else knows them.
//!
//! `cargo run -p brainmae-cli --example own_model`
//!
//! A program that does all that `brainmae` does with these too has this `main`:
//! `brainmae_cli::main_with(&registry())`.

mod features;
mod model;
mod objective;

use std::path::Path;

use anyhow::Result;
use brainmae_cli::Registry;
use brainmae_cli::command::embed::Embed;
use brainmae_cli::experiment::{Options, Resolved};
use brainmae_cli::stage::{Graph, pretrain};
use brainmae_machine::device::DeviceName;
use brainmae_machine::devices::Devices;
use brainmae_machine::processes::Processes;
use features::LagOne;
use objective::Reconstruction;

/// What `brainmae` knows, with this model and these features.
fn registry() -> Registry {
    Registry::built_in()
        .with_model::<Reconstruction>()
        .with_features(LagOne)
}

fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    run(folder.path())
}

/// Runs the experiment with its runs and data in `folder`, and embeds its data with the first
/// fold's model.
pub fn run(folder: &Path) -> Result<()> {
    let registry = registry();
    let text = include_str!("experiment.toml");
    let experiment = Resolved::parse("own-model", text, &[], &registry)?;
    let options = Options {
        device: Devices::Times(DeviceName::Cpu, 1),
        processes: Processes::One,
        runs: folder.join("runs"),
        data: folder.join("data"),
        threads: 2,
        ckpt: None,
        resume: false,
        restart: false,
    };
    let desk = Graph::of(&experiment)?.run(&options)?;
    let fold = &desk.runs(&pretrain::name("model"))[0];
    let embed = Embed {
        ckpt: fold.checkpoints().join("best"),
        data: desk.material()?.scans.dataset.path().to_path_buf(),
        out: folder.join("embeddings"),
        hide_rois: Vec::new(),
        device: options.device,
        threads: options.threads,
    };
    embed.run(&registry.encoders())
}
