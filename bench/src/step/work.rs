//! Work of a step: its arithmetic, and the bytes that it must move.

use brainmae_model::{BrainMaeConfig, DataShape, Precision, ReadoutKind};

/// Bytes of a number. Weights, values between operators and the optimiser's state have 32 bits;
/// inputs and outputs of blocks have 16 bits in bf16.
const NUMBER_BYTES: f64 = 4.0;
const NARROW_BYTES: f64 = 2.0;

/// Numbers read and written by the optimiser per parameter and step: the gradient for its norm;
/// then gradient, weight and both moments are read, and weight and both moments are written.
const OPTIMISER_TOUCHES: f64 = 1.0 + 4.0 + 3.0;

/// Least work of a step, for any implementation.
#[derive(Clone, Copy, Debug)]
pub struct StepWork {
    /// Additions and multiplications of matrix products.
    pub flop: f64,
    /// Bytes moved between operators, and bytes of the optimiser.
    pub bytes: f64,
}

impl StepWork {
    /// Work of a step over `batch` samples of `segments` segments: of `training`, or of encoding
    /// alone.
    pub fn of(
        config: &BrainMaeConfig,
        data: DataShape,
        batch: usize,
        segments: usize,
        training: bool,
        precision: Precision,
    ) -> Self {
        let forward = forward_flop(config, data, batch, segments, training);
        let pass = Pass::of(config, data, batch, segments, training);
        Self {
            flop: forward * if training { 3.0 } else { 1.0 },
            bytes: NUMBER_BYTES * pass.numbers_moved(training)
                - match precision {
                    Precision::F32 | Precision::Tf32 => 0.0,
                    Precision::Bf16 => {
                        (NUMBER_BYTES - NARROW_BYTES) * pass.narrow_numbers_moved(training)
                    }
                },
        }
    }
}

/// Additions and multiplications of the matrix products in one forward pass over `batch` samples of
/// `segments` segments; all other arithmetic of the model is below one percent.
fn forward_flop(
    config: &BrainMaeConfig,
    data: DataShape,
    batch: usize,
    segments: usize,
    with_decoder: bool,
) -> f64 {
    let (n, t, d) = (
        data.n_rois as f64,
        data.segment_len_trs as f64,
        config.d_model as f64,
    );
    let feed_forward = |tokens: f64| 4.0 * config.feed_forward_mult as f64 * tokens * d * d;
    let own = |tokens: f64| 8.0 * tokens * d * d + 4.0 * tokens * tokens * d + feed_forward(tokens);
    let graph = 4.0 * n * d * d + 2.0 * n * n * d + feed_forward(n);
    let graphs = config.graph_blocks() as f64;
    let readout = match config.readout {
        ReadoutKind::Flatten => 2.0 * n * d * d,
        ReadoutKind::RoiWeighted => 2.0 * d * d,
    };
    let state =
        2.0 * n * t * d + graphs * graph + (config.tse_blocks as f64 - graphs) * own(n) + readout;
    let tokens = segments as f64;
    let mut sample = tokens * state + config.encoder_depth as f64 * own(tokens + 1.0);
    if with_decoder {
        sample += config.decoder_depth as f64 * own(tokens);
        sample += tokens * (4.0 * d * d + 2.0 * n * d * t);
    }
    batch as f64 * sample
}

/// Numbers that one operator reads or writes: an operator of `brainmae-ops`, or a linear map,
/// readout or loss. Intermediate values within an operator do not count, nor do those that it
/// recomputes in the backward pass.
#[derive(Clone, Copy, Default)]
struct Operator {
    weights: f64,
    /// Inputs that receive a gradient.
    inputs: f64,
    /// Inputs without a gradient: signals, masks.
    constants: f64,
    output: f64,
    /// Numbers of the inputs and of the output that have 16 bits in bf16.
    narrow: [f64; 2],
}

impl Operator {
    /// All inputs are read once, and the output is written once.
    fn forward(self) -> f64 {
        self.weights + self.inputs + self.constants + self.output
    }

    /// All inputs and the gradient of the output are read once; the gradients of weights and inputs
    /// are written.
    fn backward(self) -> f64 {
        let read = self.weights + self.inputs + self.constants + self.output;
        read + self.weights + self.inputs
    }

