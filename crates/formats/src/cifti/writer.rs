//! CIFTI-2 time series, `.dtseries.nii` and `.ptseries.nii`, written row by row.
//!
//! A file is a NIfTI-2 header of 540 bytes, an extension of XML that names the rows, and 32-bit
//! floats, little-endian, the whole time course of a row after that of the one before.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use brainmae_files::atomic::create_folder_of;

use crate::error::FormatError;

/// Bytes of the NIfTI-2 header and of the mark that extensions follow.
const HEADER_BYTES: usize = 540;
const EXTENDER_BYTES: usize = 4;

/// NIfTI's code of an extension that holds CIFTI's XML, and what its length is a multiple of.
const CIFTI_ECODE: i32 = 32;
const EXTENSION_MULTIPLE: usize = 16;

/// NIfTI's codes: 32-bit floats, millimetres and seconds, dense and parcellated series.
const FLOAT32: i16 = 16;
const MM_AND_SECS: i32 = 2 + 8;
const INTENT_DENSE_SERIES: i32 = 3002;
const INTENT_PARCEL_SERIES: i32 = 3004;

const WRITE_BUFFER_BYTES: usize = 1 << 18;

/// Voxels of the CIFTI volume space of the HCP, 2 mm, and from their indices to mm.
pub const VOLUME_DIMENSIONS: [u32; 3] = [91, 109, 91];
const VOLUME_TRANSFORM: &str = "-2 0 0 90 0 2 0 -126 0 0 2 -72 0 0 0 1";

