//! Test of ROIs that a scan lacks: an encoder hides them.

use std::sync::Arc;

use brainmae_data::{BoldSeries, PreparedDataset, SampleBatch, ScanStore, fill, tile};
use brainmae_encoder::{Checkpoint, EncoderError, SampleEmbedding, embed_crops, input};
use brainmae_model::{BrainMae, BrainMaeConfig, DataShape};
use brainmae_run::Seeds;
use burn::tensor::{Device, Tensor};

#[path = "../examples/support/untrained.rs"]
mod support;

use support::untrained;

#[test]
fn a_missing_roi_is_the_mask_token_of_pretraining() {
    let made = untrained().expect("sizes fit");
    let dataset = PreparedDataset::open(&made.dataset).expect("just written");
    let checkpoint = Checkpoint::open(&made.checkpoint).expect("just saved");
    let layout = checkpoint.data().layout();
    let config: BrainMaeConfig =
        serde_json::from_value(checkpoint.model().config.clone()).expect("of this kind");
    let shape = DataShape {
        n_rois: 3,
        segment_len_trs: layout.segment_len_trs,
    };
    let device = Device::flex();
    let model = config.init(shape, &mut Seeds::new(1).stream("weights"), &device);
    let model: BrainMae = model.expect("sizes fit");

    let full = dataset.bold(&"sub-1".into()).expect("readable");
    let missing = [false, true, false];
    let batch = |series: BoldSeries| {
        let scan = ("sub-1".into(), "1".into(), Arc::new(series));
        let store = ScanStore::shared(std::iter::once(scan)).expect("one scan");
        let crops = tile(&store, 0, &layout);
        let mut batch = SampleBatch::new(crops.len(), &layout, 3);
        fill(&store, &crops, &mut batch).expect("they fit");
        batch
    };
    let lacking = batch(full.clone().with_missing(&missing).expect("three ROIs"));
    assert_eq!(lacking.missing[..3], missing);
    let found = model.encode(&input(&lacking, &model), None);

    let full = batch(full);
    let hidden = Tensor::<1, burn::tensor::Bool>::from_data(missing, &device)
        .reshape([1, 1, 3])
        .expand([full.batch, full.segments, 3]);
    let expected = model.encode(&input(&full, &model), Some(&hidden));
    let numbers = |tensor: Tensor<2>| tensor.into_data().iter::<f32>().collect::<Vec<_>>();
    assert_eq!(numbers(found.cls), numbers(expected.cls));
    let visible = model.encode(&input(&full, &model), None);
    assert_ne!(
        numbers(visible.cls),
        numbers(model.encode(&input(&lacking, &model), None).cls)
    );
}

#[test]
fn a_scan_is_embedded_without_some_rois() {
    let made = untrained().expect("sizes fit");
    let dataset = PreparedDataset::open(&made.dataset).expect("just written");
    let checkpoint = Checkpoint::open(&made.checkpoint).expect("just saved");
    let encoder = checkpoint.encoder(&Device::flex()).expect("sizes fit");
    let scan = "sub-1".into();
    let without = |missing: &[bool]| encoder.embed_without(&dataset, &scan, missing);
    let all: Vec<SampleEmbedding> = encoder.embed(&dataset, &scan).expect("it fits");
    assert_eq!(without(&[false; 3]).expect("three ROIs"), all);
    let some = without(&[true, false, false]).expect("three ROIs");
    assert_ne!(some[0].cls, all[0].cls);
    let none = without(&[true; 3]).expect("three ROIs");
    // Nothing of the signal is left: all whole samples are equal.
    assert_eq!(none[0].cls, none[1].cls);
    let refused = without(&[true]).expect_err("three ROIs");
    assert!(matches!(refused, EncoderError::Data(_)), "{refused}");
    let store = ScanStore::load(&dataset, std::slice::from_ref(&scan), &encoder.layout())
        .expect("readable");
    let crops = tile(&store, 0, &encoder.layout());
    let same = embed_crops(encoder.model(), &encoder.layout(), &store, &crops);
    assert_eq!(same.expect("it fits"), all);
}
