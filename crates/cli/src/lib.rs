//! The program `brainmae`: experiment files become stages, stages become calls into the crates.
//!
//! The only crate that subscribes to tracing; results go to stdout, everything else to stderr.
//! Works in any folder and assumes no clone. Knows no science: what is computed stands in the
//! crates below.
//!
//! A library, because it is built into several programs: `brainmae`, those that cannot start
//! without LibTorch or MPI, and `cargo xtask`.

mod cli;
mod command;
pub mod experiment;
mod hint;
mod shipped;
pub mod stage;
mod start;

pub use cli::Command;
pub use start::{CommandLine, main, start};
