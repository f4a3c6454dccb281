use brainmae_files::CommonErrors as _;

use super::*;
use crate::listing::Note;

/// One message per kind of file, as users see them.
fn messages(errors: impl IntoIterator<Item = StudyError>) -> String {
    let lines: Vec<String> = errors.into_iter().map(|error| error.to_string()).collect();
    lines.join("\n")
}

#[test]
fn a_folder_without_scans_says_what_was_looked_for() {
    let nothing = NothingFound {
        layout: "fmriprep",
        about: "fMRIPrep: sub-*/func/*_bold.dtseries.nii",
        subjects: ["1", "2", "3", "4"].map(str::to_owned).into(),
        tasks: vec!["rest".into()],
        notes: vec![Note::missing("sub-1", "it has no func folder")],
        fits: Some(("xcpd", "XCP-D: sub-*/func/*_timeseries.tsv")),
    };
    let twice = ListingProblem::ScanTwice {
        scan: "sub-1_task-a".into(),
        first: "raw/a.tsv".into(),
    };
    let mixed = MixedVariants {
        tasks: vec![MixedTask {
            task: "rest".into(),
            variant: "_Atlas_hp2000_clean".into(),
            n_scans: 40,
            lacking: ["sub-1_task-rest", "sub-7_task-rest"]
                .map(Into::into)
                .into(),
            common: Some("_Atlas".into()),
        }],
        common_asked: false,
    };
    let listing = |path: &str, problem| StudyError::Listing {
        path: path.into(),
        problem,
    };
    insta::assert_snapshot!(messages([
        listing("raw", ListingProblem::NothingFound(Box::new(nothing))),
        listing("raw/b.tsv", twice),
        listing("raw", ListingProblem::MixedVariants(mixed)),
    ]));
}

#[test]
fn a_manifest_is_refused_with_its_line() {
    use ManifestProblem as P;
    static COLUMNS: [&str; 2] = ["subject", "path"];
    let at = |problem| StudyError::manifest(Path::new("raw/manifest.tsv"), 3, problem);
    let missing = P::MissingColumn {
        column: "path",
        found: vec!["subject".into(), "file".into()],
        columns: &COLUMNS,
    };
    let kinds = P::SeveralKinds {
        kinds: vec![".npy", "NIfTI"],
        columns: &COLUMNS,
    };
    let (found, file) = ("2000".to_owned(), "a.mat".to_owned());
    insta::assert_snapshot!(messages([
        StudyError::manifest(Path::new("raw"), None, P::TwoFiles),
        StudyError::manifest(Path::new("raw"), None, kinds),
        at(missing),
        at(P::TrInMilliseconds { found }),
        at(P::OneVolume),
        at(P::SignalEnding { file }),
        at(P::ConfoundKind),
        at(P::SharedVolumes { other_line: 2 }),
    ]));
}

#[test]
fn tables_of_subjects_events_and_confounds_are_refused_with_their_line() {
    let path = Path::new("raw/a.tsv");
    let differs = PhenotypeProblem::Differs {
        column: "SCORE".into(),
        other: "raw/b.tsv".into(),
    };
    let missing = EventProblem::MissingColumn {
        column: "onset",
        found: vec!["a".into(), "b".into()],
    };
    let cell = ConfoundProblem::Cell {
        column: "trans_x".into(),
        found: "x".repeat(50),
        expected: "a number",
    };
    let motion = ConfoundProblem::MissingMotion { column: "trans_z" };
    let censored = ConfoundProblem::CensoredRows {
        found: 3,
        n_volumes: 5,
        n_kept: 2,
    };
    let rows = ConfoundProblem::Rows {
        found: 2,
        expected: 3,
    };
    let outliers = ConfoundProblem::NoOutlierColumn {
        found: vec!["exact_100".into(), "exact_200".into()],
    };
    insta::assert_snapshot!(messages([
        StudyError::phenotype(path, None, differs),
        StudyError::phenotype(path, None, PhenotypeProblem::NoSubject),
        StudyError::events(path, 1, missing),
        StudyError::events(path, 2, EventProblem::NegativeDuration { secs: -2.0 }),
        StudyError::confounds(path, 3, cell),
        StudyError::confounds(path, 1, motion),
        StudyError::confounds(path, None, censored),
        StudyError::confounds(path, None, rows),
        StudyError::confounds(path, 1, outliers),
        StudyError::sidecar(path, SidecarProblem::TrInMilliseconds { secs: 2000.0 }),
        StudyError::config("layout", "bids", "one of hcp, nsd"),
    ]));
}
