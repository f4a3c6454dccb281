//! Command `data`.

mod check;
mod prepare;
mod simulate;
mod split;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use brainmae_data::{PrepareReport, PreparedDataset, ScanStatus};
use brainmae_files::exclusion::reasons;
use brainmae_machine::front::command;
use brainmae_machine::workspace;
use clap::Subcommand;

/// What to do with data.
#[derive(Subcommand)]
pub enum Data {
    /// Turn raw files into a prepared data set.
    Prepare(Box<prepare::Prepare>),
    /// Write synthetic data with planted truth: a cohort as a release has it, or a prepared data
    /// set.
    Simulate(simulate::Simulate),
    /// Divide the subjects of a prepared data set into folds or sets, and write the split file.
    Split(split::DrawSplit),
    /// Prove that a prepared data set is whole and that no subject is in two sets of a split.
    Check(check::Check),
    /// List the scans of a prepared data set, used and excluded.
    List {
        /// Its folder.
        prepared: PathBuf,
    },
}

impl Data {
    /// Executes the command.
    ///
    /// # Errors
    /// Errors of the data.
    pub fn run(self) -> Result<ExitCode> {
        match self {
            Data::Prepare(prepare) => return prepare.run(),
            Data::Simulate(simulate) => simulate.run()?,
            Data::Split(split) => split.run()?,
            Data::Check(check) => check.run()?,
            Data::List { prepared } => list(&PreparedDataset::open(&prepared)?),
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Reports the result of preparing: counts on stdout, warnings on stderr.
fn tell(report: &PrepareReport, out: &Path) {
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
    for (word, scans) in [
        ("excluded", &report.exclusions),
        ("failed", &report.failures),
    ] {
        for (reason, count) in reasons(scans) {
            println!("{word} {count}: {reason}");
        }
    }
    if !(report.exclusions.is_empty() && report.failures.is_empty()) {
        println!("which: {} {}", command("data list"), workspace::shown(out));
    }
    for warning in &report.warnings {
        tracing::warn!("{warning}");
    }
}

/// Path beside a folder: `prepared/a` and `split.json` give `prepared/a.split.json`.
fn beside(folder: &Path, ending: &str) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ending);
    folder.with_file_name(name)
}

fn list(dataset: &PreparedDataset) {
    println!("scan\tsubject\tvolumes\tkept\tmean_fd_mm\tstatus");
    for scan in dataset.scans() {
        let reason = scan.reason.as_deref().unwrap_or_default();
        let status = match scan.status {
            ScanStatus::Included => "used".to_string(),
            ScanStatus::Excluded => format!("excluded: {reason}"),
            ScanStatus::Failed => format!("failed: {reason}"),
        };
        let fd = scan
            .mean_fd_mm
            .map_or("n/a".to_string(), |fd| format!("{fd:.3}"));
        println!(
            "{}\t{}\t{}\t{}\t{fd}\t{status}",
            scan.scan, scan.subject, scan.n_volumes, scan.kept_volumes,
        );
    }
    for warning in &dataset.header().warnings {
        tracing::warn!("{warning}");
    }
}
