//! The data stage: raw files or a plan of synthetic ones become a prepared data set.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use brainmae_data::{
    PlantedSpec, PrepareOptions, PrepareReport, PreparedDataset, Progress, SegmentSpec, SplitSpec,
    Step, prepare, prepare_planted,
};
use brainmae_run::Seeds;
use brainmae_run::identity::sha256;

use super::Scans;
use crate::experiment::ExperimentConfig;
use crate::progress::Steps;
use crate::{interrupt, workspace};

/// Where prepared data sets lie when nothing else is said.
pub fn default_root() -> PathBuf {
    workspace::root().join("prepared")
}

/// Prepares the raw data set in `source`, at `out`.
///
/// # Errors
/// From the data.
pub fn prepare_source(source: &Path, out: &Path, overwrite: bool) -> Result<PrepareReport> {
    with_progress("preparing", overwrite, |options, progress| {
        Ok(prepare(source, out, options, progress)?)
    })
    .with_context(|| format!("preparing {}", workspace::shown(source)))
}

/// Writes the synthetic data set of `spec` at `out`.
///
/// # Errors
/// From the data.
pub fn simulate(spec: &PlantedSpec, out: &Path, overwrite: bool) -> Result<PrepareReport> {
    with_progress("simulating", overwrite, |options, progress| {
        Ok(prepare_planted(spec, out, options, progress)?)
    })
    .context("simulating scans")
}

fn with_progress(
    name: &str,
    overwrite: bool,
    work: impl FnOnce(&PrepareOptions, &mut dyn FnMut(Progress)) -> Result<PrepareReport>,
) -> Result<PrepareReport> {
    let mut current: Option<(Step, Steps)> = None;
    let streams =
        |seed: u64, name: &str| -> Box<dyn rand::Rng> { Box::new(Seeds::new(seed).stream(name)) };
    let options = PrepareOptions {
        overwrite,
        streams: &streams,
    };
    work(&options, &mut |at: Progress| {
        if current.as_ref().is_none_or(|(step, _)| *step != at.step) {
            let what = match at.step {
                Step::Verify => "checksums",
                Step::Assemble => "writing",
                _ => name,
            };
            current = Some((at.step, Steps::new(what, at.total as u64)));
        }
        if let Some((_, steps)) = &mut current {
            steps.set(at.done as u64, at.name.to_string());
        }
        // Finished scans are kept: the next call goes on from here.
        interrupt::exit_if_asked();
    })
}

/// Where the data set of an experiment lies, or will lie.
pub fn place(config: &ExperimentConfig, root: &Path) -> Result<PathBuf> {
    let data = &config.data;
    if let Some(prepared) = &data.prepared {
        return Ok(workspace::root().join(prepared));
    }
    if let Some(source) = &data.source {
        let name = source.file_name().context("data.source has no name")?;
        return Ok(root.join(name));
    }
    // Another plan is another data set: the hash keeps them apart.
    let plan = serde_json::to_vec(&data.planted)?;
    Ok(root.join(format!("planted-{}", &sha256(&plan)[..12])))
}

/// The scans of an experiment, prepared if they are not yet.
///
/// # Errors
/// From the data.
pub fn scans(config: &ExperimentConfig, root: &Path) -> Result<Scans> {
    let _span = tracing::info_span!("stage", name = "data").entered();
    let place = place(config, root)?;
    let report = match (&config.data.source, &config.data.planted) {
        (Some(source), _) => Some(prepare_source(
            &workspace::root().join(source),
            &place,
            false,
        )?),
        (None, Some(spec)) => Some(simulate(spec, &place, false)?),
        (None, None) => {
            // The other two compare checksums too before they call a data set up to date.
            PreparedDataset::open(&place)?.verify()?;
            None
        }
    };
    if let Some(report) = report {
        let state = if report.up_to_date {
            "is there"
        } else {
            "prepared"
        };
        tracing::info!(
            scans = report.included,
            rois = report.n_rois,
            "data set {} {state}",
            report.name
        );
        for exclusion in &report.exclusions {
            tracing::warn!(scan = %exclusion.scan, reason = %exclusion.reason, "excluded");
        }
    }
    open(&place, &config.segments, &config.split, config.split_seed)
}

/// A prepared data set with its split.
///
/// # Errors
/// From the data.
pub fn open(place: &Path, segments: &SegmentSpec, split: &SplitSpec, seed: u64) -> Result<Scans> {
    let dataset = PreparedDataset::open(place)
        .with_context(|| format!("opening the prepared data set {}", workspace::shown(place)))?;
    let layout = segments.layout(dataset.dt_secs())?;
    let split = split.draw(&dataset, &mut Seeds::new(seed).stream("split"))?;
    split.check(&dataset)?;
    Ok(Scans {
        dataset,
        split,
        layout,
    })
}
