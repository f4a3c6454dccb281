//! The masked reconstruction loss.

use burn::tensor::{Device, Tensor, TensorData};

/// Weights that turn squared errors into the loss; made on the host, where the mask is made.
///
/// ```text
/// L = lambda · mean over hidden (segment, ROI) of MSE  +  (1 - lambda) · the same over visible ones
/// ```
/// Padded segments count nowhere. Nothing hidden: the visible term alone; nothing visible: the hidden term alone.
#[derive(Clone, Debug, PartialEq)]
pub struct LossWeights {
    /// `1 / count` at hidden (segment, ROI) pairs, 0 elsewhere.
    hidden: Vec<f32>,
    visible: Vec<f32>,
    dims: [usize; 3],
    lambda: f64,
    any_hidden: bool,
    any_visible: bool,
}

/// The loss of a batch and its two terms, each a scalar.
#[derive(Clone, Debug)]
pub struct ReconstructionLoss {
    /// What training minimises.
    pub total: Tensor<1>,
    /// Mean squared error of hidden ROIs; 0 where nothing is hidden.
    pub hidden: Tensor<1>,
    /// Mean squared error of visible ROIs; 0 where nothing is visible.
    pub visible: Tensor<1>,
}

impl LossWeights {
    /// # Shapes
    /// - `hidden`: `[batch, segments, rois]` in `dims`, true where an ROI is hidden
    /// - `valid`: `[batch, segments]`, false where a segment is padding
    pub fn new(hidden: &[bool], valid: &[bool], dims: [usize; 3], lambda: f64) -> Self {
        let rois = dims[2];
        let counts = |i: usize| valid[i / rois];
        let n_hidden = (0..hidden.len())
            .filter(|&i| counts(i) && hidden[i])
            .count();
        let n_visible = valid.iter().filter(|&&v| v).count() * rois - n_hidden;
        let weights = |side: bool, n: usize| {
            let weight = 1.0 / n.max(1) as f32;
            let pick = |i| {
                if counts(i) && hidden[i] == side {
                    weight
                } else {
                    0.0
                }
            };
            (0..hidden.len()).map(pick).collect()
        };
        Self {
            hidden: weights(true, n_hidden),
            visible: weights(false, n_visible),
            dims,
            lambda,
            any_hidden: n_hidden > 0,
            any_visible: n_visible > 0,
        }
    }

    /// # Shapes
    /// `reconstruction`, `bold`: `[batch, segments, rois, time]`
    pub fn loss(&self, reconstruction: Tensor<4>, bold: Tensor<4>) -> ReconstructionLoss {
        let device = bold.device();
        let [batch, segments, rois] = self.dims;
        let error = (reconstruction - bold)
            .square()
            .mean_dim(3)
            .reshape([batch, segments, rois]);
        let term = |weights: &[f32], device: &Device| {
            let weights = TensorData::new(weights.to_vec(), self.dims);
            (error.clone() * Tensor::<3>::from_data(weights, device)).sum()
        };
        let hidden = term(&self.hidden, &device);
        let visible = term(&self.visible, &device);
        let total = match (self.any_hidden, self.any_visible) {
            (true, true) => hidden.clone() * self.lambda + visible.clone() * (1.0 - self.lambda),
            (true, false) => hidden.clone(),
            (false, _) => visible.clone(),
        };
        ReconstructionLoss {
            total,
            hidden,
            visible,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loss(hidden: [bool; 4], valid: [bool; 2]) -> [f32; 3] {
        let device = Device::flex();
        // Two segments of two ROIs, one volume; the errors are 1, 2, 3, 4, their squares 1, 4, 9, 16.
        let bold = Tensor::<4>::zeros([1, 2, 2, 1], &device);
        let drawn = Tensor::<4>::from_data([[[[1.0], [2.0]], [[3.0], [4.0]]]], &device);
        let weights = LossWeights::new(&hidden, &valid, [1, 2, 2], 0.75);
        let loss = weights.loss(drawn, bold);
        [loss.total, loss.hidden, loss.visible].map(|x| x.into_scalar::<f32>())
    }

    #[test]
    fn hidden_and_visible_are_averaged_apart() {
        let found = loss([true, false, true, false], [true, true]);
        assert_eq!(found, [0.75 * 5.0 + 0.25 * 10.0, 5.0, 10.0]);
    }

    #[test]
    fn padded_segments_do_not_count() {
        let found = loss([true, false, true, false], [true, false]);
        assert_eq!(found, [0.75 + 0.25 * 4.0, 1.0, 4.0]);
    }

    #[test]
    fn one_term_stands_alone_when_the_other_is_empty() {
        assert_eq!(loss([false; 4], [true, true])[0], 7.5);
        assert_eq!(loss([true; 4], [true, true])[0], 7.5);
    }
}
