//! Command `data split`.

use std::path::PathBuf;

use anyhow::Result;
use brainmae_data::split::{FoldBy, FoldSpec, SetBalance};
use brainmae_data::split_file::{SplitFile, SplitPlan};
use brainmae_data::{PreparedDataset, SplitSpec};
use brainmae_machine::workspace;
use brainmae_run::Seeds;
use clap::Args;

use super::beside;

/// How to split.
#[derive(Args)]
pub struct DrawSplit {
    /// Folder of the prepared data set.
    prepared: PathBuf,
    /// Cut into this many folds; every subject is tested in exactly one. Without it, one hold-out.
    #[arg(long, value_name = "N", conflicts_with = "test_fraction")]
    folds: Option<usize>,
    /// Keep all subjects of a site in one fold: each fold tests on sites that it does not train on.
    #[arg(long, requires = "folds")]
    by_site: bool,
    /// Share of the subjects to test on.
    #[arg(long, value_name = "SHARE")]
    test_fraction: Option<f64>,
    /// Share of the subjects to decide on.
    #[arg(long, value_name = "SHARE")]
    validation_fraction: Option<f64>,
    /// Targets and categories that all sets are to have alike, such as sex,age_years,site.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    stratify: Vec<String>,
    /// Seed of the draw.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// File to write; `<prepared>.split.json` when nothing is said.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Replace a file that is there.
    #[arg(long)]
    overwrite: bool,
}

impl DrawSplit {
    /// Draws the split, writes the file, and prints how similar the sets are.
    ///
    /// # Errors
    /// Errors of the data, or if the file exists.
    pub fn run(self) -> Result<()> {
        let dataset = PreparedDataset::open(&self.prepared)?;
        let out = self
            .out
            .unwrap_or_else(|| beside(&self.prepared, "split.json"));
        anyhow::ensure!(
            self.overwrite || !out.exists(),
            "{} is there already: --overwrite replaces it, --out writes another",
            workspace::shown(&out)
        );
        let mut rng = Seeds::new(self.seed).stream("split");
        let (plan, splits) = match self.folds {
            Some(folds) => {
                let default = FoldSpec::default();
                let spec = FoldSpec {
                    folds,
                    validation_fraction: (self.validation_fraction)
                        .unwrap_or(default.validation_fraction),
                    stratify: self.stratify.clone(),
                    by: match self.by_site {
                        true => FoldBy::Site,
                        false => FoldBy::Subject,
                    },
                };
                let splits = spec.draw(&dataset, &mut rng)?;
                (SplitPlan::Folds(spec), splits)
            }
            None => {
                let spec = SplitSpec {
                    test_fraction: self.test_fraction,
                    validation_fraction: self.validation_fraction,
                    stratify: self.stratify.clone(),
                    ..SplitSpec::default()
                };
                let split = spec.draw(&dataset, &mut rng)?;
                (SplitPlan::HoldOut(spec), vec![split])
            }
        };
        for (fold, split) in splits.iter().enumerate() {
            if splits.len() > 1 {
                println!("fold {}", fold + 1);
            }
            for set in split.balance(&dataset, &self.stratify)? {
                println!("  {}", words(&set));
            }
        }
        if dataset.subjects().len() > 1 && dataset.subjects().iter().all(|s| s.family.is_none()) {
            tracing::warn!("no family is known: the split is not family-safe");
        }
        SplitFile::new(&dataset, self.seed, plan, splits).write(&out)?;
        println!("{}", workspace::shown(&out));
        Ok(())
    }
}

/// Description of one set in a line: counts, means and shares.
fn words(set: &SetBalance) -> String {
    let count = &set.count;
    let mut words = vec![format!(
        "{:<11}{} subjects, {} families, {} scans",
        count.set, count.subjects, count.families, count.scans
    )];
    for target in &set.targets {
        let mean = target
            .mean
            .map_or("unknown".into(), |mean| format!("{mean:.2}"));
        words.push(format!("mean {} {mean}", target.name));
    }
    for category in &set.categories {
        let counts: Vec<String> = (category.counts.iter())
            .map(|(value, count)| format!("{value} {count}"))
            .collect();
        words.push(format!("{}: {}", category.name, counts.join(", ")));
    }
    words.join("; ")
}
