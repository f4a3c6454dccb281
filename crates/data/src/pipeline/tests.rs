//! Tests of the pipeline with a raw source defined here.

use std::fs;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::prepared::{PreparedDataset, PreparedWriter, ScanRecord, ScanStatus};
use brainmae_atlas::Atlas;
use brainmae_files::CommonErrors as _;
use brainmae_files::ScanId;
use brainmae_files::SubjectId;
use brainmae_signals::CleaningStep;
use brainmae_studies::SubjectRecord;

/// Scans of 20 volumes and two ROIs, each of a different subject.
struct Ramps {
    n_scans: usize,
    fault: Fault,
    /// Number of scans that were read.
    read: AtomicUsize,
}

/// Fault of the source.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    SameName,
    NotRead,
    UnknownNumber,
    OtherName,
    OwnError,
    OneFails,
    AllFail,
}

#[derive(Debug, thiserror::Error)]
#[error("the server does not answer")]
struct NoAnswer;

impl Ramps {
    fn new(n_scans: usize, fault: Fault) -> Self {
        Self {
            n_scans,
            fault,
            read: AtomicUsize::new(0),
        }
    }

    fn subject(number: usize) -> SubjectId {
        SubjectId::new(format!("{number}"))
    }

    fn name(&self, number: usize) -> ScanId {
        match self.fault {
            Fault::SameName => "sub-0".into(),
            _ => ScanId::new(format!("sub-{number}")),
        }
    }

    fn clean(&self, number: usize) -> Result<CleanedScan, DataError> {
        self.read.fetch_add(1, Ordering::Relaxed);
        let at = (0..2).flat_map(|roi| (0..20).map(move |volume| 2 * volume + roi));
        let values = at.map(|at| ((at * (number + 3)) % 17) as f64);
        let record = ScanRecord {
            scan: match self.fault {
                Fault::OtherName => "another".into(),
                _ => self.name(number),
            },
            subject: Self::subject(number),
            session: None,
            task: None,
            tr_secs: 1.0,
            n_volumes: 20,
            kept_volumes: 20,
            mean_fd_mm: None,
            variant: None,
            quality: Default::default(),
            source: "a test".into(),
            status: ScanStatus::Included,
            reason: None,
        };
        match self.fault {
            Fault::OneFails if number == 1 => Ok(CleanedScan::failed(record, "torn".into())),
            Fault::AllFail => Ok(CleanedScan::failed(record, "torn".into())),
            _ => {
                let mut cleaned = clean_series(
                    record,
                    values.collect(),
                    2,
                    &[CleaningStep::ZScore],
                    &|roi| format!("roi-{roi}"),
                    Vec::new(),
                )?;
                cleaned.remarks.push("counted".into());
                Ok(cleaned)
            }
        }
    }
}

impl RawSource for Ramps {
    fn identity(&self) -> &str {
        "ramps"
    }

    fn header(&self) -> DatasetHeader {
        DatasetHeader {
            name: "ramps".into(),
            licence: "CC0-1.0".into(),
            citation: String::new(),
            dt_secs: 1.0,
            cleaning: vec![CleaningStep::ZScore],
            atlas_source: String::new(),
            warnings: vec!["made up".into()],
            identity: String::new(),
        }
    }

    fn open(&mut self, _on_progress: &mut OnProgress<'_>) -> Result<Opened, DataError> {
        let names = [(1, "a".to_owned()), (2, "b".to_owned())];
        Ok(Opened {
            atlas: Atlas::from_label_table("two", "1", &names)?,
            scans: (0..self.n_scans)
                .map(|number| RawScan {
                    scan: self.name(number),
                    identity: format!("{number}"),
                })
                .collect(),
        })
    }

    fn read(&mut self, wanted: Wanted<'_>, sink: &ScanSink<'_>) -> Result<(), DataError> {
        match self.fault {
            Fault::NotRead => return Ok(()),
            Fault::OwnError => return Err(DataError::outside(NoAnswer)),
            Fault::UnknownNumber => return sink(99, self.clean(0)?),
            _ => {}
        }
        in_parallel(wanted, &|number| sink(number, self.clean(number)?))
    }

    fn subjects(&self, kept: &KeptScans<'_>) -> Result<Vec<SubjectRecord>, DataError> {
        let subject = |(number, scan): (usize, &KeptScan)| {
            let series = kept.series(scan)?;
            let mut record = SubjectRecord {
                subject: Self::subject(number),
                family: None,
                targets: Default::default(),
                categories: Default::default(),
            };
            if let Some(series) = series {
                let first = f64::from(series.values()[0]);
                record.targets.insert("first_value".into(), first);
            }
            Ok(record)
        };
        kept.scans().iter().enumerate().map(subject).collect()
    }

    fn add_tables(&self, writer: &mut PreparedWriter) -> Result<(), DataError> {
        writer.add_file("notes.txt", |path| {
            fs::write(path, "mine").map_err(DataError::io("write", path))
        })
    }
}

