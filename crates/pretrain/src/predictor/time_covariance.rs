//! Covariance between the volumes of neighbouring segments, the same for all ROIs.

use brainmae_data::ScanStore;
use nalgebra::DMatrix;

use crate::PretrainError;

/// Second moments of the volumes of a segment and of `around` segments before and after it, pooled
/// over ROIs and over all whole segments, one after another, of all scans. The matrix has
/// `(1 + 2 around) segment_len` rows, in the order of time. Means are zero after z-scoring.
///
/// Pairs of volumes of which one is censored or outside the scan do not count.
///
/// # Errors
/// If a scan cannot be read.
pub(super) fn time_covariance(
    store: &ScanStore,
    segment_len: usize,
    around: usize,
) -> Result<DMatrix<f64>, PretrainError> {
    let (rois, size) = (store.n_rois(), (1 + 2 * around) * segment_len);
    let mut sum = DMatrix::<f64>::zeros(size, size);
    // Number of segments by the two volumes of a pair.
    let mut counts = DMatrix::<f64>::zeros(size, size);
    for scan in 0..store.len() {
        let bold = store.series(scan)?;
        let n_segments = bold.n_volumes() / segment_len;
        let volume = |i: usize, segment: usize| {
            let volume = (segment * segment_len + i).checked_sub(around * segment_len)?;
            (volume < bold.n_volumes() && bold.is_kept(volume)).then_some(volume)
        };
        let windows = DMatrix::from_fn(size, n_segments * rois, |i, column| {
            let row = volume(i, column / rois).map(|volume| bold.row(volume));
            row.map_or(0.0, |row| f64::from(row[column % rois]))
        });
        sum.gemm(1.0, &windows, &windows.transpose(), 1.0);
        let kept = DMatrix::from_fn(size, n_segments, |i, segment| {
            f64::from(u8::from(volume(i, segment).is_some()))
        });
        counts.gemm(rois as f64, &kept, &kept.transpose(), 1.0);
    }
    Ok(sum.zip_map(&counts, |sum, count| sum / count.max(1.0)))
}

#[cfg(test)]
mod tests {
    use brainmae_data::{BoldSeries, StoredScan};

    use super::*;

    #[test]
    fn pairs_with_a_censored_volume_or_beyond_the_scan_do_not_count() {
        // One ROI, segments of one volume; the third volume is censored.
        let series = BoldSeries::new(vec![1.0, 2.0, 9.0, 4.0], 1, 1.0).expect("finite");
        let scan = StoredScan {
            scan: "a".into(),
            subject: "a".into(),
            series: series
                .with_kept(vec![true, true, false, true])
                .expect("four"),
        };
        let store = ScanStore::new(vec![scan]).expect("one scan");
        let found = time_covariance(&store, 1, 1).expect("in memory");
        // Before: volumes 0, 1 of the segments 1, 2. After: volumes 1, 3 of the segments 0, 2.
        let own = (1.0 + 4.0 + 16.0) / 3.0;
        let expected = DMatrix::from_row_slice(
            3,
            3,
            &[2.5, 2.0, 8.0, 2.0, own, 2.0, 8.0, 2.0, (4.0 + 16.0) / 2.0],
        );
        assert!((found - expected).amax() < 1e-12);
    }
}
