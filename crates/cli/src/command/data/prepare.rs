//! Command `data prepare`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use brainmae_data::PrepareOptions;
use brainmae_data::ingest::{self, IngestSpec, Plan};
use brainmae_machine::front::command;
use brainmae_machine::workspace;
use brainmae_signals::cleaning::{BandPass, Censoring, CleaningStep, ConfoundModel, Dummies};
use brainmae_studies::{LAYOUTS, LayoutName, NoteKind};
use clap::{Args, ValueEnum};

use super::tell;
use crate::stage;

/// Exit status if the data set was written but files of some scans could not be read.
const SOME_FAILED: u8 = 3;

/// Name of the table of subjects in BIDS.
const PARTICIPANTS: &str = "participants.tsv";

/// Largest number of remarks of one kind that a dry run prints; the rest is counted.
const NOTES_SHOWN: usize = 40;

/// What to prepare.
#[derive(Args)]
pub struct Prepare {
    /// Folder of raw data. Without --layout and --recipe it holds a `source.toml`.
    source: PathBuf,
    /// How the folder is laid out: hcp, hcp-7t, hcp-aging, nsd, xcpd, fmriprep or manifest.
    #[arg(long)]
    layout: Option<LayoutName>,
    /// A built-in atlas (schaefer-100-7, ...), `columns`, or a label file with names of its own.
    #[arg(long)]
    atlas: Option<String>,
    /// Folder to write; `prepared/<name>` when nothing is said.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Replace another prepared data set at that place.
    #[arg(long)]
    overwrite: bool,
    /// List what would be read, what is missing and what is skipped, and stop.
    #[arg(long)]
    dry_run: bool,
    /// TOML file with layout, atlas, cleaning and all else; the other options change it.
    #[arg(long, value_name = "FILE")]
    recipe: Option<PathBuf>,
    /// Scans read at the same time; all cores when nothing is said.
    #[arg(long)]
    threads: Option<usize>,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    cleaning: Cleaning,
}

/// Order of the Butterworth filter.
const FILTER_ORDER: usize = 2;

/// Number of components of a-comp-cor.
const COMPONENTS: usize = 5;

/// Nuisance signals to regress out.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Confounds {
    /// The six parameters of head movement.
    #[value(name = "motion-6")]
    Motion6,
    /// These, their derivatives, and the squares of both.
    #[value(name = "motion-24")]
    Motion24,
    /// These and the same of white matter, CSF and the global signal.
    #[value(name = "motion-36")]
    Motion36,
    /// Five components of white matter and CSF, and motion-24.
    #[value(name = "a-comp-cor")]
    ACompCor,
}

impl Confounds {
    fn model(self) -> ConfoundModel {
        match self {
            Self::Motion6 => ConfoundModel::Motion6,
            Self::Motion24 => ConfoundModel::Motion24,
            Self::Motion36 => ConfoundModel::Motion36,
            Self::ACompCor => ConfoundModel::ACompCor {
                components: COMPONENTS,
                motion: true,
            },
        }
    }
}

/// Which scans, whose, and where more about them stands.
#[derive(Args, Default, PartialEq)]
#[command(next_help_heading = "Scans and subjects")]
struct Which {
    /// Name of the data set; that of the source folder when nothing is said.
    #[arg(long)]
    name: Option<String>,
    /// Only these subjects.
    #[arg(long, value_delimiter = ',')]
    subject: Vec<String>,
    /// Only these tasks, such as rest,wm.
    #[arg(long, value_delimiter = ',')]
    task: Vec<String>,
    /// Only files with this in their name, where a scan has several.
    #[arg(long)]
    variant: Option<String>,
    /// Take the cleanest variant that all scans of a task have. Without it, a task is refused if
    /// one of its scans lacks its cleanest variant.
    #[arg(long)]
    common_variant: bool,
    /// The atlas in the names of files, where there are several.
    #[arg(long)]
    atlas_label: Option<String>,
    /// Label files for the atlas: a dlabel, a NIfTI volume, or a csv for each hemisphere.
    #[arg(long, value_delimiter = ',', value_name = "FILE")]
    atlas_labels: Vec<PathBuf>,
    /// Label volume of each subject; {subject} stands for the subject.
    #[arg(long, value_name = "PATH")]
    subject_labels: Option<String>,
    /// Least share of an ROI that a scan must cover [default: 0.5].
    #[arg(long, value_name = "SHARE")]
    min_coverage: Option<f32>,
    /// ROIs to do without, by name.
    #[arg(long, value_delimiter = ',', value_name = "ROI")]
    drop_roi: Vec<String>,
    /// Table of subjects: age, sex, family, behaviour. May be given more than once.
    #[arg(long, value_name = "FILE")]
    phenotype: Vec<PathBuf>,
    /// Columns of these tables to keep, besides age, sex and family.
    #[arg(long, value_delimiter = ',', value_name = "COLUMN")]
    target: Vec<String>,
    /// Seconds between volumes, in place of what files and protocol say.
    #[arg(long, value_name = "SECS")]
    tr: Option<f64>,
}

