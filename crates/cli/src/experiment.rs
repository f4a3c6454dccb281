//! Experiments as TOML files, each of which yields one row of a results table.

mod config;
mod data;
mod design;
mod downstream;
mod files;
mod options;
mod run;
pub mod seeds;

use std::path::Path;

use anyhow::{Context, Result, bail};
use brainmae_machine::workspace;

pub use config::{ExperimentConfig, Resolved, Variant};
pub use data::{DataConfig, Origin, raw_place};
pub use design::Design;
pub use downstream::{DownstreamConfig, Pretraining};
pub use files::Files;
pub use options::Options;
pub use run::{describe, pretrain_one, run};

use crate::{Registry, shipped};

/// File of an experiment that comes with this program.
///
/// # Errors
/// If there is no experiment of this name.
pub fn shipped_text(name: &str) -> Result<&'static str> {
    let found = shipped::EXPERIMENTS
        .iter()
        .find(|(known, _)| *known == name);
    found.map(|(_, text)| *text).with_context(|| unknown(name))
}

fn unknown(name: &str) -> String {
    let known: Vec<&str> = shipped::EXPERIMENTS.iter().map(|(name, _)| *name).collect();
    format!(
        "no experiment {name:?}\nhint: those that come with this program are {known:?}; the path of another one ends in .toml"
    )
}

/// Loads the experiment called `name`, or in the file `name`, and applies the `--set` values.
///
/// # Errors
/// If there is no such experiment, or if its file is not valid.
pub fn load(name: &str, sets: &[String], registry: &Registry) -> Result<Resolved> {
    if !name.ends_with(".toml") {
        let text = shipped_text(name)?;
        return Resolved::parse(name, text, sets, registry)
            .with_context(|| format!("in the experiment {name}"));
    }
    let file = Path::new(name);
    if !file.exists() {
        bail!("{}", unknown(name));
    }
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {file:?}"))?;
    let stem = file.file_stem().and_then(|stem| stem.to_str());
    let found = Resolved::parse(stem.unwrap_or(name), &text, sets, registry)
        .with_context(|| format!("in {}", workspace::shown(file)))?;
    Ok(Resolved {
        files: Files::of(file),
        ..found
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_experiment_is_whole() {
        assert!(!shipped::EXPERIMENTS.is_empty());
        for (name, _) in shipped::EXPERIMENTS {
            let experiment = load(name, &[], &Registry::built_in()).expect("a valid file");
            assert_eq!(experiment.name, *name);
            assert!(!experiment.base.about.is_empty(), "{name}");
        }
    }

    #[test]
    fn an_unknown_experiment_is_told_the_known_ones() {
        for name in ["haxby", "nowhere/haxby.toml"] {
            let error = load(name, &[], &Registry::built_in())
                .expect_err("there is none")
                .to_string();
            assert!(error.contains("haxby2001"), "{error}");
        }
    }
}
