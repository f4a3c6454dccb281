//! Stores of synthetic scans, in memory and on disk.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use brainmae_files::FileError;

/// Scans of these lengths, 0.5 s per volume; ROI r of volume v has the value 10 v + r.
pub(crate) fn ramp_store(volumes: &[usize], n_rois: usize) -> ScanStore {
    let scans = volumes
        .iter()
        .enumerate()
        .map(|(at, &n_volumes)| ramp_scan(at, n_volumes, n_rois))
        .collect();
    ScanStore::new(scans).unwrap()
}

fn ramp_scan(at: usize, n_volumes: usize, n_rois: usize) -> StoredScan {
    let values = (0..n_volumes * n_rois)
        .map(|place| (10 * (place / n_rois) + place % n_rois) as f32)
        .collect();
    StoredScan {
        scan: ScanId::new(format!("scan-{at}")),
        subject: SubjectId::new(format!("{at}")),
        series: BoldSeries::new(values, n_rois, 0.5).unwrap(),
    }
}

#[test]
fn scans_of_different_atlases_do_not_mix() {
    let scans: Vec<StoredScan> = [2, 3].map(|n_rois| ramp_scan(0, 4, n_rois)).into();
    assert!(matches!(
        ScanStore::new(scans),
        Err(DataError::Store(StoreProblem::Mixed {
            n_rois: 3,
            first_n_rois: 2,
            ..
        }))
    ));
    assert!(matches!(
        ScanStore::new(Vec::new()),
        Err(DataError::Store(StoreProblem::Empty))
    ));
}

/// A data set on disk with scans of these lengths, 2 s per volume. Each scan has a different
/// subject and some censored volumes.
pub(crate) fn written(folder: &std::path::Path, volumes: &[usize]) -> PreparedDataset {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let atlas = crate::Atlas {
        name: "test".into(),
        version: "1".into(),
        rois: (0..3)
            .map(|index| crate::Roi {
                index,
                name: format!("roi-{index}"),
                network: None,
                hemisphere: None,
                centroid_mm: None,
            })
            .collect(),
    };
    let header = crate::DatasetHeader {
        name: "test".into(),
        licence: "CC0-1.0".into(),
        citation: String::new(),
        dt_secs: 2.0,
        cleaning: Vec::new(),
        atlas_source: String::new(),
        warnings: Vec::new(),
        identity: "test".into(),
    };
    let place = folder.join("prepared");
    let mut writer = crate::PreparedWriter::create(&place, header, atlas).unwrap();
    let constants = [brainmae_signals::cleaning::RoiConstants {
        mean: None,
        sd: None,
        slope_per_volume: None,
    }; 3];
    let mut subjects = Vec::new();
    for (at, &n_volumes) in volumes.iter().enumerate() {
        let values = (0..n_volumes * 3).map(|_| rng.random()).collect();
        let kept = (0..n_volumes).map(|_| rng.random_bool(0.6)).collect();
        let series = BoldSeries::new(values, 3, 2.0).unwrap();
        let series = series.with_kept(kept).unwrap();
        let record = ScanRecord {
            scan: ScanId::new(format!("scan-{at}")),
            subject: SubjectId::new(format!("{at}")),
            session: None,
            task: None,
            tr_secs: 2.0,
            n_volumes,
            kept_volumes: series.n_kept(),
            mean_fd_mm: None,
            variant: None,
            quality: Default::default(),
            source: String::new(),
            status: crate::ScanStatus::Included,
            reason: None,
        };
        subjects.push(crate::SubjectRecord {
            subject: record.subject.clone(),
            family: None,
            targets: BTreeMap::new(),
            categories: BTreeMap::new(),
        });
        writer.add(record, &series, &constants, &[]).unwrap();
    }
    writer.finish(&subjects).unwrap();
    PreparedDataset::open(&place).unwrap()
}

const LAYOUT: SegmentLayout = SegmentLayout {
    segment_len_trs: 4,
    n_segments: 2,
};

fn ids(dataset: &PreparedDataset) -> Vec<ScanId> {
    dataset.included().map(|scan| scan.scan.clone()).collect()
}

#[test]
fn scans_stay_on_disk_when_the_budget_is_spent_and_read_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = written(folder.path(), &[10, 12, 9]);
    let ids = ids(&dataset);
    let load =
        |budget: &mut StoreBudget| ScanStore::load_within(&dataset, &ids, &LAYOUT, budget).unwrap();
    // 10, 12 and 9 volumes of 3 ROIs of 4 bytes: the first and the last fit.
    let mut budget = StoreBudget::new(19 * 12);
    let (memory, mixed) = (load(&mut StoreBudget::default()), load(&mut budget));
    assert_eq!((memory.n_on_disk(), mixed.n_on_disk()), (0, 1));
    assert_eq!(budget.left(), 0);
    assert_eq!(memory.scans(), mixed.scans());
    for (scan, id) in ids.iter().enumerate() {
        let series = dataset.bold(id).unwrap();
        assert_eq!(*memory.series(scan).unwrap(), series);
        assert_eq!(*mixed.series(scan).unwrap(), series);
    }
}

#[test]
fn scans_too_short_for_a_segment_are_left_out_wherever_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = written(folder.path(), &[10, 3]);
    for bytes in [0, 1 << 20] {
        let mut budget = StoreBudget::new(bytes);
        let store = ScanStore::load_within(&dataset, &ids(&dataset), &LAYOUT, &mut budget).unwrap();
        assert_eq!(store.len(), 1);
        assert_eq!(
            store.exclusions()[0].reason,
            "3 volumes, one segment needs 4"
        );
    }
}

#[test]
fn a_scan_that_cannot_be_read_any_more_is_an_error_and_the_batch_is_empty() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = written(folder.path(), &[10]);
    let mut budget = StoreBudget::new(0);
    let store = ScanStore::load_within(&dataset, &ids(&dataset), &LAYOUT, &mut budget).unwrap();
    std::fs::remove_file(dataset.path().join("bold.parquet")).unwrap();
    let mut batch = crate::SampleBatch::new(1, &LAYOUT, 3);
    let crop = crate::Crop {
        scan: 0,
        start_volume: 0,
    };
    let error = crate::fill(&store, &[crop], &mut batch).unwrap_err();
    match error {
        DataError::Files(FileError::Io { path, .. }) => {
            assert_eq!(path, dataset.path().join("bold.parquet"));
        }
        other => panic!("{other}"),
    }
    assert!(batch.batch == 0 && batch.bold.is_empty() && batch.crops.is_empty());
}
