use super::*;
use crate::error::{ListingProblem, StudyError};
use crate::layout::StudyLayout as _;
use crate::listing::{ConfoundFile, EventFiles, NoteKind, SignalFile};
use crate::tests::tree::{Tree, scan_names};

const REST: &str = "rfMRI_REST1_LR";
const CLEAN: &str = "_Atlas_MSMAll_hp2000_clean.dtseries.nii";

fn asking(variant: &str) -> ListOptions {
    ListOptions {
        variant: Some(variant.into()),
        ..ListOptions::default()
    }
}

/// `kind what: why` of every note, without the notes on missing runs.
fn notes(listing: &Listing) -> Vec<String> {
    listing
        .notes
        .iter()
        .filter(|note| !note.why.starts_with("the run is not there"))
        .map(|note| format!("{:?} {}: {}", note.kind, note.what, note.why))
        .collect()
}

#[test]
fn a_scan_has_its_name_task_movement_and_events() {
    let tree = Tree::new("MNINonLinear/Results");
    tree.run("999902", REST, &[CLEAN, "_Atlas.dtseries.nii"]);
    let wm = tree.run("999901", "tfMRI_WM_RL", &["_Atlas_MSMAll.dtseries.nii"]);
    tree.file(&wm.join("Movement_Regressors.txt"));
    tree.file(&wm.join("EVs/2bk_body.txt"));
    let listing = LAYOUT.list(tree.root(), &ListOptions::default()).unwrap();

    let names = scan_names(&listing);
    assert_eq!(
        names,
        [
            "sub-999901_task-wm_dir-RL",
            "sub-999902_task-rest_acq-REST1_dir-LR"
        ]
    );
    let [task, rest] = &listing.scans[..] else {
        panic!("two scans");
    };
    assert_eq!(rest.subject.as_str(), "999902");
    assert_eq!(rest.session.as_deref(), Some("3T"));
    assert_eq!(rest.task.as_deref(), Some("rest"));
    assert_eq!(rest.tr_secs, Some(0.72));
    assert_eq!(rest.variant, "_Atlas_MSMAll_hp2000_clean");
    assert_eq!((&rest.part, &rest.outliers), (&None, &None));
    assert_eq!((&rest.confounds, &rest.events), (&None, &EventFiles::None));
    assert!(
        rest.signal
            .path()
            .ends_with(format!("{REST}/{REST}{CLEAN}"))
    );
    assert_eq!(
        task.confounds,
        Some(ConfoundFile::Hcp(wm.join("Movement_Regressors.txt")))
    );
    assert_eq!(task.events, EventFiles::Evs(wm.join("EVs")));
}

#[test]
fn the_root_may_be_above_the_subjects_and_a_subject_may_have_one_more_level() {
    for inner in ["MNINonLinear/Results", "files/MNINonLinear/Results"] {
        let tree = Tree::new(inner);
        tree.run("HCP_1200/999901", REST, &[CLEAN]);
        for root in [tree.root().to_owned(), tree.root().join("HCP_1200")] {
            let listing = LAYOUT.list(&root, &ListOptions::default()).unwrap();
            assert_eq!(listing.scans.len(), 1, "{inner} {root:?}");
        }
    }
}

#[test]
fn other_folders_are_told_apart_from_runs() {
    let run = |name: &str| parse_run(name);
    let is_run = |name: &str| matches!(run(name), Some(FolderName::Run(_)));
    let is_other = |name: &str| matches!(run(name), Some(FolderName::Other(..)));
    assert!(is_run("rfMRI_REST2_RL") && is_run("tfMRI_LANGUAGE_LR"));
    assert!(is_other("rfMRI_REST1_7T_PA") && is_other("rfMRI_REST"));
    assert!(is_other("tfMRI_7T_RETCCW_AP_RETCW_PA") && is_other("tfMRI__LR"));
    assert_eq!(run("tfMRI_WM"), None);
    assert_eq!(run("ROIs"), None);
}

