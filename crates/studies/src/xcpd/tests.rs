use brainmae_files::InvalidField;

use super::*;
use crate::tests::tree::{scan_names, tree};

/// Every generation of file names: table, CIFTI file and coverage table.
const GENERATIONS: [[&str; 3]; 3] = [
    [
        "space-fsLR_atlas-A_timeseries.tsv",
        "space-fsLR_atlas-A_den-91k_timeseries.ptseries.nii",
        "space-fsLR_atlas-A_coverage.tsv",
    ],
    [
        "space-fsLR_seg-A_stat-mean_timeseries.tsv",
        "space-fsLR_seg-A_den-91k_stat-mean_timeseries.ptseries.nii",
        "space-fsLR_seg-A_stat-coverage_bold.tsv",
    ],
    [
        "space-fsLR_atlas-A_stat-mean_timeseries.tsv",
        "space-fsLR_atlas-A_den-91k_stat-mean_timeseries.ptseries.nii",
        "space-fsLR_atlas-A_stat-coverage_bold.tsv",
    ],
];

const START: &str = "sub-01/func/sub-01_task-imagery_run-01_";

/// The description of the data set, and these files with the prefix [`START`].
fn dataset(ends: &[&str]) -> tempfile::TempDir {
    let files = ends.iter().map(|end| format!("{START}{end}"));
    let card = "dataset_description.json".to_owned();
    tree(&files.chain([card]).collect::<Vec<_>>())
}

#[test]
fn every_generation_of_names_is_read_with_its_companions() {
    for [table, cifti, coverage] in GENERATIONS {
        for motion in ["motion.tsv", "desc-filtered_motion.tsv"] {
            let sidecar = table.replace(".tsv", ".json={\"RepetitionTime\": 0.8}");
            let others = "space-fsLR_atlas-A_stat-reho_bold.tsv";
            let root = dataset(&[
                table,
                cifti,
                coverage,
                &sidecar,
                others,
                motion,
                "outliers.tsv",
            ]);
            let listing = list(root.path(), &ListOptions::default()).unwrap();
            let [scan] = &listing.scans[..] else {
                panic!("{listing:?}")
            };
            let at = |end: &str| root.path().join(format!("{START}{end}"));
            assert_eq!(scan.scan, "sub-01_task-imagery_run-01".into());
            assert_eq!(scan.subject, "01".into());
            assert_eq!(scan.signal, SignalFile::Table(at(table)));
            assert_eq!(scan.variant, table);
            assert_eq!(scan.tr_secs, Some(0.8));
            assert_eq!(scan.confounds, Some(ConfoundFile::Xcpd(at(motion))));
            assert_eq!(scan.outliers, Some(at("outliers.tsv")));
            assert_eq!(scan.coverage, Some(at(coverage)));
            assert_eq!(listing.notes, []);
        }
    }
}

#[test]
fn a_scan_with_a_cifti_file_alone_is_read_from_it() {
    for [_, cifti, _] in GENERATIONS {
        let bold = "space-fsLR_den-91k_desc-denoised_bold.json={\"RepetitionTime\": 2}";
        let root = dataset(&[cifti, bold]);
        let listing = list(root.path(), &ListOptions::default()).unwrap();
        let path = root.path().join(format!("{START}{cifti}"));
        assert_eq!(listing.scans[0].signal, SignalFile::Cifti(path));
        assert_eq!(listing.scans[0].tr_secs, Some(2.0));
        assert!(listing.notes[0].why.contains("no _motion.tsv"));
    }
}

#[test]
fn one_of_several_atlases_must_be_chosen() {
    let root = dataset(&[
        "space-fsLR_seg-4S156Parcels_stat-mean_timeseries.tsv",
        "space-fsLR_seg-Gordon_stat-mean_timeseries.tsv",
    ]);
    let mut options = ListOptions::default();
    let refused = |options: &ListOptions| match list(root.path(), options) {
        Err(StudyError::Config(InvalidField {
            field: "atlas_label",
            found,
            expected,
        })) => (found, expected),
        other => panic!("{other:?}"),
    };
    let known = "one of 4S156Parcels, Gordon";
    assert_eq!(refused(&options), ("not given".into(), known.into()));
    options.atlas_label = Some("Gordon".into());
    let listing = list(root.path(), &options).unwrap();
    assert!(listing.scans[0].variant.contains("seg-Gordon"));
    options.atlas_label = Some("gordon".into());
    assert_eq!(refused(&options), ("gordon".into(), known.into()));
}

