//! `cargo xtask data`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use brainmae_data::{PlantedSpec, PrepareReport, PreparedDataset};
use clap::Subcommand;

use crate::{stage, workspace};

/// What to do with data.
#[derive(Subcommand)]
pub enum Data {
    /// Turn the raw files of a data set into a prepared one.
    Prepare {
        /// Folder with a `source.toml`.
        source: PathBuf,
        /// Folder to write; `prepared/<name>` when nothing is said.
        #[arg(long)]
        out: Option<PathBuf>,
        /// Replace another prepared data set at that place.
        #[arg(long)]
        overwrite: bool,
    },
    /// Write synthetic scans with planted truth as a prepared data set.
    Simulate {
        /// TOML file with the plan.
        plan: PathBuf,
        /// Folder to write.
        #[arg(long)]
        out: PathBuf,
        /// Replace another prepared data set at that place.
        #[arg(long)]
        overwrite: bool,
    },
    /// Compare every file of a prepared data set with its checksum.
    Check {
        /// Its folder.
        prepared: PathBuf,
    },
    /// List the scans of a prepared data set, used and excluded.
    List {
        /// Its folder.
        prepared: PathBuf,
    },
}

impl Data {
    /// Does it.
    ///
    /// # Errors
    /// From the data.
    pub fn run(self) -> Result<()> {
        match self {
            Data::Prepare {
                source,
                out,
                overwrite,
            } => {
                let name = source.canonicalize().unwrap_or_else(|_| source.clone());
                let name = name.file_name().context("the source folder has no name")?;
                let out = out.unwrap_or_else(|| stage::data::default_root().join(name));
                tell(
                    &stage::data::prepare_source(&source, &out, overwrite)?,
                    &out,
                );
            }
            Data::Simulate {
                plan,
                out,
                overwrite,
            } => {
                let text = std::fs::read_to_string(&plan)
                    .with_context(|| format!("cannot read {plan:?}"))?;
                let spec: PlantedSpec =
                    toml::from_str(&text).with_context(|| format!("in {}", plan.display()))?;
                tell(&stage::data::simulate(&spec, &out, overwrite)?, &out);
            }
            Data::Check { prepared } => {
                let dataset = PreparedDataset::open(&prepared)?;
                dataset.verify()?;
                let n = dataset.included().count();
                println!(
                    "{}: every file is as it was written; {n} scans to use",
                    dataset.header().name
                );
            }
            Data::List { prepared } => list(&PreparedDataset::open(&prepared)?),
        }
        Ok(())
    }
}

fn tell(report: &PrepareReport, out: &std::path::Path) {
    let state = if report.up_to_date {
        "up to date"
    } else {
        "prepared"
    };
    println!(
        "{}: {} scans of {} ROIs, {state} in {}",
        report.name,
        report.included,
        report.n_rois,
        workspace::shown(out)
    );
    for exclusion in &report.exclusions {
        println!("excluded {}: {}", exclusion.scan, exclusion.reason);
    }
}

fn list(dataset: &PreparedDataset) {
    println!("scan\tsubject\tvolumes\tdt_secs\tstatus");
    for scan in dataset.scans() {
        let status = match scan.exclusion() {
            Some(exclusion) => format!("excluded: {}", exclusion.reason),
            None => "used".to_string(),
        };
        println!(
            "{}\t{}\t{}\t{}\t{status}",
            scan.scan,
            scan.subject,
            scan.n_volumes,
            dataset.dt_secs()
        );
    }
}
