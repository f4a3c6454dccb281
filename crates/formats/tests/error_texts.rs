//! Error texts, held by the snapshots; other tests match variants.

use std::path::PathBuf;

use brainmae_formats::FormatError;
use brainmae_formats::cifti::{CiftiKind, CiftiProblem, ModelProblem, Side, XmlProblem};
use brainmae_formats::label_map::LabelProblem;
use brainmae_formats::nifti::{HeaderProblem, NiftiProblem};
use brainmae_formats::npy::NpyProblem;
use brainmae_formats::signal_table::TextProblem;

fn path() -> PathBuf {
    "sub-1/scan".into()
}

fn texts(errors: impl IntoIterator<Item = FormatError>) -> String {
    let lines: Vec<String> = errors.into_iter().map(|error| error.to_string()).collect();
    lines.join("\n")
}

#[test]
fn cifti() {
    let structure = || "CIFTI_STRUCTURE_CORTEX_LEFT".to_owned();
    let problems: [CiftiProblem; 14] = [
        CiftiProblem::PlainNifti,
        CiftiProblem::Truncated {
            found: 60,
            n_rows: 5,
            row_len: 4,
            needed: 80,
        },
        CiftiProblem::Intent {
            code: 3006,
            kind: "dense scalars (.dscalar.nii)",
        },
        CiftiProblem::IntentAndAxes {
            declared: CiftiKind::ParcelSeries,
            found: CiftiKind::DenseSeries,
        },
        CiftiProblem::AxisLengths {
            header: [3, 5],
            axes: [4, 5],
        },
        CiftiProblem::Axes {
            columns: "scalars",
            rows: "brain models",
        },
        CiftiProblem::Tr {
            step: 0.0,
            exponent: -3,
        },
        CiftiProblem::Kind {
            found: CiftiKind::DenseSeries,
            needed: CiftiKind::DenseLabels,
        },
        CiftiProblem::Volumes {
            asked: 2..4,
            n_volumes: 3,
        },
        CiftiProblem::Mesh {
            side: Side::Left,
            found: 59_292,
            labels: 32_492,
        },
        XmlProblem::Children {
            tag: "CIFTI".into(),
            child: "Matrix",
            several: true,
        }
        .into(),
        XmlProblem::AttributeNumber {
            tag: "BrainModel".into(),
            attribute: "IndexOffset".into(),
            found: "-1".into(),
        }
        .into(),
        ModelProblem::Offset {
            structure: structure(),
            found: 2,
            expected: 0,
        }
        .into(),
        ModelProblem::Vertex {
            structure: structure(),
            vertex: 4,
            mesh_vertices: 4,
        }
        .into(),
    ];
    insta::assert_snapshot!(texts(problems.map(|problem| FormatError::Cifti {
        path: path(),
        problem: Box::new(problem),
    })));
}

#[test]
fn nifti() {
    let problems = [
        NiftiProblem::Header(HeaderProblem::Size),
        NiftiProblem::Header(HeaderProblem::DataType { code: 128 }),
        NiftiProblem::Header(HeaderProblem::Magic {
            found: *b"n+1 ",
            expected: "n+1",
        }),
        NiftiProblem::Grid {
            image: [2, 1, 1],
            labels: [1, 2, 1],
            n_labels: 2,
        },
        NiftiProblem::Volumes {
            asked: 2..5,
            n_volumes: 4,
        },
        NiftiProblem::VolumesMissing { missing: 1 },
    ];
    let errors = problems.map(|problem| FormatError::Nifti {
        path: path(),
        problem,
    });
    insta::assert_snapshot!(texts(errors.into_iter().chain([FormatError::Truncated {
        path: path(),
        found: 3,
        expected: 5,
    }])));
}

#[test]
fn npy() {
    let problems = [
        NpyProblem::NotNpy,
        NpyProblem::HeaderSyntax {
            found: "Maybe".into(),
            expected: "\"False\"".into(),
        },
        NpyProblem::DataType {
            found: "<f2".into(),
        },
        NpyProblem::Shape { found: vec![6] },
        NpyProblem::Length {
            found_bytes: 7,
            n_volumes: 3,
            n_rois: 2,
            number_bytes: 1,
        },
    ];
    insta::assert_snapshot!(texts(problems.map(|problem| FormatError::Npy {
        path: path(),
        problem,
    })));
}

#[test]
fn text() {
    let problems = [
        TextProblem::OpenQuote,
        TextProblem::NoColumn {
            name: "c".into(),
            known: "a;b".into(),
            semicolons: true,
        },
        TextProblem::Cells {
            found: 1,
            expected: 2,
            first_line: 1,
            semicolons: false,
        },
        TextProblem::NotANumber {
            cell: "x".into(),
            column: "\"b\"".into(),
            semicolons: false,
        },
        TextProblem::NotALabel {
            found: "1.5".into(),
        },
    ];
    let errors = problems.map(|problem| FormatError::Text {
        path: path(),
        line: 3,
        problem,
    });
    let others = [
        FormatError::TextEnding { path: path() },
        FormatError::Labels {
            path: path(),
            problem: LabelProblem::Voxel {
                voxel: 7,
                found: 0.5,
            },
        },
        FormatError::Labels {
            path: path(),
            problem: LabelProblem::OneSide {
                found: 3,
                expected: 6,
            },
        },
    ];
    insta::assert_snapshot!(texts(errors.into_iter().chain(others)));
}

#[cfg(feature = "columnar")]
#[test]
fn columnar() {
    use brainmae_formats::columnar::{BlockProblem, ColumnarProblem};
    let problems = [
        ColumnarProblem::NotColumnar,
        ColumnarProblem::DamagedPages,
        ColumnarProblem::Block {
            start: 8,
            problem: BlockProblem::TooShort,
        },
        ColumnarProblem::NoScanColumn { scan: "a".into() },
        ColumnarProblem::NoScan {
            scan: "c".into(),
            found: vec!["a".into(), "b".into()],
        },
        ColumnarProblem::VolumeNumber {
            n_volumes: 2,
            found: 2.0,
            first: 0.0,
        },
        ColumnarProblem::Gap {
            what: "roi",
            missing: 1,
            last: 7,
        },
    ];
    insta::assert_snapshot!(texts(problems.map(|problem| FormatError::Columnar {
        path: path(),
        problem,
    })));
}
