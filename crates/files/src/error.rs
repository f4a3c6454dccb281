//! Errors of files and folders.

use std::path::PathBuf;

/// Why a file or folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The operating system returned an error.
    #[error("cannot {action} {path:?}")]
    Io {
        /// The action that failed: `read`, `create`, ….
        action: &'static str,
        /// The file or folder of the action.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: std::io::Error,
    },
    /// Writing failed; the previous version of the file is unchanged.
    #[error(
        "cannot write {path:?}; the previous version is kept. Free some space or check the permissions, then resume"
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: std::io::Error,
    },
    /// The checksum of a file is not the declared one.
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
    /// Wraps an I/O error with the action and the path.
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
