//! Scans that hold the same signal under different names.
//!
//! A scan can occur twice in a data set: copied, rescaled, cleaned again with a little added noise,
//! or cut. If the copies are in two sets of a split, the test is invalid. So duplicates are found
//! by their signals, not by their names:
//!
//! 1. equal values, by their sha256;
//! 2. similar windows of 30 s in a random projection, which give a lag (`fingerprint.rs`);
//! 3. the correlation of all ROIs over the whole overlap at that lag, which decides (`overlap.rs`).
//!
//! Every scan is compared with the fingerprints of those before it, about 6 kB each. This takes
//! `scans² · volumes · windows` products, half a minute for 1,000 scans of 100 ROIs and 1,200
//! volumes on one core. If signals are slow and similar in all ROIs, it takes minutes, because more
//! pairs need the exact comparison.

mod fingerprint;
mod overlap;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::error::DataError;
pub use crate::likeness::Likeness;
use crate::prepared::PreparedDataset;
use crate::segment::SegmentLayout;
use crate::store::ScanStore;
use brainmae_files::FieldHasher;
use brainmae_files::id::ScanId;
use brainmae_signals::bold::BoldSeries;
use fingerprint::{Anchors, Projection};
use overlap::{Overlap, overlap};

/// Least mean correlation of the ROIs of two copies. White noise of a tenth of the signal's
/// standard deviation gives 0.995; two scans of one person, or of one task, are far below.
const LEAST_CORRELATION: f64 = 0.9;

/// Two scans with the same signal.
#[derive(Clone, Debug, PartialEq)]
pub struct Duplicate {
    /// The earlier scan in the data set.
    pub first: ScanId,
    /// The later scan.
    pub second: ScanId,
    /// Similarity of the two scans.
    pub likeness: Likeness,
}

/// All pairs of used scans of `dataset` with the same signal, in the order of the data set.
///
/// The search finds copies that were scaled and shifted per ROI, that have noise of a tenth of the
/// signal, and that were cut, if at least 60 s remain in both. Scans shorter than 30 s are only
/// compared value by value. `progress(done, total)` is called after every scan and may stop the
/// search.
///
/// # Errors
/// An error when a scan cannot be read; [`DataError::Interrupted`] when `progress` asked to stop.
pub fn find_duplicates(
    dataset: &PreparedDataset,
    progress: impl FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<Vec<Duplicate>, DataError> {
    let ids: Vec<ScanId> = dataset.included().map(|scan| scan.scan.clone()).collect();
    if ids.len() < 2 {
        return Ok(Vec::new());
    }
    let any_length = SegmentLayout {
        segment_len_trs: 1,
        n_segments: 1,
    };
    let store = ScanStore::load(dataset, &ids, &any_length)?;
    let name = |scan: usize| store.scans()[scan].scan.clone();
    Ok(search(&store, progress)?
        .into_iter()
        .map(|([first, second], likeness)| Duplicate {
            first: name(first),
            second: name(second),
            likeness,
        })
        .collect())
}

/// All pairs of scans of `store` with the same signal, sorted.
fn search(
    store: &ScanStore,
    mut progress: impl FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<Vec<([usize; 2], Likeness)>, DataError> {
    let longest = store.scans().iter().map(|scan| scan.n_volumes).max();
    let longest = longest.unwrap_or_default();
    let mut seen = Seen {
        projection: Projection::new(store.n_rois(), store.dt_secs(), longest),
        anchors: Anchors::default(),
        by_hash: BTreeMap::new(),
    };
    // The windows are taken from the shorter of two scans: every sufficient overlap contains one of
    // them.
    let mut order: Vec<usize> = (0..store.len()).collect();
    order.sort_by_key(|scan| store.scans()[*scan].n_volumes);
    let mut found = Vec::new();
    for (done, &scan) in order.iter().enumerate() {
        seen.compare(store, scan, &mut found)?;
        if progress(done + 1, order.len()).is_break() {
            return Err(DataError::Interrupted);
        }
    }
    found.sort_by_key(|(pair, _)| *pair);
    Ok(found)
}

/// The earlier scans, for the comparison with the next one.
struct Seen {
    projection: Projection,
    anchors: Anchors,
    by_hash: BTreeMap<String, Vec<usize>>,
}

impl Seen {
    /// Compares a scan with all earlier ones, and adds it to them.
    fn compare(
        &mut self,
        store: &ScanStore,
        scan: usize,
        found: &mut Vec<([usize; 2], Likeness)>,
    ) -> Result<(), DataError> {
        let series = store.series(scan)?;
        let same = self.by_hash.entry(hash(&series)).or_default();
        found.extend(
            same.iter()
                .map(|other| (sorted(*other, scan), Likeness::Same)),
        );
        let windows = self.projection.windows(&series);
        for candidate in self.anchors.alike(&windows) {
            if same.contains(&candidate.scan) {
                continue;
            }
            let other = store.series(candidate.scan)?;
            let least = self.projection.least_overlap(&other, &series);
            let mut overlaps = candidate
                .lags
                .iter()
                .filter_map(|lag| best_overlap(&other, &series, *lag));
            if let Some(near) =
                overlaps.find(|at| at.volumes >= least && at.correlation >= LEAST_CORRELATION)
            {
                found.push((
                    sorted(candidate.scan, scan),
                    likeness(&near, candidate.scan > scan, store.dt_secs()),
                ));
            }
        }
        same.push(scan);
        self.anchors.add(scan, &self.projection, &windows);
        Ok(())
    }
}

/// The best overlap at `lag` and its two neighbours, because a neighbouring window can be more
/// similar by chance. The neighbours are skipped if the correlation at `lag` is low.
fn best_overlap(first: &BoldSeries, second: &BoldSeries, lag: i64) -> Option<Overlap> {
    /// A slow signal has at least this correlation at a lag that is wrong by one volume.
    const WORTH_A_LOOK: f64 = 0.5;
    let middle = overlap(first, second, lag)?;
    if middle.correlation < WORTH_A_LOOK {
        return Some(middle);
    }
    let around = [lag - 1, lag + 1].map(|lag| overlap(first, second, lag));
    let all = around.into_iter().flatten().chain([middle]);
    all.max_by(|a, b| a.correlation.total_cmp(&b.correlation))
}

fn likeness(near: &Overlap, swapped: bool, dt_secs: f64) -> Likeness {
    let lag = if swapped { -near.lag } else { near.lag };
    Likeness::Near {
        correlation: near.correlation,
        lag_secs: lag as f64 * dt_secs,
        overlap_secs: near.volumes as f64 * dt_secs,
    }
}

fn sorted(a: usize, b: usize) -> [usize; 2] {
    [a.min(b), a.max(b)]
}

fn hash(series: &BoldSeries) -> String {
    let mut hasher = FieldHasher::new("signals");
    let mut bytes = Vec::with_capacity(series.n_rois() * size_of::<f32>());
    for volume in series.values().chunks_exact(series.n_rois()) {
        bytes.clear();
        bytes.extend(volume.iter().flat_map(|value| value.to_le_bytes()));
        hasher = hasher.field(&bytes);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests;
