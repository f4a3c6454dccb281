//! Sum over the neighbours of each ROI, followed by a linear map.

use pulp::Simd;

use super::backward::{add_weights, to_inputs};
use super::block::Linear;
use super::gemm::{Gemm, Rows, Start};
use super::parallel::{self, PerRun};
use super::rows::{self, update};

/// `((epsilon I + graph) x) weight + bias`, for every graph of its own.
pub struct GraphLinear<'a> {
    rois: usize,
    epsilon: f32,
    linear: Linear<'a>,
    /// Weight, transposed.
    transposed: Vec<f32>,
}

impl<'a> GraphLinear<'a> {
    pub fn new(rois: usize, epsilon: f32, linear: Linear<'a>) -> Self {
        let (outputs, width) = (linear.bias.len(), linear.weight.len() / linear.bias.len());
        let mut transposed = vec![0.0; linear.weight.len()];
        rows::transpose(&mut transposed, width, linear.weight, outputs);
        Self {
            rois,
            epsilon,
            linear,
            transposed,
        }
    }

    fn outputs(&self) -> usize {
        self.linear.bias.len()
    }

    fn width(&self) -> usize {
        self.linear.weight.len() / self.outputs()
    }

    pub fn forward(&self, x: &[f32], graph: &[f32], out: &mut [f32]) {
        let inputs = [
            (x, self.rois * self.width()),
            (graph, self.rois * self.rois),
        ];
        parallel::map(self, inputs, out);
    }

    /// Computes the gradients of epsilon, weight and bias; that of `x` fills `grad_x`.
    pub fn backward(
        &self,
        x: &[f32],
        graph: &[f32],
        grad: &[f32],
        grad_x: &mut [f32],
    ) -> Vec<Vec<f32>> {
        let inputs = [
            (x, self.rois * self.width()),
            (graph, self.rois * self.rois),
            (grad, self.rois * self.outputs()),
        ];
        let sums = [1, self.linear.weight.len(), self.outputs()];
        parallel::map_summing(self, inputs, grad_x, &sums)
    }

    /// `out = epsilon x + graph x`, or with the transposed graph.
    #[inline(always)]
    fn mix<S: Simd>(&self, simd: S, x: &[f32], graph: &[f32], transposed: bool, out: &mut [f32]) {
        let width = self.width();
        let epsilon = simd.splat_f32s(self.epsilon);
        update!(simd, out, _old, [x in x] => simd.mul_f32s(x, epsilon));
        let graph = Rows::new(graph, self.rois);
        Gemm {
            shape: [self.rois, width, self.rois],
            a: if transposed {
                graph.transposed()
            } else {
                graph.left()
            },
            b: Rows::new(x, width),
            start: Start::Held,
            c: out,
            c_stride: width,
        }
        .run(simd);
    }
}

impl PerRun<2> for GraphLinear<'_> {
    #[inline(always)]
    fn run<S: Simd>(
        &self,
        simd: S,
        [x, graph]: [&[f32]; 2],
        out: &mut [f32],
        _sums: &mut [Vec<f32>],
    ) {
        let (rois, width) = (self.rois, self.width());
        let mut mixed = vec![0.0; rois * width];
        let graphs = x
            .chunks_exact(rois * width)
            .zip(graph.chunks_exact(rois * rois));
        for ((x, graph), out) in graphs.zip(out.chunks_exact_mut(rois * self.outputs())) {
            self.mix(simd, x, graph, false, &mut mixed);
            self.linear.forward(simd, &mixed, width, out);
        }
    }
}

impl PerRun<3> for GraphLinear<'_> {
    #[inline(always)]
    fn run<S: Simd>(
        &self,
        simd: S,
        [x, graph, grad]: [&[f32]; 3],
        out: &mut [f32],
        sums: &mut [Vec<f32>],
    ) {
        let [epsilon, weight, bias] = sums else {
            return;
        };
        let (rois, width, outputs) = (self.rois, self.width(), self.outputs());
        let mut mixed = vec![0.0; rois * width];
        let graphs = x
            .chunks_exact(rois * width)
            .zip(graph.chunks_exact(rois * rois));
        let graphs = graphs.zip(grad.chunks_exact(rois * outputs));
        for (((x, graph), grad), out) in graphs.zip(out.chunks_exact_mut(rois * width)) {
            self.mix(simd, x, graph, false, &mut mixed);
            add_weights(simd, &mixed, width, grad, weight, bias);
            // From here on, `mixed` is its own gradient.
            to_inputs(simd, grad, &self.transposed, Start::Zero, &mut mixed, width);
            epsilon[0] += rows::dot(simd, &mixed, x);
            self.mix(simd, &mixed, graph, true, out);
        }
    }
}
