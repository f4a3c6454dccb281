use super::*;
use crate::listing::{NoteKind, SignalFile};
use crate::tests::tree::{scan_names, tree};
use crate::{fmriprep, manifest, nsd, xcpd};
use proptest::prelude::*;

const SERIES: &str = "space-fsLR_seg-A_stat-mean_timeseries.tsv";

#[test]
fn scans_are_sorted_and_absent_subjects_told() {
    let root = tree(&[
        "manifest.tsv=subject\tpath\tscan\nb\t1.npy\tx\na\t2.npy\tz\na\t3.npy\ty\n",
        "1.npy",
        "2.npy",
        "3.npy",
    ]);
    let options = ListOptions {
        subjects: vec!["b".into(), "sub-a".into(), "c".into()],
        ..Default::default()
    };
    let listing = list(&manifest::LAYOUT, root.path(), &options).unwrap();
    assert_eq!(scan_names(&listing), ["y", "z", "x"]);
    let [note] = &listing.notes[..] else {
        panic!("{:?}", listing.notes)
    };
    assert_eq!((note.kind, note.what.as_str()), (NoteKind::Missing, "c"));
}

#[test]
fn tasks_are_chosen_in_any_case_and_absent_ones_told() {
    let root = tree(&[
        "manifest.tsv=subject\tpath\ttask\na\t1.npy\tREST\na\t2.npy\tWM\na\t3.npy\tmotor\n",
        "1.npy",
        "2.npy",
        "3.npy",
    ]);
    let options = ListOptions {
        tasks: vec!["rest".into(), "Wm".into(), "Social".into()],
        ..Default::default()
    };
    let listing = list(&manifest::LAYOUT, root.path(), &options).unwrap();
    let tasks: Vec<_> = listing
        .scans
        .iter()
        .filter_map(|scan| scan.task.as_deref())
        .collect();
    assert_eq!(tasks, ["rest", "wm"]);
    let [note] = &listing.notes[..] else {
        panic!("{:?}", listing.notes)
    };
    assert_eq!(
        (note.kind, note.what.as_str()),
        (NoteKind::Missing, "task Social")
    );
}

#[test]
fn two_files_of_one_scan_are_refused() {
    let root = tree(&[
        "sub-1_task-a_space-X_timeseries.tsv",
        "sub-1_task-a_space-Y_timeseries.tsv",
    ]);
    let error = list(&manifest::LAYOUT, root.path(), &ListOptions::default()).unwrap_err();
    let StudyError::Listing {
        path,
        problem: ListingProblem::ScanTwice { scan, first },
    } = error
    else {
        panic!("{error:?}")
    };
    assert_eq!(scan.as_str(), "sub-1_task-a");
    assert!(first.ends_with("sub-1_task-a_space-X_timeseries.tsv"));
    assert!(path.ends_with("sub-1_task-a_space-Y_timeseries.tsv"));
}

#[test]
fn where_nothing_is_found_the_fitting_layout_is_named() {
    let series = format!("sub-1/func/sub-1_task-a_{SERIES}");
    let root = tree(&[&series]);
    let options = ListOptions {
        tasks: vec!["rest".into()],
        ..Default::default()
    };
    let nothing = |layout: &dyn StudyLayout, options: &ListOptions| match list(
        layout,
        root.path(),
        options,
    ) {
        Err(StudyError::Listing {
            problem: ListingProblem::NothingFound(nothing),
            ..
        }) => nothing,
        other => panic!("{other:?}"),
    };
    for layout in [&nsd::LAYOUT as &dyn StudyLayout, &fmriprep::LAYOUT] {
        let nothing = nothing(layout, &ListOptions::default());
        assert_eq!(nothing.layout, layout.name());
        assert_eq!(nothing.fits.map(|(name, _)| name), Some("xcpd"));
    }
    let nothing = nothing(&xcpd::LAYOUT, &options);
    assert_eq!((nothing.tasks, nothing.fits), (vec!["rest".into()], None));
}

/// A layout with one table per subject, different from all studies of this crate.
struct Flat;

impl StudyLayout for Flat {
    fn name(&self) -> &'static str {
        "flat"
    }

    fn about(&self) -> &'static str {
        "<subject>.npy"
    }

    fn list(&self, root: &Path, options: &ListOptions) -> Result<Listing, StudyError> {
        let scan = |subject| {
            let signal = SignalFile::Npy(root.join(subject).with_extension("npy"));
            FoundScan::new(subject, subject, signal)
        };
        let wanted = ["b", "a"]
            .into_iter()
            .filter(|subject| options.wants_subject(subject));
        Ok(wanted.map(scan).collect())
    }
}

#[test]
fn a_layout_from_outside_is_listed_as_those_inside() {
    let root = tree(&["a.npy", "b.npy"]);
    let listing = list(&Flat, root.path(), &ListOptions::default()).unwrap();
    assert_eq!(scan_names(&listing), ["a", "b"]);
    let options = ListOptions {
        subjects: vec!["c".into()],
        ..Default::default()
    };
    let error = list(&Flat, root.path(), &options).unwrap_err();
    let is_of_flat = matches!(
        &error,
        StudyError::Listing { problem: ListingProblem::NothingFound(nothing), .. }
            if nothing.layout == "flat"
    );
    assert!(is_of_flat, "{error:?}");
}

#[test]
fn a_root_that_is_not_there_is_an_error() {
    let root = tree(&["a"]);
    for layout in registry::LAYOUTS {
        let root = root.path().join("gone");
        let error = list(*layout, &root, &ListOptions::default()).unwrap_err();
        assert!(matches!(error, StudyError::Files(_)), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_names_are_a_listing_or_an_error(
        names in proptest::collection::vec(
            "(sub-1_|task-a_|run-[12]_|space-[a-z]{0,2}_|seg-[a-z]_|desc-preproc_|[-_.a-z]){0,6}\
             (timeseries|bold|motion)?([.]tsv|[.]json|[.]nii[.]gz|[.]dtseries[.]nii)?",
            0..12,
        ),
    ) {
        let inside = |name: &&String| !["", ".", ".."].contains(&name.as_str());
        let files: Vec<String> = names
            .iter()
            .filter(inside)
            .map(|name| format!("sub-1/func/{name}"))
            .collect();
        let root = tree(&files);
        std::fs::create_dir_all(root.path().join("subj01/func1mm/timeseries")).unwrap();
        for layout in registry::LAYOUTS {
            if let Ok(listing) = list(*layout, root.path(), &ListOptions::default()) {
                prop_assert!(!listing.scans.is_empty());
                prop_assert!(listing.scans.iter().all(|scan| scan.signal.path().exists()));
            }
        }
    }
}
