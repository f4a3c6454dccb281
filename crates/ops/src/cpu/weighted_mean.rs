//! Mean over the vectors of a graph's ROIs, with a weight for each from a query.

use pulp::Simd;

use super::parallel::{self, PerRun};
use super::rows;

/// `mean_v kept_v sigmoid(h_v . query + offset) h_v` for every graph.
pub struct WeightedMean<'a> {
    pub h: &'a [f32],
    pub query: &'a [f32],
    pub offset: &'a [f32],
    pub kept: &'a [f32],
    pub rois: usize,
    pub width: usize,
}

fn sigmoid(x: f32) -> f32 {
    (1.0 + (-x).exp()).recip()
}

impl<'a> WeightedMean<'a> {
    fn inputs(&self) -> parallel::Items<'a, 4> {
        [
            (self.h, self.rois * self.width),
            (self.query, self.width),
            (self.offset, 1),
            (self.kept, self.rois),
        ]
    }

    pub fn forward(&self, out: &mut [f32]) {
        parallel::map(self, self.inputs(), out);
    }

    /// Computes the gradients of queries and offsets; that of `h` fills `grad_h`.
    pub fn backward(&self, grad: &[f32], grad_h: &mut [f32]) -> [Vec<f32>; 2] {
        let [h, query, offset, kept] = self.inputs();
        let inputs = [h, query, offset, kept, (grad, self.width)];
        parallel::map(self, inputs, grad_h);
        let mut both = vec![0.0; self.offset.len() * (self.width + 1)];
        parallel::map(&OfQuery(self), inputs, &mut both);
        let rows = both.chunks_exact(self.width + 1);
        let query = rows.clone().flat_map(|row| &row[..self.width]).copied();
        [query.collect(), rows.map(|row| row[self.width]).collect()]
    }

    /// Weight of an ROI, and the derivative of the loss with respect to its score.
    #[inline(always)]
    fn slope<S: Simd>(
        &self,
        simd: S,
        h: &[f32],
        [query, grad]: [&[f32]; 2],
        offset: f32,
        kept: f32,
    ) -> [f32; 2] {
        let share = sigmoid(rows::dot(simd, h, query) + offset);
        let factor = kept / self.rois as f32;
        let slope = factor * rows::dot(simd, h, grad) * share * (1.0 - share);
        [factor * share, slope]
    }
}

impl PerRun<4> for WeightedMean<'_> {
    #[inline(always)]
    fn run<S: Simd>(
        &self,
        simd: S,
        [h, query, offset, kept]: [&[f32]; 4],
        out: &mut [f32],
        _sums: &mut [Vec<f32>],
    ) {
        let width = self.width;
        for (i, out) in out.chunks_exact_mut(width).enumerate() {
            let query = &query[i * width..][..width];
            let vectors = h[i * self.rois * width..].chunks_exact(width);
            for (h, kept) in vectors.zip(&kept[i * self.rois..][..self.rois]) {
                let share = sigmoid(rows::dot(simd, h, query) + offset[i]);
                rows::add_times(simd, out, h, kept * share / self.rois as f32);
            }
        }
    }
}

impl PerRun<5> for WeightedMean<'_> {
    #[inline(always)]
    fn run<S: Simd>(
        &self,
        simd: S,
        [h, query, offset, kept, grad]: [&[f32]; 5],
        out: &mut [f32],
        _sums: &mut [Vec<f32>],
    ) {
        let width = self.width;
        let vectors = h.chunks_exact(width).zip(out.chunks_exact_mut(width));
        for (v, (h, out)) in vectors.enumerate() {
            let i = v / self.rois;
            let rows = [query, grad].map(|x| &x[i * width..][..width]);
            let [weight, slope] = self.slope(simd, h, rows, offset[i], kept[v]);
            rows::add_times(simd, out, rows[1], weight);
            rows::add_times(simd, out, rows[0], slope);
        }
    }
}

/// Gradients of query and offset, one after the other.
struct OfQuery<'a>(&'a WeightedMean<'a>);

impl PerRun<5> for OfQuery<'_> {
    #[inline(always)]
    fn run<S: Simd>(
        &self,
        simd: S,
        [h, query, offset, kept, grad]: [&[f32]; 5],
        out: &mut [f32],
        _sums: &mut [Vec<f32>],
    ) {
        let (width, rois) = (self.0.width, self.0.rois);
        for (v, h) in h.chunks_exact(width).enumerate() {
            let i = v / rois;
            let rows = [query, grad].map(|x| &x[i * width..][..width]);
            let [_, slope] = self.0.slope(simd, h, rows, offset[i], kept[v]);
            let out = &mut out[i * (width + 1)..][..width + 1];
            rows::add_times(simd, &mut out[..width], h, slope);
            out[width] += slope;
        }
    }
}
