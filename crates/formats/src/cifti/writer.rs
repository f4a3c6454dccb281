//! CIFTI-2 time series, `.dtseries.nii` and `.ptseries.nii`, written row by row.
//!
//! A file is a NIfTI-2 header of 540 bytes, an extension of XML that names the rows, and 32-bit
//! little-endian floats, row after row.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use brainmae_files::CommonErrors as _;
use brainmae_files::atomic::create_folder_of;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::CiftiProblem;
use crate::error::FormatError;

/// Bytes of the NIfTI-2 header and of the four bytes that announce extensions.
const HEADER_BYTES: usize = 540;
const EXTENDER_BYTES: usize = 4;

/// NIfTI's code of the extension with CIFTI's XML, and the factor of its length.
const CIFTI_ECODE: i32 = 32;
const EXTENSION_MULTIPLE: usize = 16;

/// NIfTI's codes: 32-bit floats, millimetres and seconds, dense and parcellated series.
const FLOAT32: i16 = 16;
const MM_AND_SECS: i32 = 2 + 8;
const INTENT_DENSE_SERIES: i32 = 3002;
const INTENT_PARCEL_SERIES: i32 = 3004;

const WRITE_BUFFER_BYTES: usize = 1 << 18;

/// Voxels of the CIFTI volume space of the HCP (2 mm), and the affine from their indices to mm.
pub const VOLUME_DIMENSIONS: [u32; 3] = [91, 109, 91];
const VOLUME_TRANSFORM: &str = "-2 0 0 90 0 2 0 -126 0 0 2 -72 0 0 0 1";

/// Vertices or voxels of some rows of a dense file.
#[derive(Clone, Debug, PartialEq)]
pub enum Places {
    /// Vertices of a surface.
    Vertices {
        /// Vertices of the whole mesh.
        n_vertices: usize,
        /// Vertices with a row, in order.
        indices: Vec<u32>,
    },
    /// Voxels of [`VOLUME_DIMENSIONS`].
    Voxels(Vec<[u32; 3]>),
}

