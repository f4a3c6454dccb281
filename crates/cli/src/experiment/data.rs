//! The `[data]` table of an experiment file.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use brainmae_data::StoreBudget;
use brainmae_data::ingest::IngestSpec;
use brainmae_files::sha256_bytes;
use brainmae_simulate::PlantedSpec;
use brainmae_simulate::cohort::{CohortLayout, CohortSpec};
use serde::{Deserialize, Serialize};

use super::Files;
use crate::stage::refusal;

/// Source of the data: exactly one of `source`, `cohort`, `prepared` and `planted` is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// Folder of raw data, see [`Files`]. It contains a `source.toml`, unless `recipe` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<PathBuf>,
    /// Simulated release, which is then prepared according to `recipe`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cohort: Option<CohortSpec>,
    /// Layout and cleaning of a release; relative paths in it start at the folder of the raw data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<IngestSpec>,
    /// Folder of a prepared data set, see [`Files`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prepared: Option<PathBuf>,
    /// Synthetic scans with planted effects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planted: Option<PlantedSpec>,
    /// Memory for scans, in GiB; by default a quarter of the machine's memory. Scans beyond it are
    /// read from disk repeatedly. Results do not depend on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_gib: Option<f64>,
}

/// The one source of the data.
pub enum Origin<'a> {
    /// A folder with a `source.toml`.
    Source(&'a Path),
    /// A folder of a release, and how to prepare it.
    Release(&'a Path, &'a IngestSpec),
    /// A release to simulate, and how to prepare it.
    Cohort(&'a CohortSpec, &'a IngestSpec),
    /// A prepared data set.
    Prepared(&'a Path),
    /// A prepared data set to simulate.
    Planted(&'a PlantedSpec),
}

impl DataConfig {
    /// Finds the source of the data.
    ///
    /// # Errors
    /// If there is no source, more than one, or a recipe for data that need none.
    pub fn origin(&self) -> Result<Origin<'_>> {
        let found = match (&self.source, &self.cohort, &self.prepared, &self.planted) {
            (Some(source), None, None, None) => match &self.recipe {
                Some(recipe) => return Ok(Origin::Release(source, recipe)),
                None => Origin::Source(source),
            },
            (None, Some(cohort), None, None) => {
                let recipe = self.recipe.as_ref();
                let recipe = recipe.context("[data.cohort] needs [data.recipe]\nhint: name, layout and atlas at least, as in the file of `data prepare --recipe`")?;
                return Ok(Origin::Cohort(cohort, recipe));
            }
            (None, None, Some(prepared), None) => Origin::Prepared(prepared),
            (None, None, None, Some(planted)) => Origin::Planted(planted),
            _ => bail!("[data] needs exactly one of source, cohort, prepared and planted"),
        };
        if self.recipe.is_some() {
            bail!("[data.recipe] is for raw data: with data.source, or [data.cohort]");
        }
        Ok(found)
    }

    /// Memory for scans.
    ///
    /// # Errors
    /// If the value is not a valid number of GiB.
    pub fn budget(&self) -> Result<StoreBudget> {
        Ok(match self.memory_gib {
            Some(gib) => StoreBudget::gib(gib).map_err(|error| refusal::data("data", error))?,
            None => StoreBudget::default(),
        })
    }
}

impl Origin<'_> {
    /// Present or future folder of the prepared data set, below `root` if it is not given.
    ///
    /// # Errors
    /// If a folder has no name.
    pub fn place(&self, root: &Path, files: &Files) -> Result<PathBuf> {
        // The name contains a hash of the plan, so that each plan has its own data set.
        Ok(match self {
            Origin::Prepared(prepared) => files.find(prepared),
            Origin::Source(source) => {
                root.join(source.file_name().context("data.source has no name")?)
            }
            Origin::Release(source, recipe) => root.join(format!(
                "{}-{}",
                recipe.name,
                short_hash(&(files.find_source(source, root), recipe))?
            )),
            Origin::Cohort(cohort, recipe) => {
                root.join(format!("{}-{}", recipe.name, cohort_hash(cohort, recipe)?))
            }
            // This name is older than the other sources and has not changed.
            Origin::Planted(plan) => root.join(format!("planted-{}", short_hash(&Some(plan))?)),
        })
    }
}

/// Present or future folder of a simulated release, beside the prepared data sets in `root`.
///
/// # Errors
/// If it cannot be written as JSON.
pub fn raw_place(cohort: &CohortSpec, atlas: &str, root: &Path) -> Result<PathBuf> {
    let hash = cohort_hash(cohort, atlas)?;
    Ok(root.join(format!("raw-{}-{hash}", cohort.layout.as_str())))
}

/// Version of the file names in simulated releases of the HCP. Version 1 had several variants in a
/// task, which ingestion refuses; its folders are not used again.
const HCP_NAMES: u32 = 2;

/// Hash of a simulated release, with what else determines the folder.
fn cohort_hash(cohort: &CohortSpec, with: impl Serialize) -> Result<String> {
    match cohort.layout {
        CohortLayout::Hcp => short_hash(&(cohort, with, HCP_NAMES)),
        _ => short_hash(&(cohort, with)),
    }
}

fn short_hash(value: &impl Serialize) -> Result<String> {
    Ok(sha256_bytes(&serde_json::to_vec(value)?)[..12].to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> DataConfig {
        toml::from_str(text).expect("known keys")
    }

    const RECIPE: &str =
        "[recipe]\nname = \"made-up\"\nlayout = \"hcp\"\natlas.name = \"schaefer-100-7\"\n";

    #[test]
    fn data_come_from_one_place() {
        let refused = |text: &str| {
            let config = config(text);
            format!("{:#}", config.origin().err().expect("refused"))
        };
        assert!(refused("").contains("exactly one of"));
        assert!(refused("source = \"a\"\nprepared = \"b\"").contains("exactly one of"));
        assert!(refused("[cohort]\nlayout = \"hcp\"").contains("needs [data.recipe]"));
        assert!(refused(&format!("prepared = \"b\"\n{RECIPE}")).contains("for raw data"));
        let cohort = config(&format!("[cohort]\nlayout = \"hcp\"\n{RECIPE}"));
        assert!(matches!(
            cohort.origin().expect("whole"),
            Origin::Cohort(..)
        ));
        let release = config(&format!("source = \"a\"\n{RECIPE}"));
        assert!(matches!(
            release.origin().expect("whole"),
            Origin::Release(..)
        ));
    }

    #[test]
    fn another_plan_is_another_data_set() {
        let place = |text: &str| {
            let config = config(text);
            let origin = config.origin().expect("whole");
            let place = origin.place(Path::new("root"), &Files::default());
            place.expect("a name")
        };
        let cohort = |seed: u32| format!("[cohort]\nlayout = \"hcp\"\nseed = {seed}\n{RECIPE}");
        assert_eq!(place(&cohort(1)), place(&cohort(1)));
        assert_ne!(place(&cohort(1)), place(&cohort(2)));
        assert_eq!(place("source = \"/data/here\""), Path::new("root/here"));
    }
}
