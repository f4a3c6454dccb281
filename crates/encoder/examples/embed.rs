//! Example: embeds every scan of a prepared data set with a pretrained checkpoint.
//!
//! ```bash
//! cargo run --example embed -- CHECKPOINT PREPARED
//! ```
//!
//! Without arguments it first creates a small data set and an untrained checkpoint.

use std::error::Error;
use std::path::{Path, PathBuf};

use brainmae_data::PreparedDataset;
use brainmae_encoder::Checkpoint;
use burn::tensor::Device;

#[path = "support/untrained.rs"]
mod support;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    match &arguments[..] {
        [checkpoint, dataset] => embed(checkpoint, dataset),
        [] => {
            let made = support::untrained()?;
            embed(&made.checkpoint, &made.dataset)
        }
        _ => Err("give a checkpoint and a prepared data set, or nothing".into()),
    }
}

fn embed(checkpoint: &Path, dataset: &Path) -> Result<(), Box<dyn Error>> {
    let dataset = PreparedDataset::open(dataset)?;
    let encoder = Checkpoint::open(checkpoint)?.encoder(&Device::default())?;
    for record in dataset.included() {
        for sample in encoder.embed(&dataset, &record.scan)? {
            println!(
                "{} from volume {}: {:.3?}",
                record.scan, sample.start_volume, sample.cls
            );
        }
    }
    Ok(())
}
