//! Command line of `brainmae`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use brainmae_bench::Bench;
use brainmae_machine::devices::Devices;
use brainmae_machine::local::Local;
use brainmae_machine::processes::Processes;
use brainmae_machine::workspace;
use clap::{Args, Parser, Subcommand};

use crate::start::CommandLine;
use crate::{Registry, command, experiment, shipped, stage};

/// BrainMAE: from fMRI files to a pretrained model and its report.
#[derive(Parser)]
#[command(name = "brainmae", version, max_term_width = 100)]
pub struct Cli {
    /// Say more on stderr.
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    verbose: u8,
    #[command(subcommand)]
    command: Any,
}

#[derive(Subcommand)]
enum Any {
    #[command(flatten)]
    Command(Command),
    /// Measure speed and memory; prints ratios measured side by side.
    #[command(subcommand)]
    Bench(BenchCommand),
}

/// What to measure.
#[derive(Subcommand)]
pub enum BenchCommand {
    /// A benchmark that knows no experiment.
    #[command(flatten)]
    Bench(Box<Bench>),
    /// An experiment, run anew in a temporary folder: time, processor time and memory of each
    /// stage.
    Experiment {
        /// Which experiment.
        #[command(flatten)]
        which: Which,
        /// How to run it; its folders are temporary.
        #[command(flatten)]
        how: How,
    },
}

impl BenchCommand {
    /// Executes the command with the models and learners of `registry`.
    ///
    /// # Errors
    /// Errors of the benchmark or of the experiment.
    pub fn run(self, registry: &Registry) -> Result<()> {
        match self {
            Self::Bench(bench) => bench.run(),
            Self::Experiment { which, how } => {
                let experiment = experiment::load(&which.experiment, &which.sets, registry)?;
                command::bench_experiment::run(&experiment, how.options())
            }
        }
    }
}

impl CommandLine for Cli {
    fn verbosity(&self) -> u8 {
        self.verbose
    }

    fn run(self, registry: &Registry) -> Result<ExitCode> {
        match self.command {
            Any::Command(command) => command.run(registry),
            Any::Bench(bench) => bench.run(registry).map(|()| ExitCode::SUCCESS),
        }
    }
}

/// What `brainmae` and `cargo xtask` share, besides benchmarks.
#[derive(Subcommand)]
pub enum Command {
    /// Prepare, check or list data sets.
    #[command(subcommand)]
    Data(command::data::Data),
    /// Run, plan, follow or list experiments.
    #[command(subcommand)]
    Experiment(Experiment),
    /// Train one variant of an experiment; prints the folder of its best checkpoint.
    Pretrain(Pretrain),
    /// Write the embedding of every scan by a pretrained encoder to parquet: samples, segments,
    /// ROI vectors.
    Embed {
        /// Folder of the checkpoint.
        #[arg(long, value_name = "DIR")]
        ckpt: PathBuf,
        /// Folder of a prepared data set.
        data: PathBuf,
        /// ROIs that are hidden in all scans, as if they had no signal: NAME,NAME.
        #[arg(long, value_name = "NAMES", value_delimiter = ',')]
        hide_rois: Vec<String>,
        /// Folder for the tables; that of the data with `.embeddings` when nothing is said.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Where tensors live.
        #[arg(long, default_value = "cpu")]
        device: Devices,
        /// Threads to encode with.
        #[arg(long)]
        threads: Option<usize>,
    },
    /// Say how alike the vectors of a subject's scans are, by a pretrained encoder and by
    /// functional connectivity: identification rate, discriminability, ICC.
    Reliability(command::reliability::Reliability),
    /// Write the report of a finished run anew.
    Report {
        /// Its run folder.
        run: PathBuf,
    },
}

/// Which variant to train, and how.
#[derive(Args)]
pub struct Pretrain {
    #[command(flatten)]
    which: Which,
    /// The variant.
    #[arg(long)]
    variant: String,
    /// Start from the weights of this checkpoint; its atlas, dt and cleaning must be those of the
    /// data.
    #[arg(long, value_name = "DIR")]
    ckpt: Option<PathBuf>,
    #[command(flatten)]
    how: How,
}

/// What to do with experiments.
#[derive(Subcommand)]
pub enum Experiment {
    /// Do every stage that is not done yet, and write the report.
    Run {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        how: How,
        /// Only say what would be done.
        #[arg(long)]
        dry_run: bool,
    },
    /// Say what a run would do.
    Plan {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        how: How,
    },
    /// Say how far each stage is, why it failed, and where its run lies.
    Status {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        how: How,
    },
    /// List the experiments that come with this program.
    List,
    /// Print the file of an experiment that comes with this program, to write another one from it.
    Show {
        /// Name of the experiment.
        experiment: String,
    },
}

