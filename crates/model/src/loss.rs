//! Masked reconstruction loss.

use burn::tensor::{Bool, Tensor};

/// The loss of a batch and its two terms, each a scalar on the device of the batch.
///
/// ```text
/// L = lambda · mean of MSE over hidden (segment, ROI) + (1 - lambda) · the same over visible ones
/// ```
/// The MSE of a (segment, ROI) is the mean over its uncensored volumes. Padded segments and
/// missing ROIs do not count. If nothing is hidden, the loss is the visible term alone; if
/// nothing is visible, the hidden term alone.
#[derive(Clone, Debug)]
pub struct ReconstructionLoss {
    /// Loss that training minimises.
    pub total: Tensor<1>,
    /// Mean squared error of hidden ROIs; 0 if there are none.
    pub hidden: Tensor<1>,
    /// Mean squared error of visible ROIs; 0 if there are none.
    pub visible: Tensor<1>,
}

impl ReconstructionLoss {
    /// Computes the loss without reading any value from the device, not even the counts of hidden
    /// and visible ROIs.
    ///
    /// # Shapes
    /// - `drawn`, `bold`: `[batch, segments, rois, time]`
    /// - `hidden`: `[batch, segments, rois]`, true where an ROI is hidden
    /// - `padded`: `[batch, segments]`, true where a segment is padding; `None` if none is
    /// - `missing`: `[batch, rois]`, true where the scan has no signal of an ROI; `None` if none
    ///   lacks one
    /// - `kept`: `[batch, segments, time]`, 0 where a volume is censored, 1 elsewhere; `None` if
    ///   none is
    pub fn new(
        drawn: Tensor<4>,
        bold: Tensor<4>,
        hidden: &Tensor<3, Bool>,
        padded: Option<&Tensor<2, Bool>>,
        missing: Option<&Tensor<2, Bool>>,
        kept: Option<Tensor<3>>,
        lambda: f64,
    ) -> Self {
        let shape = hidden.dims();
        let square = (drawn - bold).square();
        let error = match kept {
            None => square.mean_dim(3),
            Some(kept) => {
                let n = kept.clone().sum_dim(2).clamp_min(1.0);
                let shares = (kept / n).unsqueeze_dim::<4>(2);
                (square * shares).sum_dim(3)
            }
        };
        let error = error.reshape(shape);
        let side = |counts: Tensor<3, Bool>| {
            let counts = match padded {
                Some(padded) => {
                    let padded = padded.clone().unsqueeze_dim::<3>(2).expand(shape);
                    counts.mask_fill(padded, false)
                }
                None => counts,
            };
            let counts = match missing {
                Some(missing) => {
                    let missing = missing.clone().unsqueeze_dim::<3>(1).expand(shape);
                    counts.mask_fill(missing, false)
                }
                None => counts,
            };
            let weights = counts.float();
            let n = weights.clone().sum();
            let mean = (error.clone() * weights).sum() / n.clone().clamp_min(1.0);
            (mean, n.greater_elem(0.0).float())
        };
        let (visible, any_visible) = side(hidden.clone().bool_not());
        let (hidden, any_hidden) = side(hidden.clone());
        // If one of the two sets is empty, the weight of the other is 1; the weight of the empty
        // set has no effect, as its error is 0.
        let alone = |other: Tensor<1>| -other + 1.0;
        let of_hidden = any_visible.clone() * lambda + alone(any_visible);
        let of_visible = any_hidden.clone() * (1.0 - lambda) + alone(any_hidden);
        Self {
            total: hidden.clone() * of_hidden + visible.clone() * of_visible,
            hidden,
            visible,
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn loss(hidden: [[bool; 2]; 2], padded: Option<[bool; 2]>) -> [f32; 3] {
        let device = Device::flex();
        // Two segments of two ROIs, one volume; the errors are 1, 2, 3, 4, and their squares 1, 4,
        // 9, 16.
        let bold = Tensor::<4>::zeros([1, 2, 2, 1], &device);
        let drawn = Tensor::<4>::from_data([[[[1.0], [2.0]], [[3.0], [4.0]]]], &device);
        let hidden = Tensor::from_data([hidden], &device);
        let padded = padded.map(|padded| Tensor::from_data([padded], &device));
        let loss = ReconstructionLoss::new(drawn, bold, &hidden, padded.as_ref(), None, None, 0.75);
        [loss.total, loss.hidden, loss.visible].map(|x| x.into_scalar::<f32>())
    }

    #[test]
    fn hidden_and_visible_are_averaged_apart() {
        let found = loss([[true, false]; 2], None);
        assert_eq!(found, [0.75 * 5.0 + 0.25 * 10.0, 5.0, 10.0]);
    }

    #[test]
    fn padded_segments_do_not_count() {
        let found = loss([[true, false]; 2], Some([false, true]));
        assert_eq!(found, [0.75 + 0.25 * 4.0, 1.0, 4.0]);
    }

    #[test]
    fn censored_volumes_do_not_count() {
        let device = Device::flex();
        let hidden = Tensor::from_data([[[true, false]]], &device);
        let loss = |second: f32| {
            // One segment of two ROIs and two volumes, of which the second is censored.
            let drawn = Tensor::<4>::from_data([[[[1.0, second], [2.0, second]]]], &device);
            let bold = drawn.zeros_like();
            let kept = Tensor::from_data([[[1.0, 0.0]]], &device);
            let loss = ReconstructionLoss::new(drawn, bold, &hidden, None, None, Some(kept), 0.75);
            [loss.total, loss.hidden, loss.visible].map(|x| x.into_scalar::<f32>())
        };
        assert_eq!(loss(3.0), [0.75 + 0.25 * 4.0, 1.0, 4.0]);
        assert_eq!(loss(3.0), loss(100.0));
    }

    #[test]
    fn missing_rois_do_not_count() {
        let device = Device::flex();
        let hidden = Tensor::from_data([[[true, false, true]]], &device);
        let missing = Tensor::from_data([[false, false, true]], &device);
        let loss = |third: f32| {
            let drawn = Tensor::<4>::from_data([[[[1.0], [2.0], [third]]]], &device);
            let bold = drawn.zeros_like();
            let loss =
                ReconstructionLoss::new(drawn, bold, &hidden, None, Some(&missing), None, 0.75);
            [loss.total, loss.hidden, loss.visible].map(|x| x.into_scalar::<f32>())
        };
        assert_eq!(loss(3.0), [0.75 + 0.25 * 4.0, 1.0, 4.0]);
        assert_eq!(loss(3.0), loss(100.0));
    }

    #[test]
    fn one_term_stands_alone_when_the_other_is_empty() {
        assert_eq!(loss([[false; 2]; 2], None), [7.5, 0.0, 7.5]);
        assert_eq!(loss([[true; 2]; 2], None), [7.5, 7.5, 0.0]);
    }

    #[test]
    fn padding_alone_is_no_loss() {
        assert_eq!(loss([[true, false]; 2], Some([true; 2])), [0.0; 3]);
    }
}
