//! Sums over the rows and columns of edges.

use burn::tensor::Tensor;

use crate::block::Linear;
use crate::operator::{self, Operator};

/// Weighted sums over each row and each column of edges, which are never stored:
///
/// ```text
/// A[m, i, k]   = leaky_relu(rows[i, m] + columns[k, m])
/// rows'[i]     = sum_m sum_k A[m, i, k] row[m, k]
/// columns'[k]  = sum_m sum_i A[m, i, k] column[m, i] + bias
/// ```
///
/// `slope`, above 0, is the factor of values below 0.
///
/// # Shapes
/// - `arms`: `[scans, 2, rois, n_in]`, rows and columns
/// - `row`, and the weight of `column`: `[n_in * rois, n_out]`, those of a filter one after the
///   other
/// - returns `[scans, 2, rois, n_out]`
pub fn cross(arms: Tensor<4>, row: Tensor<2>, column: Linear, slope: f64) -> Tensor<4> {
    let inputs = vec![
        arms.into_dispatch(),
        row.into_dispatch(),
        column.weight.into_dispatch(),
        column.bias.into_dispatch(),
    ];
    operator::call(inputs, Operator::Cross { slope })
}

#[cfg(test)]
mod tests {
    use burn::tensor::activation::leaky_relu;

    use super::*;
    use crate::testing::{T2, compare};

    const ROIS: usize = 19;
    const IN: usize = 3;
    const OUT: usize = 5;

    fn defined(t: &[T2], scans: usize) -> T2 {
        let arms = t[0].clone().reshape([scans, 2, ROIS, IN]);
        let arm = |i: usize| arms.clone().narrow(1, i, 1).swap_dims(1, 3); // [scans, IN, ROIS, 1]
        let edges = leaky_relu(arm(0) + arm(1).swap_dims(2, 3), 0.3);
        let sums = |edges: Tensor<4>, weight: &T2| {
            let weight = weight.clone().reshape([1, IN, ROIS, OUT]);
            edges.matmul(weight).sum_dim(1) // [scans, 1, ROIS, OUT]
        };
        let bias = t[3].clone().reshape([1, 1, 1, OUT]);
        let rows = sums(edges.clone(), &t[1]);
        let columns = sums(edges.swap_dims(2, 3), &t[2]) + bias;
        Tensor::cat(vec![rows, columns], 1).reshape([scans * 2 * ROIS, OUT])
    }

    #[test]
    fn sums_and_their_gradients_are_those_of_the_definition() {
        for scans in [1, 4] {
            compare(
                &[
                    [scans * 2 * ROIS, IN],
                    [IN * ROIS, OUT],
                    [IN * ROIS, OUT],
                    [1, OUT],
                ],
                [&|t, _| defined(t, scans), &|t, _| {
                    let column = Linear {
                        weight: t[2].clone(),
                        bias: t[3].clone().reshape([OUT]),
                    };
                    let arms = t[0].clone().reshape([scans, 2, ROIS, IN]);
                    let out = cross(arms, t[1].clone(), column, 0.3);
                    out.reshape([scans * 2 * ROIS, OUT])
                }],
            );
        }
    }
}
