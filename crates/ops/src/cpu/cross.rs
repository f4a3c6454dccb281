//! Sums over the rows and columns of edges that are themselves sums of a row and a column.
//!
//! The edges of one filter of one scan fit into cache and are never stored.

use pulp::Simd;

use super::gemm::{Gemm, Rows, Start};
use super::parallel::{self, PerRun};
use super::rows::{self, update};

/// Rows of edges are this many numbers apart, or a multiple, so that no register is cut.
const LANES: usize = 16;

/// See [`crate::cross`].
pub struct Cross<'a> {
    pub rois: usize,
    /// Filters of the edges.
    pub n_in: usize,
    /// Weights of rows and of columns, `[n_in, rois, n_out]`.
    pub row: &'a [f32],
    pub column: &'a [f32],
    pub bias: &'a [f32],
    pub slope: f32,
}

/// Backward pass, filter by filter.
struct Back<'a> {
    cross: &'a Cross<'a>,
    /// Gradient of the output, `[scans, 2, rois, n_out]`.
    grad: &'a [f32],
    /// Its columns, transposed, `[scans, n_out, stride]`; 0 beyond the ROIs.
    of_columns: Vec<f32>,
}

impl Cross<'_> {
    fn n_out(&self) -> usize {
        self.bias.len()
    }

    fn stride(&self) -> usize {
        self.rois.next_multiple_of(LANES)
    }

    /// Numbers of both arms of a scan in one filter of the input.
    fn arms(&self) -> usize {
        2 * self.rois
    }

    pub fn forward(&self, arms: &[f32], out: &mut [f32]) {
        parallel::map(self, [(arms, self.arms() * self.n_in)], out);
    }

    /// Computes the gradients of the weights of rows, of columns, and of the bias; that of the arms
    /// fills `grad_arms`.
    pub fn backward(&self, arms: &[f32], grad: &[f32], grad_arms: &mut [f32]) -> [Vec<f32>; 3] {
        let (n_out, n_in, stride) = (self.n_out(), self.n_in, self.stride());
        let half = self.rois * n_out;
        let columns = || grad.chunks_exact(half).skip(1).step_by(2);
        let mut of_columns = vec![0.0; columns().len() * n_out * stride];
        for (out, columns) in of_columns.chunks_exact_mut(n_out * stride).zip(columns()) {
            rows::transpose(out, stride, columns, n_out);
        }
        let mut bias = vec![0.0; n_out];
        for row in columns().flat_map(|columns| columns.chunks_exact(n_out)) {
            bias.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        }
        let back = Back {
            cross: self,
            grad,
            of_columns,
        };
        // Arms by filter, `[n_in, scans, 2, rois]`.
        let n = arms.len() / n_in;
        let mut by_filter = vec![0.0; arms.len()];
        rows::transpose(&mut by_filter, n, arms, n_in);
        let inputs = [(&by_filter[..], n), (self.row, half), (self.column, half)];
        let mut all = vec![0.0; n_in * (2 * half + n)];
        parallel::map(&back, inputs, &mut all);
        let [mut row, mut column] = [(); 2].map(|()| Vec::with_capacity(n_in * half));
        for (filter, grads) in all.chunks_exact(2 * half + n).enumerate() {
            row.extend_from_slice(&grads[..half]);
            column.extend_from_slice(&grads[half..2 * half]);
            let places = grad_arms[filter..].iter_mut().step_by(n_in);
            places.zip(&grads[2 * half..]).for_each(|(to, x)| *to = *x);
        }
        [row, column, bias]
    }

    /// Edges of a filter of a scan, `[rois, stride]`: `leaky_relu(row_i + column_k)`.
    #[inline(always)]
    fn edges<S: Simd>(&self, simd: S, arms: &[f32], column: &mut [f32], out: &mut [f32]) {
        let (slope, zero) = (simd.splat_f32s(self.slope), simd.splat_f32s(0.0));
        column[..self.rois].copy_from_slice(&arms[self.rois..self.arms()]);
        for (row, out) in arms.iter().zip(out.chunks_exact_mut(self.stride())) {
            let row = simd.splat_f32s(*row);
            update!(simd, out, _old, [column in column] => {
                let sum = simd.add_f32s(row, column);
                simd.select_f32s(simd.greater_than_f32s(sum, zero), sum, simd.mul_f32s(sum, slope))
            });
        }
    }

    /// `out += edges weight`, or with the transposed edges; `weight` and `out` are
    /// `[rois, n_out]`.
    #[inline(always)]
    fn add<S: Simd>(
        &self,
        simd: S,
        edges: &[f32],
        transposed: bool,
        weight: &[f32],
        out: &mut [f32],
    ) {
        let edges = Rows::new(edges, self.stride());
        Gemm {
            shape: [self.rois, self.n_out(), self.rois],
            a: match transposed {
                true => edges.transposed(),
                false => edges.left(),
            },
            b: Rows::new(weight, self.n_out()),
            start: Start::Held,
            c: out,
            c_stride: self.n_out(),
        }
        .run(simd);
    }
}

