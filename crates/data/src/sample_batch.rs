//! Batches of samples, cut out of the scans of a store.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{CropProblem, DataError};
use crate::segment::SegmentLayout;
use crate::store::ScanStore;
use brainmae_signals::bold::BoldSeries;

/// Minimum share of uncensored volumes in a segment. Censored volumes are interpolated; with fewer
/// uncensored ones, a model would mostly learn the interpolation.
const LEAST_KEPT_SHARE: f64 = 0.5;

/// Start of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crop {
    /// Index of the scan in the store.
    pub scan: usize,
    /// First volume.
    pub start_volume: usize,
}

/// Batch of samples, the input of the model.
///
/// A batch is allocated once and filled many times without new memory.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleBatch {
    /// Signals, `[batch, segments, rois, time]`; zero where a segment is not valid and in censored
    /// volumes, whose values were interpolated.
    pub bold: Vec<f32>,
    /// Whether a volume is of a valid segment and uncensored, `[batch, segments, time]`. Errors and
    /// losses count these volumes alone.
    pub kept: Vec<bool>,
    /// Start of each segment in seconds from the start of its crop, `[batch, segments]`.
    pub start_secs: Vec<f32>,
    /// Whether the scan has this segment and at least half of its volumes are uncensored, `[batch,
    /// segments]`.
    pub valid: Vec<bool>,
    /// Whether the scan of a sample has no signal of an ROI, `[batch, rois]`. Its values are 0.
    /// Encoders hide it, and losses do not count it.
    pub missing: Vec<bool>,
    /// Number of samples.
    pub batch: usize,
    /// Number of segments in a sample.
    pub segments: usize,
    /// Number of ROIs.
    pub rois: usize,
    /// Number of volumes in a segment.
    pub time: usize,
    /// Crop of each sample.
    pub crops: Vec<Crop>,
}

impl SampleBatch {
    /// An empty batch with room for `capacity` samples.
    pub fn new(capacity: usize, layout: &SegmentLayout, n_rois: usize) -> Self {
        let tokens = capacity * layout.n_segments;
        Self {
            bold: Vec::with_capacity(tokens * n_rois * layout.segment_len_trs),
            kept: Vec::with_capacity(tokens * layout.segment_len_trs),
            start_secs: Vec::with_capacity(tokens),
            valid: Vec::with_capacity(tokens),
            missing: Vec::with_capacity(capacity * n_rois),
            batch: 0,
            segments: layout.n_segments,
            rois: n_rois,
            time: layout.segment_len_trs,
            crops: Vec::with_capacity(capacity),
        }
    }

    fn clear(&mut self) {
        self.batch = 0;
        self.bold.clear();
        self.kept.clear();
        self.start_secs.clear();
        self.valid.clear();
        self.missing.clear();
        self.crops.clear();
    }
}

/// Cuts `crops` out of `store` into `batch`, whose memory is used again.
///
/// The segments of a sample tile its crop in order. A segment is zero and not valid if the scan
/// ends before it does, or if less than half of its volumes are uncensored. Censored volumes are
/// zero, the mean of a z-scored signal, because their interpolated values are smooth and easy to
/// predict. Consecutive crops of one scan read it once.
///
/// # Errors
/// [`DataError::Crop`] for a crop without one whole segment, [`DataError::BatchRois`] for a batch
/// with another number of ROIs, or an error that a scan cannot be read. The batch is then empty.
pub fn fill(store: &ScanStore, crops: &[Crop], batch: &mut SampleBatch) -> Result<(), DataError> {
    batch.clear();
    check_crops(store, crops, batch)?;
    batch.crops.extend_from_slice(crops);
    batch.batch = crops.len();
    cut(store, batch).inspect_err(|_| batch.clear())
}

fn check_crops(store: &ScanStore, crops: &[Crop], batch: &SampleBatch) -> Result<(), DataError> {
    if batch.rois != store.n_rois() {
        return Err(DataError::BatchRois {
            found: store.n_rois(),
            expected: batch.rois,
        });
    }
    for crop in crops {
        let refuse = |problem| DataError::Crop {
            scan: crop.scan,
            start_volume: crop.start_volume,
            problem,
        };
        let scan = store.scans().get(crop.scan);
        let n_volumes = scan
            .ok_or_else(|| {
                refuse(CropProblem::NoSuchScan {
                    n_scans: store.len(),
                })
            })?
            .n_volumes;
        if n_volumes.saturating_sub(crop.start_volume) < batch.time {
            return Err(refuse(CropProblem::TooLate {
                n_volumes,
                segment_len_trs: batch.time,
            }));
        }
    }
    Ok(())
}

