//! Distance of the vectors of a graph's ROIs from orthogonality.

use pulp::Simd;

use super::gemm::{Gemm, Rows, Start};
use super::parallel::{self, PerRun};
use super::rows::{self, update};

/// Rows of products are this many numbers apart, or a multiple, so that no register is cut.
const LANES: usize = 16;

/// Lower limit of the largest product of a row, against rounding.
const LEAST: f32 = 1e-6;

/// `sqrt( sum_i sum_(j >= i) A_ij^2 + 1e-12 )` for every graph, with
/// `A_ij = (H H')_ij / max_k (H H')_ik - I_ij`.
pub struct Orthogonality {
    pub rois: usize,
    pub width: usize,
}

/// Products of the vectors of one graph.
struct Products {
    /// `H`, transposed, its rows [`Products::stride`] apart.
    columns: Vec<f32>,
    /// `A` on and above the diagonal, 0 below and behind, rows as far apart.
    apart: Vec<f32>,
    stride: usize,
    /// The largest product of each ROI, and the number of the other ROI.
    largest: Vec<(f32, usize)>,
}

impl Products {
    fn new(of: &Orthogonality) -> Self {
        let stride = of.rois.next_multiple_of(LANES);
        Self {
            columns: vec![0.0; of.width * stride],
            apart: vec![0.0; of.rois * stride],
            stride,
            largest: vec![(0.0, 0); of.rois],
        }
    }

    /// Distance of `h`.
    #[inline(always)]
    fn distance<S: Simd>(&mut self, simd: S, h: &[f32], width: usize) -> f32 {
        let (rois, stride) = (h.len() / width, self.stride);
        rows::transpose(&mut self.columns, stride, h, width);
        Gemm {
            shape: [rois, stride, width],
            a: Rows::new(h, width).left(),
            b: Rows::new(&self.columns, stride),
            start: Start::Zero,
            c: &mut self.apart,
            c_stride: stride,
        }
        .run(simd);
        let rows = self.apart.chunks_exact_mut(stride).zip(&mut self.largest);
        for (roi, (row, largest)) in rows.enumerate() {
            *largest = (f32::NEG_INFINITY, 0);
            for (other, product) in row[..rois].iter().enumerate() {
                if *product > largest.0 {
                    *largest = (*product, other);
                }
            }
            row[..roi].fill(0.0);
            let factor = simd.splat_f32s(largest.0.max(LEAST).recip());
            update!(simd, &mut row[roi..], old, [] => simd.mul_f32s(old, factor));
            row[roi] -= 1.0;
        }
        (rows::dot(simd, &self.apart, &self.apart) + 1e-12).sqrt()
    }

    /// Makes of `A` how the square of the distance depends on the products `H H'`: the half of the
    /// derivative, plus its transpose, because every product is of two vectors.
    #[inline(always)]
    fn differentiate(&mut self, rois: usize) {
        let stride = self.stride;
        for (roi, (largest, other)) in self.largest.iter().enumerate() {
            let row = &mut self.apart[roi * stride..][..rois];
            // sum_j A (A + I): how the square depends on the largest product.
            let inner = row.iter().map(|a| a * a).sum::<f32>() + row[roi];
            let scale = largest.max(LEAST).recip();
            row[roi..].iter_mut().for_each(|a| *a *= scale);
            if *largest > LEAST {
                row[*other] -= inner * scale;
            }
        }
        for i in 0..rois {
            for j in 0..i {
                let both = self.apart[i * stride + j] + self.apart[j * stride + i];
                self.apart[i * stride + j] = both;
                self.apart[j * stride + i] = both;
            }
            self.apart[i * stride + i] *= 2.0;
        }
    }
}

impl Orthogonality {
    pub fn forward(&self, h: &[f32], out: &mut [f32]) {
        parallel::map(self, [(h, self.rois * self.width)], out);
    }

    /// The gradient of `h` fills `grad_h`.
    pub fn backward(&self, h: &[f32], grad: &[f32], grad_h: &mut [f32]) {
        parallel::map(self, [(h, self.rois * self.width), (grad, 1)], grad_h);
    }
}

impl PerRun<1> for Orthogonality {
    #[inline(always)]
    fn run<S: Simd>(&self, simd: S, [h]: [&[f32]; 1], out: &mut [f32], _sums: &mut [Vec<f32>]) {
        let mut products = Products::new(self);
        for (h, out) in h.chunks_exact(self.rois * self.width).zip(out) {
            *out = products.distance(simd, h, self.width);
        }
    }
}

impl PerRun<2> for Orthogonality {
    #[inline(always)]
    fn run<S: Simd>(
        &self,
        simd: S,
        [h, grad]: [&[f32]; 2],
        out: &mut [f32],
        _sums: &mut [Vec<f32>],
    ) {
        let (rois, width) = (self.rois, self.width);
        let mut products = Products::new(self);
        let graphs = h.chunks_exact(rois * width).zip(grad);
        for ((h, grad), out) in graphs.zip(out.chunks_exact_mut(rois * width)) {
            let distance = products.distance(simd, h, width);
            products.differentiate(rois);
            Gemm {
                shape: [rois, width, rois],
                a: Rows::new(&products.apart, products.stride).left(),
                b: Rows::new(h, width),
                start: Start::Zero,
                c: out,
                c_stride: width,
            }
            .run(simd);
            let factor = simd.splat_f32s(grad / distance);
            update!(simd, out, old, [] => simd.mul_f32s(old, factor));
        }
    }
}
