//! How much arithmetic a step is.

use brainmae_model::{BrainMaeConfig, DataShape, ReadoutKind};

/// Additions and multiplications of the matrix products of one pass forwards over `batch` samples of
/// `segments` segments; what else a model does is below a percent.
pub fn forward_flop(
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quick_step_is_what_was_counted_by_hand() {
        let data = DataShape {
            n_rois: 100,
            segment_len_trs: 20,
        };
        let flop = forward_flop(&BrainMaeConfig::default(), data, 32, 20, true);
        // 55 GFLOP for a step of training, which is three passes.
        assert!((3.0 * flop / 1e9 - 57.0).abs() < 4.0, "{flop}");
    }
}
