//! Overlap of two scans at a lag, with the correlation of their ROIs.

use brainmae_signals::bold::BoldSeries;

/// Two scans at a lag.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Overlap {
    /// Volume of the second scan at which the first one begins.
    pub lag: i64,
    /// Volumes in both scans.
    pub volumes: usize,
    /// Mean correlation over ROIs in the overlap, without ROIs that are constant in it.
    pub correlation: f64,
}

/// Compares volume `v` of `first` with volume `v + lag` of `second`; `None` without an overlap.
pub(super) fn overlap(first: &BoldSeries, second: &BoldSeries, lag: i64) -> Option<Overlap> {
    let from = usize::try_from(-lag).unwrap_or(0);
    let shifted = usize::try_from(lag).unwrap_or(0);
    let volumes = first
        .n_volumes()
        .checked_sub(from)?
        .min(second.n_volumes().checked_sub(shifted)?);
    let n_rois = first.n_rois();
    if volumes == 0 || n_rois != second.n_rois() {
        return None;
    }
    // Values relative to the first overlapping volume, so that sums of squares keep their
    // precision.
    let start = (first.row(from), second.row(shifted));
    let mut sums = vec![[0.0_f64; 5]; n_rois];
    for volume in 0..volumes {
        let rows = first
            .row(from + volume)
            .iter()
            .zip(second.row(shifted + volume));
        let starts = start.0.iter().zip(start.1);
        for ((sum, (a, b)), (a_0, b_0)) in sums.iter_mut().zip(rows).zip(starts) {
            let (a, b) = (
                f64::from(*a) - f64::from(*a_0),
                f64::from(*b) - f64::from(*b_0),
            );
            sum[0] += a;
            sum[1] += b;
            sum[2] += a * a;
            sum[3] += b * b;
            sum[4] += a * b;
        }
    }
    let n = volumes as f64;
    let (mut total, mut counted) = (0.0, 0_usize);
    for [a, b, aa, bb, ab] in sums {
        let variance = (aa - a * a / n) * (bb - b * b / n);
        if variance > f64::EPSILON * aa * bb {
            total += (ab - a * b / n) / variance.sqrt();
            counted += 1;
        }
    }
    Some(Overlap {
        lag,
        volumes,
        correlation: total / counted.max(1) as f64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[f32], n_rois: usize) -> BoldSeries {
        BoldSeries::new(values.to_vec(), n_rois, 1.0).unwrap()
    }

    #[test]
    fn a_piece_of_a_scan_is_found_at_its_place_whatever_its_scale() {
        let whole = series(&[1., 9., 4., 2., 8., 5., 7.], 1);
        let piece = series(&[40., 20., 80.], 1);
        let at = |lag| overlap(&piece, &whole, lag).unwrap();
        assert_eq!((at(2).volumes, at(5).volumes), (3, 2));
        assert!((at(2).correlation - 1.0).abs() < 1e-12);
        assert!(at(1).correlation < 0.9);
        // In the opposite order, the lag is negative.
        assert_eq!(
            overlap(&whole, &piece, -2).unwrap().correlation,
            at(2).correlation
        );
        assert_eq!(overlap(&piece, &whole, 7), None);
        assert_eq!(overlap(&piece, &whole, -3), None);
        assert_eq!(overlap(&piece, &whole, i64::MIN + 1), None);
    }

    #[test]
    fn constant_rois_do_not_count() {
        // The second ROI is constant in one scan; the third is anticorrelated.
        let first = series(&[1., 5., 1., 2., 5., 2., 4., 5., 4.], 3);
        let second = series(&[1., 1., 4., 2., 2., 3., 4., 3., 1.], 3);
        let found = overlap(&first, &second, 0).unwrap().correlation;
        // The correlations are 1, and -1 for (1, 2, 4) with (4, 3, 1).
        assert!(found.abs() < 1e-12, "{found}");
    }
}
