//! Distance of the vectors of a graph's ROIs from orthogonality.

use pulp::Simd;

use super::gemm::{Gemm, Rows, Start};
use super::parallel::{self, PerRun};
use super::rows::{self, update};

/// Rows of products are this many numbers apart, or a multiple, so that no register is cut.
const LANES: usize = 16;

/// Lower limit of the largest product, against rounding.
const LEAST: f32 = 1e-6;

/// `sqrt( sum_ij (H H' / max(H H') - I)_ij^2 + 1e-12 )` for every graph.
pub struct Orthogonality {
    pub rois: usize,
    pub width: usize,
}

/// Products of the vectors of one graph.
struct Products {
    /// `H`, transposed, its rows [`Products::stride`] apart.
    columns: Vec<f32>,
    /// `H H' / largest - I`, rows as far apart.
    apart: Vec<f32>,
    stride: usize,
    /// The largest product, which is the square of a vector, and the number of its ROI.
    largest: f32,
    roi: usize,
}

impl Products {
    fn new(of: &Orthogonality) -> Self {
        let stride = of.rois.next_multiple_of(LANES);
        Self {
            columns: vec![0.0; of.width * stride],
            apart: vec![0.0; of.rois * stride],
            stride,
            largest: 0.0,
            roi: 0,
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
        self.largest = f32::NEG_INFINITY;
        for roi in 0..rois {
            let square = self.apart[roi * stride + roi];
            if square > self.largest {
                (self.largest, self.roi) = (square, roi);
            }
        }
        let factor = simd.splat_f32s(self.largest.max(LEAST).recip());
        update!(simd, &mut self.apart, old, [] => simd.mul_f32s(old, factor));
        for roi in 0..rois {
            self.apart[roi * stride + roi] -= 1.0;
        }
        (rows::dot(simd, &self.apart, &self.apart) + 1e-12).sqrt()
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
            let (stride, largest, roi) = (products.stride, products.largest, products.roi);
            // sum_ij apart (apart + I): how the distance depends on the largest product.
            let trace: f32 = (0..rois).map(|i| products.apart[i * stride + i]).sum();
            let inner = rows::dot(simd, &products.apart, &products.apart) + trace;
            if largest > LEAST {
                products.apart[roi * stride + roi] -= inner;
            }
            // Products are symmetric: every one of them moves two vectors.
            let factor = 2.0 * grad / distance / largest.max(LEAST);
            Gemm {
                shape: [rois, width, rois],
                a: Rows::new(&products.apart, stride).left(),
                b: Rows::new(h, width),
                start: Start::Zero,
                c: out,
                c_stride: width,
            }
            .run(simd);
            let factor = simd.splat_f32s(factor);
            update!(simd, out, old, [] => simd.mul_f32s(old, factor));
        }
    }
}
