//! Masks of ROIs. True means hidden, false visible, in the whole project.

use burn::tensor::{Bool, DType, Device, Int, Tensor};
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use crate::PretrainError;

/// Settings of masking and of the loss that it defines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MaskConfig {
    /// Share of hidden ROIs.
    pub ratio: Ratio,
    /// Weight of the hidden ROIs in the loss; the weight of the visible ones is `1 - lambda`.
    pub lambda: f64,
}

/// Share of hidden ROIs in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Ratio {
    /// `"off"`: a plain autoencoder, an ablation.
    Off(Off),
    /// The same share in every batch.
    Fixed(f64),
    /// A new share for every batch, uniform between the two bounds.
    Uniform([f64; 2]),
}

/// The word `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Off {
    /// No ROI is hidden.
    Off,
}

impl Default for MaskConfig {
    fn default() -> Self {
        Self {
            ratio: Ratio::Uniform([0.0, 0.8]),
            lambda: 0.75,
        }
    }
}

impl MaskConfig {
    /// # Errors
    /// [`PretrainError::Config`] for shares outside 0..1 or in the wrong order.
    pub fn check(&self) -> Result<(), PretrainError> {
        let fail = |field, found: String, expected: &str| {
            Err(PretrainError::Config {
                field,
                found,
                expected: expected.to_string(),
            })
        };
        let [low, high] = self.ratio.bounds();
        if !(0.0 <= low && low <= high && high < 1.0) {
            let found = format!("[{low}, {high}]");
            return fail(
                "ratio",
                found,
                "\"off\", a number or [low, high] within 0..1",
            );
        }
        if !(0.0..=1.0).contains(&self.lambda) {
            return fail("lambda", self.lambda.to_string(), "a number within 0..1");
        }
        Ok(())
    }
}

impl Ratio {
    /// The smallest and the largest share.
    pub fn bounds(&self) -> [f64; 2] {
        match *self {
            Ratio::Off(_) => [0.0; 2],
            Ratio::Fixed(ratio) => [ratio; 2],
            Ratio::Uniform(bounds) => bounds,
        }
    }

    /// The share of one batch.
    pub fn draw(&self, rng: &mut impl Rng) -> f64 {
        let [low, high] = self.bounds();
        low + (high - low) * rng.random::<f64>()
    }
}

/// Random mask of `round(ratio * rois)` ROIs for each segment of each sample,
/// `[samples, segments, rois]`, true where hidden. It is computed on `device` from one number per
/// sample and is the same on all devices.
///
/// Each (segment, ROI) has a hash of its sample's number and its index; in each segment the ROIs
/// with the smallest hashes are hidden.
pub fn mask_on(
    device: &Device,
    numbers: &[u32],
    segments: usize,
    rois: usize,
    ratio: f64,
) -> Tensor<3, Bool> {
    const LOW: i64 = 0xFFFF_FFFF;
    /// Below 2^31, so the product with 32 bits fits into 63 bits.
    const FACTORS: [i64; 2] = [0x1E37_79B1, 0x045D_9F3B];
    let samples = numbers.len();
    let shape = [samples, segments, rois];
    let n_hidden = ((ratio * rois as f64).round() as usize).min(rois);
    if n_hidden == 0 {
        return Tensor::full(shape, false, device);
    }
    let wide = (device, DType::I64);
    let numbers: Vec<i64> = numbers.iter().map(|number| i64::from(*number)).collect();
    let numbers = Tensor::<1, Int>::from_data(numbers.as_slice(), wide);
    let places = Tensor::<1, Int>::arange(0..(segments * rois) as i64, wide);
    let low = |x: Tensor<3, Int>| x.bitwise_and_scalar(LOW);
    let fold = |x: Tensor<3, Int>| x.clone().bitwise_right_shift_scalar(16).bitwise_xor(x);
    let start = numbers.reshape([samples, 1, 1]).expand(shape);
    let places = places.reshape([1, segments, rois]).expand(shape);
    let mut hash = low(fold(start) * FACTORS[0] + places * FACTORS[0]);
    for _ in 0..2 {
        hash = low(fold(hash) * FACTORS[1]);
    }
    // All hashes of a segment must differ; otherwise too many ROIs are hidden.
    let own = Tensor::<1, Int>::arange(0..rois as i64, wide).reshape([1, 1, rois]);
    let key = fold(hash) * rois as i64 + own.expand(shape);
    let last = key.clone().sort(2).narrow(2, n_hidden - 1, 1);
    key.lower_equal(last.expand(shape))
}

