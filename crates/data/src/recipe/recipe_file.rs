//! Recipe file `source.toml`: the raw files and the settings of a prepared data set.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{DataError, RecipeProblem};
use crate::prepared::{FORMAT, TOOL};
use brainmae_files::CommonErrors as _;
use brainmae_files::checksum::FieldHasher;
use brainmae_files::id::{ScanId, SubjectId};
use brainmae_signals::cleaning::{CleaningStep, check_steps, dt_after};
use brainmae_studies::SubjectRecord;

/// Name of the recipe file in the folder of a data set.
pub const RECIPE: &str = "source.toml";

/// Source files and settings of a data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Short name of the data set.
    pub name: String,
    /// Licence of the signals.
    pub licence: String,
    /// Citation of the data.
    pub citation: String,
    /// Task of the subjects.
    pub task: Option<String>,
    /// Seconds between volumes as acquired.
    pub tr_secs: f64,
    /// Seconds between volumes after preparation.
    pub dt_secs: f64,
    /// Cleaning, in this order, per ROI and scan.
    pub cleaning: Vec<CleaningStep>,
    /// Minimum duration of a scan, seconds; shorter scans are excluded.
    #[serde(default = "one_segment_secs")]
    pub min_scan_secs: f64,
    /// The subject of the scans.
    pub subject: SubjectRecord,
    /// Layout of the files.
    pub source: SourceKind,
    /// The ROIs.
    pub atlas: AtlasChoice,
    /// sha256 of every used file, by its path relative to the folder of the recipe.
    pub files: BTreeMap<String, String>,
}

fn one_segment_secs() -> f64 {
    crate::segment::SegmentSpec::default().segment_secs
}

/// A layout of raw files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum SourceKind {
    /// One NIfTI file with several consecutive scans.
    NiftiRuns(NiftiRunsFiles),
    /// One text table with a column per ROI and a row per volume.
    Table(TableFile),
}

/// Files of [`SourceKind::NiftiRuns`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NiftiRunsFiles {
    /// Volumes of all scans.
    pub bold: String,
    /// Mask of the voxels to use, those that are not zero.
    pub mask: String,
    /// One line per volume: condition and number of the scan.
    pub labels: String,
    /// The condition that gives no event.
    pub rest_label: String,
}

/// File of [`SourceKind::Table`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableFile {
    /// The table: tabs between cells when it ends in `.tsv`, commas in `.csv`.
    pub file: String,
    /// Columns to use, in this order; all when empty.
    #[serde(default)]
    pub columns: Vec<String>,
    /// Columns to ignore.
    #[serde(default)]
    pub drop: Vec<String>,
}

/// Source of the ROIs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum AtlasChoice {
    /// Clusters of voxel positions.
    Spatial(SpatialChoice),
    /// Columns of a table.
    Columns(ColumnsChoice),
}

/// Settings of a spatial atlas.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpatialChoice {
    /// Number of ROIs.
    pub n_rois: usize,
    /// Seed of the random directions.
    pub seed: u64,
}

/// Name of the atlas of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnsChoice {
    /// Name of the atlas.
    pub name: String,
    /// Version of the atlas.
    pub version: String,
    /// Whether `L` or `R` at the start of a name gives the hemisphere.
    #[serde(default)]
    pub hemisphere_from_first_letter: bool,
}

impl Recipe {
    /// Reads and checks the recipe in the folder `dir`.
    ///
    /// # Errors
    /// [`DataError::Toml`] with line and key, [`DataError::Recipe`] for a file without a checksum,
    /// or [`DataError::Config`].
    pub fn load(dir: &Path) -> Result<Self, DataError> {
        let path = dir.join(RECIPE);
        let text = std::fs::read_to_string(&path).map_err(DataError::io("read", &path))?;
        let recipe: Self =
            toml::from_str(&text).map_err(|error| DataError::toml(&path, &text, &error))?;
        recipe.check(&path)?;
        Ok(recipe)
    }

    fn check(&self, path: &Path) -> Result<(), DataError> {
        for (key, secs) in [("tr_secs", self.tr_secs), ("dt_secs", self.dt_secs)] {
            if !(secs.is_finite() && secs > 0.0) {
                return Err(DataError::config(key, secs, "a number above zero"));
            }
        }
        check_steps(&self.cleaning)?;
        let dt_secs = dt_after(&self.cleaning, self.tr_secs);
        if self.dt_secs != dt_secs {
            return Err(DataError::config(
                "dt_secs",
                self.dt_secs,
                format!("{dt_secs}, as cleaning leaves it: resample is the step that changes it"),
            ));
        }
        if !(self.min_scan_secs.is_finite() && self.min_scan_secs >= 0.0) {
            return Err(DataError::config(
                "min_scan_secs",
                self.min_scan_secs,
                "a number, zero or above",
            ));
        }
        let used: BTreeSet<&str> = self.source.files().into_iter().collect();
        for file in used {
            if !self.files.contains_key(file) {
                let file = file.to_owned();
                return Err(DataError::recipe(path, RecipeProblem::NoChecksum { file }));
            }
        }
        Ok(())
    }

