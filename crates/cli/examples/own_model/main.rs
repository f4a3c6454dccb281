//! A self-supervised model of one's own, through every stage: pretraining, a frozen probe,
//! fine-tuning, the report, and `embed`. The model is `model.rs`, its pretext task is
//! `objective.rs`, the experiment is `experiment.toml`; nothing else knows them.
//!
//! `cargo run -p brainmae-cli --example own_model`
//!
//! A program that does all that `brainmae` does with this model too has this `main`:
//! `brainmae_cli::main_with(&Registry::built_in().with_model::<Reconstruction>())`.

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
use objective::Reconstruction;

fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    run(folder.path())
}

/// Runs the experiment with its runs and data in `folder`, and embeds its data with the first
/// fold's model.
pub fn run(folder: &Path) -> Result<()> {
    let registry = Registry::built_in().with_model::<Reconstruction>();
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
        device: options.device,
        threads: options.threads,
    };
    embed.run(&registry.encoders())
}
