//! Command `data check`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use brainmae_data::PreparedDataset;
use brainmae_data::duplicates::{Duplicate, Likeness, find_duplicates};
use brainmae_data::split::check_split;
use brainmae_data::split_file::SplitFile;
use brainmae_machine::progress::Steps;
use brainmae_machine::{interrupt, workspace};
use clap::Args;

use crate::stage::stopped;

/// What to check.
#[derive(Args)]
pub struct Check {
    /// Folder of the prepared data set.
    prepared: PathBuf,
    /// Prove this split: no subject, no family and no signal is in two of its sets.
    #[arg(long, value_name = "FILE")]
    split: Option<PathBuf>,
    /// Do not compare the signals of all scans with each other.
    #[arg(long)]
    no_signals: bool,
}

impl Check {
    /// Checks the data set, and prints what was proved.
    ///
    /// # Errors
    /// The first condition that does not hold.
    pub fn run(self) -> Result<()> {
        let dataset = PreparedDataset::open(&self.prepared)?;
        dataset.verify()?;
        println!(
            "{}: every file is as it was written; {} scans to use",
            dataset.header().name,
            dataset.included().count()
        );
        let duplicates = if self.no_signals {
            Vec::new()
        } else {
            let mut steps: Option<Steps> = None;
            let duplicates = find_duplicates(&dataset, |done, total| {
                steps
                    .get_or_insert_with(|| Steps::new("comparing signals", total as u64))
                    .set(done as u64, String::new());
                interrupt::flow()
            })
            .map_err(stopped)?;
            drop(steps);
            println!(
                "pairs of scans that hold the same signal: {}",
                duplicates.len()
            );
            for duplicate in &duplicates {
                println!("  {}", words(duplicate));
            }
            duplicates
        };
        let Some(path) = &self.split else {
            return Ok(());
        };
        let file = SplitFile::read(path, &dataset)?;
        for (fold, split) in file.splits().iter().enumerate() {
            let proof = check_split(&dataset, split, &duplicates)
                .with_context(|| format!("fold {} of {}", fold + 1, workspace::shown(path)))?;
            let sets: Vec<String> = (proof.sets.iter())
                .map(|set| {
                    format!(
                        "{} {} subjects, {} families, {} scans",
                        set.set, set.subjects, set.families, set.scans
                    )
                })
                .collect();
            println!(
                "split {}: nobody in two sets; {}",
                fold + 1,
                sets.join("; ")
            );
            if fold == 0 {
                for warning in &proof.warnings {
                    tracing::warn!("{warning}");
                }
            }
        }
        Ok(())
    }
}

fn words(duplicate: &Duplicate) -> String {
    let how = match &duplicate.likeness {
        Likeness::Same => "equal".to_string(),
        Likeness::Near { correlation, .. } => format!("correlation {correlation:.3}"),
    };
    format!("{} and {}: {how}", duplicate.first, duplicate.second)
}
