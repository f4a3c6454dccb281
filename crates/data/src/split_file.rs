//! Files of splits, so that others can use the same test subjects.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{DataError, SplitFileProblem};
use crate::prepared::{PreparedDataset, TOOL};
use crate::split::{FoldSpec, Split, SplitSpec};
use brainmae_files::CommonErrors as _;
use brainmae_files::checksum::FieldHasher;
use brainmae_files::write_atomic;

/// Version of the file's format; other versions are refused.
const FORMAT: u32 = 1;

/// Specs of the splits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitPlan {
    /// One split.
    HoldOut(SplitSpec),
    /// One split per fold.
    Folds(FoldSpec),
}

/// One or several splits of one data set, as a readable JSON file.
///
/// A sha256 of the content reveals later changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitFile {
    format: u32,
    tool: String,
    dataset: String,
    dataset_sha256: String,
    seed: u64,
    spec: SplitPlan,
    splits: Vec<Split>,
    sha256: String,
}

/// The only key that is common to all versions of the file.
#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

impl SplitFile {
    /// A file with the `splits` of `dataset`, drawn by `spec` with the random stream of `seed`.
    pub fn new(dataset: &PreparedDataset, seed: u64, spec: SplitPlan, splits: Vec<Split>) -> Self {
        let mut file = Self {
            format: FORMAT,
            tool: TOOL.to_owned(),
            dataset: dataset.header().name.clone(),
            dataset_sha256: dataset.content_hash().to_owned(),
            seed,
            spec,
            splits,
            sha256: String::new(),
        };
        file.sha256 = file.hash();
        file
    }

    /// Seed of the splits.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The spec of the splits.
    pub fn spec(&self) -> &SplitPlan {
        &self.spec
    }

    /// The splits, one per fold.
    pub fn splits(&self) -> &[Split] {
        &self.splits
    }

    /// Writes the file atomically.
    ///
    /// # Errors
    /// An error when the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), DataError> {
        let mut text = serde_json::to_string_pretty(self)
            .map_err(|error| refuse(path, SplitFileProblem::Write(error)))?;
        text.push('\n');
        Ok(write_atomic(path, text.as_bytes())?)
    }

    /// Reads a file of splits of `dataset`, and checks them.
    ///
    /// # Errors
    /// [`DataError::SplitFile`] for a file that was changed, belongs to another data set or is not
    /// a file of splits; the error of [`Split::check`] for a split that is not valid.
    pub fn read(path: &Path, dataset: &PreparedDataset) -> Result<Self, DataError> {
        let text = std::fs::read_to_string(path).map_err(DataError::io("read", path))?;
        let refuse = |problem| Err(refuse(path, problem));
        let no_splits = |error| self::refuse(path, SplitFileProblem::Read(error));
        let FormatOnly { format } = serde_json::from_str(&text).map_err(no_splits)?;
        if format != FORMAT {
            return refuse(SplitFileProblem::Format {
                found: format,
                expected: FORMAT,
            });
        }
        let file: Self = serde_json::from_str(&text).map_err(no_splits)?;
        let hash = file.hash();
        if hash != file.sha256 {
            return refuse(SplitFileProblem::Changed {
                found: hash,
                expected: file.sha256,
            });
        }
        if file.dataset_sha256 != dataset.content_hash() {
            return refuse(SplitFileProblem::OtherDataset {
                found: file.dataset,
                found_sha256: file.dataset_sha256,
                expected: dataset.header().name.clone(),
                expected_sha256: dataset.content_hash().to_owned(),
            });
        }
        file.splits
            .iter()
            .try_for_each(|split| split.check(dataset))?;
        Ok(file)
    }

    /// Hash of everything except the hash itself, independent of the text layout.
    fn hash(&self) -> String {
        let content = Self {
            sha256: String::new(),
            ..self.clone()
        };
        let bytes = serde_json::to_vec(&content).expect("names, numbers and lists are JSON");
        FieldHasher::new("split file").field(bytes).finish()
    }
}

