//! Labels of grayordinates.

use super::matrix::Rows;
use super::models::BrainModel;
use super::problem::CiftiProblem;
use super::side::Side;
use super::{CiftiFile, CiftiKind, Content, LabelEntry, VolumeSpace};
use crate::error::FormatError;
use crate::label_map::GrayordinateLabels;

/// The labels of a `.dlabel.nii` file with their names.
#[derive(Clone, Debug, PartialEq)]
pub struct DenseLabels {
    /// The key of every vertex and voxel. Vertices that are not in the file, such as the medial
    /// wall, and voxels of key 0 have no key. Surfaces other than the cortex are not included.
    pub labels: GrayordinateLabels,
    /// The names of the keys, in the order of the file.
    pub table: Vec<LabelEntry>,
    /// The grid of the voxel indices.
    pub volume_space: Option<VolumeSpace>,
}

impl CiftiFile {
    /// The first label map of the file. Further maps are ignored with a log message. Negative keys
    /// mean "no label" and are logged too.
    ///
    /// # Errors
    /// [`FormatError::Cifti`] for a file without labels or a value that is not a key;
    /// [`FormatError::Files`] when the file cannot be read.
    pub fn dense_labels(&self) -> Result<DenseLabels, FormatError> {
        let Content::DenseLabels(header, models) = &self.content else {
            return Err(self.wrong_kind(CiftiKind::DenseLabels));
        };
        if header.n_maps > 1 {
            tracing::warn!(
                used = header.first_map,
                n_maps = header.n_maps,
                path = %self.path.display(),
                "only the first of several label maps is used"
            );
        }
        let keys = self.first_keys()?;
        let mut keys = keys.iter().copied();
        let mut labels = GrayordinateLabels::default();
        for model in models.models() {
            match model {
                BrainModel::Cortex {
                    side,
                    mesh_vertices,
                    vertices,
                } => {
                    let mesh = match side {
                        Side::Left => &mut labels.left,
                        Side::Right => &mut labels.right,
                    };
                    mesh.resize(*mesh_vertices, 0);
                    for (&vertex, key) in vertices.iter().zip(&mut keys) {
                        mesh[vertex as usize] = key;
                    }
                }
                BrainModel::OtherSurface { n_vertices } => {
                    keys.by_ref().take(*n_vertices).for_each(drop);
                }
                BrainModel::Voxels(voxels) => {
                    let voxels = voxels.iter().copied().zip(&mut keys);
                    labels.voxels.extend(voxels.filter(|(_, key)| *key > 0));
                }
            }
        }
        Ok(DenseLabels {
            labels,
            table: header.table.clone(),
            volume_space: models.volume_space().cloned(),
        })
    }

    /// The keys of all grayordinates in the first map.
    fn first_keys(&self) -> Result<Vec<u32>, FormatError> {
        let matrix = &self.matrix;
        let mut reader = matrix.reader()?;
        let mut keys = Vec::with_capacity(self.n_grayordinates());
        let mut n_negative = 0;
        let mut values = Vec::new();
        // In the usual order, every row starts with its key of the first map. In the other order,
        // the first row is the first map.
        let (n_rows, step) = match self.rows {
            Rows::Places => (matrix.n_rows, matrix.row_len),
            Rows::Volumes => (1, 1),
        };
        for start in (0..n_rows).step_by(matrix.block_rows()) {
            reader.values(start..n_rows.min(start + matrix.block_rows()), &mut values)?;
            for &value in values.iter().step_by(step) {
                keys.push(if value.fract() == 0.0 && value < 0.0 {
                    n_negative += 1;
                    0
                } else if value.fract() == 0.0 && value <= f64::from(u32::MAX) {
                    value as u32
                } else {
                    let problem = CiftiProblem::LabelValue {
                        grayordinate: keys.len(),
                        found: value,
                    };
                    return Err(FormatError::cifti(&self.path, problem));
                });
            }
        }
        if n_negative > 0 {
            tracing::warn!(
                n_negative,
                path = %self.path.display(),
                "negative label keys are taken as no label"
            );
        }
        Ok(keys)
    }
}
