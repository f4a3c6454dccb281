//! The operators that burn would take apart, each in one piece and with a backward of its own.
//!
//! Backends are named here and where devices are made, nowhere else. A backend without an operator
//! of its own would get it by implementing [`block::BlockKernel`].

pub mod block;
mod cpu;
mod flex;

pub use block::{Block, Linear, Mixing, Norm};
