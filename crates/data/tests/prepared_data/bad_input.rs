//! Bad input is refused in words that help, and leaves nothing half-written behind.

use brainmae_data::{DataError, PreparedDataset};
use brainmae_files::FileError;

use crate::common::Copy;

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
    let error = copy.refusal().to_string();
    assert!(error.contains("fmri_timeseries.csv"), "{error}");
}

#[test]
fn a_truncated_gzip_file() {
    let copy = Copy::of("haxby2001");
    copy.change("bold.nii.gz", |mut bytes| {
        bytes.truncate(bytes.len() / 2);
        bytes
    });
    match copy.refusal() {
        DataError::Truncated {
            found, expected, ..
        } => assert!((500..1000).contains(&found) && expected == 1452),
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
    copy.refusal();
}

#[test]
fn a_mask_of_another_shape() {
    let copy = Copy::of("haxby2001");
    copy.change_unzipped("mask.nii.gz", |mut bytes| {
        // Width and height change places: 20 by 40 voxels.
        bytes[42..46].rotate_left(2);
        bytes
    });
    let error = copy.refusal().to_string();
    assert!(
        error.contains("[20, 40, 1]") && error.contains("[40, 20, 1]"),
        "{error}"
    );
}

#[test]
fn a_label_file_of_another_length() {
    let copy = Copy::of("haxby2001");
    copy.change("attributes_literal.txt", |mut bytes| {
        bytes.extend_from_slice(b"face 11\n");
        bytes
    });
    let error = copy.refusal().to_string();
    assert!(
        error.contains("1453 labels for the 1452 volumes"),
        "{error}"
    );
}

#[test]
fn more_rois_than_voxels() {
    let copy = Copy::of("haxby2001");
    copy.change_recipe("n_rois = 100", "n_rois = 531");
    let error = copy.refusal().to_string();
    assert!(
        error.contains("531 ROIs") && error.contains("530 voxels"),
        "{error}"
    );
}

#[test]
fn an_unknown_key_in_the_recipe() {
    let copy = Copy::of("nitime");
    copy.change_recipe("drop =", "dropp =");
    let error = copy.refusal().to_string();
    assert!(error.contains("unknown field `dropp`"), "{error}");
}

#[test]
fn an_atlas_that_does_not_fit_the_layout() {
    let copy = Copy::of("haxby2001");
    copy.change_recipe(
        "kind = \"spatial\"",
        "kind = \"columns\"\nname = \"x\"\nversion = \"1\" #",
    );
    copy.change_recipe("n_rois = 100\nseed = 2001", "");
    let error = copy.refusal().to_string();
    assert!(error.contains("atlas.kind is columns"), "{error}");
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
        let error = copy.refusal().to_string();
        assert!(error.contains(reason), "{error}");
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
    let error = dataset.bold(&left_out.scan).unwrap_err().to_string();
    assert!(
        error.contains("it was left out, constant signal"),
        "{error}"
    );
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
