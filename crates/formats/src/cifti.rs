//! CIFTI-2 files: signals of grayordinates (`.dtseries.nii`) or parcels (`.ptseries.nii`), and
//! labels of grayordinates (`.dlabel.nii`).
//!
//! Opening a file reads the header and its XML. The signals stay on disk and pass through a small
//! buffer, so that memory does not grow with the file.
//!
//! # Source
//! CIFTI-2 file format, <https://www.nitrc.org/projects/cifti>, revision of March 2014.

use brainmae_files::CommonErrors as _;

mod axis;
mod dense_labels;
mod header;
mod kind;
mod matrix;
mod means;
mod models;
mod parcels;
mod problem;
mod side;
#[cfg(test)]
mod tests;
pub mod writer;
mod xml;

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::error::FormatError;
pub use axis::LabelEntry;
use axis::{Axis, Labels, Series};
pub use dense_labels::DenseLabels;
pub use kind::CiftiKind;
use matrix::{Matrix, Rows};
pub use means::RoiMeans;
use models::BrainModels;
pub use models::VolumeSpace;
pub use problem::{CiftiProblem, ModelProblem, XmlProblem};
pub use side::Side;

/// A CIFTI-2 file whose header has been read and checked.
#[derive(Debug)]
pub struct CiftiFile {
    path: PathBuf,
    matrix: Matrix,
    rows: Rows,
    content: Content,
}

/// The two axes of the matrix, by kind of file.
#[derive(Debug)]
enum Content {
    DenseSeries(Series, BrainModels),
    ParcelSeries(Series, Vec<String>),
    DenseLabels(Labels, BrainModels),
}

impl CiftiFile {
    /// Opens `path` and checks that header, axes and length of the file agree.
    ///
    /// # Errors
    /// [`FormatError::Cifti`] or [`FormatError::Nifti`] for a file that is not CIFTI-2, is of an
    /// unsupported kind, or is truncated; [`FormatError::Files`] when it cannot be read.
    pub fn open(path: &Path) -> Result<Self, FormatError> {
        let mut file = File::open(path).map_err(FormatError::io("open", path))?;
        let header = header::read(path, &mut file)?;
        Self::understand(path, &header).map_err(|problem| FormatError::cifti(path, problem))
    }

    /// Builds the file from its header and checks that the parts of the header agree.
    fn understand(path: &Path, header: &header::CiftiHeader) -> Result<Self, CiftiProblem> {
        let declared = header.declared_kind()?;
        let axes = xml::axes(&header.xml)?;
        let lengths = [axes[0].len(), axes[1].len()];
        let (rows, content) = match axes {
            [Axis::Series(series), Axis::BrainModels(models)] => {
                (Rows::Places, Content::DenseSeries(series, models))
            }
            [Axis::BrainModels(models), Axis::Series(series)] => {
                (Rows::Volumes, Content::DenseSeries(series, models))
            }
            [Axis::Series(series), Axis::Parcels(names)] => {
                (Rows::Places, Content::ParcelSeries(series, names))
            }
            [Axis::Parcels(names), Axis::Series(series)] => {
                (Rows::Volumes, Content::ParcelSeries(series, names))
            }
            [Axis::Labels(labels), Axis::BrainModels(models)] => {
                (Rows::Places, Content::DenseLabels(labels, models))
            }
            [Axis::BrainModels(models), Axis::Labels(labels)] => {
                (Rows::Volumes, Content::DenseLabels(labels, models))
            }
            [first, second] => {
                return Err(CiftiProblem::Axes {
                    columns: first.name(),
                    rows: second.name(),
                });
            }
        };
        header.check_lengths(lengths)?;
        let cifti = Self {
            path: path.to_owned(),
            matrix: header.matrix(path)?,
            rows,
            content,
        };
        match declared {
            Some(declared) if declared != cifti.kind() => Err(CiftiProblem::IntentAndAxes {
                declared,
                found: cifti.kind(),
            }),
            _ => Ok(cifti),
        }
    }

    /// The kind of the file.
    pub fn kind(&self) -> CiftiKind {
        match self.content {
            Content::DenseSeries(..) => CiftiKind::DenseSeries,
            Content::ParcelSeries(..) => CiftiKind::ParcelSeries,
            Content::DenseLabels(..) => CiftiKind::DenseLabels,
        }
    }

    /// Names of the parcels; `None` for grayordinates.
    pub fn names(&self) -> Option<&[String]> {
        match &self.content {
            Content::ParcelSeries(_, names) => Some(names),
            Content::DenseSeries(..) | Content::DenseLabels(..) => None,
        }
    }

    /// Seconds between volumes; `None` for labels.
    pub fn tr_secs(&self) -> Option<f64> {
        self.series().map(|series| series.tr_secs)
    }

    /// Volumes in the file; 0 for labels.
    pub fn n_volumes(&self) -> usize {
        self.series().map_or(0, |series| series.n_volumes)
    }

    /// Grayordinates in the file; 0 for a file of parcels.
    pub fn n_grayordinates(&self) -> usize {
        self.models().map_or(0, BrainModels::len)
    }

    /// The grid of the subcortical voxels; `None` when there are no voxels.
    ///
    /// Labels by voxel index fit only files with the same grid.
    pub fn volume_space(&self) -> Option<&VolumeSpace> {
        self.models()?.volume_space()
    }

    fn series(&self) -> Option<&Series> {
        match &self.content {
            Content::DenseSeries(series, _) | Content::ParcelSeries(series, _) => Some(series),
            Content::DenseLabels(..) => None,
        }
    }

    fn models(&self) -> Option<&BrainModels> {
        match &self.content {
            Content::DenseSeries(_, models) | Content::DenseLabels(_, models) => Some(models),
            Content::ParcelSeries(..) => None,
        }
    }

    /// Error for a file of another kind than a method needs.
    fn wrong_kind(&self, needed: CiftiKind) -> FormatError {
        let found = self.kind();
        FormatError::cifti(&self.path, CiftiProblem::Kind { found, needed })
    }

    /// The requested range of volumes; all volumes when `part` is `None`.
    fn volumes(
        &self,
        part: Option<std::ops::Range<usize>>,
    ) -> Result<std::ops::Range<usize>, FormatError> {
        let n_volumes = self.n_volumes();
        match part {
            None => Ok(0..n_volumes),
            Some(part) if part.start < part.end && part.end <= n_volumes => Ok(part),
            Some(asked) => Err(FormatError::cifti(
                &self.path,
                CiftiProblem::Volumes { asked, n_volumes },
            )),
        }
    }
}
