//! Tests with the raw data sets of this repository, and with bad input.

mod bad_input;
mod common;
mod real;