impl Places {
    /// Rows of the file.
    pub fn len(&self) -> usize {
        match self {
            Self::Vertices { indices, .. } => indices.len(),
            Self::Voxels(voxels) => voxels.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One structure of the brain in a dense file.
#[derive(Clone, Debug, PartialEq)]
pub struct BrainModel {
    /// Name such as `CORTEX_LEFT`, without `CIFTI_STRUCTURE_`.
    pub structure: &'static str,
    /// Its rows.
    pub places: Places,
}

/// One ROI of a parcellated file.
#[derive(Clone, Debug, PartialEq)]
pub struct CiftiParcel {
    /// Name of the ROI.
    pub name: String,
    /// Its vertices by structure, such as `CORTEX_LEFT`.
    pub vertices: Vec<(&'static str, Vec<u32>)>,
    /// Its voxels.
    pub voxels: Vec<[u32; 3]>,
}

/// The meaning of the rows of a file.
#[derive(Clone, Debug, PartialEq)]
pub enum CiftiRows {
    /// `.dtseries.nii`: one row per vertex or voxel, structure after structure.
    Dense(Vec<BrainModel>),
    /// `.ptseries.nii`: one row per ROI.
    Parcels {
        /// Surfaces and the vertices of their whole meshes.
        surfaces: Vec<(&'static str, usize)>,
        /// The ROIs, in order.
        parcels: Vec<CiftiParcel>,
    },
}

impl CiftiRows {
    /// Rows of the file.
    pub fn len(&self) -> usize {
        match self {
            Self::Dense(models) => models.iter().map(|model| model.places.len()).sum(),
            Self::Parcels { parcels, .. } => parcels.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Writer whose header is written and which takes the rows one by one.
pub struct CiftiWriter {
    path: PathBuf,
    out: BufWriter<File>,
    n_volumes: usize,
    rows_left: usize,
    bytes: Vec<u8>,
}

impl CiftiWriter {
    /// Creates the file and the folders above it, and writes the header.
    ///
    /// # Errors
    /// [`FormatError::Files`] when it cannot be written; [`FormatError::Cifti`] when it has no row,
    /// no volume or more than the format can hold.
    pub fn create(
        path: &Path,
        rows: &CiftiRows,
        n_volumes: usize,
        tr_secs: f64,
    ) -> Result<Self, FormatError> {
        if rows.is_empty() || n_volumes == 0 {
            let rows = rows.len();
            return Err(FormatError::cifti(
                path,
                CiftiProblem::Empty { rows, n_volumes },
            ));
        }
        let xml = xml(rows, n_volumes, tr_secs)
            .map_err(|error| FormatError::cifti(path, CiftiProblem::WriteXml(error)))?;
        let header = header(rows, n_volumes, &xml)
            .ok_or_else(|| FormatError::cifti(path, CiftiProblem::TooLarge))?;
        create_folder_of(path)?;
        let file = File::create(path).map_err(FormatError::io("create", path))?;
        let mut out = BufWriter::with_capacity(WRITE_BUFFER_BYTES, file);
        out.write_all(&header)
            .map_err(FormatError::io("write", path))?;
        Ok(Self {
            path: path.to_owned(),
            out,
            n_volumes,
            rows_left: rows.len(),
            bytes: Vec::with_capacity(n_volumes * size_of::<f32>()),
        })
    }

    /// Writes the time course of the next row.
    ///
    /// # Errors
    /// An error when the row cannot be written, does not have one value per volume, or is one row
    /// too many.
    pub fn write_row(&mut self, values: &[f32]) -> Result<(), FormatError> {
        if values.len() != self.n_volumes || self.rows_left == 0 {
            let problem = CiftiProblem::Row {
                found: values.len(),
                expected: self.n_volumes,
                rows_left: self.rows_left,
            };
            return Err(FormatError::cifti(&self.path, problem));
        }
        self.bytes.clear();
        (self.bytes).extend(values.iter().flat_map(|value| value.to_le_bytes()));
        self.rows_left -= 1;
        self.out
            .write_all(&self.bytes)
            .map_err(FormatError::io("write", &self.path))
    }

    /// Finishes the file.
    ///
    /// # Errors
    /// An error when the file cannot be written, or rows are missing.
    pub fn finish(mut self) -> Result<(), FormatError> {
        if self.rows_left > 0 {
            let missing = self.rows_left;
            let problem = CiftiProblem::RowsMissing { missing };
            return Err(FormatError::cifti(&self.path, problem));
        }
        self.out
            .flush()
            .map_err(FormatError::io("write", &self.path))
    }
}

/// All bytes before the data; `None` when a number does not fit.
fn header(rows: &CiftiRows, n_volumes: usize, xml: &[u8]) -> Option<Vec<u8>> {
    // The extension is its length, its code, the XML, and zeros up to a multiple of 16.
    let extension_bytes = (8 + xml.len()).next_multiple_of(EXTENSION_MULTIPLE);
    let (intent, intent_name) = match rows {
        CiftiRows::Dense(_) => (INTENT_DENSE_SERIES, "ConnDenseSeries"),
        CiftiRows::Parcels { .. } => (INTENT_PARCEL_SERIES, "ConnParcelSries"),
    };
    let mut bytes = vec![0; HEADER_BYTES + EXTENDER_BYTES];
    let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
    put(0, &(HEADER_BYTES as i32).to_le_bytes());
    put(4, b"n+2\0\r\n\x1a\n");
    put(12, &FLOAT32.to_le_bytes());
    put(14, &32_i16.to_le_bytes());
    let (volumes, n_rows) = (
        i64::try_from(n_volumes).ok()?,
        i64::try_from(rows.len()).ok()?,
    );
    for (axis, size) in [6, 1, 1, 1, 1, volumes, n_rows, 1].into_iter().enumerate() {
        put(16 + 8 * axis, &size.to_le_bytes());
        put(104 + 8 * axis, &1.0_f64.to_le_bytes());
    }
    let data_offset = HEADER_BYTES + EXTENDER_BYTES + extension_bytes;
    put(168, &i64::try_from(data_offset).ok()?.to_le_bytes());
    put(176, &1.0_f64.to_le_bytes()); // slope; the intercept stays 0
    put(500, &MM_AND_SECS.to_le_bytes());
    put(504, &intent.to_le_bytes());
    put(508, intent_name.as_bytes());
    put(540, &[1, 0, 0, 0]);
    bytes.extend(i32::try_from(extension_bytes).ok()?.to_le_bytes());
    bytes.extend(CIFTI_ECODE.to_le_bytes());
    bytes.extend(xml);
    bytes.resize(data_offset, 0);
    Some(bytes)
}

type Xml = quick_xml::Writer<Vec<u8>>;

/// The axes of the matrix.
fn xml(rows: &CiftiRows, n_volumes: usize, tr_secs: f64) -> io::Result<Vec<u8>> {
    let mut xml = Xml::new(Vec::new());
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    xml.create_element("CIFTI")
        .with_attribute(("Version", "2"))
        .write_inner_content(|xml| {
            xml.create_element("Matrix").write_inner_content(|xml| {
                write_series(xml, n_volumes, tr_secs)?;
                write_rows(xml, rows)
            })?;
            Ok(())
        })?;
    Ok(xml.into_inner())
}

fn write_series(xml: &mut Xml, n_volumes: usize, tr_secs: f64) -> io::Result<()> {
    xml.create_element("MatrixIndicesMap")
        .with_attributes([
            ("AppliesToMatrixDimension", "0"),
            ("IndicesMapToDataType", "CIFTI_INDEX_TYPE_SERIES"),
            ("NumberOfSeriesPoints", &n_volumes.to_string()),
            ("SeriesExponent", "0"),
            ("SeriesStart", "0"),
            ("SeriesStep", &tr_secs.to_string()),
            ("SeriesUnit", "SECOND"),
        ])
        .write_empty()?;
    Ok(())
}

fn write_rows(xml: &mut Xml, rows: &CiftiRows) -> io::Result<()> {
    let kind = match rows {
        CiftiRows::Dense(_) => "CIFTI_INDEX_TYPE_BRAIN_MODELS",
        CiftiRows::Parcels { .. } => "CIFTI_INDEX_TYPE_PARCELS",
    };
    xml.create_element("MatrixIndicesMap")
        .with_attributes([
            ("AppliesToMatrixDimension", "1"),
            ("IndicesMapToDataType", kind),
        ])
        .write_inner_content(|xml| match rows {
            CiftiRows::Dense(models) => write_models(xml, models),
            CiftiRows::Parcels { surfaces, parcels } => write_parcels(xml, surfaces, parcels),
        })?;
    Ok(())
}

fn write_models(xml: &mut Xml, models: &[BrainModel]) -> io::Result<()> {
    if (models.iter()).any(|model| matches!(model.places, Places::Voxels(_))) {
        write_volume(xml)?;
    }
    let mut offset = 0;
    for model in models {
        write_model(xml, model, offset)?;
        offset += model.places.len();
    }
    Ok(())
}

fn write_parcels(
    xml: &mut Xml,
    surfaces: &[(&'static str, usize)],
    parcels: &[CiftiParcel],
) -> io::Result<()> {
    for (structure, n_vertices) in surfaces {
        xml.create_element("Surface")
            .with_attributes([
                ("BrainStructure", structure_name(structure).as_str()),
                ("SurfaceNumberOfVertices", &n_vertices.to_string()),
            ])
            .write_empty()?;
    }
    if parcels.iter().any(|parcel| !parcel.voxels.is_empty()) {
        write_volume(xml)?;
    }
    for parcel in parcels {
        xml.create_element("Parcel")
            .with_attribute(("Name", xml_name(&parcel.name).as_str()))
            .write_inner_content(|xml| {
                for (structure, vertices) in &parcel.vertices {
                    xml.create_element("Vertices")
                        .with_attribute(("BrainStructure", structure_name(structure).as_str()))
                        .write_text_content(numbers(vertices))?;
                }
                if parcel.voxels.is_empty() {
                    return Ok(());
                }
                write_voxels(xml, &parcel.voxels)
            })?;
    }
    Ok(())
}

fn write_volume(xml: &mut Xml) -> io::Result<()> {
    let dimensions = VOLUME_DIMENSIONS.map(|length| length.to_string()).join(",");
    xml.create_element("Volume")
        .with_attribute(("VolumeDimensions", dimensions.as_str()))
        .write_inner_content(|xml| {
            xml.create_element("TransformationMatrixVoxelIndicesIJKtoXYZ")
                .with_attribute(("MeterExponent", "-3"))
                .write_text_content(BytesText::new(VOLUME_TRANSFORM))?;
            Ok(())
        })?;
    Ok(())
}

fn write_model(xml: &mut Xml, model: &BrainModel, offset: usize) -> io::Result<()> {
    let kind = match &model.places {
        Places::Vertices { .. } => "CIFTI_MODEL_TYPE_SURFACE",
        Places::Voxels(_) => "CIFTI_MODEL_TYPE_VOXELS",
    };
    let mut element = xml.create_element("BrainModel").with_attributes([
        ("IndexOffset", offset.to_string().as_str()),
        ("IndexCount", &model.places.len().to_string()),
        ("ModelType", kind),
        ("BrainStructure", &structure_name(model.structure)),
    ]);
    if let Places::Vertices { n_vertices, .. } = &model.places {
        let n_vertices = n_vertices.to_string();
        element = element.with_attribute(("SurfaceNumberOfVertices", n_vertices.as_str()));
    }
    element.write_inner_content(|xml| match &model.places {
        Places::Vertices { indices, .. } => {
            xml.create_element("VertexIndices")
                .write_text_content(numbers(indices))?;
            Ok(())
        }
        Places::Voxels(voxels) => write_voxels(xml, voxels),
    })?;
    Ok(())
}

fn write_voxels(xml: &mut Xml, voxels: &[[u32; 3]]) -> io::Result<()> {
    let lines: String = voxels
        .iter()
        .map(|[i, j, k]| format!("{i} {j} {k}\n"))
        .collect();
    xml.create_element("VoxelIndicesIJK")
        .write_text_content(BytesText::from_escaped(lines))?;
    Ok(())
}

fn structure_name(structure: &str) -> String {
    format!("CIFTI_STRUCTURE_{structure}")
}

/// The name with spaces instead of characters that XML 1.0 cannot hold.
fn xml_name(name: &str) -> String {
    let writable =
        |letter: char| !letter.is_control() && !matches!(letter, '\u{fffe}' | '\u{ffff}');
    name.chars()
        .map(|letter| if writable(letter) { letter } else { ' ' })
        .collect()
}

fn numbers(numbers: &[u32]) -> BytesText<'static> {
    let words: Vec<String> = numbers.iter().map(u32::to_string).collect();
    BytesText::from_escaped(words.join(" "))
}

#[cfg(test)]
mod tests;
