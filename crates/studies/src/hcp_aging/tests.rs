use super::*;
use crate::listing::{ConfoundFile, FoundScan, Note};
use crate::tests::tree::Tree;

const VISIT: &str = "HCA9999901_V1_MR";
const CLEAN: &str = "_Atlas_MSMAll_hp0_clean_rclean_tclean.dtseries.nii";
const PLAIN: &str = "_Atlas_MSMAll.dtseries.nii";

/// Writes a concatenation of `n_volumes` volumes.
fn join(tree: &Tree, visit: &str, n_volumes: i64) {
    let mut header = [&540_i32.to_le_bytes()[..], b"n+2\0\r\n\x1a\n\0\x10\0\x20"].concat();
    for dimension in [6, 1, 1, 1, 1, n_volumes, 91_282, 1] {
        header.extend(dimension.to_le_bytes());
    }
    let folder = tree.run(visit, CONCATENATION, &[CLEAN]);
    std::fs::write(folder.join(format!("{CONCATENATION}{CLEAN}")), header).unwrap();
}

/// Writes a run with `n_volumes` lines of head movement.
fn movement(tree: &Tree, run: &str, n_volumes: usize, files: &[&str]) {
    let path = tree.run(VISIT, run, files).join("Movement_Regressors.txt");
    std::fs::write(path, "0 0 0\n".repeat(n_volumes)).unwrap();
}

fn listing(tree: &Tree) -> Listing {
    list(tree.root(), &ListOptions::default()).unwrap()
}

fn parts(listing: &Listing) -> Vec<(&str, Option<std::ops::Range<usize>>)> {
    let part = |scan: &FoundScan| scan.part.clone();
    listing
        .scans
        .iter()
        .map(|scan| (scan.scan.as_str(), part(scan)))
        .collect()
}

fn about<'a>(listing: &'a Listing, what: &str) -> Vec<&'a Note> {
    let is_about = |note: &&Note| note.what.ends_with(what);
    listing.notes.iter().filter(is_about).collect()
}

#[test]
fn a_folder_is_a_visit_of_a_subject() {
    for (folder, expected) in [
        ("HCA9999901_V1_MR", Some(("HCA9999901", "V1"))),
        ("HCA9999901_V2", Some(("HCA9999901", "V2"))),
        ("HCA9999901", None),
        ("HCA999990_V1_MR", None),
        ("HCA9999901_V12_MR", None),
        ("HCA9999901_V1_MR_x", None),
    ] {
        let person = parse_subject(folder);
        let found = person
            .as_ref()
            .map(|person| (person.subject.as_str(), person.session.as_str()));
        assert_eq!(found, expected, "{folder}");
    }
}

#[test]
fn visits_are_sessions_of_one_subject() {
    let tree = Tree::new("MNINonLinear/Results");
    for visit in ["HCA9999901_V1_MR", "HCA9999901_V2_MR"] {
        tree.run(visit, "tfMRI_CARIT_PA", &[CLEAN]);
    }
    let both = listing(&tree);
    let found: Vec<_> = both
        .scans
        .iter()
        .map(|scan| (scan.scan.as_str(), scan.subject.as_str(), scan.tr_secs))
        .collect();
    assert_eq!(
        found,
        [
            (
                "sub-HCA9999901_ses-V1_task-carit_dir-PA",
                "HCA9999901",
                Some(0.8)
            ),
            (
                "sub-HCA9999901_ses-V2_task-carit_dir-PA",
                "HCA9999901",
                Some(0.8)
            ),
        ]
    );
    for (subjects, n) in [
        ("HCA9999901", 2),
        ("HCA9999901_V2_MR", 1),
        ("HCA9999902", 0),
    ] {
        let options = ListOptions {
            subjects: vec![subjects.into()],
            ..ListOptions::default()
        };
        assert_eq!(list(tree.root(), &options).unwrap().scans.len(), n);
    }
}

#[test]
fn a_concatenation_is_cut_at_its_seams() {
    let tree = Tree::new("MNINonLinear/Results");
    join(&tree, VISIT, 1912);
    let listing = listing(&tree);
    assert_eq!(
        parts(&listing),
        [
            (
                "sub-HCA9999901_ses-V1_task-rest_acq-REST1_dir-AP",
                Some(0..478)
            ),
            (
                "sub-HCA9999901_ses-V1_task-rest_acq-REST1_dir-PA",
                Some(478..956)
            ),
            (
                "sub-HCA9999901_ses-V1_task-rest_acq-REST2_dir-AP",
                Some(956..1434)
            ),
            (
                "sub-HCA9999901_ses-V1_task-rest_acq-REST2_dir-PA",
                Some(1434..1912)
            ),
        ]
    );
    assert!(about(&listing, "rfMRI_REST1_AP").is_empty());
}

