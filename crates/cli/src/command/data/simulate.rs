//! Command `data simulate`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use brainmae_machine::front::command;
use brainmae_machine::workspace;
use brainmae_simulate::PlantedSpec;
use brainmae_simulate::cohort::{BlockOrder, CohortLayout, CohortSpec, Grayordinates, SeriesFile};
use brainmae_studies::LayoutName;
use clap::{Args, ValueEnum};

use super::tell;
use crate::stage;

/// What to simulate.
#[derive(Args)]
pub struct Simulate {
    /// TOML file with a plan: of a prepared data set, or with --layout of a cohort.
    plan: Option<PathBuf>,
    /// Write a cohort as this release has it on disk.
    #[arg(long, value_enum)]
    layout: Option<Release>,
    /// Folder to write.
    #[arg(long)]
    out: PathBuf,
    /// Replace another prepared data set at that place; a cohort is never replaced.
    #[arg(long)]
    overwrite: bool,
    /// Atlas whose networks are planted.
    #[arg(long, default_value = "schaefer-100-7")]
    atlas: String,
    /// People in the cohort.
    #[arg(long, value_name = "N")]
    subjects: Option<usize>,
    /// Volumes of every scan; as in the release when nothing is said.
    #[arg(long, value_name = "N")]
    volumes: Option<usize>,
    /// Tasks, such as rest,wm; all of the release when nothing is said.
    #[arg(long, value_delimiter = ',')]
    task: Vec<String>,
    /// Kind of the signal files.
    #[arg(long, value_enum)]
    file: Option<File>,
    /// All 91,282 grayordinates: 438 MB for a scan of 1200 volumes.
    #[arg(long)]
    full: bool,
    /// Without the faults that are planted: missing, cut and restless scans.
    #[arg(long)]
    no_defects: bool,
    /// Scans that share one order of blocks; all of a run when nothing is said.
    #[arg(long, value_enum)]
    block_order: Option<Order>,
    /// Seed of everything.
    #[arg(long)]
    seed: Option<u64>,
}

/// Releases that can be simulated.
#[derive(Clone, Copy, ValueEnum)]
enum Release {
    /// HCP Young Adult 3T.
    Hcp,
    /// HCP-Aging.
    Aging,
    /// Natural Scenes Dataset.
    Nsd,
    /// XCP-D.
    Xcpd,
}

/// Kinds of signal files.
#[derive(Clone, Copy, ValueEnum)]
enum File {
    /// One row per vertex or voxel.
    Dtseries,
    /// One row per ROI.
    Ptseries,
    /// Text, one column per ROI.
    Tsv,
}

/// Scans that share one order of blocks.
#[derive(Clone, Copy, ValueEnum)]
enum Order {
    /// All subjects' scans of one run, as in the HCP.
    Run,
    /// All scans of a task: the place in the scan tells the condition.
    Task,
    /// None: each scan has its own order.
    Scan,
}

impl Simulate {
    /// Writes the cohort or the prepared data set.
    ///
    /// # Errors
    /// Errors of the plan, or if the folder cannot be written.
    pub fn run(self) -> Result<()> {
        let text = match &self.plan {
            Some(plan) => Some(
                std::fs::read_to_string(plan).with_context(|| format!("cannot read {plan:?}"))?,
            ),
            None => None,
        };
        let place = self.plan.clone().unwrap_or_default();
        let Some(layout) = self.layout else {
            let Some(text) = text else {
                bail!("--layout names a release to simulate; without it a plan is needed");
            };
            let spec: PlantedSpec =
                toml::from_str(&text).with_context(|| format!("in {}", place.display()))?;
            tell(
                &stage::data::simulate(&spec, &self.out, self.overwrite)?,
                &self.out,
            );
            return Ok(());
        };
        let mut spec: CohortSpec = toml::from_str(&text.unwrap_or_default())
            .with_context(|| format!("in {}", place.display()))?;
        spec.layout = match layout {
            Release::Hcp => CohortLayout::Hcp,
            Release::Aging => CohortLayout::Aging,
            Release::Nsd => CohortLayout::Nsd,
            Release::Xcpd => CohortLayout::Xcpd,
        };
        spec.seed = self.seed.unwrap_or(spec.seed);
        spec.n_subjects = self.subjects.or(spec.n_subjects);
        spec.n_volumes = self.volumes.or(spec.n_volumes);
        if !self.task.is_empty() {
            spec.tasks = self.task;
        }
        if let Some(file) = self.file {
            spec.file = Some(match file {
                File::Dtseries => SeriesFile::Dtseries,
                File::Ptseries => SeriesFile::Ptseries,
                File::Tsv => SeriesFile::Tsv,
            });
        }
        if self.full {
            spec.grayordinates = Grayordinates::Full;
        }
        if self.no_defects {
            spec.defects = false;
        }
        if let Some(order) = self.block_order {
            spec.block_order = match order {
                Order::Run => BlockOrder::Run,
                Order::Task => BlockOrder::Task,
                Order::Scan => BlockOrder::Scan,
            };
        }
        let report = stage::data::simulate_cohort(&spec, &self.atlas, &self.out)?;
        println!(
            "{} scans of {} subjects in {}; what is planted lies in {}",
            report.n_scans,
            report.n_subjects,
            workspace::shown(&self.out),
            workspace::shown(&truth(&self.out))
        );
        println!(
            "to prepare it: {}",
            prepare_command(&spec, &self.atlas, &self.out)
        );
        for defect in &report.defects {
            println!("planted fault: {defect}");
        }
        Ok(())
    }
}

/// Command line that prepares a simulated cohort.
fn prepare_command(spec: &CohortSpec, atlas: &str, out: &Path) -> String {
    let (layout, tables): (_, &[&str]) = match spec.layout {
        CohortLayout::Hcp => (LayoutName::HCP_YA, &["unrestricted.csv", "restricted.csv"]),
        CohortLayout::Aging => (LayoutName::HCP_AGING, &["ndar_subject01.txt"]),
        CohortLayout::Nsd => (LayoutName::NSD, &[]),
        CohortLayout::Xcpd => (LayoutName::XCPD, &[]),
    };
    let mut words = format!(
        "{} {} --layout {layout} --atlas {atlas}",
        command("data prepare"),
        workspace::shown(out)
    );
    for table in tables {
        words.push_str(&format!(
            " --phenotype {}",
            workspace::shown(&out.join(table))
        ));
    }
    if spec.layout == CohortLayout::Nsd {
        words.push_str(" --subject-labels labels/{subject}.nii.gz");
    }
    let sparse = spec.grayordinates == Grayordinates::Sparse;
    if sparse && spec.series_file() == SeriesFile::Dtseries {
        words.push_str(" --min-coverage 0");
    }
    words
}

fn truth(out: &Path) -> PathBuf {
    out.join("truth")
}
