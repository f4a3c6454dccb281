//! Mean of the visible ROIs (global signal) as a predictor.

use super::Predictor;
use crate::masked_batch::MaskedBatch;

/// Predicts the mean of the visible ROIs at each volume.
pub struct VisibleMean;

impl Predictor for VisibleMean {
    fn name(&self) -> &str {
        "visible mean"
    }

    fn predict(&self, batch: &MaskedBatch) -> Vec<f32> {
        let [_, _, rois, time] = batch.dims();
        let mut out = vec![0.0; batch.samples.bold.len()];
        let segments = out
            .chunks_mut(rois * time)
            .zip(batch.samples.bold.chunks(rois * time));
        for ((out, bold), hidden) in segments.zip(batch.hidden.chunks(rois)) {
            let n_visible = hidden.iter().filter(|h| !**h).count().max(1);
            for t in 0..time {
                let visible = (0..rois).filter(|&i| !hidden[i]);
                let mean = visible.map(|i| bold[i * time + t]).sum::<f32>() / n_visible as f32;
                (0..rois).for_each(|i| out[i * time + t] = mean);
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use brainmae_data::SampleBatch;

    use super::*;

    #[test]
    fn hidden_values_are_not_looked_at() {
        // One segment of three ROIs and two volumes; the second ROI is hidden.
        let batch = MaskedBatch {
            samples: SampleBatch {
                bold: vec![1.0, 2.0, f32::NAN, f32::NAN, 3.0, 4.0],
                kept: vec![true; 2],
                start_secs: vec![0.0],
                valid: vec![true],
                missing: vec![false; 3],
                batch: 1,
                segments: 1,
                rois: 3,
                time: 2,
                crops: vec![],
            },
            hidden: vec![false, true, false],
        };
        assert_eq!(VisibleMean.predict(&batch)[2..4], [2.0, 3.0]);
    }
}
