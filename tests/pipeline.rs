//! Tests across crates. Each module tests one property of the whole; unit tests are beside the code
//! that they test.

mod device;
mod golden;
mod invariance;
mod larger_than_memory;
mod parity;
mod planted;
