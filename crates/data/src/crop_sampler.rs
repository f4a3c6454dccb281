//! Crops: random ones for an epoch, and consecutive ones that tile a scan.

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use crate::sample_batch::Crop;
use crate::segment::SegmentLayout;
use crate::store::ScanStore;

/// The numbers `0..n`, shuffled.
pub fn epoch_order(n: usize, rng: &mut (impl Rng + ?Sized)) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    order.shuffle(rng);
    order
}

/// A crop of a scan of `store` at a random start where a whole sample fits; at the first volume if
/// the scan is shorter than a sample.
///
/// # Panics
/// When the store has no scan with this index.
pub fn random_crop(
    store: &ScanStore,
    scan: usize,
    layout: &SegmentLayout,
    rng: &mut (impl Rng + ?Sized),
) -> Crop {
    let n_volumes = store.scans()[scan].n_volumes;
    let room = n_volumes.saturating_sub(layout.sample_len_trs());
    Crop {
        scan,
        start_volume: rng.random_range(0..=room),
    }
}

/// All consecutive samples of a scan, without overlap. The last one may be padded. The rest after
/// it is shorter than one segment and is not used.
///
/// # Panics
/// When the store has no scan with this index.
pub fn tile(store: &ScanStore, scan: usize, layout: &SegmentLayout) -> Vec<Crop> {
    tile_from(store, scan, layout, 0)
}

/// The samples of [`tile`], starting at volume `start`.
///
/// # Panics
/// As [`tile`].
pub fn tile_from(
    store: &ScanStore,
    scan: usize,
    layout: &SegmentLayout,
    start: usize,
) -> Vec<Crop> {
    let n_volumes = store.scans()[scan].n_volumes;
    (start..n_volumes)
        .step_by(layout.sample_len_trs().max(1))
        .filter(|start| start + layout.segment_len_trs <= n_volumes)
        .map(|start_volume| Crop { scan, start_volume })
        .collect()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::store::tests::ramp_store;

    const LAYOUT: SegmentLayout = SegmentLayout {
        segment_len_trs: 3,
        n_segments: 2,
    };

    #[test]
    fn an_epoch_has_everyone_once_in_an_order_of_its_own() {
        let order = |seed| epoch_order(50, &mut ChaCha8Rng::seed_from_u64(seed));
        let mut sorted = order(1);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..50).collect::<Vec<_>>());
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
    }

    #[test]
    fn random_crops_reach_every_start_that_fits() {
        let store = ramp_store(&[8, 4], 1);
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let mut starts: Vec<usize> = (0..100)
            .map(|_| random_crop(&store, 0, &LAYOUT, &mut rng).start_volume)
            .collect();
        starts.sort_unstable();
        starts.dedup();
        assert_eq!(starts, [0, 1, 2]);
        assert_eq!(random_crop(&store, 1, &LAYOUT, &mut rng).start_volume, 0);
    }

    #[test]
    fn tiles_follow_each_other_and_the_last_has_a_whole_segment() {
        let starts = |n_volumes: usize| -> Vec<usize> {
            let store = ramp_store(&[n_volumes], 1);
            let tiles = tile(&store, 0, &LAYOUT);
            tiles.iter().map(|crop| crop.start_volume).collect()
        };
        assert_eq!(starts(12), [0, 6]);
        assert_eq!(starts(14), [0, 6]); // 2 volumes are less than a segment
        assert_eq!(starts(15), [0, 6, 12]);
        assert_eq!(starts(2), [0; 0]);
    }
}
