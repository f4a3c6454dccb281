#![doc = include_str!("../README.md")]

pub mod downstream;
pub mod reconstruction;
pub mod seeds;

mod canvas;
mod dot_plot;
mod drawing;
mod error;
mod facts;
mod figure;
mod marked_axis;
mod number;
mod page;
mod palette;
mod plain_table;
mod thin;
mod words;

use std::path::{Path, PathBuf};

use brainmae_run::{Manifest, RunError, write_atomic};

pub use error::{ReportError, Result};
pub use facts::FactGroup;

/// Name of the stage that compares seeds.
const SEEDS: &str = "seeds";

/// Prefix of the names of stages that predict targets; every other one, except [`SEEDS`],
/// reconstructs.
const DOWNSTREAM: &str = "downstream";

/// Writes `report.html` into the folder of a finished run. Returns the page's path.
///
/// `runs` is the folder of all runs, which holds the inputs of this run. The page names the run as
/// the path `run` does.
///
/// # Errors
/// If `run` is not a run folder, or if a table, the notes or a log is missing or damaged.
pub fn write(run: &Path, runs: &Path) -> Result<PathBuf> {
    let manifest = Manifest::read(&run.join("manifest.json"))?;
    let html = if manifest.stage == SEEDS {
        seeds::render(&seeds::ReportData::read(run, &manifest)?)?
    } else if manifest.stage.starts_with(DOWNSTREAM) {
        let setting = downstream::Setting::of_run(run, &manifest);
        downstream::render(&downstream::ReportData::read(run, setting)?)?
    } else {
        reconstruction::render(&reconstruction::ReportData::read(run, runs)?)?
    };
    let page = run.join("report.html");
    write_atomic(&page, html.as_bytes()).map_err(RunError::from)?;
    Ok(page)
}
