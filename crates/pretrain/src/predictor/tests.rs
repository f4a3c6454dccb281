//! Tests of simple predictors on signals with a known best prediction.

use brainmae_data::{BoldSeries, Crop, ScanId, ScanStore, SegmentLayout, StoredScan, SubjectId};
use brainmae_model::{BrainMaeConfig, DataShape};
use brainmae_run::Seeds;
use rand_distr::{Distribution, StandardNormal};

use super::*;
use crate::Pretext;
use crate::brainmae::MaskedReconstruction;
use crate::mask::MaskConfig;
use crate::masked_batch::single_masked_sample;
use crate::reconstruction::hidden_error;

pub(super) const LAYOUT: SegmentLayout = SegmentLayout {
    segment_len_trs: 5,
    n_segments: 40,
};
/// Standard deviation of the independent noise of each ROI; that of the shared signal is 1.
pub(super) const NOISE: f64 = 0.5;

/// Four ROIs with one shared signal and independent noise, scaled to unit variance. The shared
/// signal is independent between volumes.
pub(super) fn store(name: &str) -> ScanStore {
    slow_store(name, 0.0)
}

/// The same with an autocorrelated shared signal: the share `memory` of it stays from one volume to
/// the next.
fn slow_store(name: &str, memory: f64) -> ScanStore {
    let rng = &mut Seeds::new(2).stream(name);
    let mut normal = || -> f64 { StandardNormal.sample(rng) };
    let scale = (1.0 + NOISE * NOISE).sqrt().recip();
    let mut values = Vec::new();
    let mut shared = normal();
    for _ in 0..20_000 {
        shared = memory * shared + (1.0 - memory * memory).sqrt() * normal();
        values.extend((0..4).map(|_| (scale * (shared + NOISE * normal())) as f32));
    }
    let scan = StoredScan {
        scan: ScanId::new(name),
        subject: SubjectId::new(name),
        series: BoldSeries::new(values, 4, 1.0).expect("finite"),
    };
    ScanStore::new(vec![scan]).expect("one scan")
}

pub(super) fn masked(store: &ScanStore, ratio: f64) -> Vec<MaskedBatch> {
    let rng = &mut Seeds::new(2).stream("masks");
    (0..100)
        .map(|i| {
            let start_volume = i * LAYOUT.sample_len_trs();
            let crop = Crop {
                scan: 0,
                start_volume,
            };
            single_masked_sample(store, crop, &LAYOUT, ratio, rng).expect("it fits")
        })
        .collect()
}

pub(super) fn mse(predictor: &dyn Predictor, batches: &[MaskedBatch]) -> f64 {
    let errors = batches
        .iter()
        .map(|b| hidden_error(b, &predictor.predict(b)).mse());
    errors.sum::<f64>() / batches.len() as f64
}

fn fit(scope: Scope, training: &ScanStore) -> LinearPredictor {
    let validation = masked(training, 0.5).into_iter().map(Ok);
    LinearPredictor::fit(scope, training, &LAYOUT, validation).expect("invertible")
}

/// With k visible ROIs, the error variance of the shared signal is `noise / (k + noise)`; the
/// hidden ROI's own noise is added.
fn best_possible(visible: f64) -> f64 {
    let noise = NOISE * NOISE;
    (noise / (visible + noise) + noise) / (1.0 + noise)
}

#[test]
fn the_linear_predictor_reaches_the_smallest_possible_error() {
    let (training, test) = (store("training"), store("test"));
    let linear = fit(Scope::Volume, &training);
    for (ratio, visible) in [(0.25, 3.0), (0.5, 2.0), (0.75, 1.0)] {
        let batches = masked(&test, ratio);
        let (found, expected) = (mse(&linear, &batches), best_possible(visible));
        assert!(
            (found / expected - 1.0).abs() < 0.05,
            "{ratio}: {found}, expected {expected}"
        );
        assert!(mse(&VisibleMean, &batches) > expected);
        assert!((mse(&Zero, &batches) - 1.0).abs() < 0.05);
    }
}

#[test]
fn other_volumes_help_where_the_signal_is_slow_and_do_no_harm_where_it_is_not() {
    let (training, test) = (store("training"), store("test"));
    let [volume, segment] = [Scope::Volume, Scope::Segment].map(|scope| fit(scope, &training));
    let batches = masked(&test, 0.5);
    assert!((mse(&segment, &batches) / mse(&volume, &batches) - 1.0).abs() < 0.02);

    let (training, test) = (slow_store("training", 0.95), slow_store("test", 0.95));
    let [volume, segment] = [Scope::Volume, Scope::Segment].map(|scope| fit(scope, &training));
    let batches = masked(&test, 0.75);
    // One visible ROI: at the predicted volume alone, or with its four neighbours in time.
    assert!(mse(&segment, &batches) < 0.9 * mse(&volume, &batches));
}

#[test]
fn a_bottleneck_costs_until_every_number_passes() {
    let (training, test) = (store("training"), store("test"));
    let linear = fit(Scope::Volume, &training);
    let batches = masked(&test, 0.5);
    let through = |n| {
        mse(
            &LinearBottleneck::fit(linear.clone(), &training, &LAYOUT, n).expect("in memory"),
            &batches,
        )
    };
    // One shared signal in five volumes: two numbers are not sufficient, five are, and twenty do
    // not change the result.
    assert!(through(2) > 1.5 * through(5));
    assert!((through(20) / mse(&linear, &batches) - 1.0).abs() < 1e-6);
}

