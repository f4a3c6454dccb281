#![doc = include_str!("../README.md")]

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