/// Writes the signals of `batch.crops`, which have been checked.
fn cut(store: &ScanStore, batch: &mut SampleBatch) -> Result<(), DataError> {
    let (rois, time) = (batch.rois, batch.time);
    let segment_len = rois * time;
    batch
        .bold
        .resize(batch.batch * batch.segments * segment_len, 0.0);
    let mut places = batch.bold.chunks_exact_mut(segment_len);
    let mut read: Option<(usize, Arc<BoldSeries>)> = None;
    for crop in &batch.crops {
        let series = match read.take() {
            Some((scan, series)) if scan == crop.scan => series,
            _ => store.series(crop.scan)?,
        };
        for (segment, place) in places.by_ref().take(batch.segments).enumerate() {
            let offset = segment * time;
            let start = crop.start_volume + offset;
            let valid = start + time <= series.n_volumes() && enough_kept(&series, start, time);
            if valid {
                let volumes = &series.values()[start * rois..(start + time) * rois];
                for (at, volume) in volumes.chunks_exact(rois).enumerate() {
                    if !series.is_kept(start + at) {
                        continue;
                    }
                    for (signal, value) in place.chunks_exact_mut(time).zip(volume) {
                        signal[at] = *value;
                    }
                }
            }
            let kept = (start..start + time).map(|volume| valid && series.is_kept(volume));
            batch.kept.extend(kept);
            let start_secs = offset as f64 * store.dt_secs();
            batch.start_secs.push(start_secs as f32);
            batch.valid.push(valid);
        }
        batch
            .missing
            .extend((0..rois).map(|roi| series.is_missing(roi)));
        read = Some((crop.scan, series));
    }
    Ok(())
}

