//! Sizes and ablation switches of a [`BrainMae`](crate::BrainMae).

use serde::{Deserialize, Serialize};

use crate::ModelError;

/// Kinds of blocks in the transient state encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TseKind {
    /// SG-BrainMAE: region-aware graph attention in every block.
    Static,
    /// AG-BrainMAE: region-aware graph attention in the first block, self-attention among the ROI
    /// tokens in the others.
    Adaptive,
}

/// Map from the ROI tokens of a segment to one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadoutKind {
    /// One linear map of all `n_rois * d_model` values.
    Flatten,
    /// A learned elementwise weighting of the ROI tokens and their sum, then a linear map of
    /// `d_model` values.
    RoiWeighted,
}

/// Whether the ROI vectors are learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoiVectors {
    /// Learned with the other weights.
    Learned,
    /// Fixed sinusoids of the ROI index: an ablation.
    Fixed,
}

/// Sizes of a model that the data determine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataShape {
    /// ROIs of the atlas.
    pub n_rois: usize,
    /// Volumes of a segment.
    pub segment_len_trs: usize,
}

/// Sizes and ablation switches. The defaults are the `quick` size; [`BrainMaeConfig::paper`] is the
/// paper's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BrainMaeConfig {
    /// Width of a token, of a state and of an ROI vector.
    pub d_model: usize,
    /// Attention heads in every block.
    pub n_heads: usize,
    /// Width of a feed-forward layer, in units of `d_model`.
    pub feed_forward_mult: usize,
    /// Static (SG) or adaptive (AG) transient state encoder.
    pub tse: TseKind,
    /// Blocks of the transient state encoder.
    pub tse_blocks: usize,
    /// `false` puts ordinary self-attention into every block of the transient state encoder: an
    /// ablation.
    pub graph: bool,
    /// `true` lets an ROI attend to itself in graph blocks: an ablation.
    pub self_loops: bool,
    /// Learned or fixed ROI vectors; fixed ones are an ablation.
    pub roi_vectors: RoiVectors,
    /// Map from ROI tokens to a state.
    pub readout: ReadoutKind,
    /// Blocks of the time encoder.
    pub encoder_depth: usize,
    /// Blocks of the decoder.
    pub decoder_depth: usize,
    /// Epsilon of every layer norm.
    pub norm_eps: f64,
}

impl Default for BrainMaeConfig {
    fn default() -> Self {
        Self {
            d_model: 64,
            n_heads: 4,
            feed_forward_mult: 4,
            tse: TseKind::Static,
            tse_blocks: 3,
            graph: true,
            self_loops: false,
            roi_vectors: RoiVectors::Learned,
            readout: ReadoutKind::Flatten,
            encoder_depth: 2,
            decoder_depth: 1,
            norm_eps: 1e-5,
        }
    }
}

impl BrainMaeConfig {
    /// Size with which the paper's results are to be reproduced: width 512, 8 heads, 4 encoder
    /// blocks.
    pub fn paper() -> Self {
        Self {
            d_model: 512,
            n_heads: 8,
            encoder_depth: 4,
            ..Self::default()
        }
    }

    /// Number of the transient state encoder's blocks with graph attention.
    pub fn graph_blocks(&self) -> usize {
        match (self.graph, self.tse) {
            (false, _) => 0,
            (true, TseKind::Static) => self.tse_blocks,
            (true, TseKind::Adaptive) => self.tse_blocks.min(1),
        }
    }

    /// Checks that sizes agree between layers and with the data.
    ///
    /// # Errors
    /// [`ModelError::Config`] names the first field that does not fit.
    pub fn check(&self, data: DataShape) -> Result<(), ModelError> {
        let fail = |field, found: usize, expected: &str| {
            Err(ModelError::Config {
                field,
                found: found.to_string(),
                expected: expected.to_string(),
            })
        };
        if self.d_model < 2 || !self.d_model.is_multiple_of(2) {
            return fail(
                "d_model",
                self.d_model,
                "an even number, for pairs of sine and cosine",
            );
        }
        if self.n_heads == 0 || !self.d_model.is_multiple_of(self.n_heads) {
            let divisor = format!("a divisor of d_model = {}", self.d_model);
            return fail("n_heads", self.n_heads, &divisor);
        }
        for (field, found) in [
            ("feed_forward_mult", self.feed_forward_mult),
            ("tse_blocks", self.tse_blocks),
            ("segment_len_trs", data.segment_len_trs),
        ] {
            if found == 0 {
                return fail(field, found, "at least 1");
            }
        }
        if data.n_rois < 2 {
            return fail(
                "n_rois",
                data.n_rois,
                "at least 2: an ROI may not attend to itself",
            );
        }
        if !(self.norm_eps > 0.0 && self.norm_eps.is_finite()) {
            return Err(ModelError::Config {
                field: "norm_eps",
                found: self.norm_eps.to_string(),
                expected: "a positive number".to_string(),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATA: DataShape = DataShape {
        n_rois: 10,
        segment_len_trs: 6,
    };

    #[test]
    fn heads_must_divide_the_width() {
        let config = BrainMaeConfig {
            n_heads: 5,
            ..Default::default()
        };
        let error = config.check(DATA).expect_err("64 is no multiple of 5");
        assert!(matches!(
            error,
            ModelError::Config {
                field: "n_heads",
                ..
            }
        ));
    }

    #[test]
    fn the_switches_decide_which_blocks_are_graph_blocks() {
        let blocks = |tse, graph| {
            BrainMaeConfig {
                tse,
                graph,
                ..Default::default()
            }
            .graph_blocks()
        };
        assert_eq!(blocks(TseKind::Static, true), 3);
        assert_eq!(blocks(TseKind::Adaptive, true), 1);
        assert_eq!(blocks(TseKind::Static, false), 0);
    }
}
