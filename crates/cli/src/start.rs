//! Start and end of a program: its log, its exit status, and the printing of its error.

use std::io::IsTerminal;
use std::process::ExitCode;

use anyhow::Result;
use brainmae_machine::front::Front;
use brainmae_machine::{allocator, code_version, interrupt, processes};
use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::{Registry, hint};

/// Command line of a program.
pub trait CommandLine: Parser {
    /// Verbosity of stderr above the default: 0, 1 or 2.
    fn verbosity(&self) -> u8;

    /// Executes the command line with the models and learners of `registry`.
    ///
    /// # Errors
    /// Any error, with its context.
    fn run(self, registry: &Registry) -> Result<ExitCode>;
}

/// Executes the command line, and prints an error on stderr.
pub fn start<C: CommandLine>(front: Front, registry: &Registry) -> ExitCode {
    allocator::keep_large_blocks();
    front.begin();
    code_version::begin(option_env!("BRAINMAE_BUILT_FROM"));
    interrupt::begin(|| std::process::exit(i32::from(interrupt::EXIT_STATUS)));
    let command_line = C::parse();
    let level = match command_line.verbosity() {
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
    match command_line.run(registry) {
        Ok(code) => {
            processes::part();
            code
        }
        Err(error) if interrupt::is_stopped(&error) => {
            processes::abort();
            ExitCode::from(interrupt::EXIT_STATUS)
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
