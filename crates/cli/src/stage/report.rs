//! The report of a finished run.

mod downstream;
mod reconstruction;

use std::path::{Path, PathBuf};

use anyhow::Result;
use brainmae_run::Manifest;

pub use reconstruction::Notes;

/// Writes the report of a finished run, of whichever stage, into its folder. Returns the page's path.
///
/// # Errors
/// If this is no run folder, or something is missing in it.
pub fn write(run: &Path) -> Result<PathBuf> {
    let stage = Manifest::read(&run.join("manifest.json"))?.stage;
    if stage.starts_with("downstream") {
        return downstream::write(run);
    }
    let runs = run.parent().and_then(|p| p.parent()).unwrap_or(run);
    reconstruction::write(run, runs)
}