#[test]
fn movement_files_tell_the_seams_of_an_unusual_visit() {
    let tree = Tree::new("MNINonLinear/Results");
    join(&tree, VISIT, 400);
    movement(&tree, "rfMRI_REST1_PA", 150, &[]);
    movement(&tree, "rfMRI_REST2_AP", 250, &[]);
    let listing = listing(&tree);
    assert_eq!(
        parts(&listing),
        [
            (
                "sub-HCA9999901_ses-V1_task-rest_acq-REST1_dir-PA",
                Some(0..150)
            ),
            (
                "sub-HCA9999901_ses-V1_task-rest_acq-REST2_dir-AP",
                Some(150..400)
            ),
        ]
    );
    let Some(ConfoundFile::Hcp(path)) = &listing.scans[1].confounds else {
        panic!("movement");
    };
    assert!(path.ends_with("rfMRI_REST2_AP/Movement_Regressors.txt"));
}

#[test]
fn two_runs_of_unknown_name_are_numbered() {
    let tree = Tree::new("MNINonLinear/Results");
    join(&tree, VISIT, 956);
    assert_eq!(
        parts(&listing(&tree)),
        [
            ("sub-HCA9999901_ses-V1_task-rest_run-01", Some(0..478)),
            ("sub-HCA9999901_ses-V1_task-rest_run-02", Some(478..956)),
        ]
    );
}

#[test]
fn a_concatenation_of_unknown_seams_is_skipped_with_the_reason() {
    let tree = Tree::new("MNINonLinear/Results");
    join(&tree, VISIT, 1000);
    let listing = listing(&tree);
    assert!(listing.scans.is_empty());
    let note = about(&listing, CONCATENATION)[0];
    assert_eq!(note.kind, NoteKind::Skipped);
    assert!(note.why.contains("1000 volumes"), "{}", note.why);
}

#[test]
fn single_runs_or_the_concatenation_are_used_and_never_both() {
    for (single, expected) in [(CLEAN, None), (PLAIN, Some(0..478))] {
        let tree = Tree::new("MNINonLinear/Results");
        join(&tree, VISIT, 1912);
        for run in RUNS {
            movement(&tree, run, 478, &[single]);
        }
        let listing = listing(&tree);
        assert_eq!(listing.scans.len(), 4, "{single}");
        assert_eq!(listing.scans[0].part, expected, "{single}");
        assert!(listing.scans.iter().all(|scan| scan.confounds.is_some()));
    }
}

#[test]
fn single_runs_stand_in_for_a_concatenation_that_cannot_be_cut() {
    let tree = Tree::new("MNINonLinear/Results");
    join(&tree, VISIT, 1911);
    movement(&tree, RUNS[0], 478, &[PLAIN]);
    let listing = listing(&tree);
    assert_eq!(listing.scans.len(), 1);
    assert_eq!(listing.scans[0].part, None);
    assert_eq!(about(&listing, CONCATENATION).len(), 1);
    assert_eq!(about(&listing, RUNS[3]).len(), 1);
}

#[test]
fn a_visit_with_plain_single_runs_takes_the_concatenation_of_the_other_visits_variant() {
    let (one, two) = (VISIT, "HCA9999902_V1_MR");
    let with = |options: &ListOptions| {
        let tree = Tree::new("MNINonLinear/Results");
        for run in RUNS {
            tree.run(one, run, &[CLEAN]);
            tree.run(two, run, &[CLEAN, PLAIN]);
        }
        // The concatenation of the second visit is as clean as its single runs.
        join(&tree, two, 1912);
        std::fs::remove_file(
            tree.run(two, RUNS[0], &[])
                .join(format!("{}{CLEAN}", RUNS[0])),
        )
        .unwrap();
        list(tree.root(), options)
    };
    // The first run has a plain file alone, so all four are cut from the concatenation.
    let listing = with(&ListOptions::default()).unwrap();
    assert_eq!(listing.scans.len(), 8);
    let parts: Vec<bool> = listing
        .scans
        .iter()
        .map(|scan| scan.part.is_some())
        .collect();
    assert_eq!(parts, [false, false, false, false, true, true, true, true]);
    assert!(
        listing
            .scans
            .iter()
            .all(|scan| scan.variant == listing.scans[0].variant)
    );
}

#[test]
fn visits_that_are_not_equally_clean_are_refused_or_take_what_both_have() {
    let tree = Tree::new("MNINonLinear/Results");
    join(&tree, VISIT, 1912);
    for run in RUNS {
        tree.run(VISIT, run, &[PLAIN]);
        tree.run("HCA9999902_V1_MR", run, &[PLAIN]);
    }
    let error = list(tree.root(), &ListOptions::default())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("missing in 4 of 8 scans (sub-HCA9999902_ses-V1"),
        "{error}"
    );
    let options = ListOptions {
        common_variant: true,
        ..ListOptions::default()
    };
    let listing = list(tree.root(), &options).unwrap();
    assert_eq!(listing.scans.len(), 8);
    assert!(
        listing
            .scans
            .iter()
            .all(|scan| scan.part.is_none() && scan.variant == "_Atlas_MSMAll")
    );
}
