//! NIfTI-1 and NIfTI-2 images, read one volume at a time, `.nii` or `.nii.gz`, either byte order.
//!
//! Memory stays at one volume, whatever the header claims, because buffers grow only as bytes
//! arrive.

mod header;
mod problem;
mod raw;
mod roi_means;
pub mod writer;

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use brainmae_files::CommonErrors as _;
use flate2::bufread::MultiGzDecoder;

use crate::error::FormatError;
pub use crate::number::{DataType, Endian};
pub use header::NiftiHeader;
pub use problem::{HeaderProblem, NiftiProblem};
pub use roi_means::{VolumeMeans, roi_means};

/// First bytes of a gzip file.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Bytes read from the file at once.
const FILE_BUFFER_BYTES: usize = 256 * 1024;

/// An image whose header has been read and whose volumes are read one by one.
pub struct NiftiReader {
    path: PathBuf,
    header: NiftiHeader,
    input: Box<dyn Read>,
    buffer: Vec<u8>,
    volumes_read: u64,
}

impl NiftiReader {
    /// Opens `path`. The first bytes, not the file name, determine whether it is compressed.
    ///
    /// # Errors
    /// [`FormatError::Nifti`] for a file that is not NIfTI or not supported;
    /// [`FormatError::Truncated`] for an uncompressed file shorter than its header says.
    pub fn open(path: &Path) -> Result<Self, FormatError> {
        let file = File::open(path).map_err(FormatError::io("open", path))?;
        let file_bytes = file
            .metadata()
            .map_err(FormatError::io("read the size of", path))?
            .len();
        let mut magic = Vec::with_capacity(GZIP_MAGIC.len());
        let mut file = BufReader::with_capacity(FILE_BUFFER_BYTES, file);
        file.by_ref()
            .take(GZIP_MAGIC.len() as u64)
            .read_to_end(&mut magic)
            .map_err(FormatError::io("read", path))?;
        let gzipped = magic == GZIP_MAGIC;
        let whole = io::Cursor::new(magic).chain(file);
        if gzipped {
            // The content of a gzip file can be far longer than the file, so the file length is not
            // checked.
            Self::start(path, Box::new(MultiGzDecoder::new(whole)), None)
        } else {
            Self::start(path, Box::new(whole), Some(file_bytes))
        }
    }

    /// Reads the header and stops before the first volume.
    fn start(
        path: &Path,
        mut input: Box<dyn Read>,
        total_bytes: Option<u64>,
    ) -> Result<Self, FormatError> {
        let refuse = |problem| FormatError::header(path, problem);
        let mut bytes = Vec::new();
        take(&mut input, 4, &mut bytes)
            .and_then(|()| {
                let rest = NiftiHeader::size(&bytes).unwrap_or(4) - 4;
                take(&mut input, rest, &mut bytes)
            })
            .map_err(|error| refuse(HeaderProblem::EndsEarly(error)))?;
        let header = NiftiHeader::parse(&bytes).map_err(refuse)?;
        if let Some(total_bytes) = total_bytes {
            let data_bytes = total_bytes.saturating_sub(header.data_offset);
            if data_bytes / header.volume_bytes() < header.n_volumes() {
                return Err(FormatError::Truncated {
                    path: path.to_owned(),
                    found: data_bytes / header.volume_bytes(),
                    expected: header.n_volumes(),
                });
            }
        }
        let gap = header.data_offset - bytes.len() as u64;
        let skipped = io::copy(&mut input.by_ref().take(gap), &mut io::sink())
            .map_err(|error| refuse(HeaderProblem::Extensions(error)))?;
        if skipped < gap {
            return Err(FormatError::Truncated {
                path: path.to_owned(),
                found: 0,
                expected: header.n_volumes(),
            });
        }
        Ok(Self {
            path: path.to_owned(),
            header,
            input,
            buffer: Vec::new(),
            volumes_read: 0,
        })
    }

    /// The header of the file.
    pub fn header(&self) -> &NiftiHeader {
        &self.header
    }

    /// Reads the next volume into `voxels` (first axis fastest, scaled); returns `false` after the
    /// last. After the last volume the file is read to its end, to detect a damaged gzip trailer.
    ///
    /// # Errors
    /// [`FormatError::Truncated`] when the volume is incomplete; [`FormatError::Files`] when it
    /// cannot be decompressed.
    pub fn read_volume(&mut self, voxels: &mut Vec<f64>) -> Result<bool, FormatError> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let read = self.read_volume_bytes(&mut buffer);
        voxels.clear();
        if let Ok(true) = read {
            self.header.decode(&buffer, voxels);
        }
        self.buffer = buffer;
        read
    }

    /// Reads the stored bytes of the next volume into `bytes`; after the last volume `bytes` is
    /// empty and the result is `false`. Then the file is read to its end, as by
    /// [`read_volume`](Self::read_volume).
    ///
    /// # Errors
    /// As [`read_volume`](Self::read_volume).
    pub fn read_volume_bytes(&mut self, bytes: &mut Vec<u8>) -> Result<bool, FormatError> {
        bytes.clear();
        if self.volumes_read == self.header.n_volumes() {
            io::copy(&mut self.input, &mut io::sink()).map_err(|error| self.broken(error))?;
            return Ok(false);
        }
        take(&mut self.input, self.header.volume_bytes(), bytes)
            .map_err(|error| self.broken(error))?;
        self.volumes_read += 1;
        Ok(true)
    }

    /// Skips the next volume, which must exist.
    ///
    /// # Errors
    /// As [`read_volume`](Self::read_volume).
    pub fn skip_volume(&mut self) -> Result<(), FormatError> {
        let volume_bytes = self.header.volume_bytes();
        let mut volume = self.input.by_ref().take(volume_bytes);
        match io::copy(&mut volume, &mut io::sink()) {
            Ok(skipped) if skipped == volume_bytes => {
                self.volumes_read += 1;
                Ok(())
            }
            Ok(_) => Err(self.broken(io::ErrorKind::UnexpectedEof.into())),
            Err(error) => Err(self.broken(error)),
        }
    }

    fn broken(&self, error: io::Error) -> FormatError {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            FormatError::Truncated {
                path: self.path.clone(),
                found: self.volumes_read,
                expected: self.header.n_volumes(),
            }
        } else {
            FormatError::io("read or decompress", &self.path)(error)
        }
    }
}

