//! Header of a NIfTI file: shape, number format, scaling and position in the scanner.

use super::problem::HeaderProblem;
use super::raw::Fields;
use crate::number::{DataType, Endian, decode};

/// Numbers decoded at once by an iterator over single values.
const NUMBERS_AT_ONCE: usize = 4096;

/// The contents of a NIfTI header.
#[derive(Clone, Debug, PartialEq)]
pub struct NiftiHeader {
    /// NIfTI version: 1 or 2.
    pub version: u8,
    /// Byte order of header and data.
    pub endian: Endian,
    /// Number format of a voxel.
    pub data_type: DataType,
    /// Length of each axis; 1 to 7 axes, each at least 1.
    pub dims: Vec<u64>,
    /// Size of a voxel along the three spatial axes, mm.
    pub voxel_mm: [f64; 3],
    /// Seconds between volumes, if the header gives a duration above zero with its unit.
    pub tr_secs: Option<f64>,
    /// From voxel indices to right-anterior-superior mm: sform, else qform, else voxel sizes alone.
    pub affine: [[f64; 4]; 3],
    /// Offset of the data in the (decompressed) file, bytes.
    pub data_offset: u64,
    /// Slope and intercept from stored numbers to values, if the header gives them.
    pub scaling: Option<(f64, f64)>,
}

impl NiftiHeader {
    /// Size of the header in bytes, from its first four bytes; `None` when these are not from a
    /// NIfTI file.
    pub(super) fn size(start: &[u8]) -> Option<u64> {
        let start: [u8; 4] = start.try_into().ok()?;
        [u32::from_le_bytes(start), u32::from_be_bytes(start)]
            .into_iter()
            .find(|size| matches!(size, 348 | 540))
            .map(u64::from)
    }

    /// Parses the bytes of a header.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, HeaderProblem> {
        let fields = match bytes.len() {
            348 => Fields::new(bytes, 348),
            540 => Fields::new(bytes, 540),
            _ => None,
        }
        .ok_or(HeaderProblem::Size)?;
        let raw = if bytes.len() == 348 {
            fields.nifti1()?
        } else {
            fields.nifti2()?
        };

        let data_type = data_type(raw.data_type).ok_or(HeaderProblem::DataType {
            code: raw.data_type,
        })?;
        let n_axes = usize::try_from(raw.dims[0]).unwrap_or(0);
        if !(1..=7).contains(&n_axes) {
            return Err(HeaderProblem::Axes { found: raw.dims[0] });
        }
        let dims = raw.dims[1..=n_axes]
            .iter()
            .map(|&dim| u64::try_from(dim).ok().filter(|&dim| dim > 0))
            .collect::<Option<Vec<u64>>>()
            .ok_or_else(|| HeaderProblem::Shape {
                found: raw.dims[1..=n_axes].to_vec(),
            })?;
        dims.iter()
            .try_fold(data_type.bytes(), |product, &dim| product.checked_mul(dim))
            .ok_or_else(|| HeaderProblem::TooLarge {
                found: dims.clone(),
            })?;

        let offset = raw.data_offset;
        if !(offset >= bytes.len() as f64 && offset < 1e15 && offset.fract() == 0.0) {
            return Err(HeaderProblem::DataOffset {
                found: offset,
                expected: bytes.len() + 4,
            });
        }
        let affine = raw.affine();
        if !affine.iter().flatten().all(|value| value.is_finite()) {
            let found = Box::new(affine);
            return Err(HeaderProblem::Affine { found });
        }
        let [slope, inter] = raw.scaling;
        let seconds_per_unit = match raw.units & 0x38 {
            8 => Some(1.0),
            16 => Some(1e-3),
            24 => Some(1e-6),
            _ => None,
        };
        Ok(Self {
            version: if bytes.len() == 348 { 1 } else { 2 },
            endian: fields.endian,
            data_type,
            voxel_mm: [raw.pixdim[1], raw.pixdim[2], raw.pixdim[3]],
            tr_secs: seconds_per_unit
                .map(|scale| scale * raw.pixdim[4])
                .filter(|tr_secs| dims.len() > 3 && tr_secs.is_finite() && *tr_secs > 0.0),
            dims,
            affine,
            data_offset: offset as u64,
            scaling: (slope != 0.0 && slope.is_finite() && inter.is_finite())
                .then_some((slope, inter)),
        })
    }

    /// Lengths of the three spatial axes.
    pub fn shape(&self) -> [u64; 3] {
        std::array::from_fn(|axis| self.dims.get(axis).copied().unwrap_or(1))
    }

    /// Voxels in a volume.
    pub fn n_voxels(&self) -> u64 {
        self.shape().iter().product()
    }

    /// Volumes in the file.
    pub fn n_volumes(&self) -> u64 {
        self.dims.iter().skip(3).product()
    }

    /// Bytes of a volume.
    pub fn volume_bytes(&self) -> u64 {
        self.n_voxels() * self.data_type.bytes()
    }

    /// The centre of a voxel in right-anterior-superior mm; `voxel` is its index in a volume.
    pub fn position_mm(&self, voxel: u64) -> [f64; 3] {
        let [width, height, _] = self.shape();
        let index = [
            voxel % width,
            voxel / width % height,
            voxel / (width * height),
        ]
        .map(|at| at as f64);
        self.affine
            .map(|row| row[0] * index[0] + row[1] * index[1] + row[2] * index[2] + row[3])
    }

    /// The scaled values of stored bytes, decoded in small blocks.
    pub(crate) fn values<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = f64> + 'a {
        let block_bytes = NUMBERS_AT_ONCE * self.data_type.bytes() as usize;
        bytes.chunks(block_bytes).flat_map(|block| {
            let mut values = Vec::with_capacity(NUMBERS_AT_ONCE);
            self.decode(block, &mut values);
            values
        })
    }

    /// Decodes stored bytes into scaled values.
    pub(super) fn decode(&self, bytes: &[u8], values: &mut Vec<f64>) {
        decode(self.data_type, self.endian, bytes, values);
        if let Some((slope, inter)) = self.scaling {
            for value in values {
                *value = *value * slope + inter;
            }
        }
    }
}

