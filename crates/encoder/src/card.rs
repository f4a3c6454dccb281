//! Card of a checkpoint, created at training.

use std::collections::BTreeSet;

use brainmae_data::{DataCard, PreparedDataset, ScanStore, SegmentLayout, Split};
use brainmae_run::Card;

use crate::checkpoint::to_value;
use crate::{Checkpoint, EncoderError, ModelSettings};

/// The card of a model's weights that are trained on `training`, the scans of the training set of
/// `split`. Scans that `start` was trained on are listed too.
///
/// # Errors
/// As [`Checkpoint::check_start`].
pub fn card(
    model: &ModelSettings,
    dataset: &PreparedDataset,
    layout: &SegmentLayout,
    split: &Split,
    training: &ScanStore,
    start: Option<&Checkpoint>,
) -> Result<Card, EncoderError> {
    let mut card = Card {
        model: model.kind.clone(),
        model_config: model.config.clone(),
        step: 0,
        data: to_value(&DataCard::new(dataset, layout)),
        split_sha256: split.hash(),
        pretraining_subjects: split.train_subjects.iter().map(|s| s.to_string()).collect(),
        pretraining_scans: (training.scans().iter())
            .map(|s| s.scan.to_string())
            .collect(),
    };
    if let Some(start) = start {
        start.check_start(model, dataset, layout, split)?;
        let seen = start.card();
        card.pretraining_subjects = union(&card.pretraining_subjects, &seen.pretraining_subjects);
        card.pretraining_scans = union(&card.pretraining_scans, &seen.pretraining_scans);
    }
    Ok(card)
}

fn union(mine: &[String], theirs: &[String]) -> Vec<String> {
    let all: BTreeSet<&String> = mine.iter().chain(theirs).collect();
    all.into_iter().cloned().collect()
}
