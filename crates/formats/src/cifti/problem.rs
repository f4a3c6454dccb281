//! Problems of CIFTI-2 files.

use std::ops::Range;

use super::kind::CiftiKind;
use super::side::Side;

/// Why a CIFTI-2 file cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CiftiProblem {
    /// The file is a gzip file.
    #[error("CIFTI is never compressed, and this file is: gunzip it")]
    Compressed,
    /// The file is a NIfTI image.
    #[error("it has no CIFTI extension, so it is a plain NIfTI image: read it as one")]
    PlainNifti,
    /// The file ends before the offset of its data.
    #[error(
        "the file ends too early: it has {file_bytes} bytes and its header says that the data \
         start at {data_offset}, fetch or copy it again"
    )]
    NoData {
        /// Bytes of the file.
        file_bytes: u64,
        /// Offset of the data in bytes.
        data_offset: u64,
    },
    /// The file ends before its last value.
    #[error(
        "the file ends too early: it has {found} bytes of data, and {n_rows} rows of {row_len} \
         values need {needed}, fetch or copy it again"
    )]
    Truncated {
        /// Bytes of data.
        found: u64,
        /// Rows of the matrix.
        n_rows: u64,
        /// Values of a row.
        row_len: u64,
        /// Bytes of the matrix.
        needed: u64,
    },
    /// An extension has an impossible size.
    #[error(
        "the extension at byte {at} has a size of {found} bytes, expected a multiple of 16 up to \
         {most}"
    )]
    ExtensionSize {
        /// Offset of the extension.
        at: u64,
        /// Size of the extension in bytes.
        found: i32,
        /// Bytes from the extension to the data.
        most: u64,
    },
    /// The XML is not in any of the first extensions.
    #[error("none of its first {most} extensions is that of CIFTI")]
    ManyExtensions {
        /// Number of extensions that were searched.
        most: usize,
    },
    /// The intent code is of an unsupported kind.
    #[error(
        "its intent code {code} is that of {kind}, which is not read: .dtseries.nii, \
         .ptseries.nii and .dlabel.nii are"
    )]
    Intent {
        /// The code.
        code: i32,
        /// The kind of this code.
        kind: &'static str,
    },
    /// The intent code gives another kind than the axes.
    #[error(
        "its intent code announces {declared}, but its axes are those of {found}: one of them is \
         wrong, write the file again"
    )]
    IntentAndAxes {
        /// The kind of the intent code.
        declared: CiftiKind,
        /// The kind of the axes.
        found: CiftiKind,
    },
    /// The shape in the header is not that of a matrix.
    #[error("its shape is {found:?}, expected [1, 1, 1, 1, columns, rows]")]
    Shape {
        /// Lengths of the axes of the NIfTI header.
        found: Vec<u64>,
    },
    /// The shape in the header differs from the lengths of the axes.
    #[error(
        "its header has {} rows of {} values, but its axes have {} and {} entries",
        .header[1], .header[0], .axes[1], .axes[0]
    )]
    AxisLengths {
        /// Columns and rows of the header.
        header: [u64; 2],
        /// Entries of the axes of columns and rows.
        axes: [usize; 2],
    },
    /// An axis has more entries than this machine can address.
    #[error("an axis of {length} entries is too long")]
    LongAxis {
        /// Entries of the axis.
        length: u64,
    },
    /// The pair of axes is not supported.
    #[error(
        "its axes are {columns} and {rows}, which is not read: series or labels of brain models, \
         or series of parcels are"
    )]
    Axes {
        /// The kind of the columns.
        columns: &'static str,
        /// The kind of the rows.
        rows: &'static str,
    },
    /// An axis is of a type that the standard does not have.
    #[error("an axis is of the unknown type {found:?}")]
    AxisType {
        /// The type.
        found: String,
    },
    /// The series is longer than a scan.
    #[error("it has {found} volumes, at most {most} are read: split it into its scans")]
    ManyVolumes {
        /// Volumes of the series.
        found: usize,
        /// Maximum number of volumes.
        most: usize,
    },
    /// The series is not a time series.
    #[error("its series counts in {found}, expected SECOND: only signals over time are read")]
    SeriesUnit {
        /// The unit of measurement of the series.
        found: String,
    },
    /// The TR is not above zero.
    #[error("its TR is {step} · 10^{exponent} s, expected a number above zero")]
    Tr {
        /// The step of the series.
        step: f64,
        /// Its power of ten.
        exponent: i32,
    },
    /// The axis of labels has no map.
    #[error("its axis of labels has no map")]
    NoLabelMap,
    /// Two labels have the same key.
    #[error("its label table has the key {key} twice")]
    RepeatedKey {
        /// The key.
        key: i64,
    },
    /// Two parcels have the same name.
    #[error("two parcels have the name {name:?}")]
    RepeatedParcel {
        /// The name.
        name: String,
    },
    /// Problem of the XML.
    #[error(transparent)]
    Xml(#[from] XmlProblem),
    /// Problem of the brain models.
    #[error(transparent)]
    Models(#[from] ModelProblem),
    /// The file is of another kind than the requested one.
    #[error("it holds {found} where {needed} are needed")]
    Kind {
        /// The kind of the file.
        found: CiftiKind,
        /// The requested kind.
        needed: CiftiKind,
    },
    /// The file does not have the requested volumes.
    #[error("volumes {asked:?} are asked for, it has {n_volumes}")]
    Volumes {
        /// Requested volumes.
        asked: Range<usize>,
        /// Volumes of the file.
        n_volumes: usize,
    },
    /// The labels belong to another mesh.
    #[error(
        "its {side:?} cortex is a mesh of {found} vertices where the labels are of one of \
         {labels}: take the file on the mesh of the labels, or resample one of them"
    )]
    Mesh {
        /// The side of the cortex.
        side: Side,
        /// Vertices of the mesh of the file.
        found: usize,
        /// Vertices of the mesh of the labels.
        labels: usize,
    },
    /// A label is not a whole number.
    #[error("the label of grayordinate {grayordinate} is {found}, expected a whole number")]
    LabelValue {
        /// The grayordinate, from 0.
        grayordinate: usize,
        /// Its value.
        found: f64,
    },
    /// The file to write would have no rows or no volumes.
    #[error("{rows} rows of {n_volumes} volumes, expected one or more of both")]
    Empty {
        /// Rows.
        rows: usize,
        /// Volumes.
        n_volumes: usize,
    },
    /// The file to write is too large for the format.
    #[error("too large for a NIfTI-2 header")]
    TooLarge,
    /// The XML cannot be written.
    #[error("its XML cannot be written ({0})")]
    WriteXml(std::io::Error),
    /// The row to write does not fit the file.
    #[error(
        "a row of {found} values with {rows_left} rows to come, expected {expected} values and a \
         row to come"
    )]
    Row {
        /// Values of the row.
        found: usize,
        /// Expected values of a row.
        expected: usize,
        /// Rows that are still missing.
        rows_left: usize,
    },
    /// The writer was finished before the last row.
    #[error("{missing} rows are missing at its end")]
    RowsMissing {
        /// Rows that are missing.
        missing: usize,
    },
}

