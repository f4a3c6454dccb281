//! Spec of an ingestion: everything that changes the prepared data set, and nothing else.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::DataError;
use brainmae_signals::ExclusionLimits;
use brainmae_signals::cleaning::{CleaningStep, check_steps};
use brainmae_studies::{LayoutName, ListOptions};

/// Least share of an ROI that a scan must cover, when nothing is said: as in XCP-D.
const MIN_COVERAGE: f32 = 0.5;

/// What to prepare from a folder of raw data, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IngestSpec {
    /// Short name of the data set.
    pub name: String,
    /// Licence or terms of the signals.
    #[serde(default = "unknown_licence")]
    pub licence: String,
    /// What to cite.
    #[serde(default)]
    pub citation: String,
    /// How the folder is laid out; not used with a listing of one's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<LayoutName>,
    /// Which scans of the folder to use; not used with a listing of one's own.
    #[serde(default)]
    pub list: ListOptions,
    /// The ROIs.
    pub atlas: AtlasSpec,
    /// Cleaning, in this order.
    #[serde(default = "default_cleaning")]
    pub cleaning: Vec<CleaningStep>,
    /// Seconds between volumes, in place of what files and protocol say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tr_secs: Option<f64>,
    /// Which scans to leave out.
    #[serde(default)]
    pub limits: ExclusionLimits,
    /// Least share of an ROI that a scan must cover; a scan with less of any ROI is left out.
    #[serde(default = "default_coverage")]
    pub min_coverage: f32,
    /// Tables of the subjects.
    #[serde(default)]
    pub phenotypes: Vec<PathBuf>,
    /// Columns of these tables to keep besides age, sex and family; all when empty.
    #[serde(default)]
    pub targets: Vec<String>,
}

/// Where the ROIs come from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AtlasSpec {
    /// A built-in atlas (`schaefer-100-7`), `columns` for the names that the files carry, or the
    /// path of a label file with names of its own.
    pub name: String,
    /// Label files of a built-in atlas, for data that its own labels do not fit: one, or one for
    /// each hemisphere.
    #[serde(default)]
    pub labels: Vec<PathBuf>,
    /// Centres of the ROIs of an atlas that is not built in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub centroids: Option<PathBuf>,
    /// ROIs to do without, by name.
    #[serde(default)]
    pub drop: Vec<String>,
}

fn unknown_licence() -> String {
    "not stated".into()
}

fn default_coverage() -> f32 {
    MIN_COVERAGE
}

/// Linear detrending and z-scoring, which suit signals that a release has cleaned already.
pub fn default_cleaning() -> Vec<CleaningStep> {
    vec![CleaningStep::DetrendLinear, CleaningStep::ZScore]
}

impl IngestSpec {
    /// A spec with every default, for a listing of one's own.
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

    /// A spec with every default, for a folder in this layout.
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

    /// Reads a spec from a TOML file; the paths in it count from its folder.
    ///
    /// # Errors
    /// [`DataError::Toml`] naming line and key, or what [`check`](Self::check) finds.
    pub fn load(path: &Path) -> Result<Self, DataError> {
        let text = std::fs::read_to_string(path).map_err(DataError::io("read", path))?;
        let mut spec: Self =
            toml::from_str(&text).map_err(|error| DataError::toml(path, &text, &error))?;
        spec = spec.within(path.parent().unwrap_or(Path::new("")));
        spec.check()?;
        Ok(spec)
    }

    /// The same spec, with relative paths counting from `folder`.
    pub fn within(mut self, folder: &Path) -> Self {
        for file in (self.phenotypes.iter_mut())
            .chain(&mut self.atlas.labels)
            .chain(&mut self.atlas.centroids)
        {
            *file = folder.join(&*file);
        }
        self
    }

    /// Checks what can be checked without a file.
    ///
    /// # Errors
    /// [`DataError::Config`] for the first value that cannot be.
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

    /// The interval that resampling leads to, if there is resampling.
    pub fn resampled_dt_secs(&self) -> Option<f64> {
        self.cleaning.iter().find_map(|step| match step {
            CleaningStep::Resample { dt_secs } => Some(*dt_secs),
            _ => None,
        })
    }
}
