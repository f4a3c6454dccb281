//! Bytes of small files, built for the tests.

use super::super::CiftiFile;
use crate::error::FormatError;

/// Bytes of a file with `rows` rows of `row_len` values.
pub(super) struct FileBytes {
    pub shape: [i64; 2],
    pub data_type: i16,
    pub intent: i32,
    pub big_endian: bool,
    pub scaling: [f64; 2],
    /// Codes and contents of the extensions.
    pub extensions: Vec<(i32, Vec<u8>)>,
    pub data: Vec<u8>,
}

impl FileBytes {
    pub fn new(row_len: usize, rows: usize, intent: i32, axes: [String; 2], data: Vec<u8>) -> Self {
        let xml = format!(
            "<?xml version=\"1.0\"?>\n<CIFTI Version=\"2\"><Matrix>{}</Matrix></CIFTI>",
            axes.concat()
        );
        Self {
            shape: [row_len as i64, rows as i64],
            data_type: 16,
            intent,
            big_endian: false,
            scaling: [1.0, 0.0],
            extensions: vec![(32, xml.into_bytes())],
            data,
        }
    }

    /// The file of most tests: five grayordinates, three volumes, value `10 g + v`.
    pub fn dense(places_are_rows: bool) -> Self {
        let values = |[rows, row_len]: [usize; 2], value: fn(usize, usize) -> f32| -> Vec<u8> {
            (0..rows)
                .flat_map(|row| (0..row_len).flat_map(move |at| value(row, at).to_le_bytes()))
                .collect()
        };
        if places_are_rows {
            let values = values([5, 3], |g, v| (10 * g + v) as f32);
            Self::new(3, 5, 3002, [series(0, 3), models(1)], values)
        } else {
            let values = values([3, 5], |v, g| (10 * g + v) as f32);
            Self::new(5, 3, 3002, [models(0), series(1, 3)], values)
        }
    }

    pub fn finish(&self) -> Vec<u8> {
        let order = |mut bytes: Vec<u8>| {
            if self.big_endian {
                bytes.reverse();
            }
            bytes
        };
        let mut bytes = vec![0; 544];
        let mut put = |at: usize, number: Vec<u8>| {
            let number = order(number);
            bytes[at..at + number.len()].copy_from_slice(&number);
        };
        put(0, 540_i32.to_le_bytes().into());
        put(12, self.data_type.to_le_bytes().into());
        for (at, dim) in [6, 1, 1, 1, 1, self.shape[0], self.shape[1], 1]
            .into_iter()
            .enumerate()
        {
            put(16 + 8 * at, i64::to_le_bytes(dim).into());
        }
        put(176, self.scaling[0].to_le_bytes().into());
        put(184, self.scaling[1].to_le_bytes().into());
        put(504, self.intent.to_le_bytes().into());
        let mut extensions = Vec::new();
        for (code, content) in &self.extensions {
            let size = (8 + content.len()).next_multiple_of(16);
            extensions.extend(order((size as i32).to_le_bytes().into()));
            extensions.extend(order(code.to_le_bytes().into()));
            extensions.extend(content);
            extensions.resize(extensions.len() + size - 8 - content.len(), 0);
        }
        put(168, (544 + extensions.len() as i64).to_le_bytes().into());
        bytes[4..12].copy_from_slice(b"n+2\0\r\n\x1a\n");
        bytes[540] = 1;
        bytes.extend(extensions);
        bytes.extend(&self.data);
        bytes
    }

    pub fn open(&self) -> Result<Opened, FormatError> {
        open(&self.finish())
    }
}

/// An opened file with its temporary folder.
pub(super) struct Opened {
    file: CiftiFile,
    _folder: tempfile::TempDir,
}

impl std::ops::Deref for Opened {
    type Target = CiftiFile;

    fn deref(&self) -> &CiftiFile {
        &self.file
    }
}

pub(super) fn open(bytes: &[u8]) -> Result<Opened, FormatError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.nii");
    std::fs::write(&path, bytes).unwrap();
    Ok(Opened {
        file: CiftiFile::open(&path)?,
        _folder: folder,
    })
}