/// Why the XML of a CIFTI-2 file cannot be parsed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum XmlProblem {
    /// The bytes are not UTF-8 text.
    #[error("its XML is not UTF-8: {0}")]
    NotUtf8(std::str::Utf8Error),
    /// The XML is not well-formed.
    #[error("its XML is damaged: {0}")]
    Damaged(roxmltree::Error),
    /// Parsing the XML would take too much time or memory.
    #[error("its XML has {found} {what}, at most {most} are read")]
    Size {
        /// The kind of object that is too numerous or too large.
        what: &'static str,
        /// The number or size found.
        found: u64,
        /// The maximum.
        most: u64,
    },
    /// The XML is that of another format.
    #[error("its XML starts with <{found}>, expected <CIFTI>")]
    Root {
        /// The first tag.
        found: String,
    },
    /// The CIFTI version is not 2.
    #[error(
        "its CIFTI version is {found:?}, only version 2 is read: convert it with wb_command \
         -file-convert -cifti-version-convert"
    )]
    Version {
        /// The version.
        found: String,
    },
    /// The file holds FC between grayordinates or parcels.
    #[error(
        "one axis stands for the dimensions {dimensions:?}, so it is a matrix of connectivity, \
         which is not read"
    )]
    Connectivity {
        /// The dimensions.
        dimensions: String,
    },
    /// The matrix has no such dimension.
    #[error("an axis stands for dimension {found:?}, expected 0 or 1")]
    Dimension {
        /// The dimension.
        found: String,
    },
    /// Two axes for one dimension.
    #[error("dimension {dimension} has two axes")]
    RepeatedAxis {
        /// The dimension.
        dimension: usize,
    },
    /// No axis for a dimension.
    #[error("dimension {dimension} has no axis")]
    NoAxis {
        /// The dimension.
        dimension: usize,
    },
    /// A tag must have exactly one child of a name, but has none or several.
    #[error("<{tag}> has {} <{child}>, expected one", if *.several { "several" } else { "no" })]
    Children {
        /// The tag.
        tag: String,
        /// The name of the child.
        child: &'static str,
        /// Whether there are several.
        several: bool,
    },
    /// A tag lacks an attribute.
    #[error("<{tag}> has no {attribute}")]
    NoAttribute {
        /// The tag.
        tag: String,
        /// The attribute.
        attribute: String,
    },
    /// An attribute is not a number, or is too large.
    #[error("{attribute} of <{tag}> is {found:?}, expected a number that fits")]
    AttributeNumber {
        /// The tag.
        tag: String,
        /// The attribute.
        attribute: String,
        /// Its value.
        found: String,
    },
    /// A word in a list of numbers is not a number, or is too large.
    #[error("<{tag}> has {found:?} where a number that fits is expected")]
    TextNumber {
        /// The tag.
        tag: String,
        /// The word.
        found: String,
    },
}

