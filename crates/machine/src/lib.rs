//! The machine that a program runs on: devices, LibTorch, MPI, threads, signals, progress.
//!
//! Shared by the programs `brainmae` and `cargo xtask` and by the benchmarks. Knows no experiment,
//! no stage and no data set. The only crate that names a backend ([`device`]) or MPI ([`mpi`]).
//! Everything that it prints goes to stderr.

pub mod allocator;
pub mod cargo;
pub mod device;
pub mod devices;
pub mod front;
pub mod interrupt;
pub mod libtorch;
pub mod local;
pub mod mpi;
pub mod probe;
pub mod processes;
pub mod program;
pub mod progress;
pub mod tool;
pub mod unavailable;
pub mod workspace;
