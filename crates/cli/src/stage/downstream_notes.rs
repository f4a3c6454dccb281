//! What the report of predictions says beside their numbers: `classes.json` of a run.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use brainmae_data::Event;
use brainmae_downstream::Task;
use brainmae_run::write_atomic;
use serde::{Deserialize, Serialize};

/// The file's name in the run folder.
const FILE: &str = "classes.json";

/// What a target is, and what of the data it could not use.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TargetNotes {
    /// Names of the classes, in the order of their numbers; none for a number.
    pub classes: Vec<String>,
    /// Unit of a number: "years".
    pub unit: Option<String>,
    /// Scans without a truth.
    pub left_out: Vec<LeftOutScan>,
    /// Stretches of scans that no condition fills far enough.
    pub n_mixed: usize,
    /// Where segments lie in their events; none where truths belong to whole scans.
    pub onsets: Vec<SegmentOnset>,
}

/// A scan without a truth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeftOutScan {
    /// Which.
    pub scan: String,
    /// Whose.
    pub subject: String,
    /// Why.
    pub reason: String,
}

/// A segment that belongs to an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SegmentOnset {
    /// The scan, as in the table of predictions.
    pub scan: String,
    /// Where the segment starts, as in the table of predictions.
    pub start_secs: f64,
    /// From the onset of its event to the start of the segment; negative before the onset.
    pub since_onset_secs: f64,
}

impl TargetNotes {
    /// What a task knows of itself, and where its segments lie in these events.
    pub fn of(task: &Task, events: &[Event]) -> Self {
        let left_out = task.left_out.iter().map(|left| LeftOutScan {
            scan: left.scan.to_string(),
            subject: left.subject.to_string(),
            reason: left.reason.clone(),
        });
        Self {
            classes: task.classes.clone(),
            unit: None,
            left_out: left_out.collect(),
            n_mixed: task.n_mixed,
            onsets: if task.of_segments {
                onsets(task, events)
            } else {
                Vec::new()
            },
        }
    }
}

/// Each segment from the onset of the last event of its class that began before its end.
fn onsets(task: &Task, events: &[Event]) -> Vec<SegmentOnset> {
    let examples = task.examples.iter().zip(&task.truth);
    examples
        .filter_map(|(example, truth)| {
            let scan = &task.scans[example.scan];
            let tr_secs = scan.series.tr_secs();
            let start_secs = example.start_volume as f64 * tr_secs;
            let end_secs = start_secs + example.n_volumes as f64 * tr_secs;
            let class = task.classes.get(*truth as usize)?;
            let own = events.iter().filter(|event| {
                event.scan == scan.scan && event.condition == *class && event.onset_secs < end_secs
            });
            let onset = own.map(|event| event.onset_secs).max_by(f64::total_cmp)?;
            Some(SegmentOnset {
                scan: scan.scan.to_string(),
                start_secs,
                since_onset_secs: start_secs - onset,
            })
        })
        .collect()
}

/// Reads the notes of all targets of a run.
///
/// # Errors
/// If there are none, or they are damaged.
pub fn read(run: &Path) -> Result<BTreeMap<String, TargetNotes>> {
    let path = run.join(FILE);
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path:?}"))?;
    serde_json::from_str(&text).with_context(|| format!("{path:?} is damaged"))
}

/// Writes the notes of all targets of a run.
///
/// # Errors
/// If the run folder is not writable.
pub fn write(run: &Path, notes: &BTreeMap<String, TargetNotes>) -> Result<()> {
    let text = serde_json::to_vec_pretty(notes)?;
    Ok(write_atomic(&run.join(FILE), &text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_come_back_from_a_run_folder() {
        let folder = tempfile::tempdir().unwrap();
        let onset = SegmentOnset {
            scan: "a".into(),
            start_secs: 14.4,
            since_onset_secs: -0.1,
        };
        let notes = TargetNotes {
            classes: vec!["face".into(), "place".into()],
            onsets: vec![onset],
            ..TargetNotes::default()
        };
        let notes = BTreeMap::from([("state".to_string(), notes)]);
        write(folder.path(), &notes).unwrap();
        assert_eq!(read(folder.path()).unwrap(), notes);
    }
}