#[test]
fn missing_runs_and_subjects_without_runs_are_noted_once() {
    let tree = Tree::new("MNINonLinear/Results");
    for subject in ["999901", "999902"] {
        tree.run(subject, REST, &[CLEAN]);
    }
    tree.run("999902", "rfMRI_REST1_RL", &[CLEAN]);
    tree.run("999902", "rfMRI_REST2_LR", &[]);
    tree.folder("999903/MNINonLinear/Results");
    tree.folder("999904/T1w");
    let options = ListOptions {
        tasks: vec!["rest".into()],
        subjects: ["999901", "999902", "999903", "999904", "999905"]
            .map(str::to_owned)
            .into(),
        ..ListOptions::default()
    };
    let listing = LAYOUT.list(tree.root(), &options).unwrap();
    let said: Vec<_> = listing
        .notes
        .iter()
        .map(|note| {
            assert_eq!(note.kind, NoteKind::Missing);
            format!("{}: {}", note.what, note.why)
        })
        .collect();
    assert_eq!(listing.scans.len(), 3);
    assert_eq!(
        said,
        [
            "999903: the subject has none of the runs of this release that are asked for",
            "999905: the subject is asked for and has no folder",
            "999904: there is no folder MNINonLinear/Results",
            "999901/rfMRI_REST1_RL: the run is not there",
            "999901/rfMRI_REST2_LR: the run is not there",
            "999902/rfMRI_REST2_LR: there is no .dtseries.nii or .ptseries.nii of its name",
            "rfMRI_REST2_RL: the run is not there (2 folders: 999901, 999902)",
        ]
    );
}

#[test]
fn subjects_and_tasks_are_chosen() {
    let tree = Tree::new("MNINonLinear/Results");
    for subject in ["999901", "999902"] {
        tree.run(subject, REST, &[CLEAN]);
        tree.run(subject, "tfMRI_WM_LR", &["_Atlas.dtseries.nii"]);
    }
    let options = ListOptions {
        subjects: vec!["999902".into()],
        tasks: vec!["wm".into()],
        ..ListOptions::default()
    };
    let listing = LAYOUT.list(tree.root(), &options).unwrap();
    assert_eq!(listing.scans.len(), 1);
    assert_eq!(listing.scans[0].scan.as_str(), "sub-999902_task-wm_dir-LR");
}

#[test]
fn a_variant_chooses_and_what_it_leaves_out_is_noted() {
    let tree = Tree::new("MNINonLinear/Results");
    tree.run(
        "999901",
        REST,
        &[CLEAN, "_Atlas_Gordon.ptseries.nii", "_hp2000_clean.nii.gz"],
    );
    tree.run("999902", REST, &["_Atlas.dtseries.nii"]);

    let listing = LAYOUT.list(tree.root(), &asking("Gordon")).unwrap();
    assert_eq!(listing.scans.len(), 1);
    assert_eq!(listing.scans[0].variant, "_Atlas_Gordon.ptseries.nii");
    assert_eq!(
        notes(&listing),
        [
            "Missing 999902/rfMRI_REST1_LR: none of its files is used with `variant` \
          \"Gordon\": rfMRI_REST1_LR_Atlas.dtseries.nii"
        ]
    );

    let volumes = LAYOUT.list(tree.root(), &asking(".nii.gz")).unwrap();
    let bold = tree.root().join("999901/MNINonLinear/Results").join(REST);
    assert_eq!(volumes.scans.len(), 1);
    assert_eq!(
        volumes.scans[0].signal,
        SignalFile::Nifti {
            bold: bold.join(format!("{REST}_hp2000_clean.nii.gz")),
            labels: None
        }
    );
}

#[test]
fn a_subject_s_own_labels_go_with_volumes_and_must_be_there() {
    let tree = Tree::new("MNINonLinear/Results");
    for subject in ["999901", "999902"] {
        tree.run(subject, REST, &[".nii.gz"]);
    }
    tree.file(&tree.root().join("labels/999901.nii.gz"));
    let options = ListOptions {
        subject_labels: Some("labels/{subject}.nii.gz".into()),
        ..asking(".nii.gz")
    };
    let listing = LAYOUT.list(tree.root(), &options).unwrap();
    let [scan] = &listing.scans[..] else {
        panic!("one scan: {listing:?}");
    };
    assert!(
        matches!(&scan.signal, SignalFile::Nifti { labels: Some(labels), .. }
        if labels.ends_with("labels/999901.nii.gz"))
    );
    let said = notes(&listing);
    assert!(
        said[0].starts_with("Missing 999902: the subject's own label"),
        "{said:?}"
    );
}

