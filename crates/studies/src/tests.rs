//! Helpers of the tests.

pub mod tree;
