//! Texts of the error messages.

use brainmae_files::CommonErrors as _;

use super::*;

fn texts(errors: Vec<DataError>) -> String {
    let lines = errors.iter().map(|error| format!("{error}\n"));
    lines.collect()
}

#[test]
fn preparing() {
    let path = || PathBuf::from("raw/bold.nii.gz");
    let out = || PathBuf::from("prepared/haxby2001");
    let exclusion = |number: usize, reason: &str| Exclusion {
        scan: ScanId::new(format!("sub-{number}")),
        subject: SubjectId::new(format!("{number}")),
        reason: reason.into(),
    };
    let recipe = |problem| DataError::recipe(&path(), problem);
    let scan = |problem| DataError::scan(&path(), problem);
    let coverage = |problem| DataError::Coverage {
        path: PathBuf::from("raw/coverage.tsv"),
        problem,
    };
    let occupied = |by| DataError::Occupied { path: out(), by };
    let source = |problem| DataError::Source {
        name: "mine".into(),
        problem,
    };
    insta::assert_snapshot!(texts(vec![
        DataError::Interrupted,
        source(SourceProblem::ScanTwice("sub-1".into())),
        source(SourceProblem::NoSuchScan {
            number: 7,
            n_scans: 3,
        }),
        source(SourceProblem::OtherScan {
            found: "sub-2".into(),
            expected: "sub-1".into(),
        }),
        source(SourceProblem::NotRead(4)),
        recipe(RecipeProblem::NoChecksum {
            file: "a.csv".into(),
        }),
        recipe(RecipeProblem::Truncated {
            found: 700,
            expected: 1452,
        }),
        recipe(RecipeProblem::MaskShape {
            found: vec![20, 40, 1],
            expected: vec![40, 20, 1],
            bold: path(),
        }),
        recipe(RecipeProblem::LabelCount {
            found: 1453,
            expected: 1452,
            bold: path(),
        }),
        recipe(RecipeProblem::LabelLine {
            line: 3,
            text: "face".into(),
        }),
        recipe(RecipeProblem::RunComesBack {
            line: 3,
            run: "0".into(),
        }),
        recipe(RecipeProblem::NoHeader),
        DataError::Toml {
            path: PathBuf::from("source.toml"),
            line: Some(5),
            message: "unknown field `tr`".into(),
        },
        DataError::config("min_coverage", 2.0, "a share from 0 to 1"),
        scan(ScanProblem::NoVertexLabels),
        scan(ScanProblem::VoxelGrid {
            found: [91, 109, 91],
            expected: [97, 115, 97],
        }),
        scan(ScanProblem::Part {
            first: 0,
            last: 99,
            n_volumes: 80,
        }),
        scan(ScanProblem::Outliers {
            found: 3,
            expected: 4,
        }),
        scan(ScanProblem::Tr {
            found: 0.82,
            expected: 0.72,
        }),
        scan(ScanProblem::NoTr),
        coverage(CoverageProblem::Rows { found: 2 }),
        coverage(CoverageProblem::Share(98.5)),
        coverage(CoverageProblem::NoNumber { line: 4 }),
        DataError::NothingLeft {
            name: "mine".into(),
            exclusions: vec![
                exclusion(1, "constant signal"),
                exclusion(2, "constant signal"),
                exclusion(3, "torn"),
            ],
        },
        occupied(Occupant::Other {
            name: "nitime".into(),
        }),
        occupied(Occupant::SomeFailed),
        occupied(Occupant::Damaged {
            problem: "a checksum".into(),
        }),
        occupied(Occupant::Unreadable {
            problem: "no card".into(),
        }),
        occupied(Occupant::Foreign),
    ]));
}

