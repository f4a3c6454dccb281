//! `cargo xtask`: the gates of this project, and every command of `brainmae`, in the clone.
//!
//! This is a library because several programs contain it: `xtask`, and those that need LibTorch or
//! MPI to start.

mod ci;
mod loss_curve;
mod tidy;

use std::process::ExitCode;

use anyhow::Result;
use brainmae_cli::{CommandLine, Registry};
use brainmae_machine::devices::Devices;
use brainmae_machine::front::Front;
use brainmae_machine::processes::Processes;
use brainmae_machine::{cargo, libtorch, mpi, program, tool, unavailable, workspace};
use clap::{Parser, Subcommand};

/// BrainMAE: from fMRI files to a pretrained model and its report.
#[derive(Parser)]
#[command(name = "cargo xtask", version, max_term_width = 100)]
struct Cli {
    /// Say more on stderr.
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    Brainmae(brainmae_cli::Command),
    /// Measure speed and memory; prints ratios measured side by side.
    #[command(subcommand)]
    Bench(Bench),
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
        /// Processes that train together: one, or with mpi all that mpirun or srun started with
        /// this one.
        #[arg(long, value_enum, default_value_t, hide_possible_values = true)]
        #[arg(conflicts_with = "renew")]
        processes: Processes,
    },
}

#[derive(Subcommand)]
enum Bench {
    #[command(flatten)]
    Bench(brainmae_cli::BenchCommand),
    /// Pack `bench all` for a machine that has a GPU and PyTorch, but neither Rust nor network.
    Pack(brainmae_bench::pack::PackBench),
}

impl CommandLine for Cli {
    fn verbosity(&self) -> u8 {
        self.verbose
    }

    fn run(self, registry: &Registry) -> Result<ExitCode> {
        match self.command {
            Command::Brainmae(command) => return command.run(registry),
            Command::Bench(Bench::Bench(bench)) => bench.run(registry)?,
            Command::Bench(Bench::Pack(pack)) => pack.run()?,
            Command::Ci { only } => return ci::run(&only),
            Command::LossCurve {
                renew,
                device,
                processes,
            } => loss_curve::run(renew, device, processes)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Executes the command line, and prints an error on stderr.
pub fn main() -> ExitCode {
    brainmae_cli::start::<Cli>(Front::Xtask, &Registry::built_in())
}
