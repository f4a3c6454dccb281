//! The program `brainmae`: experiment files become stages, stages become calls into the crates.
//!
//! This is the only crate that subscribes to tracing. Results go to stdout, everything else to
//! stderr. It works in any folder and needs no clone. It contains no science: the crates below
//! compute.
//!
//! This is a library because several programs contain it: `brainmae`, the programs that need
//! LibTorch or MPI to start, and `cargo xtask`.

mod cli;
mod command;
pub mod experiment;
mod hint;
mod shipped;
pub mod stage;
mod start;

pub use cli::Command;
pub use start::{CommandLine, start};

/// Function `main` of `brainmae`.
pub fn main() -> std::process::ExitCode {
    start::<cli::Cli>(brainmae_machine::front::Front::Brainmae)
}
