//! sha256 of files and texts, as lowercase hexadecimal digits.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::FileError;

/// Size of the buffer through which a file is read.
const BUFFER_BYTES: usize = 1 << 16;

/// The checksum of a file, read in pieces.
///
/// # Errors
/// When the file cannot be read.
pub fn sha256_file(path: &Path) -> Result<String, FileError> {
    let mut file = File::open(path).map_err(FileError::io("open", path))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let read = file
            .read(&mut buffer)
            .map_err(FileError::io("read", path))?;
        if read == 0 {
            return Ok(hex(&hasher.finalize()));
        }
        hasher.update(&buffer[..read]);
    }
}

/// The checksum of bytes in memory.
pub fn sha256_bytes(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Checks a file against the checksum it was declared with.
///
/// # Errors
/// [`FileError::Checksum`] with both checksums, or an error that the file cannot be read.
pub fn verify(path: &Path, expected: &str) -> Result<(), FileError> {
    let found = sha256_file(path)?;
    if found.eq_ignore_ascii_case(expected) {
        Ok(())
    } else {
        Err(FileError::Checksum {
            path: path.to_owned(),
            expected: expected.to_owned(),
            found,
        })
    }
}

/// Hash of a list of fields; two different lists never give the same bytes to hash.
pub struct FieldHasher(Sha256);

impl FieldHasher {
    /// Starts a hash; `kind` separates it from hashes of other kinds of objects.
    pub fn new(kind: &str) -> Self {
        Self(Sha256::new()).field(kind)
    }

    /// Adds the length of the field, then the field.
    pub fn field(mut self, field: impl AsRef<[u8]>) -> Self {
        let bytes = field.as_ref();
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    /// The sha256 as 64 lowercase hexadecimal digits.
    pub fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}

fn hex(digest: &[u8]) -> String {
    digest
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    // FIPS 180-2, appendix B.1.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn the_published_example_comes_out() {
        assert_eq!(sha256_bytes(b"abc"), ABC);
    }

    #[test]
    fn a_wrong_checksum_names_both() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        verify(&path, ABC).unwrap();

        let wrong = "0".repeat(64);
        assert!(matches!(
            verify(&path, &wrong),
            Err(FileError::Checksum { expected, found, .. }) if expected == wrong && found == ABC
        ));
    }

    #[test]
    fn moving_a_letter_to_the_next_field_changes_the_hash() {
        let first = FieldHasher::new("test").field("ab").field("c").finish();
        let second = FieldHasher::new("test").field("a").field("bc").finish();
        assert_ne!(first, second);
    }
}
