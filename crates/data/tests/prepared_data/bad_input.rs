//! Bad input: it is refused with a helpful message, and no partial output remains.

use brainmae_atlas::AtlasError;
use brainmae_data::error::{RecipeProblem, ScanAbsence};
use brainmae_data::{DataError, PreparedDataset};
use brainmae_files::FileError;
use brainmae_files::InvalidField;
use brainmae_formats::FormatError;

use crate::common::Copy;

/// The recipe problem of a copy.
fn recipe_problem(copy: &Copy) -> RecipeProblem {
    match copy.refusal() {
        DataError::Recipe { problem, .. } => problem,
        other => panic!("{other}"),
    }
}

#[test]
fn a_wrong_checksum() {
    let copy = Copy::of("haxby2001");
    copy.change_recipe("cbbd4d07", "00000000");
    let error = copy.refusal();
    assert!(
        matches!(error, DataError::Files(FileError::Checksum { .. })),
        "{error}"
    );
    assert!(!copy.path("prepared.partial").exists());
}

#[test]
fn a_missing_file() {
    let copy = Copy::of("nitime");
    std::fs::remove_file(copy.path("fmri_timeseries.csv")).unwrap();
    match copy.refusal() {
        DataError::Files(FileError::Io { path, .. }) => {
            assert_eq!(path, copy.path("fmri_timeseries.csv"));
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_truncated_gzip_file() {
    let copy = Copy::of("haxby2001");
    copy.change("bold.nii.gz", |mut bytes| {
        bytes.truncate(bytes.len() / 2);
        bytes
    });
    match copy.refusal() {
        DataError::Formats(FormatError::Truncated {
            found, expected, ..
        }) => {
            assert!((500..1000).contains(&found) && expected == 1452);
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_gzip_file_with_a_flipped_bit() {
    let copy = Copy::of("haxby2001");
    copy.change("bold.nii.gz", |mut bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 4;
        bytes
    });
    let error = copy.refusal();
    assert!(
        matches!(
            error,
            DataError::Formats(_)
                | DataError::Recipe {
                    problem: RecipeProblem::Truncated { .. },
                    ..
                }
        ),
        "{error}"
    );
}

#[test]
fn a_mask_of_another_shape() {
    let copy = Copy::of("haxby2001");
    copy.change_unzipped("mask.nii.gz", |mut bytes| {
        // Width and height are swapped: 20 by 40 voxels.
        bytes[42..46].rotate_left(2);
        bytes
    });
    match recipe_problem(&copy) {
        RecipeProblem::MaskShape {
            found, expected, ..
        } => {
            assert_eq!(found[..3], [20, 40, 1]);
            assert_eq!(expected, [40, 20, 1]);
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_label_file_of_another_length() {
    let copy = Copy::of("haxby2001");
    copy.change("attributes_literal.txt", |mut bytes| {
        bytes.extend_from_slice(b"face 11\n");
        bytes
    });
    match recipe_problem(&copy) {
        RecipeProblem::LabelCount {
            found, expected, ..
        } => assert_eq!((found, expected), (1453, 1452)),
        other => panic!("{other}"),
    }
}

#[test]
fn more_rois_than_voxels() {
    let copy = Copy::of("haxby2001");
    copy.change_recipe("n_rois = 100", "n_rois = 531");
    let error = copy.refusal();
    let DataError::Atlas(AtlasError::TooFewVoxels { n_rois, n_voxels }) = error else {
        panic!("{error}")
    };
    assert_eq!((n_rois, n_voxels), (531, 530));
}

#[test]
fn an_unknown_key_in_the_recipe() {
    let copy = Copy::of("nitime");
    copy.change_recipe("drop =", "dropp =");
    match copy.refusal() {
        DataError::Toml { message, .. } => {
            assert!(message.contains("unknown field `dropp`"), "{message}");
        }
        other => panic!("{other}"),
    }
}

#[test]
fn an_atlas_that_does_not_fit_the_layout() {
    let copy = Copy::of("haxby2001");
    copy.change_recipe(
        "kind = \"spatial\"",
        "kind = \"columns\"\nname = \"x\"\nversion = \"1\" #",
    );
    copy.change_recipe("n_rois = 100\nseed = 2001", "");
    match copy.refusal() {
        DataError::Config(InvalidField { field, found, .. }) => {
            assert_eq!((field, found.as_str()), ("atlas.kind", "columns"));
        }
        other => panic!("{other}"),
    }
}

#[test]
fn constant_and_missing_rois_leave_no_scan_and_the_error_says_why() {
    for (cell, reason) in [
        ("7", "constant signal: ROI 0 (a)"),
        ("n/a", "missing or infinite values: ROI 0 (a)"),
    ] {
        let copy = Copy::of("nitime");
        copy.change("fmri_timeseries.csv", |_| {
            let rows = (0..50).map(|at| format!("{cell},{}\n", at * at % 17));
            format!("a,b\n{}", rows.collect::<String>()).into_bytes()
        });
        copy.change_recipe("drop = [\"WM\", \"Vent\", \"Brain\"]", "");
        match copy.refusal() {
            DataError::NothingLeft { exclusions, .. } => {
                assert_eq!(exclusions.len(), 1);
                let found = &exclusions[0].reason;
                assert!(found.contains(reason), "{found}");
            }
            other => panic!("{other}"),
        }
    }
}

#[test]
fn a_scan_without_signal_is_left_out_and_the_others_stay() {
    let copy = Copy::of("haxby2001");
    copy.change_unzipped("bold.nii.gz", |mut bytes| {
        let run = 121 * 800 * 2;
        bytes[352 + run..352 + 2 * run].fill(0);
        bytes
    });
    let report = copy.prepare().unwrap();
    assert_eq!(report.included, 11);
    let left_out = &report.exclusions[0];
    assert_eq!(left_out.scan.as_str(), "sub-1_task-objects_run-02");
    assert!(left_out.reason.contains("ROI 0 (spatial_001) and 99 more"));

    let dataset = PreparedDataset::open(&copy.out()).unwrap();
    assert_eq!(dataset.scans().len(), 12);
    assert_eq!(dataset.exclusions(), report.exclusions);
    assert_eq!(dataset.events().len(), 11 * 8);
    match dataset.bold(&left_out.scan) {
        Err(DataError::UnknownScan {
            absence: ScanAbsence::LeftOut { reason },
            ..
        }) => assert_eq!(reason, left_out.reason),
        other => panic!("{other:?}"),
    }
    let last = dataset.bold(&"sub-1_task-objects_run-12".into()).unwrap();
    assert_eq!(last.n_volumes(), 121);
}

#[test]
fn a_scan_shorter_than_a_segment_is_left_out() {
    let copy = Copy::of("haxby2001");
    copy.change("attributes_literal.txt", |bytes| {
        let text = String::from_utf8(bytes).unwrap();
        let mut lines: Vec<&str> = text.trim_end().lines().collect();
        let last = lines.len() - 3;
        lines[last..].fill("rest 12"); // a thirteenth run of 3 volumes
        (lines.join("\n") + "\n").into_bytes()
    });
    let report = copy.prepare().unwrap();
    assert_eq!((report.included, report.exclusions.len()), (12, 1));
    let reason = &report.exclusions[0].reason;
    assert!(
        reason.contains("3 volumes, 7.5 s") && reason.contains("15 s"),
        "{reason}"
    );
}