#[test]
fn prepared_data_sets() {
    let prepared = |problem| DataError::prepared(Path::new("prepared/mine"), problem);
    let series = |problem| {
        let scan = "sub-1".into();
        prepared(PreparedProblem::Series { scan, problem })
    };
    let group = |problem| prepared(PreparedProblem::RowGroup { group: 2, problem });
    let unknown = |absence| DataError::UnknownScan {
        dataset: "mine".into(),
        scan: "sub-9".into(),
        absence,
    };
    insta::assert_snapshot!(texts(vec![
        prepared(PreparedProblem::Format {
            found: 2,
            expected: 1,
        }),
        prepared(PreparedProblem::Atlas {
            atlas: "two".into(),
            problem: "it has no ROI".into(),
        }),
        prepared(PreparedProblem::AtlasDiffers {
            found_rois: 2,
            found_hash: "ab".into(),
            expected_rois: 3,
            expected_hash: "cd".into(),
        }),
        prepared(PreparedProblem::ScanCount {
            found: 3,
            expected: 4,
        }),
        prepared(PreparedProblem::TooFewVolumes {
            scan: "sub-1".into(),
            found: 9,
            kept: 10,
        }),
        prepared(PreparedProblem::NoColumn {
            column: "family".into(),
        }),
        prepared(PreparedProblem::NoValue {
            column: "scan".into(),
            row: 3,
        }),
        prepared(PreparedProblem::Hemisphere {
            roi: 3,
            found: "up".into(),
        }),
        prepared(PreparedProblem::Status {
            scan: "sub-1".into(),
            found: "lost".into(),
        }),
        prepared(PreparedProblem::BoldColumn {
            found: "None".into(),
            n_rois: 3,
        }),
        group(RowGroupProblem::NoColumn("kept")),
        group(RowGroupProblem::ScanNames),
        group(RowGroupProblem::Scan {
            found: Some("sub-1".into()),
            expected: "sub-2".into(),
        }),
        group(RowGroupProblem::KeptMarks),
        group(RowGroupProblem::Numbers),
        group(RowGroupProblem::Volumes {
            scan: "sub-1".into(),
            found: 9,
            expected: 10,
        }),
        series(SeriesProblem::Excluded),
        series(SeriesProblem::NoReason),
        series(SeriesProblem::KeptVolumes {
            found: 9,
            expected: 10,
        }),
        series(SeriesProblem::Tr {
            found: 1.0,
            expected: 2.0,
        }),
        series(SeriesProblem::Constants {
            found: 2,
            expected: 3,
        }),
        series(SeriesProblem::EventOf("sub-2".into())),
        prepared(PreparedProblem::ScanTwice("sub-1".into())),
        prepared(PreparedProblem::SubjectTwice),
        prepared(PreparedProblem::FileName("../a".into())),
        DataError::RoiCount {
            path: PathBuf::from("bold.parquet"),
            found: 2,
            expected: 3,
        },
        unknown(ScanAbsence::LeftOut {
            reason: "constant signal".into(),
        }),
        unknown(ScanAbsence::Unknown {
            n_scans: 12,
            first: "sub-1".into(),
        }),
        unknown(ScanAbsence::NoScans),
        DataError::UnknownSubject {
            scan: "sub-1".into(),
            subject: "1".into(),
        },
    ]));
}

#[test]
fn splits_stores_and_batches() {
    let groups = "families or single subjects";
    let file = |problem| DataError::SplitFile {
        path: PathBuf::from("splits.json"),
        problem,
    };
    let leak = |who| DataError::Leak {
        who,
        first: "train",
        second: "test",
    };
    let crop = |problem| DataError::Crop {
        scan: 1,
        start_volume: 5,
        problem,
    };
    let mut errors: Vec<DataError> = [
        SplitProblem::NamedAndDrawn,
        SplitProblem::TooFewForShares {
            n_groups: 1,
            groups,
        },
        SplitProblem::TooFewForFolds {
            n_groups: 3,
            groups,
            folds: 4,
        },
        SplitProblem::UnknownSite {
            subject: "2".into(),
            n_unknown: 3,
            n_subjects: 20,
        },
        SplitProblem::FamilyAtSites {
            subject: "2".into(),
            sites: vec!["Leiden".into(), "Oslo".into()],
        },
        SplitProblem::StrataOfOneSubject,
        SplitProblem::UnknownStratum {
            name: "age".into(),
            known: vec!["age_years".into(), "sex".into()],
        },
        SplitProblem::UnknownTarget { name: "age".into() },
        SplitProblem::NothingToTrainOn,
        SplitProblem::NobodyToTrainOn,
        SplitProblem::NobodyToValidateOn,
        SplitProblem::UnusableScan {
            set: "test",
            scan: "sub-1".into(),
            n_usable: 4,
        },
        SplitProblem::ByScan { n_subjects: 3 },
    ]
    .into_iter()
    .map(DataError::Split)
    .collect();
    errors.extend([
        file(SplitFileProblem::Format {
            found: 2,
            expected: 1,
        }),
        file(SplitFileProblem::Changed {
            found: "ab".into(),
            expected: "cd".into(),
        }),
        file(SplitFileProblem::OtherDataset {
            found: "one".into(),
            found_sha256: "ab".into(),
            expected: "two".into(),
            expected_sha256: "cd".into(),
        }),
        leak(LeakOf::Scan("sub-1".into())),
        leak(LeakOf::Subject("1".into())),
        leak(LeakOf::Family("4".into())),
        DataError::SharedSignal {
            first: "sub-1".into(),
            first_set: "train",
            second: "sub-2".into(),
            second_set: "test",
            likeness: Box::new(Likeness::Same),
        },
        DataError::Store(StoreProblem::Empty),
        DataError::Store(StoreProblem::Mixed {
            scan: "sub-2".into(),
            n_rois: 3,
            tr_secs: 0.5,
            first: "sub-1".into(),
            first_n_rois: 2,
            first_tr_secs: 0.5,
        }),
        crop(CropProblem::NoSuchScan { n_scans: 1 }),
        crop(CropProblem::TooLate {
            n_volumes: 8,
            segment_len_trs: 4,
        }),
        DataError::BatchRois {
            found: 2,
            expected: 3,
        },
        DataError::Loader(LoaderProblem::Panicked {
            number: 2,
            message: "no crops".into(),
        }),
    ]);
    insta::assert_snapshot!(texts(errors));
}
