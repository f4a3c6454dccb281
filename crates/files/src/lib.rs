#![doc = include_str!("../README.md")]

pub mod atomic;
#[cfg(feature = "checksum")]
pub mod checksum;
mod error;
pub mod exclusion;
pub mod id;
pub mod lock;

pub use atomic::write_atomic;
#[cfg(feature = "checksum")]
pub use checksum::{FieldHasher, sha256_bytes, sha256_file};
pub use error::{CommonErrors, FileError, InvalidField};
pub use exclusion::Exclusion;
pub use id::{ScanId, SubjectId};
pub use lock::FolderLock;