#[test]
fn surfaces_come_first_then_the_common_template() {
    let space = |space: &str| format!("space-{space}_atlas-A_timeseries.tsv");
    let [surface, common, other, infant] = [
        "fsLR",
        "MNI152NLin2009cAsym_res-2",
        "MNI152NLin6Asym",
        "MNIInfant",
    ]
    .map(space);
    let taken = |files: &[&String], variant: Option<&str>| {
        let files: Vec<&str> = files.iter().map(|file| file.as_str()).collect();
        let root = dataset(&files);
        let options = ListOptions {
            variant: variant.map(str::to_owned),
            ..Default::default()
        };
        list(root.path(), &options).map(|mut listing| listing.scans.remove(0).variant)
    };
    assert_eq!(taken(&[&surface, &common, &other], None).unwrap(), surface);
    assert_eq!(taken(&[&common, &other], None).unwrap(), common);
    assert_eq!(taken(&[&other], None).unwrap(), other);
    assert_eq!(
        taken(&[&surface, &other], Some("NLin6Asym")).unwrap(),
        other
    );
    let error = taken(&[&other, &infant], None).unwrap_err();
    let is_of_field = matches!(
        &error,
        StudyError::Config(InvalidField { field: "variant", expected, .. })
            if expected.contains("space-MNI152NLin6Asym, space-MNIInfant")
    );
    assert!(is_of_field, "{error:?}");
}

#[test]
fn joined_runs_are_not_listed_a_second_time() {
    let end = "space-fsLR_atlas-A_stat-mean_timeseries.tsv";
    let file = |scan: &str| format!("sub-01/func/{scan}_{end}");
    let root = tree(&[
        file("sub-01_task-imagery_run-01"),
        file("sub-01_task-imagery_run-02"),
        file("sub-01_task-imagery"),
        file("sub-01_task-rest_dir-AP"),
        file("sub-01_task-rest_dir-PA"),
        file("sub-01_task-rest"),
        file("sub-01_task-wm_dir-AP_run-1"),
        file("sub-01_task-wm"),
        file("sub-01_task-alone"),
    ]);
    let listing = list(root.path(), &ListOptions::default()).unwrap();
    assert_eq!(
        scan_names(&listing),
        [
            "sub-01_task-alone",
            "sub-01_task-imagery_run-01",
            "sub-01_task-imagery_run-02",
            "sub-01_task-rest_dir-AP",
            "sub-01_task-rest_dir-PA",
            "sub-01_task-wm_dir-AP_run-1",
        ]
    );
    assert!(listing.notes.iter().any(|note| {
        note.what == "sub-01_task-imagery, sub-01_task-rest, sub-01_task-wm"
            && note.why.contains("join runs")
    }));
}

#[test]
fn sessions_and_tasks_are_told_and_chosen() {
    let end = "space-MNIInfant_atlas-Schaefer117_timeseries.tsv";
    let scan = |task: &str| format!("sub-01_ses-1mo_task-{task}_acq-PA_run-001");
    let file = |task: &str| format!("xcp_d/sub-01/ses-1mo/func/{}_{end}", scan(task));
    let root = tree(&[file("REST"), file("wm")]);
    let options = ListOptions {
        tasks: vec!["rest".into()],
        ..Default::default()
    };
    let listing = list(root.path(), &options).unwrap();
    assert_eq!(scan_names(&listing), [scan("REST")]);
    assert_eq!(listing.scans[0].session.as_deref(), Some("1mo"));
    assert_eq!(listing.scans[0].task.as_deref(), Some("rest"));
}

#[test]
fn confounds_of_fmriprep_are_no_signals() {
    let root = dataset(&["desc-confounds_timeseries.tsv"]);
    let listing = list(root.path(), &ListOptions::default()).unwrap();
    assert_eq!(listing.scans, []);
}

#[test]
fn a_scan_whose_sidecar_is_wrong_is_left_out() {
    let [table, ..] = GENERATIONS[0];
    let sidecar = table.replace(".tsv", ".json={\"RepetitionTime\": \"2\"}");
    let root = dataset(&[table, &sidecar]);
    let listing = list(root.path(), &ListOptions::default()).unwrap();
    assert_eq!(listing.scans, []);
    assert!(
        listing.notes[0]
            .why
            .contains("expected a number of seconds")
    );
}

#[test]
fn coverage_of_another_atlas_or_space_is_not_taken() {
    let [table, ..] = GENERATIONS[1];
    let root = dataset(&[
        table,
        "space-fsLR_seg-B_stat-coverage_bold.tsv",
        "space-MNIInfant_seg-A_stat-coverage_bold.tsv",
    ]);
    let listing = list(root.path(), &ListOptions::default()).unwrap();
    assert_eq!(listing.scans[0].coverage, None);
}