/// The number format of a code in the header.
fn data_type(code: i16) -> Option<DataType> {
    Some(match code {
        2 => DataType::U8,
        4 => DataType::I16,
        8 => DataType::I32,
        16 => DataType::F32,
        64 => DataType::F64,
        256 => DataType::I8,
        512 => DataType::U16,
        768 => DataType::U32,
        1024 => DataType::I64,
        1280 => DataType::U64,
        _ => return None,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::is;

    /// Builds headers for tests.
    pub(crate) struct HeaderBytes(Vec<u8>);

    impl HeaderBytes {
        pub(crate) fn nifti1(dims: &[i16], data_type: i16, bits: i16) -> Self {
            let mut header = Self(vec![0; 352])
                .put(0, &348_i32.to_le_bytes())
                .put(40, &(dims.len() as i16).to_le_bytes())
                .put(70, &data_type.to_le_bytes())
                .put(72, &bits.to_le_bytes())
                .put(108, &352_f32.to_le_bytes())
                .put(344, b"n+1\0");
            for axis in 1..8 {
                let dim = dims.get(axis - 1).copied().unwrap_or(1);
                header = header
                    .put(40 + 2 * axis, &dim.to_le_bytes())
                    .put(76 + 4 * axis, &2_f32.to_le_bytes());
            }
            header
        }

        pub(crate) fn nifti2(dims: &[i64], data_type: i16, bits: i16) -> Self {
            let mut header = Self(vec![0; 544])
                .put(0, &540_i32.to_le_bytes())
                .put(4, b"n+2\0\r\n\x1a\n")
                .put(12, &data_type.to_le_bytes())
                .put(14, &bits.to_le_bytes())
                .put(16, &(dims.len() as i64).to_le_bytes())
                .put(168, &544_i64.to_le_bytes());
            for axis in 1..8 {
                let dim = dims.get(axis - 1).copied().unwrap_or(1);
                header = header
                    .put(16 + 8 * axis, &dim.to_le_bytes())
                    .put(104 + 8 * axis, &2_f64.to_le_bytes());
            }
            header
        }

        pub(crate) fn put(mut self, at: usize, bytes: &[u8]) -> Self {
            self.0[at..at + bytes.len()].copy_from_slice(bytes);
            self
        }

        /// The same NIfTI-1 header in big-endian order, for the fields above.
        pub(crate) fn big_endian(mut self) -> Self {
            let bytes = &mut self.0;
            bytes[0..4].reverse();
            for at in (40..56).step_by(2).chain([70, 72, 252, 254]) {
                bytes[at..at + 2].reverse();
            }
            for at in (76..120).step_by(4).chain((256..328).step_by(4)) {
                bytes[at..at + 4].reverse();
            }
            self
        }

        pub(crate) fn finish(self) -> Vec<u8> {
            self.0
        }

        fn parse(self) -> Result<NiftiHeader, HeaderProblem> {
            let size = self.0.len() - 4;
            NiftiHeader::parse(&self.0[..size])
        }
    }

    #[test]
    fn both_versions_and_byte_orders_say_the_same() {
        let little = HeaderBytes::nifti1(&[4, 3, 2, 5], 16, 32).parse().unwrap();
        let big = HeaderBytes::nifti1(&[4, 3, 2, 5], 16, 32)
            .big_endian()
            .parse()
            .unwrap();
        let second = HeaderBytes::nifti2(&[4, 3, 2, 5], 16, 32).parse().unwrap();
        for header in [&little, &big, &second] {
            assert_eq!(header.shape(), [4, 3, 2]);
            assert_eq!(
                (header.n_volumes(), header.volume_bytes()),
                (5, 4 * 3 * 2 * 4)
            );
            assert_eq!(header.affine[2], [0., 0., 2., 0.]);
        }
        assert_eq!((little.endian, big.endian), (Endian::Little, Endian::Big));
        assert_eq!((little.version, second.version), (1, 2));
    }

    #[test]
    fn every_data_type_and_the_scaling_are_applied() {
        let cases: [(i16, Vec<u8>); 10] = [
            (2, 3_u8.to_be_bytes().into()),
            (4, 3_i16.to_be_bytes().into()),
            (8, 3_i32.to_be_bytes().into()),
            (16, 3_f32.to_be_bytes().into()),
            (64, 3_f64.to_be_bytes().into()),
            (256, 3_i8.to_be_bytes().into()),
            (512, 3_u16.to_be_bytes().into()),
            (768, 3_u32.to_be_bytes().into()),
            (1024, 3_i64.to_be_bytes().into()),
            (1280, 3_u64.to_be_bytes().into()),
        ];
        for (code, bytes) in cases {
            let header = HeaderBytes::nifti1(&[1, 1, 1, 1], code, 8 * bytes.len() as i16)
                .put(112, &2_f32.to_le_bytes())
                .put(116, &(-1_f32).to_le_bytes());
            let header = header.big_endian().parse().unwrap();
            let mut values = Vec::new();
            header.decode(&bytes, &mut values);
            assert_eq!(values, [5.0], "data type {code}"); // 3 · 2 − 1
        }
    }

    #[test]
    fn a_slope_of_zero_or_nan_scales_nothing() {
        for slope in [0_f32, f32::NAN] {
            let header = HeaderBytes::nifti1(&[1, 1, 1], 4, 16).put(112, &slope.to_le_bytes());
            assert_eq!(header.parse().unwrap().scaling, None);
        }
    }

    #[test]
    fn a_half_turn_about_z_flips_right_and_anterior() {
        let header = HeaderBytes::nifti1(&[2, 2, 2], 4, 16)
            .put(252, &1_i16.to_le_bytes())
            .put(264, &1_f32.to_le_bytes()) // d = 1: 180° about z
            .put(268, &10_f32.to_le_bytes())
            .parse()
            .unwrap();
        assert_eq!(header.position_mm(0), [10., 0., 0.]);
        assert_eq!(header.position_mm(7), [8., -2., 2.]); // voxel (1, 1, 1)
    }

    #[test]
    fn the_sform_goes_before_the_qform() {
        let header = HeaderBytes::nifti1(&[2, 2, 2], 4, 16)
            .put(252, &1_i16.to_le_bytes())
            .put(254, &1_i16.to_le_bytes())
            .put(292, &5_f32.to_le_bytes())
            .parse()
            .unwrap();
        assert_eq!(header.affine[0], [0., 0., 0., 5.]);
    }

    #[test]
    fn the_tr_needs_its_unit() {
        let header = |units: u8| {
            let bytes = HeaderBytes::nifti1(&[2, 2, 2, 9], 4, 16)
                .put(92, &1500_f32.to_le_bytes())
                .put(123, &[units]);
            bytes.parse().unwrap().tr_secs
        };
        assert_eq!(header(2 | 16), Some(1.5)); // mm and ms
        assert_eq!(header(2), None);
    }

    #[test]
    fn what_is_not_supported_is_named() {
        use HeaderProblem as P;
        type Is = fn(&HeaderProblem) -> bool;
        let cases: [(HeaderBytes, Is); 6] = [
            (
                HeaderBytes::nifti1(&[2], 128, 24),
                is!(P::DataType { code: 128 }),
            ),
            (
                HeaderBytes::nifti1(&[2, -3], 4, 16),
                is!(P::Shape { found } if found == &[2, -3]),
            ),
            (
                HeaderBytes::nifti1(&[2], 4, 16).put(344, b"ni1\0"),
                is!(P::ImgFile),
            ),
            (
                HeaderBytes::nifti1(&[2], 4, 16).put(344, b"abcd"),
                is!(P::Magic {
                    found: [b'a', b'b', b'c', b'd'],
                    ..
                }),
            ),
            (
                HeaderBytes::nifti1(&[2], 4, 16).put(108, &8_f32.to_le_bytes()),
                is!(P::DataOffset {
                    found: 8.0,
                    expected: 352
                }),
            ),
            (
                HeaderBytes::nifti2(&[i64::MAX, 4], 4, 16),
                is!(P::TooLarge { .. }),
            ),
        ];
        for (header, is_expected) in cases {
            let problem = header.parse().unwrap_err();
            assert!(is_expected(&problem), "{problem}");
        }
    }
}
