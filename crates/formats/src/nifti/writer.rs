//! NIfTI-1 images of 16-bit integers, compressed, written volume by volume.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use brainmae_files::CommonErrors as _;
use brainmae_files::atomic::create_folder_of;

use super::NiftiProblem;
use crate::error::FormatError;

/// Bytes of the header; the offset of the data.
const HEADER_BYTES: i32 = 348;
const DATA_OFFSET: usize = 352;

/// NIfTI's codes: 16-bit integers, millimetres and seconds, coordinates of the scanner.
const INT16: i16 = 4;
const MM_AND_SECS: u8 = 2 + 8;
const SCANNER_COORDINATES: i16 = 1;

/// A grid of voxels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// Voxels along the three axes.
    pub shape: [usize; 3],
    /// Edge length of a voxel, mm.
    pub voxel_mm: f32,
}

impl Grid {
    /// Voxels in a volume.
    pub fn n_voxels(&self) -> usize {
        self.shape.iter().product()
    }

    /// The affine from voxel indices to right-anterior-superior mm; the origin is the middle of the
    /// grid.
    pub fn affine(&self) -> [[f32; 4]; 3] {
        let mut rows = [[0.0; 4]; 3];
        for (axis, row) in rows.iter_mut().enumerate() {
            row[axis] = self.voxel_mm;
            row[3] = -self.voxel_mm * (self.shape[axis] as f32 - 1.0) / 2.0;
        }
        rows
    }
}

/// Writer whose header is written and which takes the volumes one by one.
pub struct NiftiWriter {
    path: PathBuf,
    out: GzEncoder<BufWriter<File>>,
    n_voxels: usize,
    volumes_left: usize,
    bytes: Vec<u8>,
}

impl NiftiWriter {
    /// Creates the `.nii.gz` file and the folders above it, and writes the header. One volume
    /// without a TR gives a 3-D image.
    ///
    /// # Errors
    /// [`FormatError::Files`] when it cannot be written; [`FormatError::Nifti`] for sizes that the
    /// format cannot hold.
    pub fn create(
        path: &Path,
        grid: &Grid,
        n_volumes: usize,
        tr_secs: Option<f64>,
    ) -> Result<Self, FormatError> {
        let header = header(grid, n_volumes, tr_secs).ok_or_else(|| {
            let problem = NiftiProblem::Size {
                shape: grid.shape,
                n_volumes,
                most: i16::MAX,
            };
            FormatError::nifti(path, problem)
        })?;
        create_folder_of(path)?;
        let file = File::create(path).map_err(FormatError::io("create", path))?;
        let mut out = GzEncoder::new(BufWriter::new(file), Compression::fast());
        out.write_all(&header)
            .map_err(FormatError::io("write", path))?;
        Ok(Self {
            path: path.to_owned(),
            out,
            n_voxels: grid.n_voxels(),
            volumes_left: n_volumes,
            bytes: Vec::new(),
        })
    }

    /// Writes the next volume, first axis fastest.
    ///
    /// # Errors
    /// An error when the volume cannot be written, does not have one value per voxel, or is one
    /// volume too many.
    pub fn write_volume(&mut self, voxels: &[i16]) -> Result<(), FormatError> {
        if voxels.len() != self.n_voxels || self.volumes_left == 0 {
            let problem = NiftiProblem::Volume {
                found: voxels.len(),
                expected: self.n_voxels,
                volumes_left: self.volumes_left,
            };
            return Err(FormatError::nifti(&self.path, problem));
        }
        self.bytes.clear();
        (self.bytes).extend(voxels.iter().flat_map(|value| value.to_le_bytes()));
        self.volumes_left -= 1;
        self.out
            .write_all(&self.bytes)
            .map_err(FormatError::io("write", &self.path))
    }

    /// Finishes the file.
    ///
    /// # Errors
    /// An error when the file cannot be written, or volumes are missing.
    pub fn finish(self) -> Result<(), FormatError> {
        if self.volumes_left > 0 {
            let missing = self.volumes_left;
            let problem = NiftiProblem::VolumesMissing { missing };
            return Err(FormatError::nifti(&self.path, problem));
        }
        self.out
            .finish()
            .and_then(|mut file| file.flush())
            .map_err(FormatError::io("write", &self.path))
    }
}

