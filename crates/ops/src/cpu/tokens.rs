//! Operators between signals, tokens and states: embedding, layer norm, reconstruction.

use pulp::Simd;

use super::block::Linear;
use super::gemm::{Gemm, Rows, Start};
use super::parallel::{self, PerRun};
use super::rows::{self, Norm, RowStats};

/// Layer norm over rows of `x`.
pub struct LayerNorm<'a>(pub Norm<'a>);

/// Number of rows that a layer norm computes together.
const ROWS: usize = 64;

impl LayerNorm<'_> {
    fn unit(&self) -> usize {
        self.0.gamma.len()
    }

    pub fn forward(&self, x: &[f32], out: &mut [f32]) {
        parallel::map(self, [(x, self.unit())], out);
    }

    /// Computes the gradients of gamma and beta; the gradient of `x` fills `grad_x`.
    pub fn backward(&self, x: &[f32], grad: &[f32], grad_x: &mut [f32]) -> Vec<Vec<f32>> {
        let unit = self.unit();
        parallel::map_summing(self, [(x, unit), (grad, unit)], grad_x, &[unit, unit])
    }
}

impl PerRun<1> for LayerNorm<'_> {
    #[inline(always)]
    fn run<S: Simd>(&self, simd: S, [x]: [&[f32]; 1], out: &mut [f32], _sums: &mut [Vec<f32>]) {
        let stats = &mut [RowStats::default(); ROWS];
        let chunk = ROWS * self.unit();
        for (x, out) in x.chunks(chunk).zip(out.chunks_mut(chunk)) {
            self.0.forward(simd, x, out, stats);
        }
    }
}

impl PerRun<2> for LayerNorm<'_> {
    #[inline(always)]
    fn run<S: Simd>(
        &self,
        simd: S,
        [x, grad]: [&[f32]; 2],
        out: &mut [f32],
        sums: &mut [Vec<f32>],
    ) {
        let stats = &mut [RowStats::default(); ROWS];
        let chunk = ROWS * self.unit();
        let [gamma, beta] = sums else { return };
        let runs = x.chunks(chunk).zip(grad.chunks(chunk));
        for ((x, grad), out) in runs.zip(out.chunks_mut(chunk)) {
            self.0.measure(simd, x, stats);
            self.0.backward(simd, x, stats, grad, out, gamma, beta);
        }
    }
}

/// Embedding of signals as tokens.
pub struct Embed<'a> {
    pub rois: usize,
    pub time: usize,
    pub linear: Linear<'a>,
    /// Mask token: replaces the token of a hidden signal.
    pub token: Option<&'a [f32]>,
}

impl Embed<'_> {
    fn width(&self) -> usize {
        self.linear.bias.len()
    }

    /// Tokens of `bold`; the mask token where `hidden` is not 0.
    pub fn forward(&self, bold: &[f32], hidden: Option<&[f32]>, out: &mut [f32]) {
        let hidden = hidden.unwrap_or(&[]);
        let unit = if hidden.is_empty() { 0 } else { self.rois };
        let inputs = [(bold, self.rois * self.time), (hidden, unit)];
        parallel::map(self, inputs, out);
    }

    /// Computes the gradients of weight, bias and mask token; the gradient of the signals fills
    /// `grad_bold`, unless it is empty.
    pub fn backward(
        &self,
        bold: &[f32],
        hidden: Option<&[f32]>,
        grad: &[f32],
        grad_bold: &mut [f32],
    ) -> Vec<Vec<f32>> {
        let hidden = hidden.unwrap_or(&[]);
        let unit = if hidden.is_empty() { 0 } else { self.rois };
        let width = self.width();
        let inputs = [
            (grad, self.rois * width),
            (bold, self.rois * self.time),
            (hidden, unit),
        ];
        let sums = [self.time * width, width, width];
        parallel::map_summing(self, inputs, grad_bold, &sums)
    }
}

impl PerRun<2> for Embed<'_> {
    #[inline(always)]
    fn run<S: Simd>(
        &self,
        simd: S,
        [bold, hidden]: [&[f32]; 2],
        out: &mut [f32],
        _sums: &mut [Vec<f32>],
    ) {
        self.linear.forward(simd, bold, self.time, out);
        if let Some(token) = self.token {
            for (token_out, hidden) in out.chunks_exact_mut(token.len()).zip(hidden) {
                if *hidden != 0.0 {
                    token_out.copy_from_slice(token);
                }
            }
        }
    }
}

impl PerRun<3> for Embed<'_> {
    #[inline(always)]
    fn run<S: Simd>(
        &self,
        simd: S,
        [grad, bold, hidden]: [&[f32]; 3],
        out: &mut [f32],
        sums: &mut [Vec<f32>],
    ) {
        let [weight, bias, token] = sums else { return };
        let (rois, width) = (self.rois, self.width());
        let mut visible = vec![0.0; rois * width];
        let segments = grad.chunks_exact(rois * width);
        let segments = segments.zip(bold.chunks_exact(rois * self.time));
        for (number, (grad, bold)) in segments.enumerate() {
            visible.copy_from_slice(grad);
            let hidden = hidden.get(number * rois..).unwrap_or(&[]);
            for (grad, hidden) in visible.chunks_exact_mut(width).zip(hidden) {
                if *hidden != 0.0 {
                    rows::add(simd, token, grad);
                    grad.fill(0.0);
                }
            }
            rows::add_rows(simd, bias, &visible);
            Gemm {
                shape: [self.time, width, rois],
                a: Rows::new(bold, self.time).transposed(),
                b: Rows::new(&visible, width),
                start: Start::Held,
                c: weight,
                c_stride: width,
            }
            .run(simd);
            if let Some(out) = out.chunks_exact_mut(rois * self.time).nth(number) {
                let mut transposed = vec![0.0; self.linear.weight.len()];
                rows::transpose(&mut transposed, self.time, self.linear.weight, width);
                Gemm {
                    shape: [rois, self.time, width],
                    a: Rows::new(&visible, width).left(),
                    b: Rows::new(&transposed, self.time),
                    start: Start::Zero,
                    c: out,
                    c_stride: self.time,
                }
                .run(simd);
            }
        }
    }
}