/// Why brain models, the axis of grayordinates, cannot be parsed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelProblem {
    /// Two surfaces belong to one structure.
    #[error("{structure} has two surfaces")]
    RepeatedSurface {
        /// The structure.
        structure: String,
    },
    /// The file has voxels but no grid.
    #[error("it has voxels, but does not say in which volume")]
    NoVolume,
    /// The standard does not have this type of model.
    #[error("{structure} is of the unknown type {found:?}")]
    Type {
        /// The structure.
        structure: String,
        /// The type.
        found: String,
    },
    /// A model lists more or fewer grayordinates than it announces.
    #[error("{structure} announces {announced} grayordinates and lists {listed}")]
    Count {
        /// The structure.
        structure: String,
        /// `IndexCount`.
        announced: usize,
        /// Indices in the list.
        listed: usize,
    },
    /// The models are not consecutive.
    #[error(
        "{structure} starts at grayordinate {found} where the ones before it end at {expected}: \
         the models leave a gap or overlap"
    )]
    Offset {
        /// The structure.
        structure: String,
        /// `IndexOffset`.
        found: usize,
        /// The end of the previous model.
        expected: usize,
    },
    /// A voxel belongs to two models.
    #[error("voxel {voxel:?} is listed twice")]
    RepeatedVoxel {
        /// Indices of the voxel.
        voxel: [u32; 3],
    },
    /// The mesh has too many vertices.
    #[error("the mesh of {structure} has {found} vertices, at most {most} are read")]
    MeshSize {
        /// The structure.
        structure: String,
        /// Vertices of the mesh.
        found: usize,
        /// Maximum number of vertices.
        most: usize,
    },
    /// A vertex is listed twice.
    #[error("vertex {vertex} of {structure} is listed twice")]
    RepeatedVertex {
        /// The structure.
        structure: String,
        /// The vertex.
        vertex: u32,
    },
    /// The mesh does not have this vertex.
    #[error("{structure} lists vertex {vertex} of a mesh that has {mesh_vertices}")]
    Vertex {
        /// The structure.
        structure: String,
        /// The vertex.
        vertex: u32,
        /// Vertices of the mesh.
        mesh_vertices: usize,
    },
    /// The number of voxel indices is not a multiple of three.
    #[error("{structure} lists {found} voxel indices, which are no triples")]
    Triples {
        /// The structure.
        structure: String,
        /// Numbers in the list.
        found: usize,
    },
    /// A voxel lies outside the grid.
    #[error("{structure} lists voxel {voxel:?} of a volume of {shape:?}")]
    Voxel {
        /// The structure.
        structure: String,
        /// Indices of the voxel.
        voxel: [u32; 3],
        /// Voxels along the three axes.
        shape: [u32; 3],
    },
    /// The grid does not have three axes.
    #[error("VolumeDimensions are {found:?}, expected three numbers")]
    VolumeDimensions {
        /// The text of the attribute.
        found: String,
    },
    /// The transformation from indices to mm does not have the length of a matrix.
    #[error("the transformation of its voxels has {found} numbers, expected 16")]
    TransformLength {
        /// Numbers in the transformation.
        found: usize,
    },
    /// The transformation from indices to mm is not finite.
    #[error("the transformation of its voxels is {found:?}")]
    Transform {
        /// Its first three rows.
        found: [[f64; 4]; 3],
    },
}