/// Which experiment.
#[derive(Args)]
pub struct Which {
    /// Name of an experiment, or path of its TOML file.
    experiment: String,
    /// Change a value: `--set model.d_model=32`. May be given more than once.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
}

/// How to run.
#[derive(Args)]
pub struct How {
    /// Where tensors live: cpu, libtorch:cpu, or libtorch:cuda:N for an NVIDIA GPU; several share
    /// the batches of training: libtorch:cuda:0,1 or libtorch:cuda:all. LibTorch is fetched on
    /// first use.
    #[arg(long, default_value = "cpu")]
    device: Devices,
    /// Processes that train together: one, or with mpi all that mpirun or srun started with this
    /// one.
    #[arg(long, value_enum, default_value_t, hide_possible_values = true)]
    processes: Processes,
    /// Folder of run folders.
    #[arg(long, value_name = "DIR")]
    runs: Option<PathBuf>,
    /// Folder of prepared data sets.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Threads that the parts of a batch are spread over; results do not depend on it.
    #[arg(long)]
    threads: Option<usize>,
    /// Go on with a run that was started before, and fail if there is none. (Without this, one that
    /// is found is resumed too.)
    #[arg(long, conflicts_with = "restart")]
    resume: bool,
    /// Set an unfinished run aside and start anew.
    #[arg(long)]
    restart: bool,
}

impl How {
    fn options(self) -> experiment::Options {
        experiment::Options {
            device: self.device,
            processes: self.processes,
            runs: (self.runs).unwrap_or_else(|| workspace::work_folder().join("runs")),
            data: (self.data).unwrap_or_else(stage::data::default_root),
            threads: self
                .threads
                .unwrap_or_else(|| Local::this().threads())
                .max(1),
            ckpt: None,
            resume: self.resume,
            restart: self.restart,
        }
    }
}

impl Command {
    /// Executes the command with the models and learners of `registry`.
    ///
    /// # Errors
    /// Errors of the command, with their context.
    pub fn run(self, registry: &Registry) -> Result<ExitCode> {
        let load = |which: &Which| experiment::load(&which.experiment, &which.sets, registry);
        match self {
            Command::Data(data) => return data.run(),
            Command::Experiment(Experiment::List) => {
                for (name, _) in shipped::EXPERIMENTS {
                    println!(
                        "{name:<18}{}",
                        experiment::load(name, &[], registry)?.base.about
                    );
                }
            }
            Command::Experiment(Experiment::Show { experiment }) => {
                print!("{}", experiment::shipped_text(&experiment)?);
            }
            Command::Experiment(Experiment::Plan { which, how }) => {
                let (experiment, options) = (load(&which)?, how.options());
                print!(
                    "{}",
                    experiment::describe(&experiment, |one| one.plan(&options))?
                );
            }
            Command::Experiment(Experiment::Status { which, how }) => {
                let (experiment, options) = (load(&which)?, how.options());
                print!(
                    "{}",
                    experiment::describe(&experiment, |one| one.status(&options))?
                );
            }
            Command::Experiment(Experiment::Run {
                which,
                how,
                dry_run,
            }) => {
                let (experiment, options) = (load(&which)?, how.options());
                if dry_run {
                    let plan = experiment::describe(&experiment, |one| one.plan(&options))?;
                    print!("{plan}");
                } else {
                    experiment::run(&experiment, &options)?;
                }
            }
            Command::Pretrain(pretrain) => {
                let options = experiment::Options {
                    ckpt: pretrain.ckpt,
                    ..pretrain.how.options()
                };
                experiment::pretrain_one(&load(&pretrain.which)?, &pretrain.variant, &options)?;
            }
            Command::Embed {
                ckpt,
                data,
                hide_rois,
                out,
                device,
                threads,
            } => command::embed::Embed {
                out: out.unwrap_or_else(|| data.with_extension("embeddings")),
                ckpt,
                data,
                hide_rois,
                device,
                threads: threads.unwrap_or_else(|| Local::this().threads()).max(1),
            }
            .run(&registry.encoders())?,
            Command::Reliability(reliability) => reliability.run(&registry.encoders())?,
            Command::Report { run } => {
                let run = run
                    .canonicalize()
                    .with_context(|| format!("no run folder {run:?}"))?;
                println!("{}", workspace::shown(&stage::report::write(&run)?));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
