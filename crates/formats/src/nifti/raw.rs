//! Numbers of a NIfTI header, read from its bytes.

use super::problem::HeaderProblem;
use crate::number::Endian;

/// The header numbers without interpretation.
pub(super) struct Raw {
    pub data_type: i16,
    pub dims: [i64; 8],
    pub pixdim: [f64; 8],
    pub data_offset: f64,
    pub scaling: [f64; 2],
    pub units: i32,
    pub qform_code: i32,
    pub sform_code: i32,
    /// Quaternion b, c, d and offsets x, y, z.
    pub quaternion: [f64; 6],
    pub sform: [[f64; 4]; 3],
}

impl Raw {
    /// The affine by the best of the standard's three methods that the header supports.
    pub fn affine(&self) -> [[f64; 4]; 3] {
        let size = [self.pixdim[1], self.pixdim[2], self.pixdim[3]];
        if self.sform_code > 0 {
            return self.sform;
        }
        if self.qform_code <= 0 {
            return [
                [size[0], 0.0, 0.0, 0.0],
                [0.0, size[1], 0.0, 0.0],
                [0.0, 0.0, size[2], 0.0],
            ];
        }
        let [b, c, d, x, y, z] = self.quaternion;
        let a = (1.0 - b * b - c * c - d * d).max(0.0).sqrt();
        let rotation = [
            [
                a * a + b * b - c * c - d * d,
                2.0 * (b * c - a * d),
                2.0 * (b * d + a * c),
            ],
            [
                2.0 * (b * c + a * d),
                a * a + c * c - b * b - d * d,
                2.0 * (c * d - a * b),
            ],
            [
                2.0 * (b * d - a * c),
                2.0 * (c * d + a * b),
                a * a + d * d - b * b - c * c,
            ],
        ];
        // pixdim[0] is the handedness of the third axis; the standard reads 0 as 1.
        let handedness = if self.pixdim[0] < 0.0 { -1.0 } else { 1.0 };
        let offset = [x, y, z];
        std::array::from_fn(|row| {
            [
                rotation[row][0] * size[0],
                rotation[row][1] * size[1],
                rotation[row][2] * size[2] * handedness,
                offset[row],
            ]
        })
    }
}

/// Reads numbers at offsets of a header; the caller has checked its length.
pub(super) struct Fields<'a> {
    bytes: &'a [u8],
    pub endian: Endian,
}

impl<'a> Fields<'a> {
    pub fn new(bytes: &'a [u8], size: u32) -> Option<Self> {
        let start = *bytes.first_chunk()?;
        let endian = if u32::from_le_bytes(start) == size {
            Endian::Little
        } else if u32::from_be_bytes(start) == size {
            Endian::Big
        } else {
            return None;
        };
        Some(Self { bytes, endian })
    }

    /// The bytes at offset `at`, in the byte order of the file.
    fn stored<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut bytes = [0; N];
        bytes.copy_from_slice(&self.bytes[at..at + N]);
        bytes
    }

    /// The bytes of the number at offset `at`, in little-endian order.
    fn le<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut number = self.stored(at);
        if self.endian == Endian::Big {
            number.reverse();
        }
        number
    }

    fn i16(&self, at: usize) -> i16 {
        i16::from_le_bytes(self.le(at))
    }

    fn i32(&self, at: usize) -> i32 {
        i32::from_le_bytes(self.le(at))
    }

    fn i64(&self, at: usize) -> i64 {
        i64::from_le_bytes(self.le(at))
    }

    fn f32(&self, at: usize) -> f64 {
        f64::from(f32::from_le_bytes(self.le(at)))
    }

    fn f64(&self, at: usize) -> f64 {
        f64::from_le_bytes(self.le(at))
    }

    /// Checks the magic number at offset `at`; it is `img` when the data are in another file.
    fn check_magic(
        &self,
        at: usize,
        expected: &'static str,
        img: &str,
    ) -> Result<(), HeaderProblem> {
        let found: [u8; 4] = self.stored(at);
        match &found[..3] {
            magic if found[3] == 0 && magic == expected.as_bytes() => Ok(()),
            magic if found[3] == 0 && magic == img.as_bytes() => Err(HeaderProblem::ImgFile),
            _ => Err(HeaderProblem::Magic { found, expected }),
        }
    }

    pub fn nifti1(&self) -> Result<Raw, HeaderProblem> {
        self.check_magic(344, "n+1", "ni1")?;
        Ok(Raw {
            data_type: self.i16(70),
            dims: std::array::from_fn(|axis| i64::from(self.i16(40 + 2 * axis))),
            pixdim: std::array::from_fn(|axis| self.f32(76 + 4 * axis)),
            // Some files have 0, which means that the data follow the header.
            data_offset: match self.f32(108) {
                0.0 => 352.0,
                offset => offset,
            },
            scaling: [self.f32(112), self.f32(116)],
            units: i32::from(self.bytes[123]),
            qform_code: i32::from(self.i16(252)),
            sform_code: i32::from(self.i16(254)),
            quaternion: std::array::from_fn(|at| self.f32(256 + 4 * at)),
            sform: std::array::from_fn(|row| {
                std::array::from_fn(|column| self.f32(280 + 16 * row + 4 * column))
            }),
        })
    }

    pub fn nifti2(&self) -> Result<Raw, HeaderProblem> {
        self.check_magic(4, "n+2", "ni2")?;
        Ok(Raw {
            data_type: self.i16(12),
            dims: std::array::from_fn(|axis| self.i64(16 + 8 * axis)),
            pixdim: std::array::from_fn(|axis| self.f64(104 + 8 * axis)),
            data_offset: match self.i64(168) {
                0 => 544.0,
                offset => offset as f64,
            },
            scaling: [self.f64(176), self.f64(184)],
            qform_code: self.i32(344),
            sform_code: self.i32(348),
            quaternion: std::array::from_fn(|at| self.f64(352 + 8 * at)),
            sform: std::array::from_fn(|row| {
                std::array::from_fn(|column| self.f64(400 + 32 * row + 8 * column))
            }),
            units: self.i32(500),
        })
    }
}
