//! Machine of a program: devices, LibTorch, MPI, threads, signals, progress.
//!
//! The programs `brainmae` and `cargo xtask` and the benchmarks share this crate. It knows no
//! experiment, no stage and no data set. It is the only crate that names a backend ([`device`]) or
//! MPI ([`mpi`]). All its messages go to stderr.

pub mod allocator;
pub mod cargo;
pub mod device;
pub mod devices;
pub mod front;
pub mod interrupt;
pub mod libtorch;
pub mod local;
pub mod mpi;
pub mod processes;
pub mod program;
pub mod progress;
pub mod unavailable;
pub mod workspace;
