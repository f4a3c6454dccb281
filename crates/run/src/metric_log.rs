//! Metric log, `metrics.jsonl`: all numbers for tables and curves, one record a line.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use brainmae_files::CommonErrors as _;
use serde::{Deserialize, Serialize};

use crate::{RunError, write_atomic};

/// One record of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Stage that measured it.
    pub stage: String,
    /// Index of the fold; `None` without folds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold: Option<u64>,
    /// Passes over the training scans; a pass in progress counts as a fraction.
    pub epoch: f64,
    /// Optimiser steps done.
    pub step: u64,
    /// Name of the quantity, such as `train/loss`.
    pub name: String,
    /// Value; null if it was not finite.
    pub value: Option<f64>,
}

/// Log of one run, open for appending.
#[derive(Debug)]
pub struct MetricLog {
    path: PathBuf,
    file: BufWriter<File>,
}

impl MetricLog {
    /// Opens the log and keeps the records up to `last_step`, or none if it is `None`.
    ///
    /// A record that was cut short when a process was killed is dropped.
    ///
    /// # Errors
    /// [`RunError::Files`].
    pub fn open(path: &Path, last_step: Option<u64>) -> Result<Self, RunError> {
        let mut kept = String::new();
        if let Some(last_step) = last_step
            && path.exists()
        {
            let text = fs::read_to_string(path).map_err(RunError::io("read", path))?;
            for line in text.lines() {
                let known = serde_json::from_str::<Metric>(line);
                if known.is_ok_and(|metric| metric.step <= last_step) {
                    kept.push_str(line);
                    kept.push('\n');
                }
            }
        }
        write_atomic(path, kept.as_bytes())?;
        let file = OpenOptions::new()
            .append(true)
            .open(path)
            .map_err(RunError::write(path))?;
        Ok(Self {
            path: path.to_path_buf(),
            file: BufWriter::new(file),
        })
    }

    /// Appends records and hands them to the system.
    ///
    /// # Errors
    /// [`RunError::Files`].
    pub fn append(&mut self, metrics: &[Metric]) -> Result<(), RunError> {
        let mut append = || -> std::io::Result<()> {
            for metric in metrics {
                serde_json::to_writer(&mut self.file, metric)?;
                self.file.write_all(b"\n")?;
            }
            self.file.flush()
        };
        append().map_err(RunError::write(&self.path))
    }

    /// Reads every record of a log.
    ///
    /// # Errors
    /// [`RunError::Files`], or [`RunError::Damaged`] with the line that is no record.
    pub fn read(path: &Path) -> Result<Vec<Metric>, RunError> {
        let text = fs::read_to_string(path).map_err(RunError::io("read", path))?;
        text.lines()
            .enumerate()
            .map(|(i, line)| {
                serde_json::from_str(line)
                    .map_err(|e| RunError::damaged(path, format!("line {}: {e}", i + 1)))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(step: u64, value: f64) -> Metric {
        Metric {
            stage: "pretrain".into(),
            fold: None,
            epoch: 0.5,
            step,
            name: "train/loss".into(),
            value: value.is_finite().then_some(value),
        }
    }

    #[test]
    fn numbers_come_back_to_the_last_bit() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("metrics.jsonl");
        let metrics = [0.1 + 0.2, f64::MIN_POSITIVE, 1.0 / 3.0].map(|x| metric(1, x));
        let mut log = MetricLog::open(&path, None).expect("writable");
        log.append(&metrics).expect("writable");
        assert_eq!(MetricLog::read(&path).expect("readable"), metrics);
    }

    #[test]
    fn reopening_drops_what_will_be_made_again_and_what_was_cut_short() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("metrics.jsonl");
        let mut log = MetricLog::open(&path, None).expect("writable");
        log.append(&[metric(1, 1.0), metric(2, 2.0), metric(3, 3.0)])
            .expect("writable");
        drop(log);
        let mut cut = fs::read_to_string(&path).expect("readable");
        cut.push_str("{\"stage\":\"pre");
        fs::write(&path, cut).expect("writable");

        let mut log = MetricLog::open(&path, Some(2)).expect("writable");
        log.append(&[metric(3, 3.5)]).expect("writable");
        let steps: Vec<_> = MetricLog::read(&path)
            .expect("readable")
            .iter()
            .map(|m| (m.step, m.value))
            .collect();
        assert_eq!(steps, [(1, Some(1.0)), (2, Some(2.0)), (3, Some(3.5))]);
    }
}
