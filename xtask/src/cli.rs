//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};

use crate::devices::Devices;
use crate::local::Local;
use crate::processes::Processes;
use crate::{command, experiment, stage, workspace};

/// BrainMAE: from fMRI files to a pretrained model and its report.
#[derive(Parser)]
#[command(name = "cargo xtask", version, about, max_term_width = 100)]
pub struct Cli {
    /// Say more on stderr.
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Prepare, check or list data sets.
    #[command(subcommand)]
    Data(command::data::Data),
    /// Run, plan or list experiments.
    #[command(subcommand)]
    Experiment(Experiment),
    /// Train one variant of an experiment; prints the folder of its best checkpoint.
    Pretrain {
        #[command(flatten)]
        which: Which,
        /// The variant.
        #[arg(long)]
        variant: String,
        /// Start from the weights of this checkpoint; its atlas, dt and cleaning must be those of the data.
        #[arg(long, value_name = "DIR")]
        ckpt: Option<PathBuf>,
        #[command(flatten)]
        how: How,
    },
    /// Write what a pretrained encoder says of every scan to parquet: samples, segments, ROI vectors.
    Embed {
        /// Folder of the checkpoint.
        #[arg(long, value_name = "DIR")]
        ckpt: PathBuf,
        /// Folder of a prepared data set.
        data: PathBuf,
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
    /// Write the report of a finished run anew.
    Report {
        /// Its run folder.
        run: PathBuf,
    },
    /// Measure speed and memory; prints ratios measured side by side.
    #[command(subcommand)]
    Bench(command::bench::Bench),
    /// Every gate of this project, cheap ones first.
    Ci {
        /// Only the gates with these names.
        #[arg(long, value_delimiter = ',')]
        only: Vec<String>,
    },
    /// Compare the loss curve of a short training with the committed one.
    LossCurve {
        /// Write the committed curve anew, deliberately.
        #[arg(long)]
        renew: bool,
        /// Where tensors live.
        #[arg(long, default_value = "cpu", conflicts_with = "renew")]
        device: Devices,
        /// Processes that train together: one, or with mpi all that mpirun or srun started with this one.
        #[arg(long, value_enum, default_value_t, hide_possible_values = true)]
        #[arg(conflicts_with = "renew")]
        processes: Processes,
    },
}

#[derive(Subcommand)]
enum Experiment {
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
    /// List the experiments that come with the workspace.
    List,
}

/// Which experiment.
#[derive(Args)]
struct Which {
    /// Name of an experiment, or path of its TOML file.
    experiment: String,
    /// Change a value: `--set model.d_model=32`. May be given more than once.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
}

/// How to run.
#[derive(Args)]
struct How {
    /// Where tensors live: cpu, libtorch:cpu, or libtorch:cuda:N for an NVIDIA GPU; several share the batches of training:
    /// libtorch:cuda:0,1 or libtorch:cuda:all. LibTorch is fetched on first use.
    #[arg(long, default_value = "cpu")]
    device: Devices,
    /// Processes that train together: one, or with mpi all that mpirun or srun started with this one.
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
    /// Go on with a run that was started before, and fail if there is none. (Without this, one that is found is resumed too.)
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
            runs: self.runs.unwrap_or_else(|| workspace::root().join("runs")),
            data: self.data.unwrap_or_else(stage::data::default_root),
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

impl Cli {
    /// Does what was asked.
    ///
    /// # Errors
    /// Whatever went wrong, with its context.
    pub fn run(self) -> Result<ExitCode> {
        let load = |which: &Which| experiment::load(&which.experiment, &which.sets);
        match self.command {
            Command::Data(data) => return data.run(),
            Command::Experiment(Experiment::List) => {
                for (name, file) in experiment::list()? {
                    let about = experiment::load(&name, &[])?.base.about;
                    println!("{name:<16}{about}\n{:<16}{}", "", workspace::shown(&file));
                }
            }
            Command::Experiment(Experiment::Plan { which, how }) => {
                experiment::plan(&load(&which)?, &how.options())?;
            }
            Command::Experiment(Experiment::Run {
                which,
                how,
                dry_run,
            }) => {
                let (experiment, options) = (load(&which)?, how.options());
                if dry_run {
                    experiment::plan(&experiment, &options)?;
                } else {
                    experiment::run(&experiment, &options)?;
                }
            }
            Command::Pretrain {
                which,
                variant,
                ckpt,
                how,
            } => {
                let options = experiment::Options {
                    ckpt,
                    ..how.options()
                };
                experiment::pretrain_one(&load(&which)?, &variant, &options)?;
            }
            Command::Embed {
                ckpt,
                data,
                out,
                device,
                threads,
            } => stage::embed::Embed {
                out: out.unwrap_or_else(|| data.with_extension("embeddings")),
                ckpt,
                data,
                device,
                threads: threads.unwrap_or_else(|| Local::this().threads()).max(1),
            }
            .run()?,
            Command::Report { run } => {
                let run = run
                    .canonicalize()
                    .with_context(|| format!("no run folder {run:?}"))?;
                println!("{}", workspace::shown(&stage::write_report(&run)?));
            }
            Command::Bench(bench) => bench.run()?,
            Command::Ci { only } => return crate::ci::run(&only),
            Command::LossCurve {
                renew,
                device,
                processes,
            } => command::loss_curve::run(renew, device, processes)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
