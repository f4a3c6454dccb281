//! Header of a CIFTI-2 file: a NIfTI-2 header and an extension with the XML.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use brainmae_files::CommonErrors as _;

use super::CiftiKind;
use super::matrix::Matrix;
use super::problem::{CiftiProblem, XmlProblem};
use crate::error::FormatError;
use crate::nifti::{Endian, HeaderProblem, NiftiHeader};

/// Bytes of a NIfTI-2 header.
const HEADER_BYTES: usize = 540;

/// Offset of the first extension: the header, then four bytes that announce extensions.
const FIRST_EXTENSION: u64 = 544;

/// The code of the extension with the XML of CIFTI.
const CIFTI_EXTENSION: i32 = 32;

/// Maximum number of extensions that are searched for the XML; real files have one or two.
const MAX_EXTENSIONS: usize = 1000;

/// Maximum bytes of XML; 91,282 grayordinates need about one million.
const MAX_XML_BYTES: u64 = 16 << 20;

/// The header of a file that is marked as CIFTI-2.
pub(super) struct CiftiHeader {
    nifti: NiftiHeader,
    intent: i32,
    file_bytes: u64,
    pub xml: String,
}

/// Reads the header and the XML of `file`.
pub(super) fn read(path: &Path, file: &mut File) -> Result<CiftiHeader, FormatError> {
    let refuse = |problem: CiftiProblem| FormatError::cifti(path, problem);
    let file_bytes = file
        .metadata()
        .map_err(FormatError::io("read the size of", path))?
        .len();
    let mut start = Vec::new();
    file.take(FIRST_EXTENSION)
        .read_to_end(&mut start)
        .map_err(FormatError::io("read", path))?;
    if start.starts_with(&[0x1f, 0x8b]) {
        return Err(refuse(CiftiProblem::Compressed));
    }
    // The size of a NIfTI-1 header, in either byte order.
    if start.starts_with(&348_i32.to_le_bytes()) || start.starts_with(&348_i32.to_be_bytes()) {
        return Err(refuse(CiftiProblem::PlainNifti));
    }
    if (start.len() as u64) < FIRST_EXTENSION {
        let problem = HeaderProblem::Short {
            found: start.len(),
            expected: FIRST_EXTENSION,
        };
        return Err(FormatError::header(path, problem));
    }
    let nifti = NiftiHeader::parse(&start[..HEADER_BYTES])
        .map_err(|problem| FormatError::header(path, problem))?;
    if start[HEADER_BYTES] == 0 {
        return Err(refuse(CiftiProblem::PlainNifti));
    }
    let intent = i32_at(&start, 504, nifti.endian);
    let xml = read_xml(file, &nifti, file_bytes)
        .map_err(FormatError::io("read", path))?
        .map_err(refuse)?;
    Ok(CiftiHeader {
        nifti,
        intent,
        file_bytes,
        xml,
    })
}

/// Finds the extension with the XML. The outer error is from the system, the inner one is a problem
/// of the file.
fn read_xml(
    file: &mut File,
    nifti: &NiftiHeader,
    file_bytes: u64,
) -> std::io::Result<Result<String, CiftiProblem>> {
    if nifti.data_offset > file_bytes {
        return Ok(Err(CiftiProblem::NoData {
            file_bytes,
            data_offset: nifti.data_offset,
        }));
    }
    let mut at = FIRST_EXTENSION;
    for _ in 0..MAX_EXTENSIONS {
        let room = nifti.data_offset.saturating_sub(at);
        if room < 8 {
            return Ok(Err(CiftiProblem::PlainNifti));
        }
        let mut head = [0; 8];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut head)?;
        let size = i32_at(&head, 0, nifti.endian);
        let code = i32_at(&head, 4, nifti.endian);
        let bytes = match u64::try_from(size) {
            Ok(bytes) if bytes >= 8 && bytes.is_multiple_of(16) && bytes <= room => bytes,
            _ => {
                return Ok(Err(CiftiProblem::ExtensionSize {
                    at,
                    found: size,
                    most: room,
                }));
            }
        };
        if code == CIFTI_EXTENSION {
            if bytes > MAX_XML_BYTES {
                let problem = XmlProblem::Size {
                    what: "bytes",
                    found: bytes,
                    most: MAX_XML_BYTES,
                };
                return Ok(Err(problem.into()));
            }
            let mut xml = Vec::new();
            file.take(bytes - 8).read_to_end(&mut xml)?;
            let end = xml
                .iter()
                .rposition(|&byte| byte != 0)
                .map_or(0, |last| last + 1);
            xml.truncate(end);
            return Ok(String::from_utf8(xml)
                .map_err(|error| XmlProblem::NotUtf8(error.utf8_error()).into()));
        }
        at += bytes;
    }
    Ok(Err(CiftiProblem::ManyExtensions {
        most: MAX_EXTENSIONS,
    }))
}

/// The number at offset `at`; the caller checks that `bytes` is long enough.
fn i32_at(bytes: &[u8], at: usize, endian: Endian) -> i32 {
    let mut number = [0; 4];
    number.copy_from_slice(&bytes[at..at + 4]);
    match endian {
        Endian::Little => i32::from_le_bytes(number),
        Endian::Big => i32::from_be_bytes(number),
    }
}

impl CiftiHeader {
    /// The kind that the intent code gives; `None` when only the axes determine the kind.
    pub fn declared_kind(&self) -> Result<Option<CiftiKind>, CiftiProblem> {
        let kind = match self.intent {
            3002 => return Ok(Some(CiftiKind::DenseSeries)),
            3004 => return Ok(Some(CiftiKind::ParcelSeries)),
            3007 => return Ok(Some(CiftiKind::DenseLabels)),
            3001 => "dense connectivity (.dconn.nii)",
            3003 => "connectivity of parcels (.pconn.nii)",
            3006 => "dense scalars (.dscalar.nii)",
            3008 => "scalars of parcels (.pscalar.nii)",
            3009 => "connectivity of parcels with grayordinates (.pdconn.nii)",
            3010 => "connectivity of grayordinates with parcels (.dpconn.nii)",
            3011 => "connectivity of parcels over time (.pconnseries.nii)",
            3012 => "connectivity of parcels, several maps (.pconnscalar.nii)",
            _ => return Ok(None),
        };
        let code = self.intent;
        Err(CiftiProblem::Intent { code, kind })
    }

    /// Checks the shape against the lengths of the axes.
    pub fn check_lengths(&self, lengths: [usize; 2]) -> Result<(), CiftiProblem> {
        let dims = &self.nifti.dims;
        let flat = dims.len() >= 6
            && dims
                .iter()
                .enumerate()
                .all(|(axis, &dim)| dim == 1 || axis == 4 || axis == 5);
        if !flat {
            return Err(CiftiProblem::Shape {
                found: dims.clone(),
            });
        }
        if dims[4..6] != lengths.map(|length| length as u64) {
            return Err(CiftiProblem::AxisLengths {
                header: [dims[4], dims[5]],
                axes: lengths,
            });
        }
        Ok(())
    }

    /// The position of the values. The caller must have called
    /// [`check_lengths`](Self::check_lengths).
    pub fn matrix(&self, path: &Path) -> Result<Matrix, CiftiProblem> {
        Matrix::new(path, &self.nifti, self.file_bytes)
    }
}
