//! Experiments: one TOML file each, a row of a results table.

mod config;
mod data;
mod downstream;
mod run;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

pub use config::{ExperimentConfig, Resolved};
pub use data::{DataConfig, Origin, raw_place};
pub use downstream::{DownstreamConfig, Pretraining};
pub use run::{Options, plan, pretrain_one, run};

use crate::workspace;

/// The folder of the experiment files.
fn folder() -> PathBuf {
    workspace::root().join("xtask/experiments")
}

/// Names and files of the experiments that come with the workspace.
///
/// # Errors
/// If their folder cannot be read.
pub fn list() -> Result<Vec<(String, PathBuf)>> {
    let folder = folder();
    let entries = std::fs::read_dir(&folder)
        .with_context(|| format!("cannot read the experiments in {folder:?}"))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if let (Some("toml"), Some(name)) = (
            path.extension().and_then(|e| e.to_str()),
            path.file_stem().and_then(|s| s.to_str()),
        ) {
            found.push((name.to_string(), path.clone()));
        }
    }
    found.sort();
    Ok(found)
}

/// The experiment called `name`, or in the file `name`, with `--set` values put in.
///
/// # Errors
/// If there is no such experiment, or its file is wrong.
pub fn load(name: &str, sets: &[String]) -> Result<Resolved> {
    let file = if name.ends_with(".toml") {
        PathBuf::from(name)
    } else {
        folder().join(format!("{name}.toml"))
    };
    if !file.exists() {
        let known: Vec<String> = list()?.into_iter().map(|(name, _)| name).collect();
        bail!("no experiment {name:?}: no file {file:?}\nhint: the experiments here are {known:?}");
    }
    let name = Path::new(&file)
        .file_stem()
        .and_then(|s| s.to_str())
        .unwrap_or(name);
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {file:?}"))?;
    Resolved::parse(name, &text, sets).with_context(|| format!("in {}", workspace::shown(&file)))
}