#[test]
fn equally_good_names_are_noted_and_so_are_tasks_of_different_variants() {
    let tree = Tree::new("MNINonLinear/Results");
    let equal = ["_Atlas.dtseries.nii", "_Atlas_MSMSulc.dtseries.nii"];
    tree.run("999901", REST, &equal);
    tree.run("999901", "tfMRI_WM_LR", &[CLEAN]);
    let listing = LAYOUT.list(tree.root(), &ListOptions::default()).unwrap();
    assert_eq!(listing.scans[0].variant, "_Atlas");
    assert_eq!(
        notes(&listing),
        [
            "Skipped 999901/rfMRI_REST1_LR: rfMRI_REST1_LR_Atlas.dtseries.nii is used, and as \
             good by their names are rfMRI_REST1_LR_Atlas_MSMSulc.dtseries.nii: choose with \
             `variant`",
            "Mixed tasks: they are not of one variant, so that the cleaning tells the task: \
             rest \"_Atlas\", wm \"_Atlas_MSMAll_hp2000_clean\"",
        ]
    );
    // Of two names that are as good, all scans get the one that all have.
    tree.run("999902", REST, &equal[1..]);
    let listing = LAYOUT.list(tree.root(), &ListOptions::default()).unwrap();
    let variants: Vec<_> = (listing
        .scans
        .iter()
        .filter(|scan| scan.task.as_deref() == Some("rest")))
    .map(|scan| &*scan.variant)
    .collect();
    assert_eq!(variants, ["_Atlas_MSMSulc"; 2]);
}

const CLEANER: &str = "_Atlas_MSMAll_hp2000_clean_rclean_tclean.dtseries.nii";

#[test]
fn a_run_without_the_cleaner_variant_of_its_task_is_refused_with_the_list() {
    let tree = Tree::new("MNINonLinear/Results");
    for subject in ["999901", "999902", "999903"] {
        tree.run(subject, REST, &[CLEAN, CLEANER]);
        tree.run(subject, "tfMRI_WM_LR", &["_Atlas_MSMAll.dtseries.nii"]);
    }
    tree.run("999902", "rfMRI_REST2_LR", &[CLEAN, "_Atlas.dtseries.nii"]);
    let error = LAYOUT
        .list(tree.root(), &ListOptions::default())
        .unwrap_err();
    let StudyError::Listing {
        problem: ListingProblem::MixedVariants(mixed),
        path,
    } = error
    else {
        panic!("{error}");
    };
    assert_eq!(path, tree.root());
    let [task] = &mixed.tasks[..] else {
        panic!("rest alone is mixed: {mixed}");
    };
    assert_eq!((&*task.task, task.n_scans), ("rest", 4));
    assert_eq!(task.variant, "_Atlas_MSMAll_hp2000_clean_rclean_tclean");
    let lacking = "sub-999902_task-rest_acq-REST2_dir-LR";
    assert_eq!(task.lacking, [lacking.into()]);
    assert!(mixed.to_string().contains(lacking), "{mixed}");

    // By name, the scan without it is left out.
    let listing = LAYOUT.list(tree.root(), &asking("rclean_tclean")).unwrap();
    assert_eq!(listing.scans.len(), 3);
    let said = notes(&listing).join("\n");
    assert!(
        said.contains("Missing 999902/rfMRI_REST2_LR: none of its files"),
        "{said}"
    );
}

