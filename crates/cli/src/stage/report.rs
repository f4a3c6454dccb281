//! Report stage: the page of a finished run, and its table as text.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use brainmae_machine::workspace;
use brainmae_run::RunFolder;

use super::{Desk, PlannedRun, Stage, pretrain, reconstruct};
use crate::experiment::Resolved;

/// Page of an experiment. It is written every time.
struct Report<'a> {
    experiment: &'a Resolved,
}

/// Returns the last stage of every experiment with results: predictions, or reconstructions.
///
/// # Errors
/// Never.
pub fn stages(experiment: &Resolved) -> Result<Vec<Box<dyn Stage + '_>>> {
    let has_results = experiment.base.downstream.is_some() || reconstruct::is_there(experiment);
    let stage = || -> Box<dyn Stage + '_> { Box::new(Report { experiment }) };
    Ok(has_results.then(stage).into_iter().collect())
}

impl Report<'_> {
    /// Stage whose numbers the page shows.
    fn shows(&self) -> &'static str {
        match self.experiment.base.downstream {
            None => reconstruct::NAME,
            Some(_) => super::downstream::NAME,
        }
    }
}

impl Stage for Report<'_> {
    fn name(&self) -> String {
        "report".to_string()
    }

    fn inputs(&self) -> Vec<String> {
        let mut inputs = vec![self.shows().to_string()];
        if self.experiment.base.downstream.is_none() {
            // The page also shows the loss curves.
            let variants = self.experiment.variants.iter();
            inputs.extend(variants.map(|variant| pretrain::name(&variant.name)));
        }
        inputs
    }

    fn cost(&self, _desk: &Desk) -> Result<String> {
        Ok(format!("a page in the run folder of {}", self.shows()))
    }

    fn runs(&self, _desk: &Desk) -> Result<Vec<PlannedRun>> {
        Ok(Vec::new())
    }

    fn run(&self, desk: &Desk) -> Result<Vec<RunFolder>> {
        let run = desk.run_of(self.shows())?;
        let page = write(run.path())?;
        let table = match self.experiment.base.downstream {
            None => reconstruct::summary(run.path())?,
            Some(_) => super::downstream::summary(run)?,
        };
        print!("{table}");
        println!("report: {}", workspace::shown(&page));
        Ok(Vec::new())
    }
}

/// Writes the report of a finished run, of any stage, into its folder. Returns the page's path.
///
/// # Errors
/// If `run` is not a run folder, or if a file in it is missing.
pub fn write(run: &Path) -> Result<PathBuf> {
    let absolute = std::path::absolute(run)?;
    let runs = absolute.parent().and_then(Path::parent).unwrap_or(run);
    let here = std::env::current_dir().unwrap_or_default();
    // The page names the run by its path from here.
    let run = run.strip_prefix(&here).unwrap_or(run);
    brainmae_report::write(run, runs)
        .with_context(|| format!("reading the run {}", workspace::shown(run)))
}
