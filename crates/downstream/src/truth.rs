//! Truths of a target, and scans without one.

use brainmae_data::{ScanId, SubjectId};

use crate::{Example, Kind, Scan};

/// Truths of a target, read from scans.
pub(crate) struct Truths {
    pub kind: Kind,
    pub classes: Vec<String>,
    pub examples: Vec<Example>,
    pub truth: Vec<f64>,
    pub training: Vec<(Example, f64)>,
    pub left_out: Vec<LeftOut>,
    pub n_mixed: usize,
}

impl Truths {
    pub fn new(kind: Kind, classes: Vec<String>) -> Self {
        Self {
            kind,
            classes,
            examples: Vec::new(),
            truth: Vec::new(),
            training: Vec::new(),
            left_out: Vec::new(),
            n_mixed: 0,
        }
    }

    pub fn push(&mut self, example: Example, truth: f64) {
        self.examples.push(example);
        self.truth.push(truth);
    }
}

/// A scan without a truth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Identifier of the scan.
    pub scan: ScanId,
    /// Subject of the scan.
    pub subject: SubjectId,
    /// Reason.
    pub reason: String,
}

impl LeftOut {
    pub(crate) fn of(scan: &Scan, reason: String) -> Self {
        Self {
            scan: scan.scan.clone(),
            subject: scan.subject.clone(),
            reason,
        }
    }
}
