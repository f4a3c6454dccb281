//! Raw data sets of this repository become prepared ones; bad input does not.

mod bad_input;
mod common;
mod real;
