//! The orchestrator: experiment files become stages, stages become calls into the crates.
//!
//! The only place that prints, subscribes to tracing or names a backend. Results go to stdout, everything else to stderr.
//!
//! A library, because it is built into several programs: `xtask`, and those that cannot start without LibTorch or MPI.

mod allocator;
mod cargo;
mod ci;
mod cli;
mod command;
mod device;
mod devices;
mod experiment;
mod hint;
mod interrupt;
mod libtorch;
mod local;
mod mpi;
mod processes;
mod program;
mod progress;
mod report;
mod stage;
mod tidy;
mod unavailable;
mod workspace;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

/// Does what the command line asks, and says on stderr what went wrong.
pub fn main() -> ExitCode {
    allocator::keep_large_blocks();
    let cli = cli::Cli::parse();
    let level = match cli.verbose {
        0 => "info",
        1 => "debug",
        _ => "trace",
    };
    let _guard = processes::PanicGuard;
    let filter = EnvFilter::try_from_env("BRAINMAE_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(processes::log_writer)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
    match cli.run() {
        Ok(code) => {
            processes::part();
            code
        }
        Err(error) => {
            let who = processes::follower().map_or(String::new(), |n| format!(" in process {n}"));
            eprintln!("error{who}: {}", format!("{error:#}").trim_end());
            if let Some(hint) = hint::hint(&error) {
                eprintln!("hint: {hint}");
            }
            processes::abort();
            ExitCode::FAILURE
        }
    }
}