    /// Identity of the data set of this recipe: its content (without comments) with the checksums
    /// of the files, the version of this crate, and the format version.
    ///
    /// # Errors
    /// An error when the recipe cannot be written as TOML, such as a seed above 2^63.
    pub fn identity(&self) -> Result<String, DataError> {
        let content = toml::to_string(self).map_err(|error| {
            DataError::config("source.toml", error, "values that TOML can hold")
        })?;
        Ok(FieldHasher::new("recipe")
            .field(content)
            .field(TOOL)
            .field(FORMAT.to_le_bytes())
            .finish())
    }

    /// Name of a scan: `sub-1_task-objects_run-01`; the run is included only if there are several.
    pub(crate) fn scan_id(&self, subject: &SubjectId, run: Option<usize>) -> ScanId {
        let task = match &self.task {
            Some(task) => format!("_task-{task}"),
            None => String::new(),
        };
        let run = match run {
            Some(run) => format!("_run-{run:02}"),
            None => String::new(),
        };
        ScanId::new(format!("sub-{subject}{task}{run}"))
    }
}

impl SourceKind {
    /// The files to read.
    fn files(&self) -> Vec<&str> {
        match self {
            Self::NiftiRuns(files) => vec![&files.bold, &files.mask, &files.labels],
            Self::Table(table) => vec![&table.file],
        }
    }
}

#[cfg(test)]
mod tests {
    use brainmae_files::InvalidField;

    use super::*;

    const GOOD: &str = r#"
name = "made-up"
licence = "CC0-1.0"
citation = "nobody"
tr_secs = 2.0
dt_secs = 2.0
cleaning = ["z-score"]

[subject]
subject = "1"

[source]
kind = "table"
file = "a.csv"

[atlas]
kind = "columns"
name = "made-up"
version = "1"

[files]
"a.csv" = "00"
"#;

    fn load(text: &str) -> Result<Recipe, DataError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(RECIPE), text).unwrap();
        Recipe::load(folder.path())
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let error = load(&GOOD.replace("tr_secs =", "tr_seconds =")).unwrap_err();
        let DataError::Toml { line, message, .. } = error else {
            panic!("{error}")
        };
        assert_eq!(line, Some(5));
        assert!(
            message.contains("unknown field `tr_seconds`") && message.contains("`tr_secs`"),
            "{message}"
        );
    }

    #[test]
    fn unknown_keys_of_the_layout_and_the_atlas_are_errors_too() {
        for (from, to) in [
            ("file = \"a.csv\"", "file = \"a.csv\"\ncolumn = [\"x\"]"),
            ("version = \"1\"", "version = \"1\"\nhemisphere = \"L\""),
            ("[subject]\n", "[subject]\nage = 3\n"),
        ] {
            match load(&GOOD.replace(from, to)) {
                Err(DataError::Toml { message, .. }) => {
                    assert!(message.contains("unknown field"), "{message}");
                }
                other => panic!("{to}: {other:?}"),
            }
        }
    }

    #[test]
    fn values_that_cannot_be_are_named() {
        for (from, to, key) in [
            ("tr_secs = 2.0", "tr_secs = -2.0", "tr_secs"),
            ("dt_secs = 2.0", "dt_secs = 1.0", "dt_secs"),
        ] {
            match load(&GOOD.replace(from, to)) {
                Err(DataError::Config(InvalidField { field, .. })) => assert_eq!(field, key),
                other => panic!("{to}: {other:?}"),
            }
        }
        let twice = load(&GOOD.replace("[\"z-score\"]", "[\"z-score\", \"z-score\"]"));
        assert!(matches!(twice, Err(DataError::Signals(_))), "{twice:?}");
        match load(&GOOD.replace("\"a.csv\" =", "\"b.csv\" =")) {
            Err(DataError::Recipe {
                problem: RecipeProblem::NoChecksum { file },
                ..
            }) => assert_eq!(file, "a.csv"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_comment_changes_nothing_and_a_checksum_does() {
        let identity = |text: &str| load(text).unwrap().identity().unwrap();
        assert_eq!(identity(GOOD), identity(&format!("# a remark\n{GOOD}")));
        assert_ne!(identity(GOOD), identity(&GOOD.replace("\"00\"", "\"01\"")));
    }

    #[test]
    fn scans_are_named_as_in_bids() {
        let mut recipe = load(GOOD).unwrap();
        let subject = SubjectId::new("7");
        assert_eq!(recipe.scan_id(&subject, None).as_str(), "sub-7");
        recipe.task = Some("rest".into());
        assert_eq!(
            recipe.scan_id(&subject, Some(3)).as_str(),
            "sub-7_task-rest_run-03"
        );
    }
}
