//! Kernels of the operators, from the inputs in their order.

use super::super::attention::{Attention, Sequences};
use super::super::block::{Block, Linear, Mixing};
use super::super::cross::Cross;
use super::super::dropout::Dropout;
use super::super::feed_forward::FeedForward;
use super::super::graph::GraphLinear;
use super::super::linear::Map;
use super::super::norm_relu::NormRelu;
use super::super::orthogonality::Orthogonality;
use super::super::recurrent::{Recurrent, Unit};
use super::super::rows::Norm;
use super::super::tokens::Embed;
use super::super::weighted_mean::WeightedMean;
use super::Inputs;
use crate::block::{GRAPH_INPUTS, PADDED};
use crate::recurrent::UNIT_INPUTS;

pub fn norm<'a>(inputs: &Inputs<'a>, at: usize, eps: f64) -> Norm<'a> {
    Norm {
        gamma: inputs[at].0,
        beta: inputs[at + 1].0,
        eps: eps as f32,
    }
}

pub fn linear<'a>(inputs: &Inputs<'a>, at: usize) -> Linear<'a> {
    Linear {
        weight: inputs[at].0,
        bias: inputs[at + 1].0,
    }
}

pub fn map<'a>(inputs: &Inputs<'a>, slope: f64) -> Map<'a> {
    Map {
        linear: linear(inputs, 1),
        slope: slope as f32,
    }
}

pub fn feed_forward<'a>(inputs: &Inputs<'a>, dropout: Dropout) -> FeedForward<'a> {
    FeedForward {
        first: linear(inputs, 1),
        second: linear(inputs, 3),
        dropout,
    }
}

pub fn hidden<'a>(inputs: &Inputs<'a>) -> Option<&'a [f32]> {
    inputs.get(3).map(|(hidden, _)| *hidden)
}

/// Flags of the padded tokens of a block.
pub fn padded<'a>(inputs: &Inputs<'a>) -> Option<&'a [f32]> {
    inputs.get(PADDED).map(|(padded, _)| *padded)
}

pub fn embed<'a>(inputs: &Inputs<'a>) -> Embed<'a> {
    Embed {
        rois: inputs[0].1[1],
        time: inputs[0].1[2],
        linear: linear(inputs, 1),
        token: inputs.get(4).map(|(token, _)| *token),
    }
}

pub fn block<'a>(inputs: &Inputs<'a>, heads: usize, eps: f64) -> Block<'a> {
    Block {
        rois: inputs[0].1[1],
        heads,
        norm1: norm(inputs, 1, eps),
        v: linear(inputs, 3),
        o: linear(inputs, 5),
        norm2: norm(inputs, 7, eps),
        fc1: linear(inputs, 9),
        fc2: linear(inputs, 11),
        mixing: if inputs.len() == GRAPH_INPUTS {
            let alpha = inputs[13].0;
            Mixing::Graph { alpha }
        } else {
            Mixing::Tokens {
                q: linear(inputs, 13),
                k: linear(inputs, 15),
            }
        },
    }
}

pub fn graph_linear<'a>(inputs: &Inputs<'a>) -> GraphLinear<'a> {
    GraphLinear::new(inputs[0].1[1], inputs[2].0[0], linear(inputs, 3))
}

pub fn cross<'a>(inputs: &Inputs<'a>, slope: f64) -> Cross<'a> {
    Cross {
        rois: inputs[0].1[2],
        n_in: inputs[0].1[3],
        row: inputs[1].0,
        column: inputs[2].0,
        bias: inputs[3].0,
        slope: slope as f32,
    }
}

pub fn norm_relu<'a>(inputs: &Inputs<'a>, eps: f64) -> NormRelu<'a> {
    let linear = (inputs.len() > 4).then(|| linear(inputs, 4));
    let scale_and_offset = [inputs[2].0, inputs[3].0];
    NormRelu::new(inputs[1].0, scale_and_offset, eps as f32, linear)
}

pub fn recurrent(inputs: &Inputs<'_>) -> Recurrent {
    let starts = (1..inputs.len()).step_by(UNIT_INPUTS);
    let units: Vec<Unit> = starts
        .map(|at| Unit {
            input: linear(inputs, at),
            states: linear(inputs, at + 2),
        })
        .collect();
    Recurrent::new(&units, inputs[0].1[1])
}

pub fn orthogonality(inputs: &Inputs<'_>) -> Orthogonality {
    Orthogonality {
        rois: inputs[0].1[1],
        width: inputs[0].1[2],
    }
}

pub fn weighted_mean<'a>(inputs: &Inputs<'a>) -> WeightedMean<'a> {
    WeightedMean {
        h: inputs[0].0,
        query: inputs[1].0,
        offset: inputs[2].0,
        kept: inputs[3].0,
        rois: inputs[0].1[1],
        width: inputs[0].1[2],
    }
}

pub fn attention<'a>(inputs: &Inputs<'a>, heads: usize, dropout: Dropout) -> Attention<'a> {
    Attention {
        heads,
        queries: inputs[0].1[1],
        keys: inputs[1].1[1],
        width: inputs[0].1[2],
        bias: inputs.get(3).map(|(bias, _)| *bias),
        dropout,
    }
}

pub fn sequences<'a>(inputs: &Inputs<'a>) -> Sequences<'a> {
    Sequences {
        q: inputs[0].0,
        k: inputs[1].0,
        v: inputs[2].0,
        hidden: inputs.get(4).map_or(&[], |(hidden, _)| *hidden),
    }
}
