//! Folder trees of small files, for the tests of the layouts.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Listing;

/// A folder with these files; the content follows after `=` in the name.
pub(crate) fn tree<S: AsRef<str>>(files: &[S]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for file in files {
        let (name, text) = file.as_ref().split_once('=').unwrap_or((file.as_ref(), ""));
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

/// Names of the scans of a listing, in its order.
pub(crate) fn scan_names(listing: &Listing) -> Vec<&str> {
    let scans = listing.scans.iter();
    scans.map(|scan| scan.scan.as_str()).collect()
}

/// A temporary folder with runs at `<subject>/<inner>/<run>`.
pub(crate) struct Tree {
    folder: tempfile::TempDir,
    inner: &'static str,
}

impl Tree {
    pub fn new(inner: &'static str) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            inner,
        }
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Creates the folder of a run with files `<run><suffix>`.
    pub fn run(&self, subject: &str, run: &str, suffixes: &[&str]) -> PathBuf {
        let folder = self.folder(&format!("{subject}/{}/{run}", self.inner));
        for suffix in suffixes {
            self.file(&folder.join(format!("{run}{suffix}")));
        }
        folder
    }

    pub fn folder(&self, path: &str) -> PathBuf {
        let folder = self.root().join(path);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    pub fn file(&self, path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
}