/// Appends a random mask of `round(ratio * rois)` ROIs for each of `segments` to `hidden`:
/// `[segments, rois]`.
pub fn draw_mask(
    segments: usize,
    rois: usize,
    ratio: f64,
    rng: &mut impl Rng,
    hidden: &mut Vec<bool>,
) {
    let n_hidden = (ratio * rois as f64).round() as usize;
    let mut order: Vec<usize> = (0..rois).collect();
    for _ in 0..segments {
        let start = hidden.len();
        hidden.resize(start + rois, false);
        // First steps of a Fisher-Yates shuffle; the initial order does not matter.
        for i in 0..n_hidden.min(rois) {
            order.swap(i, rng.random_range(i..rois));
            hidden[start + order[i]] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use brainmae_run::Seeds;

    use super::*;

    #[test]
    fn every_segment_hides_its_own_share() {
        let mut hidden = Vec::new();
        draw_mask(50, 7, 0.5, &mut Seeds::new(1).stream("masks"), &mut hidden);
        let rows: Vec<&[bool]> = hidden.chunks(7).collect();
        assert!(
            rows.iter()
                .all(|row| row.iter().filter(|h| **h).count() == 4)
        );
        assert!(rows.iter().any(|row| *row != rows[0]));
    }

    #[test]
    fn every_roi_is_hidden_equally_often() {
        let mut hidden = Vec::new();
        draw_mask(
            7000,
            7,
            3.0 / 7.0,
            &mut Seeds::new(1).stream("masks"),
            &mut hidden,
        );
        for roi in 0..7 {
            let n = hidden.iter().skip(roi).step_by(7).filter(|h| **h).count();
            // 3000 expected; the standard deviation is 41.
            assert!((2830..3170).contains(&n), "ROI {roi}: {n}");
        }
    }

    fn on_flex(numbers: &[u32], segments: usize, rois: usize, ratio: f64) -> Vec<bool> {
        let mask = mask_on(&Device::flex(), numbers, segments, rois, ratio);
        mask.into_data().iter::<bool>().collect()
    }

    #[test]
    fn on_a_device_every_segment_hides_its_own_share() {
        for (ratio, n) in [(0.0, 0), (0.5, 4), (1.0, 7)] {
            let hidden = on_flex(&[3, 4, u32::MAX], 50, 7, ratio);
            let count = |row: &[bool]| row.iter().filter(|h| **h).count();
            assert!(hidden.chunks(7).all(|row| count(row) == n));
        }
        let hidden = on_flex(&[3, 4], 50, 7, 0.5);
        assert_ne!(hidden[..350], hidden[350..]);
        assert!(hidden.chunks(7).any(|row| row != &hidden[..7]));
        // The mask of a sample does not depend on the other samples of its batch.
        assert_eq!(on_flex(&[4], 50, 7, 0.5), hidden[350..]);
    }

    #[test]
    fn on_a_device_every_roi_is_hidden_equally_often_alone_and_with_any_other() {
        // Consecutive numbers are the most difficult input for a hash.
        let numbers: Vec<u32> = (0..1000).collect();
        let hidden = on_flex(&numbers, 10, 7, 3.0 / 7.0);
        let rows: Vec<&[bool]> = hidden.chunks(7).collect();
        let together = |a: usize, b: usize| rows.iter().filter(|row| row[a] && row[b]).count();
        for a in 0..7 {
            // 10000 * 3 / 7 expected with a standard deviation of 49, and 10000 / 7 with one of 35.
            assert!(
                (4040..4530).contains(&together(a, a)),
                "{a}: {}",
                together(a, a)
            );
            for b in 0..a {
                assert!(
                    (1250..1610).contains(&together(a, b)),
                    "{a}, {b}: {}",
                    together(a, b)
                );
            }
        }
        // Masks of neighbouring segments are independent.
        let pairs = rows.windows(2);
        let again = pairs.map(|pair| (0..7).filter(|i| pair[0][*i] && pair[1][*i]).count());
        // 9999 * 7 * 9 / 49 expected.
        let again: usize = again.sum();
        assert!((12_400..13_300).contains(&again), "{again}");
    }

    #[test]
    fn a_ratio_is_off_a_number_or_a_range() {
        let ratio = |text: &str| -> [f64; 2] {
            let config: MaskConfig = serde_json::from_str(text).expect("valid");
            config.check().expect("within 0..1");
            config.ratio.bounds()
        };
        assert_eq!(ratio(r#"{"ratio": "off"}"#), [0.0, 0.0]);
        assert_eq!(ratio(r#"{"ratio": 0.5}"#), [0.5, 0.5]);
        assert_eq!(ratio(r#"{"ratio": [0.1, 0.9]}"#), [0.1, 0.9]);
        let backwards: MaskConfig =
            serde_json::from_str(r#"{"ratio": [0.9, 0.1]}"#).expect("valid");
        let error = backwards.check().expect_err("out of order");
        assert!(matches!(
            error,
            PretrainError::Config { field: "ratio", .. }
        ));
        let all = MaskConfig {
            lambda: 1.5,
            ..MaskConfig::default()
        };
        let error = all.check().expect_err("above 1");
        assert!(matches!(
            error,
            PretrainError::Config {
                field: "lambda",
                ..
            }
        ));
    }
}
