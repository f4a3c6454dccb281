use super::*;
use crate::listing::{ConfoundFile, EventFiles};
use crate::tests::tree::{scan_names, tree};
use proptest::prelude::*;

fn list_with(
    files: &[&str],
    options: &ListOptions,
) -> (tempfile::TempDir, Result<Listing, StudyError>) {
    let root = tree(files);
    let listing = list(root.path(), options);
    (root, listing)
}

fn list_of(files: &[&str]) -> (tempfile::TempDir, Result<Listing, StudyError>) {
    list_with(files, &ListOptions::default())
}

/// The line and the problem of a refused manifest.
fn refused<T: std::fmt::Debug>(result: Result<T, StudyError>) -> (Option<u64>, ManifestProblem) {
    match result {
        Err(StudyError::Manifest { line, problem, .. }) => (line, problem),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_row_tells_all_of_a_scan() {
    let root = tree(&[
        "m/manifest.csv=\u{feff}Subject,PATH,scan,Session,task,tr_secs,confounds,outliers,events,labels,first_volume,last_volume\n\
         sub-a1,../a.nii.gz,s1,2,REST,0.8,Movement_Regressors.txt,o.tsv,EVs,\"l,1.nii\",5,9\n",
        "a.nii.gz",
        "m/Movement_Regressors.txt",
        "m/o.tsv",
        "m/EVs/a.txt",
        "m/l,1.nii",
    ]);
    let at = |name: &str| root.path().join("m").join(name);
    let listing = list(&root.path().join("m"), &ListOptions::default()).unwrap();
    assert_eq!(listing.notes, []);
    assert_eq!(
        listing.scans,
        [FoundScan {
            scan: "s1".into(),
            subject: "a1".into(),
            session: Some("2".into()),
            task: Some("rest".into()),
            signal: SignalFile::Nifti {
                bold: at("../a.nii.gz"),
                labels: Some(at("l,1.nii")),
            },
            part: Some(5..10),
            tr_secs: Some(0.8),
            variant: "../a.nii.gz".into(),
            confounds: Some(ConfoundFile::Hcp(at("Movement_Regressors.txt"))),
            outliers: Some(at("o.tsv")),
            coverage: None,
            events: EventFiles::Evs(at("EVs")),
        }]
    );
}

#[test]
fn the_ending_tells_the_kind_of_signals() {
    let at = |path: &str| PathBuf::from(path);
    let columnar = |path: &str, scan: Option<&str>| SignalFile::Columnar {
        path: at(path),
        scan: scan.map(str::to_owned),
    };
    let nifti = |path: &str| SignalFile::Nifti {
        bold: at(path),
        labels: None,
    };
    for (path, kind) in [
        ("a.tsv", Some(SignalFile::Table(at("a.tsv")))),
        ("a.CSV", Some(SignalFile::Table(at("a.CSV")))),
        ("a.1D", Some(SignalFile::Table(at("a.1D")))),
        ("a.txt", Some(SignalFile::Table(at("a.txt")))),
        ("a.npy", Some(SignalFile::Npy(at("a.npy")))),
        ("a.parquet", Some(columnar("a.parquet", Some("k")))),
        ("a.feather", Some(columnar("a.feather", Some("k")))),
        (
            "a.dtseries.nii",
            Some(SignalFile::Cifti(at("a.dtseries.nii"))),
        ),
        (
            "a.ptseries.nii",
            Some(SignalFile::Cifti(at("a.ptseries.nii"))),
        ),
        ("a.nii", Some(nifti("a.nii"))),
        ("a.nii.gz", Some(nifti("a.nii.gz"))),
        ("a.dlabel.nii", None),
        ("a.mat", None),
        ("a", None),
    ] {
        assert_eq!(signal_file(at(path), None, Some("k")), kind, "{path}");
    }
}

#[test]
fn names_in_the_words_of_bids_fill_what_no_column_tells() {
    let (_root, listing) = list_of(&[
        "manifest.tsv=subject\tpath\tage\n1\tsub-1_ses-x_task-WM_run-2_bold.tsv\t30\n2\tplain.tsv\t\n",
        "sub-1_ses-x_task-WM_run-2_bold.tsv",
        "plain.tsv",
    ]);
    let listing = listing.unwrap();
    assert_eq!(scan_names(&listing), ["sub-1_ses-x_task-WM_run-2", "sub-2"]);
    let scan = &listing.scans[0];
    assert_eq!(
        (scan.session.as_deref(), scan.task.as_deref()),
        (Some("x"), Some("wm"))
    );
    assert_eq!(listing.notes.len(), 1);
    assert!(listing.notes[0].why.starts_with("columns age are not used"));
}

#[test]
fn kinds_of_confounds_and_events_are_told_by_their_names() {
    let row = |name: &str, confounds: &str, events: &str| {
        let text =
            format!("manifest.tsv=subject\tpath\tconfounds\tevents\n1\ta.npy\t{name}\t{events}\n");
        let (root, listing) = list_of(&[&text, "a.npy", confounds, events]);
        let scan = listing.map(|mut listing| listing.scans.remove(0));
        (root, scan)
    };
    let (root, scan) = row("a_motion.tsv", "a_motion.tsv", "design_session01_run01.tsv");
    let scan = scan.unwrap();
    let at = |name: &str| root.path().join(name);
    assert_eq!(scan.confounds, Some(ConfoundFile::Xcpd(at("a_motion.tsv"))));
    let design = at("design_session01_run01.tsv");
    assert_eq!(scan.events, EventFiles::Design(design));
    let (root, scan) = row("a.tsv", "a.tsv", "b_events.tsv");
    let scan = scan.unwrap();
    let at = |name: &str| root.path().join(name);
    assert_eq!(scan.confounds, Some(ConfoundFile::Fmriprep(at("a.tsv"))));
    assert_eq!(scan.events, EventFiles::Bids(at("b_events.tsv")));
    let (_root, scan) = row("rp_a.txt", "rp_a.txt", "b_events.tsv");
    assert_eq!(refused(scan), (Some(2), ManifestProblem::ConfoundKind));
    let (_root, scan) = row("a.tsv", "a.tsv", "events.txt");
    assert_eq!(refused(scan), (Some(2), ManifestProblem::EventKind));
}

#[test]
fn a_file_that_is_not_there_leaves_its_scan_out() {
    let (_root, listing) = list_of(&[
        "manifest.tsv=subject\tpath\toutliers\n1\ta.npy\tn/a\n2\tb.npy\tNA\n3\ta.npy\tgone.tsv\n",
        "a.npy",
    ]);
    let listing = listing.unwrap();
    assert_eq!(scan_names(&listing), ["sub-1"]);
    let notes: Vec<_> = listing
        .notes
        .iter()
        .map(|note| format!("{}: {}", note.what, note.why))
        .collect();
    assert_eq!(
        notes,
        [
            "manifest.tsv line 3: path b.npy is not there: the scan is left out",
            "manifest.tsv line 4: outliers gone.tsv is not there: the scan is left out",
        ]
    );
}

#[test]
fn subjects_tasks_and_variants_are_chosen() {
    let files = [
        "manifest.tsv=subject\tpath\ttask\tscan\n1\ta.npy\trest\ta\n1\tb.npy\twm\tb\n2\tc.npy\trest\tc\n",
        "a.npy",
        "b.npy",
        "c.npy",
    ];
    let mut options = ListOptions {
        subjects: vec!["sub-1".into()],
        ..Default::default()
    };
    assert_eq!(
        scan_names(&list_with(&files, &options).1.unwrap()),
        ["a", "b"]
    );
    options.tasks = vec!["wm".into()];
    assert_eq!(scan_names(&list_with(&files, &options).1.unwrap()), ["b"]);
    options.variant = Some("a.".into());
    assert_eq!(list_with(&files, &options).1.unwrap().scans, []);
}

#[test]
fn a_manifest_that_is_wrong_is_refused_with_its_line() {
    let start = "subject\tpath\tscan\ttr_secs\tfirst_volume\tlast_volume\tlabels\tscan_key\n";
    use ManifestProblem as P;
    let tr = |found: &str| P::Tr {
        found: found.into(),
    };
    let backwards = |first, last| P::VolumesBackwards { first, last };
    for (rows, line, expected) in [
        (
            "\ta.npy\t\t\t\t\t\t\n",
            2,
            P::EmptyCell { column: "subject" },
        ),
        ("1\t\t\t\t\t\t\t\n", 2, P::EmptyCell { column: "path" }),
        (
            "1\ta.npy\t\t2000\t\t\t\t\n",
            2,
            P::TrInMilliseconds {
                found: "2000".into(),
            },
        ),
        ("1\ta.npy\t\t0\t\t\t\t\n", 2, tr("0")),
        ("1\ta.npy\t\tnan\t\t\t\t\n", 2, tr("nan")),
        ("1\ta.npy\t\t\t1\t\t\t\n", 2, P::OneVolume),
        ("1\ta.npy\t\t\t5\t4\t\t\n", 2, backwards(5, 4)),
        (
            "1\ta.npy\t\t\t0\t18446744073709551615\t\t\n",
            2,
            backwards(0, usize::MAX),
        ),
        (
            "1\ta.npy\t\t\t-1\t4\t\t\n",
            2,
            P::Volume {
                column: "first_volume",
            },
        ),
        (
            "1\tb.mat\t\t\t\t\t\t\n",
            2,
            P::SignalEnding {
                file: "b.mat".into(),
            },
        ),
        ("1\ta.npy\t\t\t\t\ta.npy\t\n", 2, P::LabelsWithoutImage),
        ("1\ta.npy\t\t\t\t\t\tk\n", 2, P::KeyWithoutTable),
        (
            "1\ta.npy\n",
            2,
            P::Cells {
                found: 2,
                expected: 8,
            },
        ),
        (
            "1\ta.npy\ts\t\t\t\t\t\n2\tb.npy\ts\t\t\t\t\t\n",
            3,
            P::ScanTwice { first_line: 2 },
        ),
        (
            "1\ta.npy\ts\t\t\t\t\t\n2\ta.npy\tt\t\t\t\t\t\n",
            3,
            P::SharedVolumes { other_line: 2 },
        ),
        (
            "1\ta.npy\ts\t\t5\t9\t\t\n1\ta.npy\tt\t\t0\t5\t\t\n",
            3,
            P::SharedVolumes { other_line: 2 },
        ),
    ] {
        let text = format!("manifest.tsv={start}{rows}");
        let (_root, listing) = list_of(&[&text, "a.npy", "b.npy", "b.mat"]);
        assert_eq!(refused(listing), (Some(line), expected), "{rows:?}");
    }
    let missing = P::MissingColumn {
        column: "path",
        found: vec!["subject".into(), "file".into()],
        columns: &COLUMNS,
    };
    let twice = P::ColumnTwice {
        column: "path",
        times: 2,
    };
    for (header, expected) in [("subject\tfile", missing), ("subject\tpath\tPath", twice)] {
        let (_root, listing) = list_of(&[&format!("manifest.tsv={header}\n")]);
        assert_eq!(refused(listing), (Some(1), expected));
    }
    let (_root, listing) = list_of(&["manifest.tsv", "manifest.csv"]);
    assert_eq!(refused(listing), (None, P::TwoFiles));
}

#[test]
fn parts_of_a_file_and_rows_of_a_table_are_several_scans() {
    let (_root, listing) = list_of(&[
        "manifest.tsv=subject\tpath\tscan\tfirst_volume\tlast_volume\tscan_key\n\
         1\ta.npy\ta\t0\t4\t\n1\ta.npy\tb\t5\t9\t\n1\tc.parquet\tc\t\t\tx\n1\tc.parquet\td\t\t\ty\n",
        "a.npy",
        "c.parquet",
    ]);
    let listing = listing.unwrap();
    assert_eq!(scan_names(&listing), ["a", "b", "c", "d"]);
    let SignalFile::Columnar { scan, .. } = &listing.scans[3].signal else {
        panic!("{listing:?}")
    };
    assert_eq!(scan.as_deref(), Some("y"));
}

#[test]
fn without_a_manifest_names_tell() {
    let (_root, listing) = list_of(&[
        "deep/er/sub-2_task-REST_run-1.csv",
        "sub-1_ses-a_task-rest_timeseries.tsv",
        "sub-1_ses-a_task-rest_timeseries.json={\"RepetitionTime\": 1.5}",
        "sub-1_ses-a_task-rest_events.tsv",
        "sub-1_task-rest_desc-confounds_timeseries.tsv",
        "participants.tsv",
        "README",
        ".git/sub-9_task-rest_timeseries.tsv",
        "._sub-1_ses-a_task-rest_timeseries.tsv",
    ]);
    let listing = listing.unwrap();
    assert_eq!(
        scan_names(&listing),
        ["sub-1_ses-a_task-rest", "sub-2_task-REST_run-1"]
    );
    assert_eq!(listing.scans[0].tr_secs, Some(1.5));
    assert_eq!(listing.scans[1].task.as_deref(), Some("rest"));
    let [unknown, companions] = &listing.notes[..] else {
        panic!("{:?}", listing.notes)
    };
    assert_eq!(unknown.what, "participants.tsv");
    assert!(
        unknown
            .why
            .contains("manifest.tsv with the columns subject, path")
    );
    assert!(companions.why.starts_with("2 files"));
}

#[test]
fn without_a_manifest_files_are_of_one_kind() {
    let files = ["sub-1_task-a_bold.npy", "sub-1_task-a_bold.nii.gz"];
    let (_root, listing) = list_of(&files);
    let expected = ManifestProblem::SeveralKinds {
        kinds: vec![".npy", "NIfTI"],
        columns: &COLUMNS,
    };
    assert_eq!(refused(listing), (None, expected));
    let options = ListOptions {
        variant: Some(".npy".into()),
        ..Default::default()
    };
    assert_eq!(list_with(&files, &options).1.unwrap().scans.len(), 1);
}

#[test]
#[cfg(unix)]
fn without_a_manifest_links_to_folders_are_noted() {
    let root = tree(&["data/sub-1_task-a_bold.npy"]);
    std::os::unix::fs::symlink(root.path(), root.path().join("data/circle")).unwrap();
    let listing = list(root.path(), &ListOptions::default()).unwrap();
    assert_eq!(scan_names(&listing), ["sub-1_task-a"]);
    assert_eq!(listing.notes.len(), 1);
    assert_eq!(listing.notes[0].what, "data/circle");
}

#[test]
fn without_a_manifest_images_other_than_bold_are_no_scans() {
    let (_root, listing) = list_of(&["sub-1_task-a_bold.nii.gz", "sub-1_T1w.nii.gz"]);
    let listing = listing.unwrap();
    assert_eq!(scan_names(&listing), ["sub-1_task-a"]);
    assert_eq!(listing.notes[0].what, "sub-1_T1w.nii.gz");
}

#[test]
fn label_volumes_of_subjects_go_with_volumes() {
    let options = ListOptions {
        subject_labels: Some("l/{subject}.nii".into()),
        ..Default::default()
    };
    let image = "sub-1_task-a_bold.nii.gz";
    let manifest = format!("manifest.tsv=subject\tpath\n1\t{image}\n");
    for files in [
        &[image, "l/1.nii", "README.md"][..],
        &[image, "l/1.nii", &manifest],
    ] {
        let (root, listing) = list_with(files, &options);
        let labels = Some(root.path().join("l/1.nii"));
        let bold = root.path().join(image);
        let listing = listing.unwrap();
        assert_eq!(listing.scans[0].signal, SignalFile::Nifti { bold, labels });
        let files = [files[0], files[2]];
        let (_root, listing) = list_with(&files, &options);
        let listing = listing.unwrap();
        assert_eq!(listing.scans, []);
        assert_eq!(listing.notes[0].what, "l/1.nii");
    }
}

proptest! {
    #[test]
    fn any_text_is_a_manifest_or_an_error(
        header in "subject,path(,(scan|tr_secs|first_volume,last_volume|events|\\PC{0,5})){0,3}",
        rows in "([-a1.0\"]{0,5}(,[-a1.0\"/]{0,5}){0,5}\n|\\PC{0,20}){0,6}",
    ) {
        let text = format!("manifest.csv={header}\n{rows}");
        let (_root, listing) = list_of(&[&text, "a", "1", "a.npy"]);
        if let Ok(listing) = listing {
            prop_assert!(listing.scans.iter().all(|scan| scan.signal.path().exists()));
        }
    }
}