    /// 16-bit numbers that are moved in the forward pass and, in training, in the backward pass.
    fn narrow_moved(self, training: bool) -> f64 {
        let [inputs, output] = self.narrow;
        let back = if training { 2.0 * inputs + output } else { 0.0 };
        inputs + output + back
    }
}

/// Operators of a pass. Additions of time encodings, CLS tokens, concatenations and slices of the
/// size of a state are left out: they are below one percent, and without them the result is still a
/// lower bound.
struct Pass {
    operators: Vec<Operator>,
    /// Parameters that belong to no single operator: ROI vectors, which several operators take as
    /// input, and CLS.
    shared_parameters: f64,
}

impl Pass {
    fn of(
        config: &BrainMaeConfig,
        data: DataShape,
        batch: usize,
        segments: usize,
        training: bool,
    ) -> Self {
        let (n, t, d) = (
            data.n_rois as f64,
            data.segment_len_trs as f64,
            config.d_model as f64,
        );
        let linear = |from: f64, to: f64| from * to + to;
        let inner = config.feed_forward_mult as f64 * d;
        let half_block = 4.0 * d + 2.0 * linear(d, d) + linear(d, inner) + linear(inner, d);
        // Operator with input and output of the same size.
        let same = |weights: f64, size: f64| Operator {
            weights,
            inputs: size,
            output: size,
            ..Operator::default()
        };
        let own_block = |size: f64| Operator {
            narrow: [size; 2],
            ..same(half_block + 2.0 * linear(d, d), size)
        };
        let norm_after_blocks = |size: f64| Operator {
            narrow: [size, 0.0],
            ..same(2.0 * d, size)
        };

        let samples = batch as f64;
        let states = samples * segments as f64;
        let (state, in_context) = (states * d, (states + samples) * d);
        let (signal, tokens) = (states * n * t, states * n * d);
        let mask = if training { states * n } else { 0.0 };
        let alpha = config.n_heads as f64 * n * n;

        let mut operators = vec![Operator {
            weights: linear(t, d) + if training { d } else { 0.0 },
            constants: signal + mask,
            output: tokens,
            narrow: [0.0, tokens],
            ..Operator::default()
        }];
        for block in 0..config.tse_blocks {
            if block < config.graph_blocks() {
                operators.push(Operator {
                    weights: 2.0 * linear(d, d),
                    inputs: n * d,
                    output: alpha,
                    ..Operator::default()
                });
                let mixing = same(half_block, tokens);
                operators.push(Operator {
                    inputs: tokens + alpha,
                    narrow: [tokens; 2],
                    ..mixing
                });
            } else {
                operators.push(own_block(tokens));
            }
        }
        operators.push(norm_after_blocks(tokens));
        operators.push(Operator {
            weights: match config.readout {
                ReadoutKind::Flatten => linear(n * d, d),
                ReadoutKind::RoiWeighted => n * d + linear(d, d),
            },
            inputs: tokens,
            output: state,
            ..Operator::default()
        });
        operators.extend(vec![own_block(in_context); config.encoder_depth]);
        operators.push(norm_after_blocks(in_context));
        if training {
            operators.push(same(linear(d, d), state));
            operators.extend(vec![own_block(state); config.decoder_depth]);
            operators.push(norm_after_blocks(state));
            operators.push(same(linear(d, d), state));
            operators.push(same(d * d, n * d));
            operators.push(Operator {
                weights: linear(d, t),
                inputs: state + n * d,
                output: signal,
                ..Operator::default()
            });
            operators.push(Operator {
                inputs: signal,
                constants: signal + mask,
                ..Operator::default()
            });
        }
        Self {
            operators,
            shared_parameters: n * d + d,
        }
    }

    fn parameters(&self) -> f64 {
        self.shared_parameters + self.operators.iter().map(|o| o.weights).sum::<f64>()
    }

    fn narrow_numbers_moved(&self, training: bool) -> f64 {
        let narrow = self.operators.iter().map(|o| o.narrow_moved(training));
        narrow.sum()
    }

    fn numbers_moved(&self, training: bool) -> f64 {
        let forward: f64 = self.operators.iter().map(|o| o.forward()).sum();
        if !training {
            return forward;
        }
        let backward: f64 = self.operators.iter().map(|o| o.backward()).sum();
        forward + backward + OPTIMISER_TOUCHES * self.parameters()
    }
}

#[cfg(test)]
mod tests;