#[test]
fn a_task_gets_the_cleanest_variant_that_all_its_scans_have_if_that_is_asked_for() {
    let tree = Tree::new("MNINonLinear/Results");
    tree.run("999901", REST, &["_Atlas.dtseries.nii", CLEAN, CLEANER]);
    tree.run("999902", REST, &["_Atlas.dtseries.nii", CLEAN]);
    tree.run("999902", "tfMRI_WM_LR", &[CLEANER]);
    let options = ListOptions {
        common_variant: true,
        ..ListOptions::default()
    };
    let listing = LAYOUT.list(tree.root(), &options).unwrap();
    let found: Vec<_> = (listing.scans.iter())
        .map(|scan| (scan.task.as_deref().unwrap_or_default(), &*scan.variant))
        .collect();
    assert_eq!(
        found,
        [
            ("rest", "_Atlas_MSMAll_hp2000_clean"),
            ("rest", "_Atlas_MSMAll_hp2000_clean"),
            ("wm", "_Atlas_MSMAll_hp2000_clean_rclean_tclean")
        ]
    );
    let path = listing.scans[0].signal.path();
    assert!(path.ends_with(format!("{REST}{CLEAN}")), "{path:?}");
    let said = notes(&listing).join("\n");
    assert!(
        said.contains("Skipped task rest: \"_Atlas_MSMAll_hp2000_clean\" is used"),
        "{said}"
    );
    assert!(said.contains("1 of them have another file"), "{said}");

    tree.run("999903", REST, &[".ptseries.nii"]);
    let error = LAYOUT.list(tree.root(), &options).unwrap_err().to_string();
    assert!(
        error.contains("no variant is common to all scans"),
        "{error}"
    );
    assert!(
        error.contains("1 of 3 scans (sub-999903_task-rest"),
        "{error}"
    );
}

#[test]
fn the_same_scan_in_two_folders_is_listed_once() {
    let tree = Tree::new("MNINonLinear/Results");
    tree.run("HCP_1200/999901", REST, &[CLEAN]);
    tree.run("HCP_Retest/999901", REST, &[CLEAN]);
    let listing = LAYOUT.list(tree.root(), &ListOptions::default()).unwrap();
    assert_eq!(listing.scans.len(), 1);
    assert!(notes(&listing)[0].starts_with("Skipped HCP_Retest/999901: another folder"));
}

#[test]
fn an_empty_folder_has_no_scan_and_a_note_and_no_folder_is_an_error() {
    let tree = Tree::new("MNINonLinear/Results");
    let listing = LAYOUT.list(tree.root(), &ListOptions::default()).unwrap();
    assert!(listing.scans.is_empty());
    assert!(notes(&listing)[0].contains("six digits"));
    let gone = tree.root().join("gone");
    let error = LAYOUT.list(&gone, &ListOptions::default()).unwrap_err();
    assert!(matches!(error, StudyError::Files(_)), "{error:?}");
}

#[cfg(unix)]
#[test]
fn broken_links_and_strange_names_are_noted() {
    use std::ffi::OsStr;
    use std::os::unix::{ffi::OsStrExt, fs::symlink};

    let tree = Tree::new("MNINonLinear/Results");
    let run = tree.run("999901", REST, &["_Atlas.dtseries.nii"]);
    symlink("gone", run.join(format!("{REST}{CLEAN}"))).unwrap();
    symlink("gone", run.join("Movement_Regressors.txt")).unwrap();
    let lonely = tree.run("999902", REST, &[]);
    symlink("gone", lonely.join(format!("{REST}{CLEAN}"))).unwrap();
    // A link with a valid target is equivalent to the file.
    symlink(tree.root().join("999901"), tree.root().join("999903")).unwrap();
    std::fs::create_dir(tree.root().join(OsStr::from_bytes(b"\xff"))).unwrap();

    let listing = LAYOUT.list(tree.root(), &ListOptions::default()).unwrap();
    let subjects: Vec<_> = listing
        .scans
        .iter()
        .map(|scan| scan.subject.as_str())
        .collect();
    assert_eq!(subjects, ["999901", "999903"]);
    assert_eq!(listing.scans[0].variant, "_Atlas");
    assert_eq!(listing.scans[0].confounds, None);
    let said = notes(&listing).join("\n");
    for part in [
        "the link leads nowhere, so rfMRI_REST1_LR_Atlas.dtseries.nii is used",
        "999902/rfMRI_REST1_LR: the links lead nowhere",
        "\u{fffd}: its name is not UTF-8",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
}