/// Reconstruction of signals from states.
pub struct Draw<'a> {
    /// Shape `[rois, width]`.
    pub roi: &'a [f32],
    pub linear: Linear<'a>,
    /// Rows of the weight, padded to [`Self::stride`].
    padded: Vec<f32>,
    /// Transposed weight, `[time, width]`.
    transposed: Vec<f32>,
}

impl<'a> Draw<'a> {
    pub fn new(roi: &'a [f32], linear: Linear<'a>) -> Self {
        let time = linear.bias.len();
        let width = linear.weight.len() / time;
        let stride = time.next_multiple_of(16);
        let mut padded = vec![0.0; width * stride];
        for (padded, row) in padded
            .chunks_exact_mut(stride)
            .zip(linear.weight.chunks_exact(time))
        {
            padded[..time].copy_from_slice(row);
        }
        let mut transposed = vec![0.0; linear.weight.len()];
        rows::transpose(&mut transposed, width, linear.weight, time);
        Self {
            roi,
            linear,
            padded,
            transposed,
        }
    }

    fn time(&self) -> usize {
        self.linear.bias.len()
    }

    /// Length of a signal, rounded up to whole registers.
    fn stride(&self) -> usize {
        self.time().next_multiple_of(16)
    }

    fn width(&self) -> usize {
        self.linear.weight.len() / self.time()
    }

    fn rois(&self) -> usize {
        self.roi.len() / self.width()
    }

    pub fn forward(&self, states: &[f32], out: &mut [f32]) {
        parallel::map(self, [(states, self.width())], out);
    }

    /// Computes the gradients of ROIs, weight and bias; the gradient of the states fills
    /// `grad_states`.
    pub fn backward(&self, states: &[f32], grad: &[f32], grad_states: &mut [f32]) -> Vec<Vec<f32>> {
        let (width, time) = (self.width(), self.time());
        let inputs = [(states, width), (grad, self.rois() * time)];
        let sums = [self.roi.len(), self.padded.len(), time];
        let mut sums = parallel::map_summing(self, inputs, grad_states, &sums);
        let rows = sums[1].chunks_exact(self.stride());
        sums[1] = rows.flat_map(|row| &row[..time]).copied().collect();
        sums
    }
}

impl PerRun<1> for Draw<'_> {
    #[inline(always)]
    fn run<S: Simd>(&self, simd: S, [states]: [&[f32]; 1], out: &mut [f32], _: &mut [Vec<f32>]) {
        let (rois, width, stride) = (self.rois(), self.width(), self.stride());
        let mut sum = vec![0.0; rois * width];
        let mut drawn = vec![0.0; rois * stride];
        let signals = out.chunks_exact_mut(rois * self.time());
        for (state, out) in states.chunks_exact(width).zip(signals) {
            rows::with_row(simd, &mut sum, self.roi, state);
            rows::gelu(simd, &mut sum);
            Gemm {
                shape: [rois, stride, width],
                a: Rows::new(&sum, width).left(),
                b: Rows::new(&self.padded, stride),
                start: Start::Zero,
                c: &mut drawn,
                c_stride: stride,
            }
            .run(simd);
            let drawn = drawn.chunks_exact(stride);
            for (out, drawn) in out.chunks_exact_mut(self.time()).zip(drawn) {
                rows::with_row(simd, out, &drawn[..self.time()], self.linear.bias);
            }
        }
    }
}

impl PerRun<2> for Draw<'_> {
    #[inline(always)]
    fn run<S: Simd>(
        &self,
        simd: S,
        [states, grad]: [&[f32]; 2],
        out: &mut [f32],
        sums: &mut [Vec<f32>],
    ) {
        let [grad_roi, weight, bias] = sums else {
            return;
        };
        let (rois, width, time, stride) = (self.rois(), self.width(), self.time(), self.stride());
        let mut slope = vec![0.0; rois * width];
        let mut activated = vec![0.0; rois * width];
        let mut inner = vec![0.0; rois * width];
        let mut padded = vec![0.0; rois * stride];
        let segments = states
            .chunks_exact(width)
            .zip(grad.chunks_exact(rois * time));
        for ((state, grad), out) in segments.zip(out.chunks_exact_mut(width)) {
            rows::with_row(simd, &mut slope, self.roi, state);
            rows::gelu_and_slope(simd, &mut slope, &mut activated);
            rows::add_rows(simd, bias, grad);
            for (padded, grad) in padded.chunks_exact_mut(stride).zip(grad.chunks_exact(time)) {
                padded[..time].copy_from_slice(grad);
            }
            Gemm {
                shape: [width, stride, rois],
                a: Rows::new(&activated, width).transposed(),
                b: Rows::new(&padded, stride),
                start: Start::Held,
                c: weight,
                c_stride: stride,
            }
            .run(simd);
            Gemm {
                shape: [rois, width, time],
                a: Rows::new(grad, time).left(),
                b: Rows::new(&self.transposed, width),
                start: Start::Zero,
                c: &mut inner,
                c_stride: width,
            }
            .run(simd);
            rows::multiply(simd, &mut inner, &slope);
            rows::add(simd, grad_roi, &inner);
            rows::add_rows(simd, out, &inner);
        }
    }
}
