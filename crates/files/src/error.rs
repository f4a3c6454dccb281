//! Errors of files and folders, and of fields of a configuration.

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
    /// Wraps an error of reading, creating or listing with the action and the path.
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

    /// Wraps an error of writing; the previous version of the file is still there.
    pub fn write(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        |source| Self::Write { path, source }
    }
}

/// A field of a configuration that is out of its range.
///
/// Libraries name the field; a program adds the option or table that sets it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {found}, expected {expected}")]
pub struct InvalidField {
    /// The field.
    pub field: &'static str,
    /// Its value.
    pub found: String,
    /// The allowed values.
    pub expected: String,
}

/// Constructors of the errors that most crates have in common: of a file, and of a field.
///
/// They work for every error type that is made [`From`] a [`FileError`] or an [`InvalidField`].
pub trait CommonErrors: Sized {
    /// Wraps an I/O error with the action and the path.
    fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self
    where
        Self: From<FileError>,
    {
        let wrap = FileError::io(action, path);
        |source| wrap(source).into()
    }

    /// An error for a field of a configuration that is out of its range.
    fn config(field: &'static str, found: impl ToString, expected: impl Into<String>) -> Self
    where
        Self: From<InvalidField>,
    {
        let found = found.to_string();
        let expected = expected.into();
        Self::from(InvalidField {
            field,
            found,
            expected,
        })
    }
}

impl<E> CommonErrors for E {}
