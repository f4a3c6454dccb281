//! Common functions of the tests of prepared data sets.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use brainmae_data::pipeline::quiet;
use brainmae_data::{DataError, PrepareOptions, PrepareReport, prepare_recipe};
use brainmae_files::checksum;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// One stream per seed and name, as in the crate of runs.
pub fn streams(seed: u64, name: &str) -> Box<dyn Rng> {
    let named = name.bytes().fold(seed, |hash, byte| {
        hash.wrapping_mul(31).wrapping_add(byte.into())
    });
    Box::new(ChaCha8Rng::seed_from_u64(named))
}

pub const OPTIONS: PrepareOptions = PrepareOptions {
    overwrite: false,
    threads: 1,
};

pub fn dataset_dir(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../datasets")
        .join(name)
}

pub fn prepare_quietly(source: &Path, out: &Path) -> Result<PrepareReport, DataError> {
    prepare_recipe(source, out, &streams, &OPTIONS, &mut quiet)
}

/// A copy of a raw data set, for changes.
pub struct Copy {
    pub folder: tempfile::TempDir,
}

impl Copy {
    pub fn of(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(dataset_dir(name)).unwrap() {
            let path = entry.unwrap().path();
            fs::write(
                folder.path().join(path.file_name().unwrap()),
                fs::read(&path).unwrap(),
            )
            .unwrap();
        }
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Output folder of the copy.
    pub fn out(&self) -> PathBuf {
        self.path("prepared")
    }

    /// Changes a file and, in the recipe, its checksum.
    pub fn change(&self, name: &str, change: impl FnOnce(Vec<u8>) -> Vec<u8>) {
        let path = self.path(name);
        let before = checksum::sha256_file(&path).unwrap();
        fs::write(&path, change(fs::read(&path).unwrap())).unwrap();
        let after = checksum::sha256_file(&path).unwrap();
        self.change_recipe(&before, &after);
    }

    /// Changes the content of a gzip file and its checksum.
    pub fn change_unzipped(&self, name: &str, change: impl FnOnce(Vec<u8>) -> Vec<u8>) {
        self.change(name, |bytes| {
            let mut content = Vec::new();
            GzDecoder::new(&bytes[..])
                .read_to_end(&mut content)
                .unwrap();
            let mut file = GzEncoder::new(Vec::new(), Compression::fast());
            file.write_all(&change(content)).unwrap();
            file.finish().unwrap()
        });
    }

    pub fn change_recipe(&self, from: &str, to: &str) {
        let path = self.path("source.toml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from} is not in the recipe");
        fs::write(&path, text.replace(from, to)).unwrap();
    }

    pub fn prepare(&self) -> Result<PrepareReport, DataError> {
        prepare_quietly(self.folder.path(), &self.out())
    }

    /// The error of the preparation, which must leave no output.
    pub fn refusal(&self) -> DataError {
        let error = self.prepare().unwrap_err();
        assert!(!self.out().exists(), "a data set was left by: {error}");
        error
    }
}
