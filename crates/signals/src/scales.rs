//! Standardisation of every ROI's signal to mean 0 and variance 1.

/// Volumes summed in single precision before the sum is added in double precision.
const BLOCK_VOLUMES: usize = 16;

/// Mean and standard deviation of every ROI over a set of volumes.
///
/// Sums are of differences from the first volume, so that a large mean does not cancel the
/// variance.
#[derive(Clone, Debug, PartialEq)]
pub struct Scales {
    mean: Vec<f32>,
    /// The part of the mean that single precision cannot hold.
    rest: Vec<f32>,
    /// Inverse standard deviation; 0 for a constant ROI.
    inverse_std: Vec<f32>,
}

impl Scales {
    /// Computes the scales from volumes with one number per ROI each. Without volumes, every ROI is
    /// constant.
    pub fn of<'a>(volumes: impl Iterator<Item = &'a [f32]>, n_rois: usize) -> Self {
        let mut volumes = volumes.peekable();
        let origin = volumes.peek().map_or(vec![0.0; n_rois], |row| row.to_vec());
        let mut total = Sums::<f64>::new(n_rois);
        let mut block = Sums::<f32>::new(n_rois);
        for volume in volumes {
            block.add(volume, &origin);
            if block.n_volumes == BLOCK_VOLUMES {
                total.take(&mut block);
            }
        }
        total.take(&mut block);
        total.scales(&origin)
    }

    /// Number of ROIs.
    pub fn n_rois(&self) -> usize {
        self.mean.len()
    }

    /// Whether an ROI is not constant, within single precision.
    pub fn changes(&self, roi: usize) -> bool {
        self.inverse_std[roi] > 0.0
    }

    /// A value of an ROI as the number of standard deviations from the mean; 0 for a constant ROI.
    #[inline]
    pub fn standardised(&self, roi: usize, value: f32) -> f32 {
        (value - self.mean[roi] - self.rest[roi]) * self.inverse_std[roi]
    }

    /// Standardises a whole volume.
    #[inline]
    pub fn standardise(&self, volume: &[f32], into: &mut [f32]) {
        let scales = self.mean.iter().zip(&self.rest).zip(&self.inverse_std);
        for ((into, value), ((mean, rest), inverse_std)) in into.iter_mut().zip(volume).zip(scales)
        {
            *into = (value - mean - rest) * inverse_std;
        }
    }

    /// Standardises volumes, `[volumes, rois]`, and turns them: `into` is `[rois, n_volumes]`, and
    /// stays as it is after the last given volume.
    pub fn standardise_turned(&self, volumes: &[f32], into: &mut [f32], n_volumes: usize) {
        let rois = self.n_rois();
        // A block of volumes stays in the cache while its ROIs are read one after another.
        for (block, volumes) in volumes.chunks(BLOCK_VOLUMES * rois).enumerate() {
            for (roi, into) in into.chunks_exact_mut(n_volumes).enumerate() {
                let values = volumes[roi..].iter().step_by(rois);
                let into = &mut into[block * BLOCK_VOLUMES..];
                for (into, value) in into.iter_mut().zip(values) {
                    *into = self.standardised(roi, *value);
                }
            }
        }
    }
}

/// Sums of differences, and of their squares.
struct Sums<T> {
    n_volumes: usize,
    values: Vec<T>,
    squares: Vec<T>,
}

impl<T: Copy + Default> Sums<T> {
    fn new(n_rois: usize) -> Self {
        Self {
            n_volumes: 0,
            values: vec![T::default(); n_rois],
            squares: vec![T::default(); n_rois],
        }
    }
}

impl Sums<f32> {
    #[inline]
    fn add(&mut self, volume: &[f32], origin: &[f32]) {
        let sums = self.values.iter_mut().zip(&mut self.squares);
        for ((sum, square), (value, origin)) in sums.zip(volume.iter().zip(origin)) {
            let apart = value - origin;
            *sum += apart;
            *square += apart * apart;
        }
        self.n_volumes += 1;
    }
}

impl Sums<f64> {
    /// Adds a block, and empties it.
    fn take(&mut self, block: &mut Sums<f32>) {
        self.n_volumes += std::mem::take(&mut block.n_volumes);
        for (all, block) in [
            (&mut self.values, &mut block.values),
            (&mut self.squares, &mut block.squares),
        ] {
            for (sum, block) in all.iter_mut().zip(block) {
                *sum += f64::from(std::mem::take(block));
            }
        }
    }

    fn scales(&self, origin: &[f32]) -> Scales {
        let n = self.n_volumes.max(1) as f64;
        let mut scales = Scales {
            mean: Vec::with_capacity(origin.len()),
            rest: Vec::with_capacity(origin.len()),
            inverse_std: Vec::with_capacity(origin.len()),
        };
        let sums = self.values.iter().zip(&self.squares);
        for ((sum, squares), origin) in sums.zip(origin) {
            let from_origin = sum / n;
            let variance = squares / n - from_origin * from_origin;
            let mean = f64::from(*origin) + from_origin;
            // A standard deviation below this share of the mean is rounding noise.
            let least = (f64::from(f32::EPSILON) * mean).powi(2);
            let inverse_std = variance.sqrt().recip() as f32;
            let changes = variance > least && inverse_std.is_normal();
            scales.mean.push(mean as f32);
            scales.rest.push((mean - f64::from(mean as f32)) as f32);
            scales
                .inverse_std
                .push(if changes { inverse_std } else { 0.0 });
        }
        scales
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standardised(values: &[f32]) -> Vec<f32> {
        let scales = Scales::of(values.chunks_exact(1), 1);
        let all: Vec<f32> = values.iter().map(|x| scales.standardised(0, *x)).collect();
        let mut row = [0.0];
        scales.standardise(&values[..1], &mut row);
        assert_eq!(row[0], all[0]);
        all
    }

    #[test]
    fn signals_have_mean_0_and_variance_1() {
        // Mean 3, variance (4 + 0 + 4) / 3.
        let found = standardised(&[1.0, 3.0, 5.0]);
        let expected = 2.0 / (8.0_f32 / 3.0).sqrt();
        for (found, expected) in found.iter().zip([-expected, 0.0, expected]) {
            assert!((found - expected).abs() < 1e-6, "{found} for {expected}");
        }
    }

    #[test]
    fn a_large_mean_does_not_swallow_the_variance() {
        // A mean of a million and a third has no exact single-precision value. There are more
        // volumes than in a block, and not a multiple of it.
        let values: Vec<f32> = (0..42).map(|i| 1e6 + [0.0, 0.0, 1.0][i % 3]).collect();
        let found = standardised(&values);
        let std = (2.0_f32 / 9.0).sqrt();
        for (found, value) in found.iter().zip(&values) {
            let expected = (value - 1e6 - 1.0 / 3.0) / std;
            assert!((found - expected).abs() < 1e-6, "{found} for {expected}");
        }
    }

    #[test]
    fn rounding_is_no_signal() {
        for flat in [
            &[7.0, 7.0, 7.0][..],
            &[0.0, 0.0],
            &[1e6, 1e6 + 0.0625],
            &[5.0],
            &[-1e30, 1e30],
        ] {
            let scales = Scales::of(flat.chunks_exact(1), 1);
            assert!(!scales.changes(0), "{flat:?}");
            assert_eq!(scales.standardised(0, 8.0), 0.0);
        }
        assert!(Scales::of([1e6, 1e6 + 0.25].chunks_exact(1), 1).changes(0));
        assert!(!Scales::of(std::iter::empty(), 1).changes(0));
    }
}