/// Cleaning, in this order; linear detrending and z-scoring when nothing is said.
#[derive(Args, Default, PartialEq)]
#[command(next_help_heading = "Cleaning, in this order")]
struct Cleaning {
    /// Leave out the first volumes.
    #[arg(long, value_name = "VOLUMES")]
    drop_dummies: Option<usize>,
    /// Regress out nuisance signals.
    #[arg(long, value_enum, value_name = "MODEL")]
    confounds: Option<Confounds>,
    /// Censor volumes with more framewise displacement, in mm.
    #[arg(long, value_name = "MM")]
    censor_fd: Option<f64>,
    /// Keep linear trends.
    #[arg(long)]
    no_detrend: bool,
    /// Band to pass, in Hz: 0.01-0.1, 0.01- or -0.1.
    #[arg(long, value_name = "LOW-HIGH", allow_hyphen_values = true)]
    band_pass: Option<String>,
    /// Resample to one volume per this many seconds.
    #[arg(long, value_name = "SECS")]
    dt: Option<f64>,
    /// Keep the units of the scanner.
    #[arg(long)]
    no_z_score: bool,
    /// Leave out scans with more mean framewise displacement, in mm.
    #[arg(long, value_name = "MM")]
    max_mean_fd: Option<f64>,
    /// Leave out scans with fewer seconds after censoring.
    #[arg(long, value_name = "SECS")]
    min_kept_secs: Option<f64>,
}

