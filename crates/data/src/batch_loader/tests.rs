//! Comparison of the loader with batches that are cut directly.

use std::sync::mpsc;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::error::CropProblem;
use crate::store::StoreBudget;
use crate::store::tests::written;

const LAYOUT: SegmentLayout = SegmentLayout {
    segment_len_trs: 4,
    n_segments: 3,
};

const AHEAD: usize = 3;

/// A store of scans with a memory budget of `bytes`.
fn store(folder: &tempfile::TempDir, bytes: u64) -> Arc<ScanStore> {
    let place = folder.path().join(bytes.to_string());
    std::fs::create_dir(&place).unwrap();
    let dataset = written(&place, &[20, 13, 30, 17]);
    let ids: Vec<_> = dataset.included().map(|scan| scan.scan.clone()).collect();
    let mut budget = StoreBudget::new(bytes);
    Arc::new(ScanStore::load_within(&dataset, &ids, &LAYOUT, &mut budget).unwrap())
}

/// Pseudo-random crops that depend only on the number.
fn plan(number: u64) -> Vec<Crop> {
    let mut rng = ChaCha8Rng::seed_from_u64(number);
    (0..5)
        .map(|_| Crop {
            scan: rng.random_range(0..4),
            start_volume: rng.random_range(0..9),
        })
        .collect()
}

fn by_hand(store: &ScanStore, number: u64) -> SampleBatch {
    let mut batch = SampleBatch::new(5, &LAYOUT, 3);
    fill(store, &plan(number), &mut batch).unwrap();
    batch
}

#[test]
fn batches_are_the_same_from_memory_and_from_disk_in_whatever_order_they_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let memory = store(&folder, 1 << 20);
    let order = (0..12).chain([100, 101, 102, 3, 4, 5, 103, 104, 104, 7, u64::MAX]);
    for bytes in [0, 400] {
        let disk = store(&folder, bytes);
        assert!(disk.n_on_disk() > 0);
        let loader = BatchLoader::new(disk, LAYOUT, AHEAD, plan).unwrap();
        for number in order.clone() {
            let batch = loader.batch(number).unwrap();
            assert_eq!(batch, by_hand(&memory, number), "{number}");
            loader.recycle(batch);
        }
        assert!(loader.waited() > Duration::ZERO);
    }
}

#[test]
fn threads_that_ask_side_by_side_get_their_own_batches() {
    let folder = tempfile::tempdir().unwrap();
    let (memory, disk) = (store(&folder, 1 << 20), store(&folder, 0));
    let loader = BatchLoader::new(disk, LAYOUT, AHEAD, plan).unwrap();
    std::thread::scope(|scope| {
        for part in 0..3 {
            let (loader, memory) = (&loader, &memory);
            scope.spawn(move || {
                for step in 0..20 {
                    let number = 3 * step + part;
                    let batch = loader.batch(number).unwrap();
                    assert_eq!(batch, by_hand(memory, number));
                    loader.recycle(batch);
                }
            });
        }
    });
}

#[test]
fn batches_are_made_before_they_are_asked_for_but_no_further_than_told() {
    let folder = tempfile::tempdir().unwrap();
    let (sender, made) = mpsc::channel();
    let loader = BatchLoader::new(store(&folder, 0), LAYOUT, AHEAD, move |number| {
        // The receiver no longer exists after a failed test.
        let _ = sender.send(number);
        plan(number)
    })
    .unwrap();
    let next = || made.recv_timeout(Duration::from_secs(60)).unwrap();
    loader.batch(8).unwrap();
    assert_eq!([next(), next(), next(), next()], [8, 9, 10, 11]);
    loader.batch(9).unwrap();
    assert_eq!(next(), 12);
    drop(loader);
    // No batch was made twice, or beyond 9 + 3.
    assert_eq!(made.try_iter().count(), 0);
}

#[test]
fn an_error_and_a_panic_reach_the_one_who_asks_and_the_next_batch_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let (memory, disk) = (store(&folder, 1 << 20), store(&folder, 0));
    for scans in [&disk, &memory] {
        let loader = BatchLoader::new(Arc::clone(scans), LAYOUT, AHEAD, |number| match number {
            1 => vec![Crop {
                scan: 9,
                start_volume: 0,
            }],
            2 => panic!("no crops for this one"),
            _ => plan(number),
        })
        .unwrap();
        assert_eq!(loader.batch(0).unwrap(), by_hand(&memory, 0));
        assert!(matches!(
            loader.batch(1),
            Err(DataError::Crop {
                problem: CropProblem::NoSuchScan { n_scans: 4 },
                ..
            })
        ));
        match loader.batch(2) {
            Err(DataError::Loader(LoaderProblem::Panicked { number, message })) => {
                assert_eq!((number, message.as_str()), (2, "no crops for this one"));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(loader.batch(3).unwrap(), by_hand(&memory, 3));
    }
}

#[test]
fn dropping_the_loader_ends_its_thread() {
    let folder = tempfile::tempdir().unwrap();
    let scans = store(&folder, 0);
    let loader = BatchLoader::new(Arc::clone(&scans), LAYOUT, AHEAD, plan).unwrap();
    loader.batch(0).unwrap();
    drop(loader);
    assert_eq!(Arc::strong_count(&scans), 1);
}

#[test]
fn a_batch_given_back_lends_its_memory_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let loader = BatchLoader::new(store(&folder, 1 << 20), LAYOUT, AHEAD, plan).unwrap();
    let first = loader.batch(0).unwrap();
    let memory = first.bold.as_ptr();
    loader.recycle(first);
    assert_eq!(loader.batch(1).unwrap().bold.as_ptr(), memory);
}