fn enough_kept(series: &BoldSeries, start: usize, time: usize) -> bool {
    let kept = (start..start + time).filter(|volume| series.is_kept(*volume));
    kept.count() as f64 >= LEAST_KEPT_SHARE * time as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::segment::SegmentSpec;
    use crate::store::tests::ramp_store;

    #[test]
    fn the_same_scan_at_two_trs_has_the_same_times() {
        let times = |dt_secs: f64| {
            let layout = SegmentSpec::default().layout(dt_secs).unwrap();
            let n_volumes = layout.sample_len_trs();
            let series = crate::BoldSeries::new(vec![0.0; n_volumes], 1, dt_secs).unwrap();
            let scan = crate::StoredScan {
                scan: "a".into(),
                subject: "a".into(),
                series,
            };
            let store = ScanStore::new(vec![scan]).unwrap();
            let mut batch = SampleBatch::new(1, &layout, 1);
            let crop = Crop {
                scan: 0,
                start_volume: 0,
            };
            fill(&store, &[crop], &mut batch).unwrap();
            batch.start_secs
        };
        let seconds: Vec<f32> = (0..20).map(|k| 15.0 * k as f32).collect();
        for dt_secs in [0.75, 1.5, 2.5, 3.0] {
            assert_eq!(times(dt_secs), seconds);
        }
    }

    #[test]
    fn a_batch_has_segments_then_rois_then_time() {
        // The value of ROI r in volume v is 10 v + r.
        let store = ramp_store(&[7], 2);
        let layout = SegmentLayout {
            segment_len_trs: 3,
            n_segments: 2,
        };
        let mut batch = SampleBatch::new(1, &layout, 2);
        let crop = Crop {
            scan: 0,
            start_volume: 1,
        };
        fill(&store, &[crop], &mut batch).unwrap();
        assert_eq!(
            batch.bold,
            [10., 20., 30., 11., 21., 31., 40., 50., 60., 41., 51., 61.]
        );
        assert_eq!(batch.start_secs, [0.0, 1.5]); // 3 volumes of 0.5 s
        assert_eq!(batch.valid, [true, true]);
    }

    #[test]
    fn what_a_short_scan_lacks_is_zero_and_not_valid() {
        let store = ramp_store(&[5], 1);
        let layout = SegmentLayout {
            segment_len_trs: 2,
            n_segments: 4,
        };
        let mut batch = SampleBatch::new(1, &layout, 1);
        let crop = Crop {
            scan: 0,
            start_volume: 0,
        };
        fill(&store, &[crop], &mut batch).unwrap();
        assert_eq!(batch.bold, [0., 10., 20., 30., 0., 0., 0., 0.]);
        assert_eq!(batch.valid, [true, true, false, false]);
    }

    #[test]
    fn censored_volumes_are_zero_and_a_segment_that_has_too_many_is_not_valid() {
        let mut kept = vec![true; 12];
        for censored in [0, 1, 5, 6, 7, 8] {
            kept[censored] = false;
        }
        let series = BoldSeries::new((1..13).map(|v| v as f32).collect(), 1, 1.0)
            .and_then(|series| series.with_kept(kept))
            .unwrap();
        let scan = crate::StoredScan {
            scan: "a".into(),
            subject: "a".into(),
            series,
        };
        let store = ScanStore::new(vec![scan]).unwrap();
        let layout = SegmentLayout {
            segment_len_trs: 4,
            n_segments: 3,
        };
        let mut batch = SampleBatch::new(1, &layout, 1);
        let crop = Crop {
            scan: 0,
            start_volume: 0,
        };
        fill(&store, &[crop], &mut batch).unwrap();
        // 2, 1 and 3 of 4 volumes are uncensored.
        assert_eq!(batch.valid, [true, false, true]);
        assert_eq!(
            batch.bold,
            [0., 0., 3., 4., 0., 0., 0., 0., 0., 10., 11., 12.]
        );
        let kept = [0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1].map(|kept| kept == 1);
        assert_eq!(batch.kept, kept);
    }

    #[test]
    fn filling_again_takes_no_new_memory_and_leaves_nothing_behind() {
        let store = ramp_store(&[8, 3], 2);
        let layout = SegmentLayout {
            segment_len_trs: 2,
            n_segments: 3,
        };
        let mut batch = SampleBatch::new(2, &layout, 2);
        let crop = |scan| Crop {
            scan,
            start_volume: 0,
        };
        fill(&store, &[crop(0), crop(0)], &mut batch).unwrap();
        let memory = (batch.bold.as_ptr(), batch.start_secs.as_ptr());
        fill(&store, &[crop(1)], &mut batch).unwrap();
        assert_eq!(memory, (batch.bold.as_ptr(), batch.start_secs.as_ptr()));
        assert_eq!(batch.bold[4..], [0.0; 8]);
        assert_eq!((batch.batch, batch.valid.len()), (1, 3));
    }

    #[test]
    fn crops_outside_a_scan_are_refused() {
        let store = ramp_store(&[8], 2);
        let layout = SegmentLayout {
            segment_len_trs: 4,
            n_segments: 1,
        };
        let mut batch = SampleBatch::new(1, &layout, 2);
        let late = CropProblem::TooLate {
            n_volumes: 8,
            segment_len_trs: 4,
        };
        let unknown = CropProblem::NoSuchScan { n_scans: 1 };
        for (scan, start_volume, expected) in [(0, 5, late), (0, usize::MAX, late), (1, 0, unknown)]
        {
            let crop = Crop { scan, start_volume };
            match fill(&store, &[crop], &mut batch) {
                Err(DataError::Crop { problem, .. }) => assert_eq!(problem, expected),
                other => panic!("{crop:?}: {other:?}"),
            }
        }
        let mut other = SampleBatch::new(1, &layout, 3);
        let error = fill(&store, &[], &mut other).unwrap_err();
        let DataError::BatchRois { found, expected } = error else {
            panic!("{error}")
        };
        assert_eq!((found, expected), (2, 3));
    }

    proptest! {
        #[test]
        fn segments_tile_a_crop(
            n_volumes in 2..60_usize,
            segment_len_trs in 2..8_usize,
            n_segments in 1..8_usize,
            start in 0..60_usize,
        ) {
            prop_assume!(start + segment_len_trs <= n_volumes);
            let store = ramp_store(&[n_volumes], 1);
            let layout = SegmentLayout { segment_len_trs, n_segments };
            let mut batch = SampleBatch::new(1, &layout, 1);
            fill(&store, &[Crop { scan: 0, start_volume: start }], &mut batch).unwrap();
            let whole = ((n_volumes - start) / segment_len_trs).min(n_segments);
            prop_assert_eq!(batch.valid.iter().filter(|valid| **valid).count(), whole);
            for (at, value) in batch.bold.iter().enumerate() {
                let expected = if at < whole * segment_len_trs { 10 * (start + at) } else { 0 };
                prop_assert_eq!(*value, expected as f32);
            }
        }
    }
}