impl PerRun<1> for Cross<'_> {
    #[inline(always)]
    fn run<S: Simd>(&self, simd: S, [arms]: [&[f32]; 1], out: &mut [f32], _: &mut [Vec<f32>]) {
        let (of_scan, half) = (self.arms(), self.rois * self.n_out());
        let mut by_filter = vec![0.0; self.n_in * of_scan];
        let mut column = vec![0.0; self.stride()];
        let mut edges = vec![0.0; self.rois * self.stride()];
        let scans = arms.chunks_exact(of_scan * self.n_in);
        for (arms, out) in scans.zip(out.chunks_exact_mut(2 * half)) {
            rows::transpose(&mut by_filter, of_scan, arms, self.n_in);
            let (of_rows, of_columns) = out.split_at_mut(half);
            for out in of_columns.chunks_exact_mut(self.n_out()) {
                out.copy_from_slice(self.bias);
            }
            let weights = self.row.chunks_exact(half);
            let weights = weights.zip(self.column.chunks_exact(half));
            for (arms, (row, of_column)) in by_filter.chunks_exact(of_scan).zip(weights) {
                self.edges(simd, arms, &mut column, &mut edges);
                self.add(simd, &edges, false, row, of_rows);
                self.add(simd, &edges, true, of_column, of_columns);
            }
        }
    }
}

/// Fills `out` with the gradients of a filter: of its weights of rows, and of columns, and of its
/// arms in all scans.
impl PerRun<3> for Back<'_> {
    #[inline(always)]
    fn run<S: Simd>(
        &self,
        simd: S,
        [arms, row, column]: [&[f32]; 3],
        out: &mut [f32],
        _sums: &mut [Vec<f32>],
    ) {
        let cross = self.cross;
        let (rois, n_out, stride) = (cross.rois, cross.n_out(), cross.stride());
        let (half, slope) = (rois * n_out, simd.splat_f32s(cross.slope));
        let zero = simd.splat_f32s(0.0);
        let of_filter = self.grad.len() / n_out;
        let mut padded = vec![0.0; stride];
        let mut edges = vec![0.0; rois * stride];
        let mut of_edges = vec![0.0; rois * stride];
        let mut turned = vec![0.0; n_out * stride];
        let filters = arms.chunks_exact(of_filter).zip(row.chunks_exact(half));
        let filters = filters.zip(column.chunks_exact(half));
        let outs = out.chunks_exact_mut(2 * half + of_filter);
        for (((arms, row), column), out) in filters.zip(outs) {
            let (of_row, out) = out.split_at_mut(half);
            let (of_column, of_arms) = out.split_at_mut(half);
            rows::transpose(&mut turned, stride, row, n_out);
            let scans = arms.chunks_exact(2 * rois);
            let scans = scans.zip(of_arms.chunks_exact_mut(2 * rois));
            for (scan, (arms, of_arms)) in scans.enumerate() {
                cross.edges(simd, arms, &mut padded, &mut edges);
                let grad = &self.grad[2 * scan * half..][..2 * half];
                let (grad_rows, grad_columns) = grad.split_at(half);
                cross.add(simd, &edges, true, grad_rows, of_row);
                cross.add(simd, &edges, false, grad_columns, of_column);
                let columns = &self.of_columns[scan * n_out * stride..];
                for (a, b, start) in [
                    (grad_rows, &turned[..], Start::Zero),
                    (column, columns, Start::Held),
                ] {
                    Gemm {
                        shape: [rois, stride, n_out],
                        a: Rows::new(a, n_out).left(),
                        b: Rows::new(b, stride),
                        start,
                        c: &mut of_edges,
                        c_stride: stride,
                    }
                    .run(simd);
                }
                update!(simd, &mut of_edges, old, [edge in edges] => {
                    let small = simd.mul_f32s(old, slope);
                    simd.select_f32s(simd.greater_than_f32s(edge, zero), old, small)
                });
                let (of_rows, of_columns) = of_arms.split_at_mut(rois);
                padded.fill(0.0);
                for (sum, grads) in of_rows.iter_mut().zip(of_edges.chunks_exact(stride)) {
                    *sum = rows::sum(simd, grads);
                    rows::add(simd, &mut padded, grads);
                }
                of_columns.copy_from_slice(&padded[..rois]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::instructions::{agree, draw};
    use super::*;

    #[test]
    fn every_set_of_instructions_gives_the_same() {
        let (rois, n_in, n_out, scans) = (19, 3, 5, 2);
        let [row, bias, arms] = [n_in * rois * n_out, n_out, scans * 2 * rois * n_in].map(draw);
        let cross = Cross {
            rois,
            n_in,
            row: &row,
            column: &row,
            bias: &bias,
            slope: 0.3,
        };
        let len = scans * 2 * rois * n_out;
        agree(&cross, [&arms], len, &[]);
        let back = Back {
            cross: &cross,
            grad: &draw(len),
            of_columns: draw(scans * n_out * cross.stride()),
        };
        let out = n_in * (2 * rois * n_out + 2 * scans * rois);
        agree(&back, [&arms, &row, &row], out, &[]);
    }
}