pub(super) fn refusal(bytes: &[u8]) -> FormatError {
    match open(bytes) {
        Ok(_) => panic!("it was opened"),
        Err(error) => error,
    }
}

pub(super) fn axis(dimension: usize, kind: &str, attributes: &str, inside: &str) -> String {
    format!(
        "<MatrixIndicesMap AppliesToMatrixDimension=\"{dimension}\" \
         IndicesMapToDataType=\"CIFTI_INDEX_TYPE_{kind}\" {attributes}>{inside}</MatrixIndicesMap>"
    )
}

pub(super) fn series(dimension: usize, n_volumes: usize) -> String {
    let attributes = format!(
        "NumberOfSeriesPoints=\"{n_volumes}\" SeriesStart=\"0\" SeriesStep=\"720\" \
         SeriesExponent=\"-3\" SeriesUnit=\"SECOND\""
    );
    axis(dimension, "SERIES", &attributes, "")
}

/// Vertices 1 and 3 of 4 on the left, 0 of 3 on the right, a cerebellar surface, and a voxel.
pub(super) fn models(dimension: usize) -> String {
    let model = |offset: usize, count: usize, kind: &str, structure: &str, inside: &str| {
        format!(
            "<BrainModel IndexOffset=\"{offset}\" IndexCount=\"{count}\" \
             ModelType=\"CIFTI_MODEL_TYPE_{kind}\" BrainStructure=\"CIFTI_STRUCTURE_{structure}\" \
             {inside}</BrainModel>"
        )
    };
    let surface = |offset, count, structure, mesh: usize, vertices: &str| {
        let inside =
            format!("SurfaceNumberOfVertices=\"{mesh}\"><VertexIndices>{vertices}</VertexIndices>");
        model(offset, count, "SURFACE", structure, &inside)
    };
    let inside = [
        "<Volume VolumeDimensions=\"2,2,2\"><TransformationMatrixVoxelIndicesIJKtoXYZ \
         MeterExponent=\"-3\">1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1\
         </TransformationMatrixVoxelIndicesIJKtoXYZ></Volume>"
            .to_owned(),
        surface(0, 2, "CORTEX_LEFT", 4, "1 3"),
        surface(2, 1, "CORTEX_RIGHT", 3, "0"),
        surface(3, 1, "CEREBELLUM", 9, "8"),
        model(
            4,
            1,
            "VOXELS",
            "THALAMUS_LEFT",
            "><VoxelIndicesIJK>1 0 1</VoxelIndicesIJK>",
        ),
    ];
    axis(dimension, "BRAIN_MODELS", "", &inside.concat())
}

/// A left surface of `n` vertices, all of them in the file.
pub(super) fn plain_surface(dimension: usize, n: usize) -> String {
    let vertices: Vec<String> = (0..n).map(|vertex| vertex.to_string()).collect();
    let inside = format!(
        "<BrainModel IndexOffset=\"0\" IndexCount=\"{n}\" ModelType=\"CIFTI_MODEL_TYPE_SURFACE\" \
         BrainStructure=\"CIFTI_STRUCTURE_CORTEX_LEFT\" SurfaceNumberOfVertices=\"{n}\">\
         <VertexIndices>{}</VertexIndices></BrainModel>",
        vertices.join(" ")
    );
    axis(dimension, "BRAIN_MODELS", "", &inside)
}

pub(super) fn label_maps(dimension: usize, n_maps: usize) -> String {
    let map = "<NamedMap><MapName>m</MapName><LabelTable><Label Key=\"0\">???</Label>\
               <Label Key=\"4\">A &amp; B</Label></LabelTable></NamedMap>";
    axis(dimension, "LABELS", "", &map.repeat(n_maps))
}

pub(super) fn parcels(dimension: usize) -> String {
    let inside = "<Parcel Name=\"A\"/><Parcel Name=\"B\"/>";
    axis(dimension, "PARCELS", "", inside)
}
