//! A run that is stopped and resumed, beside one that is not: both end with the same numbers.
//!
//! `cargo run -p brainmae-run --example resumed_run`

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use brainmae_run::{Card, Checkpoint, Manifest, Metric, MetricLog, RunFolder, Seeds, Status};
use rand::RngExt;
use serde_json::json;

const STEPS: u64 = 20;
const CHECKPOINT_EVERY: u64 = 5;
const SEED: u64 = 7;

fn main() -> Result<(), Box<dyn Error>> {
    let [stopped, whole] = [tempfile::tempdir()?, tempfile::tempdir()?];
    train(stopped.path(), 13)?;
    let resumed = train(stopped.path(), STEPS)?;
    let uninterrupted = train(whole.path(), STEPS)?;
    println!("resumed {resumed}, uninterrupted {uninterrupted}");

    let logs = [stopped, whole].map(|root| {
        let folder = RunFolder::place(root.path(), &manifest());
        MetricLog::read(&folder.join("metrics.jsonl"))
    });
    let [resumed, uninterrupted] = logs;
    let (resumed, uninterrupted) = (resumed?, uninterrupted?);
    println!(
        "{} metrics, the same in both logs: {}",
        resumed.len(),
        resumed == uninterrupted
    );
    Ok(())
}

fn manifest() -> Manifest {
    let config = json!({ "steps": STEPS, "lr": 0.1 });
    Manifest::new("example", "descend", config, BTreeMap::new(), SEED, "cpu")
}

/// Finds the minimum of `(weight - 3)²` from noisy gradients; returns the weight after `until`
/// steps, of which those before the last checkpoint are not done again.
fn train(root: &Path, until: u64) -> Result<f64, Box<dyn Error>> {
    let mut run = RunFolder::open(root, manifest())?;
    let (mut step, mut weight) = (0, 0.0_f64);
    if let Some(checkpoint) = Checkpoint::find(&run.checkpoints(), "last")? {
        step = checkpoint.card().step;
        weight = serde_json::from_slice(&checkpoint.read("weight.json")?)?;
    }
    println!("status {:?}: starts at step {step}", run.found());

    let mut log = run.metric_log((step > 0).then_some(step))?;
    while step < until {
        // The noise depends on the seed, the name of the stream and the step alone.
        let noise: f64 = Seeds::new(SEED)
            .stream_at("noise", &[step])
            .random_range(-0.5..0.5);
        weight -= 0.1 * (2.0 * (weight - 3.0) + noise);
        step += 1;
        log.append(&[metric(step, (weight - 3.0).powi(2))])?;
        if step.is_multiple_of(CHECKPOINT_EVERY) {
            let card = Card {
                model: "one weight".into(),
                step,
                ..Card::default()
            };
            let files = [("weight.json", serde_json::to_vec(&weight)?)];
            Checkpoint::save(&run.checkpoints(), "last", &card, &files)?;
        }
    }
    let status = match step == STEPS {
        true => Status::Finished,
        false => Status::Interrupted,
    };
    run.set_status(status, None)?;
    Ok(weight)
}

fn metric(step: u64, loss: f64) -> Metric {
    Metric {
        stage: "descend".into(),
        fold: None,
        epoch: step as f64,
        step,
        name: "train/loss".into(),
        value: Some(loss),
    }
}
