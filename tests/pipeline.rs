//! Tests across crates. Each module asks one question of the whole; unit tests stand beside the
//! code they test.

mod device;
mod golden;
mod invariance;
mod larger_than_memory;
mod parity;
mod planted;
