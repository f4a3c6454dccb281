//! Tests of the writer: files are read back by the reader.

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

fn text(rows: &CiftiRows) -> String {
    String::from_utf8(xml(rows, 7, 0.8).unwrap()).unwrap()
}

#[test]
fn the_xml_has_no_white_space_between_tags() {
    assert_eq!(
        text(&dense()),
        concat!(
            r#"<?xml version="1.0" encoding="UTF-8"?><CIFTI Version="2"><Matrix>"#,
            r#"<MatrixIndicesMap AppliesToMatrixDimension="0" "#,
            r#"IndicesMapToDataType="CIFTI_INDEX_TYPE_SERIES" NumberOfSeriesPoints="7" "#,
            r#"SeriesExponent="0" SeriesStart="0" SeriesStep="0.8" SeriesUnit="SECOND"/>"#,
            r#"<MatrixIndicesMap AppliesToMatrixDimension="1" "#,
            r#"IndicesMapToDataType="CIFTI_INDEX_TYPE_BRAIN_MODELS">"#,
            r#"<Volume VolumeDimensions="91,109,91">"#,
            r#"<TransformationMatrixVoxelIndicesIJKtoXYZ MeterExponent="-3">"#,
            r#"-2 0 0 90 0 2 0 -126 0 0 2 -72 0 0 0 1"#,
            r#"</TransformationMatrixVoxelIndicesIJKtoXYZ></Volume>"#,
            r#"<BrainModel IndexOffset="0" IndexCount="2" "#,
            r#"ModelType="CIFTI_MODEL_TYPE_SURFACE" "#,
            r#"BrainStructure="CIFTI_STRUCTURE_CORTEX_LEFT" SurfaceNumberOfVertices="5">"#,
            r#"<VertexIndices>0 4</VertexIndices></BrainModel>"#,
            r#"<BrainModel IndexOffset="2" IndexCount="1" "#,
            r#"ModelType="CIFTI_MODEL_TYPE_VOXELS" "#,
            r#"BrainStructure="CIFTI_STRUCTURE_BRAIN_STEM">"#,
            "<VoxelIndicesIJK>40 50 20\n</VoxelIndicesIJK></BrainModel>",
            "</MatrixIndicesMap></Matrix></CIFTI>",
        )
    );
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
    let xml = text(&rows);
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
    let problem = |error| match error {
        FormatError::Cifti { problem, .. } => *problem,
        other => panic!("{other}"),
    };
    assert!(matches!(
        problem(writer.write_row(&[1.0]).unwrap_err()),
        CiftiProblem::Row {
            found: 1,
            expected: 2,
            rows_left: 3
        }
    ));
    writer.write_row(&[1.0, 2.0]).unwrap();
    assert!(matches!(
        problem(writer.finish().unwrap_err()),
        CiftiProblem::RowsMissing { missing: 2 }
    ));
    let refused = CiftiWriter::create(&path, &dense(), 0, 0.72);
    assert!(matches!(
        problem(refused.err().unwrap()),
        CiftiProblem::Empty {
            rows: 3,
            n_volumes: 0
        }
    ));
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
        let xml = text(&rows);
        let document = roxmltree::Document::parse(&xml).unwrap();
        let read = document.descendants().find_map(|node| node.attribute("Name"));
        prop_assert_eq!(read.unwrap(), xml_name(&name));
    }
}
