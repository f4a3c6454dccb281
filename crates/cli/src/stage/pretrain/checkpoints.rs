//! Models of checkpoints, and whom they may be measured on.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use brainmae_data::{ScanId, SplitUnit, SubjectId};
use brainmae_machine::workspace;
use brainmae_model::BrainMae;
use brainmae_pretrain::engine::load_weights;
use brainmae_run::{Card, Checkpoint, RunFolder, Seeds};
use burn::tensor::Device;

use super::data_shape;
use crate::experiment::ExperimentConfig;
use crate::stage::Scans;

/// Nobody whom a checkpoint has seen, and no one of their families, may be measured with it.
///
/// # Errors
/// Names the first of these scans that is of such a one.
pub fn bar_seen(card: &Card, scans: &Scans, held_out: &[ScanId], hint: &str) -> Result<()> {
    let split = &scans.split;
    let family = |subject: &SubjectId| {
        let mut records = scans.dataset.subjects().iter();
        records
            .find(|record| record.subject == *subject)
            .and_then(|record| record.family.clone())
    };
    let families: Vec<String> = card
        .pretraining_subjects
        .iter()
        .filter_map(|subject| family(&SubjectId::new(subject.as_str())))
        .collect();
    let held_out: BTreeSet<&ScanId> = held_out.iter().collect();
    for scan in (scans.dataset.included()).filter(|scan| held_out.contains(&scan.scan)) {
        let seen = match split.unit {
            SplitUnit::Subject => {
                card.pretraining_subjects
                    .contains(&scan.subject.to_string())
                    || family(&scan.subject).is_some_and(|family| families.contains(&family))
            }
            SplitUnit::Scan => card.pretraining_scans.contains(&scan.scan.to_string()),
        };
        ensure!(
            !seen,
            "the checkpoint was trained on scan {}, on its subject or on a relative, who is held out in this split\nhint: {hint}",
            scan.scan
        );
    }
    Ok(())
}

/// The model of a run's best checkpoint, without gradients, checked against the data it is to be used on.
///
/// # Errors
/// If there is no checkpoint, or it belongs to another atlas, dt or model.
pub fn best_model(
    run: &RunFolder,
    config: &ExperimentConfig,
    scans: &Scans,
    device: &Device,
) -> Result<BrainMae> {
    let checkpoint = Checkpoint::find(&run.checkpoints(), "best")?
        .with_context(|| format!("no best checkpoint in {}", workspace::shown(run.path())))?;
    model_of(&checkpoint, config, scans, device)
}

/// The model of a checkpoint, without gradients, checked against the data it is to be used on.
///
/// # Errors
/// If it belongs to another atlas, dt or model.
pub fn model_of(
    checkpoint: &Checkpoint,
    config: &ExperimentConfig,
    scans: &Scans,
    device: &Device,
) -> Result<BrainMae> {
    checkpoint.card().data.check(&scans.card())?;
    let rng = &mut Seeds::new(config.seed).stream("weights");
    let model = config.model.init(data_shape(scans), rng, device)?;
    Ok(load_weights(model, checkpoint.path())?)
}