fn options(threads: usize) -> PrepareOptions {
    PrepareOptions {
        overwrite: false,
        threads,
    }
}

#[test]
fn a_source_from_outside_becomes_a_data_set_with_its_targets_and_tables() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("ramps");
    let mut source = Ramps::new(5, Fault::OneFails);
    let report = prepare(&mut source, &out, &options(3), &mut quiet).unwrap();
    assert_eq!((report.included, report.failures.len()), (4, 1));
    assert_eq!(report.warnings, ["made up", "in 4 scans: counted"]);
    let dataset = PreparedDataset::open(&out).unwrap();
    dataset.verify().unwrap();
    assert_eq!(dataset.header().identity, "ramps");
    assert_eq!(fs::read(out.join("notes.txt")).unwrap(), b"mine");
    for (subject, scan) in dataset.subjects().iter().zip(dataset.scans()) {
        assert_eq!(subject.subject, scan.subject);
        let target = subject.targets.get("first_value").copied();
        match dataset.bold(&scan.scan) {
            Ok(series) => assert_eq!(target, Some(f64::from(series.values()[0]))),
            Err(_) => assert!(scan.is_failed() && target.is_none()),
        }
    }

    let again = prepare(&mut source, &out, &options(3), &mut quiet).unwrap();
    assert!(again.up_to_date);
    assert_eq!(source.read.into_inner(), 5);
}

#[test]
fn a_caller_who_stops_keeps_what_is_finished_on_any_number_of_threads() {
    let whole = tempfile::tempdir().unwrap();
    let place = whole.path().join("ramps");
    let mut source = Ramps::new(12, Fault::None);
    let expected = prepare(&mut source, &place, &options(1), &mut quiet).unwrap();
    for threads in [1, 4] {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("ramps");
        let mut source = Ramps::new(12, Fault::None);
        let mut calls = 0;
        let stopped = prepare(&mut source, &out, &options(threads), &mut |at| {
            calls += 1;
            match at.done {
                3 => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        });
        assert!(stopped.unwrap_err().is_interrupted());
        // No progress is reported after the request to stop. Scans in progress are finished and
        // kept.
        assert_eq!(calls, 3);
        let read = source.read.load(Ordering::Relaxed);
        assert!((3..3 + threads).contains(&read), "{read} of {threads}");
        assert!(!out.exists());
        let report = prepare(&mut source, &out, &options(threads), &mut quiet).unwrap();
        assert_eq!(report.resumed, read);
        assert_eq!(source.read.load(Ordering::Relaxed), 12);
        assert_eq!(report.content_hash, expected.content_hash);
    }
}

#[test]
fn a_disk_that_takes_no_more_stops_all_threads() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("ramps");
    let mut source = Ramps::new(500, Fault::None);
    let parts = folder.path().join("ramps.partial/parts");
    let error = prepare(&mut source, &out, &options(4), &mut |at| {
        // Other threads may write into the folder while it is removed.
        while at.done == 5 && parts.exists() {
            let _ = fs::remove_dir_all(&parts);
        }
        ControlFlow::Continue(())
    })
    .unwrap_err();
    assert!(matches!(error, DataError::Files(_)), "{error}");
    assert!(source.read.into_inner() < 30);
    assert!(!out.exists());
}

#[test]
fn a_source_that_contradicts_itself_is_refused() {
    for (fault, expected) in [
        (Fault::SameName, SourceProblem::ScanTwice("sub-0".into())),
        (Fault::NotRead, SourceProblem::NotRead(3)),
        (
            Fault::UnknownNumber,
            SourceProblem::NoSuchScan {
                number: 99,
                n_scans: 3,
            },
        ),
        (
            Fault::OtherName,
            SourceProblem::OtherScan {
                found: "another".into(),
                expected: "sub-0".into(),
            },
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("ramps");
        let mut source = Ramps::new(3, fault);
        match prepare(&mut source, &out, &options(1), &mut quiet) {
            Err(DataError::Source { name, problem }) => {
                assert_eq!((name.as_str(), problem), ("ramps", expected));
            }
            other => panic!("{other:?}"),
        }
        assert!(fs::read_dir(folder.path()).unwrap().next().is_none());
    }
}

#[test]
fn an_error_of_the_source_reaches_the_caller_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("ramps");
    let mut source = Ramps::new(3, Fault::OwnError);
    match prepare(&mut source, &out, &options(1), &mut quiet) {
        Err(DataError::Outside(error)) => assert!(error.is::<NoAnswer>()),
        other => panic!("{other:?}"),
    }
    let mut source = Ramps::new(3, Fault::AllFail);
    match prepare(&mut source, &out, &options(1), &mut quiet) {
        Err(DataError::NothingLeft { name, exclusions }) => {
            assert_eq!((name.as_str(), exclusions.len()), ("ramps", 3));
        }
        other => panic!("{other:?}"),
    }
}
