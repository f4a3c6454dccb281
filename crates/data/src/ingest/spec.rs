//! Spec of an ingestion: exactly the settings that change the prepared data set.

use std::path::{Path, PathBuf};

use brainmae_files::CommonErrors as _;
use serde::{Deserialize, Serialize};

use crate::error::DataError;
use brainmae_signals::ExclusionLimits;
use brainmae_signals::cleaning::{CleaningStep, check_steps};
use brainmae_studies::{LayoutName, ListOptions};

/// Default of the minimum coverage of an ROI, as in XCP-D.
const MIN_COVERAGE: f32 = 0.5;

/// Settings for the preparation of a folder of raw data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IngestSpec {
    /// Short name of the data set.
    pub name: String,
    /// Licence or terms of the signals.
    #[serde(default = "unknown_licence")]
    pub licence: String,
    /// Citation of the data.
    #[serde(default)]
    pub citation: String,
    /// Layout of the folder; not used with a custom listing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<LayoutName>,
    /// Selection of scans of the folder; not used with a custom listing.
    #[serde(default)]
    pub list: ListOptions,
    /// The ROIs.
    pub atlas: AtlasSpec,
    /// Cleaning steps in their order.
    #[serde(default = "default_cleaning")]
    pub cleaning: Vec<CleaningStep>,
    /// Seconds between volumes; replaces the value of files and protocol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tr_secs: Option<f64>,
    /// Limits for the exclusion of scans.
    #[serde(default)]
    pub limits: ExclusionLimits,
    /// Minimum covered share of an ROI, 0 to 1; a scan with less in any ROI is excluded.
    #[serde(default = "default_coverage")]
    pub min_coverage: f32,
    /// Paths of the tables of subjects.
    #[serde(default)]
    pub phenotypes: Vec<PathBuf>,
    /// Columns of these tables to keep besides age, sex and family; all columns when empty.
    #[serde(default)]
    pub targets: Vec<String>,
}

/// Source of the ROIs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AtlasSpec {
    /// A built-in atlas (`schaefer-100-7`), `columns` for the names in the files, or the path of a
    /// label file with its own names.
    pub name: String,
    /// Label files of a built-in atlas, for data that its own labels do not fit: one file, or one
    /// per hemisphere.
    #[serde(default)]
    pub labels: Vec<PathBuf>,
    /// Centroids of the ROIs of an atlas that is not built in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub centroids: Option<PathBuf>,
    /// Names of ROIs to remove.
    #[serde(default)]
    pub drop: Vec<String>,
}

fn unknown_licence() -> String {
    "not stated".into()
}

fn default_coverage() -> f32 {
    MIN_COVERAGE
}

/// Linear detrending and z-scoring, for signals that the release has already cleaned.
pub fn default_cleaning() -> Vec<CleaningStep> {
    vec![CleaningStep::DetrendLinear, CleaningStep::ZScore]
}

impl IngestSpec {
    /// A spec with default values, for a custom listing.
    pub fn new(name: impl Into<String>, atlas: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            licence: unknown_licence(),
            citation: String::new(),
            layout: None,
            list: ListOptions::default(),
            atlas: AtlasSpec {
                name: atlas.into(),
                ..AtlasSpec::default()
            },
            cleaning: default_cleaning(),
            tr_secs: None,
            limits: ExclusionLimits::default(),
            min_coverage: MIN_COVERAGE,
            phenotypes: Vec::new(),
            targets: Vec::new(),
        }
    }

    /// A spec with default values, for a folder in this layout.
    pub fn of_layout(
        layout: LayoutName,
        name: impl Into<String>,
        atlas: impl Into<String>,
    ) -> Self {
        Self {
            layout: Some(layout),
            ..Self::new(name, atlas)
        }
    }

    /// Reads a spec from a TOML file; paths in it are relative to its folder.
    ///
    /// # Errors
    /// [`DataError::Toml`] with line and key, or the error of [`check`](Self::check).
    pub fn load(path: &Path) -> Result<Self, DataError> {
        let text = std::fs::read_to_string(path).map_err(DataError::io("read", path))?;
        let mut spec: Self =
            toml::from_str(&text).map_err(|error| DataError::toml(path, &text, &error))?;
        spec = spec.within(path.parent().unwrap_or(Path::new("")));
        spec.check()?;
        Ok(spec)
    }

    /// The same spec, with relative paths resolved from `folder`.
    pub fn within(mut self, folder: &Path) -> Self {
        for file in (self.phenotypes.iter_mut())
            .chain(&mut self.atlas.labels)
            .chain(&mut self.atlas.centroids)
        {
            *file = folder.join(&*file);
        }
        self
    }

    /// Checks everything that needs no file.
    ///
    /// # Errors
    /// [`DataError::Config`] for the first value that is not valid.
    pub fn check(&self) -> Result<(), DataError> {
        if self.name.is_empty() || self.name.contains(['/', '\\']) {
            return Err(DataError::config(
                "name",
                format!("{:?}", self.name),
                "a word without slashes",
            ));
        }
        if let Some(tr_secs) = self.tr_secs
            && !(tr_secs.is_finite() && tr_secs > 0.0)
        {
            return Err(DataError::config("tr_secs", tr_secs, "a number above zero"));
        }
        if !(0.0..=1.0).contains(&self.min_coverage) {
            return Err(DataError::config(
                "min_coverage",
                self.min_coverage,
                "a share from 0 to 1",
            ));
        }
        if self.atlas.labels.len() > 2 {
            return Err(DataError::config(
                "atlas.labels",
                format!("{} files", self.atlas.labels.len()),
                "one file, or one for each hemisphere",
            ));
        }
        self.limits.check()?;
        Ok(check_steps(&self.cleaning)?)
    }

    /// The interval between volumes after resampling, seconds; `None` without resampling.
    pub fn resampled_dt_secs(&self) -> Option<f64> {
        self.cleaning.iter().find_map(|step| match step {
            CleaningStep::Resample { dt_secs } => Some(*dt_secs),
            _ => None,
        })
    }
}
