//! Data sets in this repository, from their raw files to batches.

use std::fs;
use std::ops::ControlFlow;

use brainmae_data::error::Occupant;
use brainmae_data::pipeline::quiet;
use brainmae_data::{
    Crop, DataError, Hemisphere, PrepareOptions, PrepareReport, PreparedDataset, SampleBatch,
    ScanStore, SegmentSpec, SplitSpec, SplitUnit, Step, epoch_order, fill, prepare_recipe, tile,
};

use brainmae_files::FileError;

use crate::common::{Copy, OPTIONS, dataset_dir, prepare_quietly, streams};

#[test]
fn haxby2001_becomes_twelve_scans_of_a_hundred_rois() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("haxby2001");
    let report = prepare_quietly(&dataset_dir("haxby2001"), &out).unwrap();
    assert_eq!((report.included, report.n_rois), (12, 100));
    assert!(report.exclusions.is_empty() && !report.up_to_date);
    assert!(!folder.path().join("haxby2001.partial").exists());

    let dataset = PreparedDataset::open(&out).unwrap();
    dataset.verify().unwrap();
    assert_eq!(dataset.atlas().name, "spatial-100");
    assert_eq!(dataset.content_hash(), report.content_hash);
    assert_eq!(
        dataset.scans()[11].scan.as_str(),
        "sub-1_task-objects_run-12"
    );
    // 8 categories in each run, in one block of 9 volumes each.
    assert_eq!(dataset.events().len(), 12 * 8);
    assert!(
        dataset
            .events()
            .iter()
            .all(|event| event.duration_secs == 22.5)
    );
    let first = &dataset.events()[0];
    assert_eq!(
        (first.condition.as_str(), first.onset_secs),
        ("scissors", 15.0)
    );

    for scan in dataset.scans() {
        let series = dataset.bold(&scan.scan).unwrap();
        assert_eq!((series.n_volumes(), series.tr_secs()), (121, 2.5));
        for roi in 0..100 {
            let signal: Vec<f64> = (0..121).map(|at| f64::from(series.row(at)[roi])).collect();
            let mean = signal.iter().sum::<f64>() / 121.0;
            let variance = signal.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 121.0;
            let slope: f64 = signal
                .iter()
                .enumerate()
                .map(|(at, x)| (at as f64 - 60.0) * x)
                .sum();
            assert!(mean.abs() < 1e-5 && (variance - 1.0).abs() < 1e-5);
            assert!(slope.abs() < 1e-2);
        }
    }
}

#[test]
fn haxby2001_is_split_by_run_and_cut_into_batches() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("haxby2001");
    prepare_quietly(&dataset_dir("haxby2001"), &out).unwrap();
    let dataset = PreparedDataset::open(&out).unwrap();
    let run = |number: usize| {
        format!("sub-1_task-objects_run-{number:02}")
            .as_str()
            .into()
    };
    let spec = SplitSpec {
        test_scans: vec![run(11), run(12)],
        validation_scans: vec![run(10)],
        ..SplitSpec::default()
    };
    let mut rng = streams(0, "split");
    let split = spec.draw(&dataset, &mut *rng).unwrap();
    split.check(&dataset).unwrap();
    assert_eq!((split.unit, split.train.len()), (SplitUnit::Scan, 9));

    let layout = SegmentSpec::default().layout(dataset.dt_secs()).unwrap();
    let store = ScanStore::load(&dataset, &split.train, &layout).unwrap();
    let crops: Vec<Crop> = epoch_order(store.len(), &mut *rng)
        .into_iter()
        .flat_map(|scan| tile(&store, scan, &layout))
        .collect();
    assert_eq!(crops.len(), 9); // 121 volumes hold one sample of 120
    let mut batch = SampleBatch::new(crops.len(), &layout, store.n_rois());
    fill(&store, &crops, &mut batch).unwrap();
    assert_eq!(
        (batch.batch, batch.segments, batch.rois, batch.time),
        (9, 20, 100, 6)
    );
    assert_eq!(batch.bold.len(), 9 * 20 * 100 * 6);
    assert!(batch.valid.iter().all(|valid| *valid));
    assert_eq!(batch.start_secs[19], 285.0);
}

#[test]
fn nitime_becomes_one_scan_of_28_rois() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("nitime");
    let report = prepare_quietly(&dataset_dir("nitime"), &out).unwrap();
    assert_eq!((report.included, report.n_rois), (1, 28));
    let dataset = PreparedDataset::open(&out).unwrap();
    let rois = &dataset.atlas().rois;
    assert_eq!(rois[0].name, "LCau");
    assert_eq!(rois[0].hemisphere, Some(Hemisphere::Left));
    assert_eq!(rois[27].hemisphere, Some(Hemisphere::Right));
    assert_eq!(
        dataset.bold(&"sub-1_task-rest".into()).unwrap().n_volumes(),
        250
    );
}

#[test]
fn preparing_again_changes_nothing() {
    let copy = Copy::of("nitime");
    let first = copy.prepare().unwrap();
    let written = fs::metadata(copy.out().join("dataset.toml"))
        .unwrap()
        .modified();
    let again = copy.prepare().unwrap();
    assert!(again.up_to_date);
    assert_eq!(again.content_hash, first.content_hash);
    let still = fs::metadata(copy.out().join("dataset.toml"))
        .unwrap()
        .modified();
    assert_eq!(still.unwrap(), written.unwrap());
}

