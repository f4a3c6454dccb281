//! Operators on the vectors of a graph's ROIs.

use burn::tensor::Tensor;

use crate::block::Linear;
use crate::operator::{self, Operator};

/// Sum over the neighbours of each ROI and a linear map: `((epsilon I + graph) x) weight + bias`.
/// The graph has no gradient.
///
/// # Shapes
/// - `x`: `[graphs, rois, width]`; `graph`: `[graphs, rois, rois]`; `epsilon`: `[1]`
/// - returns `[graphs, rois, outputs]`
pub fn graph_linear(
    x: Tensor<3>,
    graph: Tensor<3>,
    epsilon: Tensor<1>,
    linear: Linear,
) -> Tensor<3> {
    let graph = operator::constant(graph, x.is_autodiff());
    let inputs = vec![
        x.into_dispatch(),
        graph.into_dispatch(),
        epsilon.into_dispatch(),
        linear.weight.into_dispatch(),
        linear.bias.into_dispatch(),
    ];
    operator::call(inputs, Operator::GraphLinear)
}

/// Distance of the vectors of ROIs from orthogonality: the norm of the elements of `M - I` on and
/// above the diagonal, where `M` is `H H'` with every row divided by its largest element. Those
/// have a lower limit of 1e-6, and 1e-12 is added below the root, which has no gradient at 0.
///
/// # Source
/// The released code of STAGIN (Kim et al. 2021), `ModelSTAGIN.forward` in
/// <https://github.com/egyptdj/stagin>, `model.py`. The paper, section 3.2, divides by the largest
/// element of the whole matrix and takes all elements. The limits are ours: there, an ROI whose
/// vector is 0 gives 0 / 0.
///
/// # Shapes
/// - `h`: `[graphs, rois, width]`
/// - returns `[graphs]`
pub fn orthogonality(h: Tensor<3>) -> Tensor<1> {
    operator::call(vec![h.into_dispatch()], Operator::Orthogonality)
}

/// Mean over ROIs with weights: `mean_v kept_v sigmoid(h_v . query + offset) h_v`. `kept` has no
/// gradient.
///
/// # Shapes
/// - `h`: `[graphs, rois, width]`; `query`: `[graphs, width]`; `offset`: `[graphs, 1]`; `kept`:
///   `[graphs, rois]`
/// - returns `[graphs, width]`
pub fn weighted_mean(
    h: Tensor<3>,
    query: Tensor<2>,
    offset: Tensor<2>,
    kept: Tensor<2>,
) -> Tensor<2> {
    let kept = operator::constant(kept, h.is_autodiff());
    let inputs = vec![
        h.into_dispatch(),
        query.into_dispatch(),
        offset.into_dispatch(),
        kept.into_dispatch(),
    ];
    operator::call(inputs, Operator::WeightedMean)
}

#[cfg(test)]
mod tests {
    use burn::tensor::activation::sigmoid;

    use super::*;
    use crate::testing::compare;

    #[test]
    fn sums_over_neighbours_are_those_of_the_definition() {
        compare(
            &[[21, 5], [21, 3], [1, 1], [5, 18], [1, 18]],
            [
                &|t, _| {
                    let x = t[0].clone().reshape([7, 3, 5]);
                    let graph = t[1].clone().detach().reshape([7, 3, 3]);
                    let mixed = graph.matmul(x).reshape([21, 5]) + t[0].clone() * t[2].clone();
                    mixed.matmul(t[3].clone()) + t[4].clone()
                },
                &|t, _| {
                    let linear = Linear {
                        weight: t[3].clone(),
                        bias: t[4].clone().reshape([18]),
                    };
                    let graph = t[1].clone().detach().reshape([7, 3, 3]);
                    let x = t[0].clone().reshape([7, 3, 5]);
                    graph_linear(x, graph, t[2].clone().reshape([1]), linear).reshape([21, 18])
                },
            ],
        );
    }

    #[test]
    fn distances_from_orthogonality_are_those_of_the_definition() {
        compare(
            &[[34, 5]],
            [
                &|t, _| {
                    let h = t[0].clone().reshape([2, 17, 5]);
                    let inner = h.clone().matmul(h.swap_dims(1, 2));
                    let largest = inner.clone().max_dim(2);
                    let eye = Tensor::<2>::eye(17, &t[0].device()).unsqueeze::<3>();
                    let squares = (inner / largest - eye).triu(0).square().sum_dims(&[1, 2]);
                    squares.sqrt().reshape([2, 1])
                },
                &|t, _| orthogonality(t[0].clone().reshape([2, 17, 5])).reshape([2, 1]),
            ],
        );
    }

    #[test]
    fn rows_are_divided_by_their_own_maximum() {
        // H H' = (1 2 0; 2 4 0; 0 0 0) by rows: (1/2 1 0; 1/2 1 0; 0 0 0). On and above the
        // diagonal, minus I: -1/2, 1, 0; 0, 0; -1. The sum of squares is 1/4 + 1 + 1.
        let rows = [[1.0, 0.0], [2.0, 0.0], [0.0, 0.0]];
        let h = Tensor::<2>::from_floats(rows, &burn::tensor::Device::flex());
        let found = orthogonality(h.unsqueeze()).into_scalar::<f32>();
        assert!((found - 1.5).abs() < 1e-6, "{found}");
    }

    #[test]
    fn weighted_means_are_those_of_the_definition() {
        compare(
            &[[27, 5], [9, 5], [9, 1], [9, 3]],
            [
                &|t, _| {
                    let h = t[0].clone().reshape([9, 3, 5]);
                    let query = t[1].clone().unsqueeze_dim::<3>(2);
                    let score = h.clone().matmul(query).reshape([9, 3]) + t[2].clone();
                    let weight = sigmoid(score) * t[3].clone().detach();
                    (weight.unsqueeze_dim::<3>(1).matmul(h) / 3.0).reshape([9, 5])
                },
                &|t, _| {
                    let h = t[0].clone().reshape([9, 3, 5]);
                    let kept = t[3].clone().detach();
                    weighted_mean(h, t[1].clone(), t[2].clone(), kept)
                },
            ],
        );
    }
}