impl Prepare {
    /// Prepares the data set, or prints what would be prepared.
    ///
    /// # Errors
    /// Errors of the data.
    pub fn run(self) -> Result<ExitCode> {
        let name = self
            .source
            .canonicalize()
            .with_context(|| format!("no folder {:?}", self.source))?;
        let name = name.file_name().context("the source folder has no name")?;
        let name = name.to_string_lossy().into_owned();
        if self.layout.is_none() && self.recipe.is_none() {
            let asked = self.dry_run
                || self.atlas.is_some()
                || self.threads.is_some()
                || self.which != Which::default()
                || self.cleaning != Cleaning::default();
            if asked {
                bail!(
                    "these options need --layout, which says how {:?} is laid out: {}; without it a `source.toml` there decides",
                    self.source,
                    layouts()
                );
            }
            let out = self
                .out
                .unwrap_or_else(|| stage::data::default_root().join(name));
            tell(
                &stage::data::prepare_source(&self.source, &out, self.overwrite)?,
                &out,
            );
            return Ok(ExitCode::SUCCESS);
        }
        let (source, dry_run) = (self.source.clone(), self.dry_run);
        let (out, overwrite, threads) = (self.out.clone(), self.overwrite, self.threads);
        let spec = self.spec(name)?;
        if dry_run {
            show(&ingest::plan(&source, &spec)?);
            return Ok(ExitCode::SUCCESS);
        }
        let out = out.unwrap_or_else(|| stage::data::default_root().join(&spec.name));
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
        let options = PrepareOptions {
            overwrite,
            threads: threads.unwrap_or(cores).max(1),
        };
        let report = stage::data::ingest_cohort(&source, &out, &spec, &options)?;
        tell(&report, &out);
        if !report.failures.is_empty() {
            eprintln!(
                "{} scans could not be read: `{} {}` says why",
                report.failures.len(),
                command("data list"),
                workspace::shown(&out)
            );
            return Ok(ExitCode::from(SOME_FAILED));
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Recipe, or the default without one, changed by the other options.
    fn spec(self, name: String) -> Result<IngestSpec> {
        let mut spec = match (&self.recipe, self.layout, &self.atlas) {
            (Some(path), ..) => IngestSpec::load(path)?,
            (None, Some(layout), Some(atlas)) => IngestSpec::of_layout(layout, name, atlas),
            _ => bail!("--layout and --atlas are needed, or a --recipe that says both"),
        };
        if let Some(layout) = self.layout {
            spec.layout = Some(layout);
        }
        if let Some(atlas) = self.atlas {
            spec.atlas.name = atlas;
        }
        let which = self.which;
        if let Some(name) = which.name {
            spec.name = name;
        }
        replace(&mut spec.list.subjects, which.subject);
        replace(&mut spec.list.tasks, which.task);
        replace(&mut spec.atlas.labels, which.atlas_labels);
        replace(&mut spec.atlas.drop, which.drop_roi);
        replace(&mut spec.phenotypes, which.phenotype);
        replace(&mut spec.targets, which.target);
        spec.list.variant = which.variant.or(spec.list.variant);
        spec.list.common_variant |= which.common_variant;
        spec.list.atlas_label = which.atlas_label.or(spec.list.atlas_label);
        spec.list.subject_labels = which.subject_labels.or(spec.list.subject_labels);
        spec.tr_secs = which.tr.or(spec.tr_secs);
        spec.min_coverage = which.min_coverage.unwrap_or(spec.min_coverage);
        let participants = self.source.join(PARTICIPANTS);
        if spec.phenotypes.is_empty() && participants.is_file() {
            tracing::info!("{PARTICIPANTS} is the table of subjects; --phenotype takes another");
            spec.phenotypes.push(participants);
        }
        self.cleaning.change(&mut spec)?;
        spec.check()?;
        Ok(spec)
    }
}

impl Cleaning {
    /// Replaces steps of the spec by those of the options.
    fn change(self, spec: &mut IngestSpec) -> Result<()> {
        spec.limits.max_mean_fd_mm = self.max_mean_fd.or(spec.limits.max_mean_fd_mm);
        spec.limits.min_kept_secs = self.min_kept_secs.or(spec.limits.min_kept_secs);
        let steps = &mut spec.cleaning;
        if let Some(volumes) = self.drop_dummies {
            put(steps, CleaningStep::DropDummies(Dummies::Volumes(volumes)));
        }
        if let Some(model) = self.confounds {
            let model = model.model();
            put(steps, CleaningStep::RegressConfounds { model });
        }
        if let Some(fd_mm) = self.censor_fd {
            let before = steps.iter().find_map(|step| match step {
                CleaningStep::Censor(rule) => Some(*rule),
                _ => None,
            });
            let rule = before.unwrap_or(Censoring {
                fd_mm,
                before: 0,
                after: 0,
                min_run: 0,
            });
            put(steps, CleaningStep::Censor(Censoring { fd_mm, ..rule }));
        }
        if self.no_detrend {
            steps.retain(|step| *step != CleaningStep::DetrendLinear);
        }
        if let Some(band) = self.band_pass {
            put(steps, band_pass(&band)?);
        }
        if let Some(dt_secs) = self.dt {
            put(steps, CleaningStep::Resample { dt_secs });
        }
        if self.no_z_score {
            steps.retain(|step| *step != CleaningStep::ZScore);
        }
        Ok(())
    }
}

/// Inserts a step at its position, in place of one of the same kind.
fn put(steps: &mut Vec<CleaningStep>, step: CleaningStep) {
    steps.retain(|other| other.place() != step.place());
    steps.push(step);
    steps.sort_by_key(CleaningStep::place);
}

/// Reads `low-high` in Hz; one of the two may be missing.
fn band_pass(text: &str) -> Result<CleaningStep> {
    let edge = |text: &str| -> Result<Option<f64>> {
        Ok(match text.trim() {
            "" => None,
            number => Some(number.parse()?),
        })
    };
    let edges = text
        .split_once('-')
        .context("--band-pass is LOW-HIGH in Hz, such as 0.01-0.1")?;
    let read = || Ok::<_, anyhow::Error>((edge(edges.0)?, edge(edges.1)?));
    let (high_pass_hz, low_pass_hz) =
        read().with_context(|| format!("--band-pass {text} is not LOW-HIGH in Hz"))?;
    Ok(CleaningStep::BandPass(BandPass {
        high_pass_hz,
        low_pass_hz,
        order: FILTER_ORDER,
    }))
}

fn replace<T>(value: &mut Vec<T>, given: Vec<T>) {
    if !given.is_empty() {
        *value = given;
    }
}

fn layouts() -> String {
    let lines: Vec<String> = (LAYOUTS.iter())
        .map(|layout| format!("{} ({})", layout.name(), layout.about()))
        .collect();
    lines.join(", ")
}

/// Prints the plan of a dry run.
fn show(plan: &Plan) {
    let listing = &plan.listing;
    let subjects: std::collections::BTreeSet<_> =
        listing.scans.iter().map(|scan| &scan.subject).collect();
    println!(
        "found {} scans of {} subjects",
        listing.scans.len(),
        subjects.len()
    );
    println!("atlas {}, {} ROIs", plan.atlas, plan.n_rois);
    let mut kinds = std::collections::BTreeMap::<(&str, &str), usize>::new();
    for scan in &listing.scans {
        let task = scan.task.as_deref().unwrap_or("-");
        *kinds.entry((task, &scan.variant)).or_default() += 1;
    }
    for ((task, variant), count) in kinds {
        println!("  {count:>6}  {task:<14}{variant}");
    }
    for (kind, word) in [
        (NoteKind::Missing, "missing"),
        (NoteKind::Skipped, "skipped"),
        (NoteKind::Mixed, "mixed"),
    ] {
        let notes: Vec<_> = listing.notes.iter().filter(|n| n.kind == kind).collect();
        println!("{word}: {}", notes.len());
        for note in notes.iter().take(NOTES_SHOWN) {
            println!("  {}: {}", note.what, note.why);
        }
        if notes.len() > NOTES_SHOWN {
            println!("  and {} more", notes.len() - NOTES_SHOWN);
        }
    }
    for warning in &plan.warnings {
        tracing::warn!("{warning}");
    }
}
