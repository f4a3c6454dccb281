//! Place of a fit: a fold of the experiment, or of one of the further partitions.

use std::fmt;

use brainmae_downstream::encoders::FoldEncoder;
use brainmae_files::sha256_bytes;
use brainmae_run::Seeds;

use crate::stage::Scans;

/// A fold with its scans and its encoder.
pub(super) struct Place<'a> {
    /// Number of the further partition, from 1; 0 for the folds of the experiment.
    pub repeat: u32,
    /// Number of the fold, from 1.
    pub fold: u32,
    /// Scans with the split of the fold.
    pub scans: &'a Scans,
    /// Encoder that models start from.
    pub encoder: FoldEncoder,
}

impl Place<'_> {
    /// Name of the files of a fit here; no two fits of a run share it.
    pub fn part(&self, target: &str, share: f64, model: &str) -> String {
        let mut words = vec![
            target.to_string(),
            self.fold.to_string(),
            share.to_string(),
            model.to_string(),
        ];
        // Fits on the experiment's folds keep the names that they had before there were repeats.
        if self.repeat > 0 {
            words.push(format!("repeat {}", self.repeat));
        }
        sha256_bytes(words.join("\n").as_bytes())
    }

    /// Randomness of the fits here.
    pub fn seeds(&self, seeds: &Seeds) -> Seeds {
        let (repeat, fold) = (u64::from(self.repeat), u64::from(self.fold));
        match repeat {
            0 => seeds.within("downstream", &[fold]),
            _ => seeds.within("downstream", &[fold, repeat]),
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.repeat > 0 {
            write!(f, "repeat {}, ", self.repeat)?;
        }
        write!(f, "fold {}", self.fold)
    }
}
