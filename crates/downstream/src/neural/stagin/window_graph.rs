//! Graphs of windows: neighbours by correlation.

use brainmae_signals::fc::correlations;
use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;

/// `[batch * windows, rois, rois]`: 1 where the correlation of a window is among its largest
/// `density`, 0 elsewhere.
///
/// Values equal to the threshold are 0, because a percentile must be exceeded. The graph has no
/// gradient.
///
/// # Shapes
/// - `bold`: `[batch, rois, time]`
pub(super) fn neighbours(bold: Tensor<3>, window: usize, stride: usize, density: f64) -> Tensor<3> {
    let [batch, rois, time] = bold.dims();
    let windows = (time - window) / stride + 1;
    let volumes = bold.without_autodiff().swap_dims(1, 2);
    let plain = volumes.device();
    let volumes: Vec<f32> = volumes.into_data().iter().collect();
    let mut graphs = vec![0.0; batch * windows * rois * rois];
    let below = ((1.0 - density) * (rois * rois - 1) as f64).floor() as usize;
    (graphs.par_chunks_exact_mut(rois * rois).enumerate()).for_each(|(i, graph)| {
        let first = i / windows * time + i % windows * stride;
        let volumes = volumes[first * rois..][..window * rois].chunks_exact(rois);
        // The matrix is symmetric, so row-major and column-major are equal.
        let fc = correlations(volumes, rois);
        let threshold = ranked(fc.as_slice(), rois, below, graph);
        for (edge, r) in graph.iter_mut().zip(fc.as_slice()) {
            *edge = if *r > threshold { 1.0 } else { 0.0 };
        }
    });
    let graphs = TensorData::new(graphs, [batch * windows, rois, rois]);
    Tensor::from_data(graphs, &plain)
}

/// Value of a symmetric matrix that has `below` values below it in order; `scratch` has its size.
fn ranked(matrix: &[f32], rois: usize, below: usize, scratch: &mut [f32]) -> f32 {
    // Each value beside the diagonal is there twice; usually the diagonal is above them all.
    let mut pairs = 0;
    for (j, column) in matrix.chunks_exact(rois).enumerate() {
        scratch[pairs..pairs + j].copy_from_slice(&column[..j]);
        pairs += j;
    }
    if below / 2 < pairs {
        let pairs = &mut scratch[..pairs];
        let value = *pairs.select_nth_unstable_by(below / 2, f32::total_cmp).1;
        if matrix.iter().step_by(rois + 1).all(|own| *own >= value) {
            return value;
        }
    }
    scratch.copy_from_slice(matrix);
    *scratch.select_nth_unstable_by(below, f32::total_cmp).1
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

    #[test]
    fn a_rank_is_that_among_all_values() {
        // The diagonal has 0, as that of an ROI without variance; in the other matrix it has 1.
        for own in [0.0, 1.0] {
            let matrix = [own, -0.3, 0.2, -0.3, 1.0, 0.7, 0.2, 0.7, 1.0];
            let mut sorted = matrix;
            sorted.sort_by(f32::total_cmp);
            for (below, expected) in sorted.iter().enumerate() {
                assert_eq!(ranked(&matrix, 3, below, &mut [0.0; 9]), *expected);
            }
        }
    }
}
