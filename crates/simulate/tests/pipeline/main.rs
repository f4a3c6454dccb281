//! Preparation of simulated releases and planted data.

mod common;
mod ingest;
mod planted;
