//! Simulated releases and planted data become prepared data sets.

mod common;
mod ingest;
mod planted;
