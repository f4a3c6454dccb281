//! Errors of files and folders.

use std::path::PathBuf;

/// Why a file or folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The operating system refused.
    #[error("cannot {action} {path:?}")]
    Io {
        /// What was tried: `read`, `create`, ….
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Writing failed; what was there before is still there.
    #[error(
        "cannot write {path:?}; the previous version is kept. Free some space or check the permissions, then resume"
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file is not the one it is declared to be.
    #[error(
        "the checksum of {path:?} is {found}, expected {expected}: fetch the file again, or correct the checksum if the change is meant"
    )]
    Checksum {
        /// The file.
        path: PathBuf,
        /// Declared sha256.
        expected: String,
        /// Computed sha256.
        found: String,
    },
    /// Another process works on the same folder.
    #[error("another process is at work in this folder: {path:?}; wait for it to end, or stop it")]
    Busy {
        /// The folder.
        path: PathBuf,
    },
}

impl FileError {
    /// Wraps an I/O error with what was tried on which path.
    pub fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}