/// All bytes before the data; `None` when a size does not fit.
fn header(grid: &Grid, n_volumes: usize, tr_secs: Option<f64>) -> Option<[u8; DATA_OFFSET]> {
    let mut bytes = [0; DATA_OFFSET];
    let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
    let size = |size: usize| i16::try_from(size).ok().filter(|size| *size > 0);
    let [x, y, z] = grid.shape;
    let n_axes = if tr_secs.is_some() { 4 } else { 3 };
    let dim = [
        n_axes,
        size(x)?,
        size(y)?,
        size(z)?,
        size(n_volumes)?,
        1,
        1,
        1,
    ];
    let mm = grid.voxel_mm;
    let pixdim = [
        1.0,
        mm,
        mm,
        mm,
        tr_secs.unwrap_or(0.0) as f32,
        0.0,
        0.0,
        0.0,
    ];
    put(0, &HEADER_BYTES.to_le_bytes());
    for axis in 0..8 {
        put(40 + 2 * axis, &dim[axis].to_le_bytes());
        put(76 + 4 * axis, &pixdim[axis].to_le_bytes());
    }
    put(70, &INT16.to_le_bytes());
    put(72, &16_i16.to_le_bytes());
    put(108, &(DATA_OFFSET as f32).to_le_bytes());
    put(112, &1.0_f32.to_le_bytes()); // slope; the intercept stays 0
    put(123, &[MM_AND_SECS]);
    put(254, &SCANNER_COORDINATES.to_le_bytes());
    for (at, value) in grid.affine().as_flattened().iter().enumerate() {
        put(280 + 4 * at, &value.to_le_bytes());
    }
    put(344, b"n+1\0");
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nifti::NiftiReader;

    const GRID: Grid = Grid {
        shape: [2, 1, 1],
        voxel_mm: 1.8,
    };

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("below/a.nii.gz");
        let mut writer = NiftiWriter::create(&path, &GRID, 2, Some(4.0 / 3.0)).unwrap();
        writer.write_volume(&[1, -2]).unwrap();
        writer.write_volume(&[300, 4]).unwrap();
        writer.finish().unwrap();

        let mut reader = NiftiReader::open(&path).unwrap();
        assert_eq!(reader.header().n_volumes(), 2);
        let mut voxels = Vec::new();
        assert!(reader.read_volume(&mut voxels).unwrap());
        assert_eq!(voxels, [1.0, -2.0]);
        assert!(reader.read_volume(&mut voxels).unwrap());
        assert_eq!(voxels, [300.0, 4.0]);
        assert!(!reader.read_volume(&mut voxels).unwrap());
    }

    #[test]
    fn the_middle_of_the_grid_is_the_origin() {
        assert_eq!(GRID.affine()[0], [1.8, 0.0, 0.0, -0.9]);
        assert_eq!(GRID.affine()[1], [0.0, 1.8, 0.0, 0.0]);
    }

    #[test]
    fn an_image_of_another_shape_than_announced_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.nii.gz");
        let problem = |error| match error {
            FormatError::Nifti { problem, .. } => problem,
            other => panic!("{other}"),
        };
        let refused = NiftiWriter::create(&path, &GRID, 40_000, None);
        assert!(matches!(
            problem(refused.err().unwrap()),
            NiftiProblem::Size {
                n_volumes: 40_000,
                ..
            }
        ));
        let mut writer = NiftiWriter::create(&path, &GRID, 1, None).unwrap();
        assert!(matches!(
            problem(writer.write_volume(&[1]).unwrap_err()),
            NiftiProblem::Volume {
                found: 1,
                expected: 2,
                volumes_left: 1
            }
        ));
        assert!(matches!(
            problem(writer.finish().unwrap_err()),
            NiftiProblem::VolumesMissing { missing: 1 }
        ));
    }
}
