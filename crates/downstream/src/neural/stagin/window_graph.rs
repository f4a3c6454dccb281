//! Graphs of windows: neighbours by correlation.

use burn::tensor::{Tensor, TensorData};

/// `[batch * windows, rois, rois]`: 1 where the correlation of a window is among its largest
/// `density`, 0 elsewhere.
///
/// Values equal to the threshold are 0, because a percentile must be exceeded. The graph has no
/// gradient.
///
/// # Shapes
/// - `bold`: `[batch, rois, time]`
pub(super) fn neighbours(bold: Tensor<3>, window: usize, stride: usize, density: f64) -> Tensor<3> {
    let device = bold.device();
    let [batch, rois, _] = bold.dims();
    let windows = bold
        .without_autodiff()
        .unfold::<4, _>(2, window, stride)
        .swap_dims(1, 2); // [batch, windows, rois, window]
    let n = batch * windows.dims()[1];
    let x = windows.reshape([n, rois, window]);
    let x = x.clone() - x.mean_dim(2);
    let norm = x.clone().square().sum_dim(2).sqrt().clamp_min(1e-6);
    let z = x / norm;
    let fc = z.clone().matmul(z.swap_dims(1, 2));
    // The average makes the matrix exactly symmetric: rounding must not include only one half of a
    // pair.
    let fc = (fc.clone() + fc.swap_dims(1, 2)) * 0.5;

    let values: Vec<f32> = fc.clone().into_data().iter().collect();
    let pairs = rois * rois;
    let below = ((1.0 - density) * (pairs - 1) as f64).floor() as usize;
    let thresholds: Vec<f32> = values
        .chunks_exact(pairs)
        .map(|values| {
            let mut values = values.to_vec();
            *values.select_nth_unstable_by(below, f32::total_cmp).1
        })
        .collect();
    let thresholds = TensorData::new(thresholds, [n, 1, 1]);
    let thresholds = Tensor::<3>::from_data(thresholds, &fc.device()).expand([n, rois, rois]);
    let graph = fc.greater(thresholds).float();
    if device.is_autodiff() {
        graph.autodiff()
    } else {
        graph
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn the_most_correlated_are_neighbours_in_their_window() {
        // ROIs 0 and 1 correlate in the first window, 0 and 2 in the second.
        let bold = Tensor::<3>::from_data(
            [[
                [1., -1., 1., 2., -2., 3.],
                [1., -1., 1., -2., 3., -1.],
                [0., 1., -1., 2., -2., 3.],
            ]],
            &Device::flex(),
        );
        let graph = neighbours(bold, 3, 3, 0.6);
        let graph: Vec<f32> = graph.into_data().iter().collect();
        assert_eq!(graph[..9], [1., 1., 0., 1., 1., 0., 0., 0., 1.]);
        assert_eq!(graph[9..], [1., 0., 1., 0., 1., 0., 1., 0., 1.]);
    }
}
