//! Example traces: measured signals of a few ROIs, and their reconstructions by all predictors
//! where they are hidden.

use brainmae_data::{Atlas, Crop, ScanStore, SegmentLayout};
use brainmae_run::Seeds;

use crate::PretrainError;
use crate::masked_batch::single_masked_sample;
use crate::predictor::Predictor;

/// Share of hidden ROIs.
const RATIO: f64 = 0.5;
/// Number of ROIs in the traces.
const N_ROIS: usize = 4;

/// The signal of one ROI over one sample.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// Identifier of the scan.
    pub scan: String,
    /// Name of the ROI.
    pub roi: String,
    /// Length of a segment in seconds; an ROI is hidden or visible for a whole segment.
    pub segment_secs: f64,
    /// Time of each volume since the start of the sample, in seconds.
    pub time_secs: Vec<f64>,
    /// Measured signal, z-scored.
    pub measured: Vec<f32>,
    /// True where the ROI was hidden.
    pub hidden: Vec<bool>,
    /// Reconstruction by each predictor, with the predictor's name.
    pub drawn: Vec<(String, Vec<f32>)>,
}

/// Traces of the first sample of the first scan with one mask, for four ROIs at equal distances in
/// the atlas's order. Padded segments and censored volumes are left out.
///
/// # Errors
/// If the sample cannot be cut.
pub fn traces(
    store: &ScanStore,
    layout: &SegmentLayout,
    predictors: &[&dyn Predictor],
    seeds: &Seeds,
    atlas: &Atlas,
) -> Result<Vec<Trace>, PretrainError> {
    let crop = Crop {
        scan: 0,
        start_volume: 0,
    };
    let rng = &mut seeds.stream("trace-masks");
    let batch = single_masked_sample(store, crop, layout, RATIO, rng)?;
    let [_, segments, n_rois, time] = batch.dims();
    let dt_secs = store.dt_secs();
    let drawn: Vec<(&str, Vec<f32>)> = (predictors.iter())
        .map(|predictor| (predictor.name(), predictor.predict(&batch)))
        .collect();
    // Segments and volumes within them; volumes of padding are not kept.
    let volumes: Vec<(usize, usize)> = (0..segments)
        .flat_map(|segment| (0..time).map(move |t| (segment, t)))
        .filter(|(segment, t)| batch.samples.kept[segment * time + t])
        .collect();
    let n = N_ROIS.min(n_rois);
    let rois = (0..n).map(|i| (2 * i + 1) * n_rois / (2 * n));
    let of_roi = |roi: usize| {
        // From [segments, rois, time] to the time series of this ROI.
        let pick = |values: &[f32]| -> Vec<f32> {
            let at = |(segment, t): &(usize, usize)| values[(segment * n_rois + roi) * time + t];
            volumes.iter().map(at).collect()
        };
        Trace {
            scan: store.scans()[0].scan.to_string(),
            roi: atlas.rois[roi].name.clone(),
            segment_secs: time as f64 * dt_secs,
            time_secs: (volumes.iter())
                .map(|(segment, t)| (segment * time + t) as f64 * dt_secs)
                .collect(),
            measured: pick(&batch.samples.bold),
            hidden: (volumes.iter())
                .map(|(segment, _)| batch.hidden[segment * n_rois + roi])
                .collect(),
            drawn: (drawn.iter())
                .map(|(name, values)| (name.to_string(), pick(values)))
                .collect(),
        }
    };
    Ok(rois.map(of_roi).collect())
}