fn refuse(path: &Path, problem: SplitFileProblem) -> DataError {
    DataError::SplitFile {
        path: path.to_owned(),
        problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::LeakOf;
    use crate::split::tests::rng;
    use crate::store::tests::written;

    struct Written {
        folder: tempfile::TempDir,
        dataset: PreparedDataset,
        file: SplitFile,
    }

    impl Written {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let dataset = written(folder.path(), &[10; 12]);
            let spec = FoldSpec {
                folds: 3,
                ..FoldSpec::default()
            };
            let splits = spec.draw(&dataset, &mut rng(9)).unwrap();
            // The seed needs 64 bits, and the share has many digits.
            let file = SplitFile::new(&dataset, u64::MAX, SplitPlan::Folds(spec), splits);
            file.write(&folder.path().join("splits.json")).unwrap();
            Self {
                folder,
                dataset,
                file,
            }
        }

        fn read(&self) -> Result<SplitFile, DataError> {
            SplitFile::read(&self.folder.path().join("splits.json"), &self.dataset)
        }

        /// Reads the file after a change of its text.
        fn changed(&self, change: impl Fn(String) -> String) -> Result<SplitFile, DataError> {
            let path = self.folder.path().join("splits.json");
            let text = std::fs::read_to_string(&path).unwrap();
            let changed = change(text.clone());
            assert_ne!(text, changed);
            std::fs::write(&path, changed).unwrap();
            let read = self.read();
            std::fs::write(&path, text).unwrap();
            read
        }
    }

    fn problem(read: Result<SplitFile, DataError>) -> SplitFileProblem {
        match read {
            Err(DataError::SplitFile { problem, .. }) => problem,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let written = Written::new();
        assert_eq!(written.read().unwrap(), written.file);
        let compact = |text: String| text.replace('\n', "").replace("  ", "");
        assert_eq!(written.changed(compact).unwrap(), written.file);
    }

    #[test]
    fn a_changed_file_is_refused() {
        let written = Written::new();
        let scan = written.file.splits()[0].test[0].to_string();
        let other = written.file.splits()[0].train[0].to_string();
        let swap = |text: String| {
            let text = text.replacen(&format!("\"{scan}\""), "\"?\"", 1);
            let text = text.replacen(&format!("\"{other}\""), &format!("\"{scan}\""), 1);
            text.replacen("\"?\"", &format!("\"{other}\""), 1)
        };
        let seed = |text: String| text.replace(&u64::MAX.to_string(), "3");
        for changed in [written.changed(swap), written.changed(seed)] {
            assert!(matches!(problem(changed), SplitFileProblem::Changed { .. }));
        }
    }

    #[test]
    fn splits_of_another_data_set_or_format_are_refused() {
        let (one, folder) = (Written::new(), tempfile::tempdir().unwrap());
        let other = written(folder.path(), &[10; 13]);
        let path = one.folder.path().join("splits.json");
        match problem(SplitFile::read(&path, &other)) {
            SplitFileProblem::OtherDataset {
                expected_sha256, ..
            } => assert_eq!(expected_sha256, other.content_hash()),
            other => panic!("{other}"),
        }

        let format = |text: String| text.replace("\"format\": 1", "\"format\": 2");
        assert!(matches!(
            problem(one.changed(format)),
            SplitFileProblem::Format {
                found: 2,
                expected: 1
            }
        ));
        let cut_off = problem(one.changed(|_| "[1".into()));
        assert!(matches!(cut_off, SplitFileProblem::Read(_)), "{cut_off}");
    }

    #[test]
    fn splits_that_leak_are_refused_however_well_they_are_hashed() {
        let written = Written::new();
        let mut splits = written.file.splits().to_vec();
        let leaked = splits[0].test[0].clone();
        splits[0].train.push(leaked.clone());
        let spec = written.file.spec().clone();
        let path = written.folder.path().join("leak.json");
        SplitFile::new(&written.dataset, 0, spec, splits)
            .write(&path)
            .unwrap();
        match SplitFile::read(&path, &written.dataset) {
            Err(DataError::Leak { who, .. }) => assert_eq!(who, LeakOf::Scan(leaked)),
            other => panic!("{other:?}"),
        }
    }
}