#[test]
fn the_same_files_give_the_same_data_set_everywhere() {
    let copies = [Copy::of("haxby2001"), Copy::of("haxby2001")];
    let [first, second] = copies.each_ref().map(|copy| copy.prepare().unwrap());
    assert_eq!(first.content_hash, second.content_hash);
}

#[test]
fn another_data_set_is_replaced_only_when_asked_to() {
    let copy = Copy::of("nitime");
    copy.prepare().unwrap();
    copy.change_recipe("\"detrend-linear\", ", "");
    assert!(matches!(occupant(&copy), Occupant::Other { name } if name == "nitime"));

    let options = PrepareOptions {
        overwrite: true,
        ..OPTIONS
    };
    prepare_recipe(
        copy.folder.path(),
        &copy.out(),
        &streams,
        &options,
        &mut quiet,
    )
    .unwrap();
    let dataset = PreparedDataset::open(&copy.out()).unwrap();
    assert_eq!(dataset.header().cleaning.len(), 1);

    // Another folder is not changed, with or without `overwrite`.
    let elsewhere = copy.path("thesis");
    fs::create_dir(&elsewhere).unwrap();
    fs::write(elsewhere.join("chapter"), "1").unwrap();
    let refused = prepare_recipe(
        copy.folder.path(),
        &elsewhere,
        &streams,
        &options,
        &mut quiet,
    );
    assert!(matches!(
        refused,
        Err(DataError::Occupied {
            by: Occupant::Foreign,
            ..
        })
    ));
    assert_eq!(fs::read(elsewhere.join("chapter")).unwrap(), b"1");
}

/// The content that prevents the preparation of a copy.
fn occupant(copy: &Copy) -> Occupant {
    match copy.prepare() {
        Err(DataError::Occupied { by, .. }) => by,
        other => panic!("{other:?}"),
    }
}

/// Prepares a copy until `done` pieces of a step are finished.
fn stop_at_place(copy: &Copy, step: Step, done: usize) -> Result<PrepareReport, DataError> {
    prepare_recipe(
        copy.folder.path(),
        &copy.out(),
        &streams,
        &OPTIONS,
        &mut |progress| match (progress.step, progress.done) {
            at if at == (step, done) => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        },
    )
}

#[test]
fn a_panic_while_progress_is_shown_leaves_what_is_finished() {
    let copy = Copy::of("haxby2001");
    let killed = std::panic::catch_unwind(|| {
        prepare_recipe(
            copy.folder.path(),
            &copy.out(),
            &streams,
            &OPTIONS,
            &mut |progress| {
                assert!(progress.step != Step::Scan || progress.done < 5, "killed");
                ControlFlow::Continue(())
            },
        )
    });
    assert!(killed.is_err() && !copy.out().exists());
    assert_eq!(copy.prepare().unwrap().resumed, 5);
}

#[test]
fn interrupted_work_is_continued() {
    let whole = Copy::of("haxby2001").prepare().unwrap();
    let copy = Copy::of("haxby2001");
    for (stop_at, step) in [(3, Step::Verify), (5, Step::Scan), (7, Step::Assemble)] {
        let stopped = stop_at_place(&copy, step, stop_at);
        assert!(matches!(stopped, Err(DataError::Interrupted)));
        assert!(!copy.out().exists());
    }
    let report = copy.prepare().unwrap();
    assert_eq!(report.resumed, 12);
    assert_eq!(report.content_hash, whole.content_hash);
    assert!(!copy.path("prepared.partial").exists());
}

#[test]
fn a_damaged_part_is_made_again() {
    let copy = Copy::of("haxby2001");
    let stopped = stop_at_place(&copy, Step::Assemble, 1);
    assert!(matches!(stopped, Err(DataError::Interrupted)));
    let parts = fs::read_dir(copy.path("prepared.partial/parts")).unwrap();
    let signals = parts
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|ending| ending == "parquet"))
        .unwrap();
    let mut bytes = fs::read(&signals).unwrap();
    bytes[100] ^= 1;
    fs::write(&signals, bytes).unwrap();
    assert_eq!(copy.prepare().unwrap().resumed, 11);
}

#[test]
fn a_damaged_data_set_is_found() {
    let copy = Copy::of("nitime");
    copy.prepare().unwrap();
    // A table that is not read on opening.
    let path = copy.out().join("normalisation.parquet");
    let mut bytes = fs::read(&path).unwrap();
    bytes[5] ^= 1;
    fs::write(&path, bytes).unwrap();
    let error = PreparedDataset::open(&copy.out()).and_then(|dataset| dataset.verify());
    assert!(matches!(
        error,
        Err(DataError::Files(FileError::Checksum { path: found, .. })) if found == path
    ));
    assert!(matches!(occupant(&copy), Occupant::Damaged { .. }));

    let path = copy.out().join("events.parquet");
    fs::write(&path, "torn").unwrap();
    match PreparedDataset::open(&copy.out()) {
        Err(DataError::Table { path: found, .. }) => assert_eq!(found, path),
        other => panic!("{other:?}"),
    }
    assert!(matches!(occupant(&copy), Occupant::Unreadable { .. }));
}