/// Appends exactly `count` bytes. The vector grows as bytes arrive, not by the claim of a header.
fn take(input: &mut dyn Read, count: u64, bytes: &mut Vec<u8>) -> io::Result<()> {
    let read = input.take(count).read_to_end(bytes)?;
    if read as u64 == count {
        Ok(())
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;

    use super::header::tests::HeaderBytes;
    use super::*;

    /// Writes a little-endian NIfTI-1 file of 16-bit integers.
    pub(crate) fn write_i16(path: &Path, dims: &[i16], values: &[i16]) {
        let mut bytes = HeaderBytes::nifti1(dims, 4, 16).finish();
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        write_bytes(path, &bytes);
    }

    /// A NIfTI-1 file of 64-bit real numbers.
    pub(crate) fn float_image(dims: &[i16], values: &[f64]) -> Vec<u8> {
        let mut bytes = HeaderBytes::nifti1(dims, 64, 64).finish();
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        bytes
    }

    pub(crate) fn write_bytes(path: &Path, bytes: &[u8]) {
        if path.extension().is_some_and(|ending| ending == "gz") {
            let mut file = GzEncoder::new(File::create(path).unwrap(), Compression::fast());
            file.write_all(bytes).unwrap();
            file.finish().unwrap();
        } else {
            std::fs::write(path, bytes).unwrap();
        }
    }

    fn read_all(path: &Path) -> Result<Vec<Vec<f64>>, FormatError> {
        let mut reader = NiftiReader::open(path)?;
        let mut volumes = Vec::new();
        let mut voxels = Vec::new();
        while reader.read_volume(&mut voxels)? {
            volumes.push(voxels.clone());
        }
        Ok(volumes)
    }

    #[test]
    fn volumes_come_one_by_one_plain_and_compressed() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.nii", "a.nii.gz"] {
            let path = folder.path().join(name);
            write_i16(&path, &[2, 1, 1, 3], &[1, -2, 3, 4, 5, 6]);
            assert_eq!(
                read_all(&path).unwrap(),
                [[1., -2.], [3., 4.], [5., 6.]],
                "{name}"
            );
        }
    }

    #[test]
    fn a_file_cut_short_says_how_many_volumes_are_whole() {
        let folder = tempfile::tempdir().unwrap();
        let values: Vec<i16> = (0..3000)
            .map(|at| (at as i16).wrapping_mul(12_347))
            .collect();
        for name in ["a.nii", "a.nii.gz"] {
            let path = folder.path().join(name);
            write_i16(&path, &[100, 1, 1, 30], &values);
            let bytes = std::fs::read(&path).unwrap();
            std::fs::write(&path, &bytes[..bytes.len() * 3 / 4]).unwrap();
            match read_all(&path).unwrap_err() {
                FormatError::Truncated {
                    found, expected, ..
                } => assert!((15..30).contains(&found) && expected == 30, "{name}"),
                other => panic!("{name}: {other}"),
            }
            // Only the gzip trailer is missing: all values exist, but are not verified.
            if name.ends_with("gz") {
                std::fs::write(&path, &bytes[..bytes.len() - 4]).unwrap();
                assert!(matches!(
                    read_all(&path),
                    Err(FormatError::Truncated { .. })
                ));
            }
        }
    }

    #[test]
    fn a_header_that_claims_terabytes_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.nii", "a.nii.gz"] {
            let path = folder.path().join(name);
            let claim = [i16::MAX, i16::MAX, 1000, 100];
            write_bytes(&path, &HeaderBytes::nifti1(&claim, 64, 64).finish());
            assert!(
                matches!(
                    read_all(&path).unwrap_err(),
                    FormatError::Truncated {
                        found: 0,
                        expected: 100,
                        ..
                    }
                ),
                "{name}"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn no_bytes_make_it_panic(
            nifti2 in any::<bool>(),
            patches in prop::collection::vec((0..560_usize, any::<u8>()), 0..12),
            length in 0..700_usize,
            gzip in any::<bool>(),
        ) {
            let mut bytes = if nifti2 {
                HeaderBytes::nifti2(&[3, 2, 1, 4], 16, 32).finish()
            } else {
                HeaderBytes::nifti1(&[3, 2, 1, 4], 16, 32).finish()
            };
            bytes.resize(bytes.len() + 96, 7);
            for (at, byte) in patches {
                if let Some(place) = bytes.get_mut(at) {
                    *place = byte;
                }
            }
            bytes.truncate(length);
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(if gzip { "a.nii.gz" } else { "a.nii" });
            write_bytes(&path, &bytes);
            // The result is an error or a few volumes; so few bytes cannot hold an endless image.
            let _ = read_all(&path);
        }

        #[test]
        fn random_bytes_do_not_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..800)) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.nii");
            std::fs::write(&path, bytes).unwrap();
            let _ = read_all(&path);
        }
    }
}
