//! The program `brainmae`: experiment files become stages, stages become calls into the crates.
//!
//! This is the only crate that subscribes to tracing. Results go to stdout, everything else to
//! stderr. It works in any folder and needs no clone. It contains no science: the crates below
//! compute.
//!
//! This is a library because several programs contain it: `brainmae`, the programs that need
//! LibTorch or MPI to start, and `cargo xtask`.

mod cli;
pub mod command;
pub mod experiment;
mod hint;
mod registry;
mod shipped;
pub mod stage;
mod start;

pub use cli::{BenchCommand, Command};
pub use registry::{ModelTable, Registry};
pub use start::{CommandLine, start};

/// Function `main` of `brainmae`.
pub fn main() -> std::process::ExitCode {
    main_with(&Registry::built_in())
}

/// Function `main` of a program like `brainmae` that knows more models or learners.
pub fn main_with(registry: &Registry) -> std::process::ExitCode {
    start::<cli::Cli>(brainmae_machine::front::Front::Brainmae, registry)
}