#[test]
fn no_predictor_looks_at_hidden_values() {
    let (training, test) = (store("training"), store("test"));
    let linear = fit(Scope::Volume, &training);
    let bottleneck =
        LinearBottleneck::fit(linear.clone(), &training, &LAYOUT, 5).expect("in memory");
    let mut batch = masked(&test, 0.5).remove(0);
    let segment = fit(Scope::Segment, &training);
    let validation = || masked(&training, 0.5).into_iter().take(3).map(Ok);
    let neighbours = NeighbouringSegments::fit(&training, &LAYOUT, validation()).expect("a ridge");
    let mixture = |scope| {
        let fitted = MixturePredictor::fit(scope, &training, &LAYOUT, validation(), &Seeds::new(5));
        fitted.expect("readable").expect("enough volumes")
    };
    let (by_volume, by_segment) = (mixture(Scope::Volume), mixture(Scope::Segment));
    let predictors: [&dyn Predictor; 8] = [
        &linear,
        &segment,
        &bottleneck,
        &neighbours,
        &by_volume,
        &by_segment,
        &VisibleMean,
        &Zero,
    ];
    let before = predictors.map(|p| p.predict(&batch));
    for (i, value) in batch.samples.bold.iter_mut().enumerate() {
        if batch.hidden[i / LAYOUT.segment_len_trs] {
            *value = 1e6;
        }
    }
    assert_eq!(before, predictors.map(|p| p.predict(&batch)));
}

/// `store`, in which three of ten volumes are censored and hold `filler`.
fn censored(store: &ScanStore, filler: f32) -> ScanStore {
    let series = store.series(0).expect("in memory");
    let kept: Vec<bool> = (0..series.n_volumes()).map(|v| v % 10 < 7).collect();
    let volumes = series.values().chunks_exact(4).zip(&kept);
    let value = |(volume, kept): (&[f32], &bool)| match kept {
        true => volume.to_vec(),
        false => vec![filler; 4],
    };
    let series = BoldSeries::new(volumes.flat_map(value).collect(), 4, 1.0);
    let scan = StoredScan {
        scan: ScanId::new("censored"),
        subject: SubjectId::new("censored"),
        series: series.and_then(|s| s.with_kept(kept)).expect("finite"),
    };
    ScanStore::new(vec![scan]).expect("one scan")
}

#[test]
fn what_stands_in_censored_volumes_changes_no_output_no_loss_and_no_score() {
    let data = DataShape {
        n_rois: 4,
        segment_len_trs: LAYOUT.segment_len_trs,
    };
    let config = BrainMaeConfig {
        d_model: 16,
        n_heads: 2,
        encoder_depth: 1,
        ..BrainMaeConfig::default()
    };
    let device = burn::tensor::Device::flex();
    let model = config.init(data, &mut Seeds::new(3).stream("weights"), &device);
    let model = model.expect("sizes fit");
    let store = slow_store("training", 0.8);
    let run = |filler: f32| {
        let store = censored(&store, filler);
        let batches = masked(&store, 0.5);
        let linear = |scope| {
            let validation = masked(&store, 0.5).into_iter().take(3).map(Ok);
            LinearPredictor::fit(scope, &store, &LAYOUT, validation).expect("a ridge")
        };
        let (volume, segment) = (linear(Scope::Volume), linear(Scope::Segment));
        let bottleneck = LinearBottleneck::fit(volume.clone(), &store, &LAYOUT, 3);
        let bottleneck = bottleneck.expect("readable");
        let brainmae = BrainMaePredictor::new("BrainMAE", model.clone());
        let validation = || masked(&store, 0.5).into_iter().take(3).map(Ok);
        let mixture = |scope| {
            let fitted =
                MixturePredictor::fit(scope, &store, &LAYOUT, validation(), &Seeds::new(5));
            fitted.expect("readable").expect("enough volumes")
        };
        let (of_volume, of_segment) = (mixture(Scope::Volume), mixture(Scope::Segment));
        let neighbours = NeighbouringSegments::fit(&store, &LAYOUT, validation());
        let neighbours = neighbours.expect("a ridge");
        let predictors: [&dyn Predictor; 8] = [
            &volume,
            &segment,
            &bottleneck,
            &neighbours,
            &VisibleMean,
            &of_volume,
            &of_segment,
            &brainmae,
        ];
        let batch = &batches[0];
        let outputs = predictors.map(|predictor| predictor.predict(batch));
        let scores = outputs
            .clone()
            .map(|output| hidden_error(batch, &output).mse());
        let task = MaskedReconstruction::new(&MaskConfig::default()).expect("a mask");
        let loss = task.validate(&model, &batch.samples, &Seeds::new(4), 0);
        (outputs, scores, loss)
    };
    let (outputs, scores, loss) = run(0.3);
    assert_eq!((outputs, scores, loss), run(1e3));
    // Linear prediction of uncensored volumes is as good as without censoring.
    let whole = masked(&store, 0.5);
    let validation = masked(&store, 0.5).into_iter().take(3).map(Ok);
    let linear = LinearPredictor::fit(Scope::Volume, &store, &LAYOUT, validation);
    let best = mse(&linear.expect("a ridge"), &whole[..1]);
    assert!((scores[0] - best).abs() < 0.05, "{} {best}", scores[0]);
}
