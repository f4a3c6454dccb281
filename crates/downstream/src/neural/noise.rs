//! Dropout whose seeds come from a named stream, so that all devices drop the same values.

use brainmae_ops::dropout;
use burn::tensor::Tensor;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Randomness of one training step; `None` for prediction.
pub struct Noise<'a>(Option<&'a mut ChaCha8Rng>);

impl<'a> Noise<'a> {
    /// Dropout from `stream`, for training.
    pub fn from_stream(stream: &'a mut ChaCha8Rng) -> Self {
        Self(Some(stream))
    }

    /// No dropout, for prediction.
    pub fn off() -> Self {
        Self(None)
    }

    /// Seed and rate of the dropout of an operator; `None` for prediction, or without dropout.
    pub fn of_operator(&mut self, p: f64) -> Option<(u64, f64)> {
        let rng = self.0.as_mut()?;
        (p > 0.0).then(|| (rng.next_u64(), p))
    }

    /// Sets a share `p` of the values to 0 and scales the others by `1 / (1 - p)`. Without noise
    /// `x` is returned unchanged.
    pub fn dropout<const D: usize>(&mut self, x: Tensor<D>, p: f64) -> Tensor<D> {
        match self.of_operator(p) {
            Some((seed, rate)) => dropout(x, seed, rate),
            None => x,
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use rand::SeedableRng;

    use super::*;

    fn dropped(seed: u64) -> Vec<f32> {
        let x = Tensor::<2>::ones([40, 50], &Device::flex());
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let y = Noise::from_stream(&mut rng).dropout(x, 0.25);
        y.into_data().iter::<f32>().collect()
    }

    #[test]
    fn a_share_is_dropped_and_the_mean_stays() {
        let y = dropped(1);
        let zeros = y.iter().filter(|y| **y == 0.0).count();
        assert!((400..600).contains(&zeros), "{zeros} of 2000");
        assert!(y.iter().all(|y| *y == 0.0 || (*y - 4.0 / 3.0).abs() < 1e-6));
    }

    #[test]
    fn a_stream_drops_the_same_and_no_stream_nothing() {
        assert_eq!(dropped(1), dropped(1));
        assert_ne!(dropped(1), dropped(2));
        let x = Tensor::<2>::ones([4, 5], &Device::flex());
        let y: Vec<f32> = Noise::off().dropout(x, 0.9).into_data().iter().collect();
        assert_eq!(y, [1.0; 20]);
    }
}