/// Where some rows of a dense file lie.
#[derive(Clone, Debug, PartialEq)]
pub enum Places {
    /// Vertices of a surface.
    Vertices {
        /// Vertices of the whole mesh.
        n_vertices: usize,
        /// Those that have a row, in order.
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
    /// Such as `CORTEX_LEFT`, without `CIFTI_STRUCTURE_`.
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

/// What the rows of a file are.
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

/// A file whose header is written and whose rows follow one by one.
pub struct CiftiWriter {
    path: PathBuf,
    out: BufWriter<File>,
    n_volumes: usize,
    rows_left: usize,
    bytes: Vec<u8>,
}

impl CiftiWriter {
    /// Creates the file, and the folders above it, and writes the header.
    ///
    /// # Errors
    /// [`FormatError::Io`] when it cannot be written; [`FormatError::File`] when it has no row, no
    /// volume or more than the format can hold.
    pub fn create(
        path: &Path,
        rows: &CiftiRows,
        n_volumes: usize,
        tr_secs: f64,
    ) -> Result<Self, FormatError> {
        if rows.is_empty() || n_volumes == 0 {
            return Err(FormatError::file(
                path,
                format!(
                    "{} rows of {n_volumes} volumes, expected one or more of both",
                    rows.len()
                ),
            ));
        }
        let header = header(rows, n_volumes, &xml(rows, n_volumes, tr_secs))
            .ok_or_else(|| FormatError::file(path, "too large for a NIfTI-2 header"))?;
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
    /// When it cannot be written, has not one value per volume, or all rows are there already.
    pub fn write_row(&mut self, values: &[f32]) -> Result<(), FormatError> {
        if values.len() != self.n_volumes || self.rows_left == 0 {
            return Err(FormatError::file(
                &self.path,
                format!(
                    "a row of {} values with {} rows to come, expected {} values and a row to come",
                    values.len(),
                    self.rows_left,
                    self.n_volumes
                ),
            ));
        }
        self.bytes.clear();
        (self.bytes).extend(values.iter().flat_map(|value| value.to_le_bytes()));
        self.rows_left -= 1;
        self.out
            .write_all(&self.bytes)
            .map_err(FormatError::io("write", &self.path))
    }

    /// Ends the file.
    ///
    /// # Errors
    /// When it cannot be written, or rows are missing.
    pub fn finish(mut self) -> Result<(), FormatError> {
        if self.rows_left > 0 {
            return Err(FormatError::file(
                &self.path,
                format!("{} rows are missing at its end", self.rows_left),
            ));
        }
        self.out
            .flush()
            .map_err(FormatError::io("write", &self.path))
    }
}

/// Everything before the data; none when a number does not fit.
fn header(rows: &CiftiRows, n_volumes: usize, xml: &str) -> Option<Vec<u8>> {
    // Its own length and code come first, then the XML, then zeros to a multiple of 16.
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
    bytes.extend(xml.as_bytes());
    bytes.resize(data_offset, 0);
    Some(bytes)
}

fn xml(rows: &CiftiRows, n_volumes: usize, tr_secs: f64) -> String {
    let mut xml =
        String::from(r#"<?xml version="1.0" encoding="UTF-8"?><CIFTI Version="2"><Matrix>"#);
    let map = r#"<MatrixIndicesMap AppliesToMatrixDimension="#;
    push(
        &mut xml,
        format_args!(
            r#"{map}"0" IndicesMapToDataType="CIFTI_INDEX_TYPE_SERIES" NumberOfSeriesPoints="{n_volumes}" SeriesExponent="0" SeriesStart="0" SeriesStep="{tr_secs}" SeriesUnit="SECOND"/>"#
        ),
    );
    match rows {
        CiftiRows::Dense(models) => {
            push(
                &mut xml,
                format_args!(r#"{map}"1" IndicesMapToDataType="CIFTI_INDEX_TYPE_BRAIN_MODELS">"#),
            );
            if (models.iter()).any(|model| matches!(model.places, Places::Voxels(_))) {
                push_volume(&mut xml);
            }
            let mut offset = 0;
            for model in models {
                push_model(&mut xml, model, offset);
                offset += model.places.len();
            }
        }
        CiftiRows::Parcels { surfaces, parcels } => {
            push(
                &mut xml,
                format_args!(r#"{map}"1" IndicesMapToDataType="CIFTI_INDEX_TYPE_PARCELS">"#),
            );
            for (structure, n_vertices) in surfaces {
                push(
                    &mut xml,
                    format_args!(
                        r#"<Surface BrainStructure="CIFTI_STRUCTURE_{structure}" SurfaceNumberOfVertices="{n_vertices}"/>"#
                    ),
                );
            }
            if parcels.iter().any(|parcel| !parcel.voxels.is_empty()) {
                push_volume(&mut xml);
            }
            for parcel in parcels {
                push_parcel(&mut xml, parcel);
            }
        }
    }
    xml.push_str("</MatrixIndicesMap></Matrix></CIFTI>");
    xml
}

fn push(xml: &mut String, text: std::fmt::Arguments<'_>) {
    xml.write_fmt(text).expect("a String takes all text");
}

fn push_volume(xml: &mut String) {
    let [i, j, k] = VOLUME_DIMENSIONS;
    push(
        xml,
        format_args!(
            r#"<Volume VolumeDimensions="{i},{j},{k}"><TransformationMatrixVoxelIndicesIJKtoXYZ MeterExponent="-3">{VOLUME_TRANSFORM}</TransformationMatrixVoxelIndicesIJKtoXYZ></Volume>"#
        ),
    );
}

fn push_model(xml: &mut String, model: &BrainModel, offset: usize) {
    let (kind, count) = match &model.places {
        Places::Vertices { .. } => ("SURFACE", model.places.len()),
        Places::Voxels(_) => ("VOXELS", model.places.len()),
    };
    push(
        xml,
        format_args!(
            r#"<BrainModel IndexOffset="{offset}" IndexCount="{count}" ModelType="CIFTI_MODEL_TYPE_{kind}" BrainStructure="CIFTI_STRUCTURE_{}""#,
            model.structure
        ),
    );
    match &model.places {
        Places::Vertices {
            n_vertices,
            indices,
        } => {
            push(
                xml,
                format_args!(r#" SurfaceNumberOfVertices="{n_vertices}"><VertexIndices>"#),
            );
            push_numbers(xml, indices);
            xml.push_str("</VertexIndices></BrainModel>");
        }
        Places::Voxels(voxels) => {
            xml.push('>');
            push_voxels(xml, voxels);
            xml.push_str("</BrainModel>");
        }
    }
}

fn push_parcel(xml: &mut String, parcel: &CiftiParcel) {
    xml.push_str(r#"<Parcel Name=""#);
    for letter in parcel.name.chars() {
        match letter {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            // XML 1.0 has no way to write these.
            '\u{fffe}' | '\u{ffff}' => xml.push(' '),
            control if control.is_control() => xml.push(' '),
            letter => xml.push(letter),
        }
    }
    xml.push_str(r#"">"#);
    for (structure, vertices) in &parcel.vertices {
        push(
            xml,
            format_args!(r#"<Vertices BrainStructure="CIFTI_STRUCTURE_{structure}">"#),
        );
        push_numbers(xml, vertices);
        xml.push_str("</Vertices>");
    }
    if !parcel.voxels.is_empty() {
        push_voxels(xml, &parcel.voxels);
    }
    xml.push_str("</Parcel>");
}

fn push_voxels(xml: &mut String, voxels: &[[u32; 3]]) {
    xml.push_str("<VoxelIndicesIJK>");
    for [i, j, k] in voxels {
        push(xml, format_args!("{i} {j} {k}\n"));
    }
    xml.push_str("</VoxelIndicesIJK>");
}

fn push_numbers(xml: &mut String, numbers: &[u32]) {
    for (at, number) in numbers.iter().enumerate() {
        let space = if at > 0 { " " } else { "" };
        push(xml, format_args!("{space}{number}"));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn dense() -> CiftiRows {
        CiftiRows::Dense(vec![
            BrainModel {
                structure: "CORTEX_LEFT",
                places: Places::Vertices {
                    n_vertices: 5,
                    indices: vec![0, 4],
                },
            },
            BrainModel {
                structure: "BRAIN_STEM",
                places: Places::Voxels(vec![[40, 50, 20]]),
            },
        ])
    }

    fn number<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
        bytes[at..at + N].try_into().unwrap()
    }

    #[test]
    fn rows_lie_one_after_the_other_behind_the_xml() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("below/a.dtseries.nii");
        let mut writer = CiftiWriter::create(&path, &dense(), 2, 0.72).unwrap();
        for row in [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]] {
            writer.write_row(&row).unwrap();
        }
        writer.finish().unwrap();

        let bytes = std::fs::read(&path).unwrap();
        let dim: Vec<i64> = (0..8)
            .map(|axis| i64::from_le_bytes(number(&bytes, 16 + 8 * axis)))
            .collect();
        assert_eq!(dim, [6, 1, 1, 1, 1, 2, 3, 1]);
        let data_offset = i64::from_le_bytes(number(&bytes, 168)) as usize;
        let extension_bytes = i32::from_le_bytes(number(&bytes, 544)) as usize;
        assert_eq!(data_offset, 544 + extension_bytes);
        assert_eq!(extension_bytes % 16, 0);
        let values: Vec<f32> = bytes[data_offset..]
            .chunks(4)
            .map(|value| f32::from_le_bytes(value.try_into().unwrap()))
            .collect();
        assert_eq!(values, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);

        let xml = std::str::from_utf8(&bytes[552..data_offset]).unwrap();
        let document = roxmltree::Document::parse(xml.trim_end_matches('\0')).unwrap();
        let models: Vec<_> = document
            .descendants()
            .filter(|node| node.has_tag_name("BrainModel"))
            .map(|node| (node.attribute("IndexOffset"), node.attribute("IndexCount")))
            .collect();
        assert_eq!(models, [(Some("0"), Some("2")), (Some("2"), Some("1"))]);
        let step = document
            .descendants()
            .find_map(|node| node.attribute("SeriesStep"));
        assert_eq!(step, Some("0.72"));
    }

    #[test]
    fn names_of_rois_are_escaped() {
        let name = "a<\"&\u{1}>b";
        let rows = CiftiRows::Parcels {
            surfaces: vec![("CORTEX_LEFT", 5)],
            parcels: vec![CiftiParcel {
                name: name.into(),
                vertices: vec![("CORTEX_LEFT", vec![1, 2])],
                voxels: vec![[1, 2, 3]],
            }],
        };
        let xml = xml(&rows, 7, 0.8);
        let document = roxmltree::Document::parse(&xml).unwrap();
        let parcel = document.descendants().find_map(|n| n.attribute("Name"));
        assert_eq!(parcel, Some("a<\"& >b"));
        let text = |tag: &str| {
            let node = document.descendants().find(|node| node.has_tag_name(tag));
            node.unwrap().text().unwrap().trim().to_owned()
        };
        assert_eq!(text("Vertices"), "1 2");
        assert_eq!(text("VoxelIndicesIJK"), "1 2 3");
    }

    #[test]
    fn a_file_of_another_shape_than_announced_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.dtseries.nii");
        let mut writer = CiftiWriter::create(&path, &dense(), 2, 0.72).unwrap();
        assert!(writer.write_row(&[1.0]).is_err());
        writer.write_row(&[1.0, 2.0]).unwrap();
        let error = writer.finish().unwrap_err().to_string();
        assert!(error.contains("2 rows are missing"), "{error}");
        assert!(CiftiWriter::create(&path, &dense(), 0, 0.72).is_err());
    }

    proptest! {
        #[test]
        fn any_name_makes_xml_that_can_be_read(name in any::<String>()) {
            let rows = CiftiRows::Parcels {
                surfaces: vec![("CORTEX_LEFT", 5)],
                parcels: vec![CiftiParcel {
                    name: name.clone(),
                    vertices: vec![("CORTEX_LEFT", vec![1])],
                    voxels: Vec::new(),
                }],
            };
            let xml = xml(&rows, 7, 0.8);
            let document = roxmltree::Document::parse(&xml).unwrap();
            let read = document.descendants().find_map(|node| node.attribute("Name"));
            prop_assert_eq!(read.unwrap().chars().count(), name.chars().count());
        }
    }
}
