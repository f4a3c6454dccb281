//! From raw files or a made-up truth to a prepared data set, and what must not go wrong on the way.

mod bad_input;
mod common;
mod ingest;
mod planted;
mod real;
