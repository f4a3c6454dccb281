//! Tests of a checkpoint's checks for embedding, evaluation and further training.

use brainmae_data::{DataMismatch, DatasetHeader, PreparedDataset, ScanId, Split, SplitUnit};
use brainmae_encoder::{Checkpoint, EncoderError, Evaluation, ModelSettings};
use brainmae_model::BrainMae;
use burn::tensor::Device;

#[path = "../examples/support/untrained.rs"]
mod support;

use support::{Untrained, untrained, write};

fn made() -> (Untrained, PreparedDataset, Checkpoint) {
    let made = untrained().expect("sizes fit");
    let dataset = PreparedDataset::open(&made.dataset).expect("just written");
    let checkpoint = Checkpoint::open(&made.checkpoint).expect("just saved");
    (made, dataset, checkpoint)
}

/// The same data set with a changed header, changed ROIs, or both.
fn other(made: &Untrained, header: DatasetHeader, rois: [&str; 3]) -> PreparedDataset {
    let path = made.folder.path().join("other");
    write(&path, header, rois, &[1]).expect("sizes fit");
    PreparedDataset::open(&path).expect("just written")
}

fn mismatch(made: &Untrained, header: DatasetHeader, rois: [&str; 3]) -> DataMismatch {
    let dataset = other(made, header, rois);
    let checkpoint = Checkpoint::open(&made.checkpoint).expect("just saved");
    let encoder = checkpoint.encoder(&Device::flex()).expect("sizes fit");
    match encoder.embed(&dataset, &ScanId::new("sub-0")) {
        Err(EncoderError::Mismatch(mismatch)) => mismatch,
        other => panic!("expected a mismatch, found {other:?}"),
    }
}

#[test]
fn a_scan_is_embedded_sample_after_sample() {
    let (_made, dataset, checkpoint) = made();
    let encoder = checkpoint.encoder(&Device::flex()).expect("sizes fit");
    let samples = encoder.embed(&dataset, &"sub-1".into()).expect("it fits");
    // 60 volumes: samples of 24 from 0, 24 and 48; the last one has two of four segments.
    let starts: Vec<usize> = samples.iter().map(|s| s.start_volume).collect();
    assert_eq!(starts, [0, 24, 48]);
    assert_eq!(samples[2].valid, [true, true, false, false]);
    assert_eq!((samples[0].cls.len(), samples[0].tokens.len()), (8, 32));
    assert!(samples[0].cls.iter().all(|x| x.is_finite()));
    assert_ne!(samples[0].cls, samples[1].cls);
}

#[test]
fn data_of_another_atlas_order_time_base_or_cleaning_are_refused() {
    let (made, dataset, _) = made();
    let header = dataset.header().clone();
    let swapped = mismatch(&made, header.clone(), ["b", "a", "c"]);
    assert!(
        matches!(swapped, DataMismatch::RoiOrder { .. }),
        "{swapped}"
    );
    std::fs::remove_dir_all(made.folder.path().join("other")).expect("there");
    let renamed = mismatch(&made, header.clone(), ["a", "b", "d"]);
    assert!(matches!(renamed, DataMismatch::RoiName { .. }), "{renamed}");
    std::fs::remove_dir_all(made.folder.path().join("other")).expect("there");
    let faster = DatasetHeader {
        dt_secs: 2.0,
        ..header.clone()
    };
    let faster = mismatch(&made, faster, ["a", "b", "c"]);
    assert!(matches!(faster, DataMismatch::Dt { .. }), "{faster}");
    std::fs::remove_dir_all(made.folder.path().join("other")).expect("there");
    let raw = DatasetHeader {
        cleaning: Vec::new(),
        ..header
    };
    let raw = mismatch(&made, raw, ["a", "b", "c"]);
    assert!(matches!(raw, DataMismatch::Cleaning { .. }), "{raw}");
}

#[test]
fn the_subject_of_a_training_scan_and_relatives_are_barred_from_being_measured() {
    let (_made, dataset, checkpoint) = made();
    let refused = |unit, scan: &str| match checkpoint.bar_seen(&dataset, unit, &[ScanId::new(scan)])
    {
        Ok(()) => None,
        Err(EncoderError::Seen { scan }) => Some(scan.to_string()),
        Err(other) => panic!("{other}"),
    };
    assert_eq!(refused(SplitUnit::Subject, "sub-0"), Some("sub-0".into()));
    assert_eq!(
        refused(SplitUnit::Subject, "sub-1"),
        Some("sub-1".into()),
        "a relative"
    );
    assert_eq!(refused(SplitUnit::Subject, "sub-2"), None);
    assert_eq!(refused(SplitUnit::Scan, "sub-0"), Some("sub-0".into()));
    assert_eq!(refused(SplitUnit::Scan, "sub-1"), None);
}

#[test]
fn an_encoder_that_is_to_be_measured_is_refused_for_seen_subjects() {
    let (_made, dataset, checkpoint) = made();
    let layout = checkpoint.data().layout();
    let of = |scan: &str| {
        let held_out = [ScanId::new(scan)];
        let evaluation = Evaluation {
            dataset: &dataset,
            layout,
            unit: SplitUnit::Subject,
            held_out: &held_out,
        };
        checkpoint.model_for::<BrainMae>(evaluation, &Device::flex())
    };
    assert!(of("sub-3").is_ok());
    assert!(matches!(of("sub-1").err(), Some(EncoderError::Seen { .. })));
}

#[test]
fn a_training_starts_from_the_same_config_and_from_nobody_who_is_held_out() {
    let (_made, dataset, checkpoint) = made();
    let layout = checkpoint.data().layout();
    let split = |test: &str| Split {
        unit: SplitUnit::Subject,
        train: vec!["sub-0".into()],
        validation: vec!["sub-2".into()],
        test: vec![test.into()],
        train_subjects: vec!["0".into()],
    };
    let model = checkpoint.model();
    let check = |model: &ModelSettings, test| {
        checkpoint.check_start(model, &dataset, &layout, &split(test))
    };
    assert!(check(model, "sub-3").is_ok());
    assert!(matches!(
        check(model, "sub-1"),
        Err(EncoderError::Seen { .. })
    ));
    let mut adaptive = model.clone();
    adaptive.config["tse"] = "adaptive".into();
    assert!(matches!(
        check(&adaptive, "sub-3"),
        Err(EncoderError::OtherConfig { field, .. }) if field == "tse"
    ));
}

/// Card in the format before its split into two parts.
const CARD: &str = include_str!("card.json");

#[test]
fn a_card_of_an_earlier_version_is_read_and_written_as_it_was() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = folder.path().join("old");
    std::fs::create_dir(&place).expect("new");
    std::fs::write(place.join("card.json"), CARD).expect("writable");
    let old = Checkpoint::open(&place).expect("readable");
    assert_eq!(old.data().rois, ["lh_vis", "rh_vis"]);
    assert_eq!(old.data().dt_secs, 2.0);
    assert_eq!(old.model().config["tse"], "adaptive");
    brainmae_run::Checkpoint::save(folder.path(), "new", old.card(), &[]).expect("writable");
    let new = std::fs::read_to_string(folder.path().join("new/card.json")).expect("written");
    assert_eq!(new, CARD);
}

#[test]
fn checkpoints_of_another_model_are_refused() {
    let (made, ..) = made();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let card = CARD.replace("\"brainmae\"", "\"autoencoder\"");
    std::fs::write(folder.path().join("card.json"), card).expect("writable");
    let other = Checkpoint::open(folder.path()).expect("readable");
    let error = other.encoder(&Device::flex()).err();
    assert!(
        matches!(error, Some(EncoderError::UnknownKind { found, .. }) if found == "autoencoder")
    );
    let here = Checkpoint::open(&made.checkpoint).expect("just saved");
    let error = other.check_model(here.model()).expect_err("another model");
    assert!(matches!(error, EncoderError::OtherModel { found, .. } if found == "autoencoder"));
    let mut card = here.card().clone();
    card.model_config["tse"] = "moving".into();
    let weights = std::fs::read(made.checkpoint.join("model.safetensors")).expect("just saved");
    let files = [("model.safetensors", weights)];
    brainmae_run::Checkpoint::save(folder.path(), "moving", &card, &files).expect("writable");
    let unknown = Checkpoint::open(folder.path().join("moving")).expect("readable");
    let error = unknown.encoder(&Device::flex()).err().expect("no config");
    assert!(
        matches!(
            error,
            EncoderError::Card {
                part: "model_config",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn messages_say_what_differs_and_what_to_do() {
    let errors = [
        EncoderError::OtherModel {
            found: "autoencoder".into(),
            expected: "brainmae".into(),
        },
        EncoderError::OtherConfig {
            field: "tse".into(),
            found: Box::new("static".into()),
            expected: Box::new("adaptive".into()),
        },
        EncoderError::Seen {
            scan: "sub-1".into(),
        },
    ];
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(texts.join("\n"), @r#"
    the checkpoint does not fit: the model is brainmae here, autoencoder in the checkpoint
    the checkpoint does not fit: the model's tse is "static" here, "adaptive" in the checkpoint; use the config that the checkpoint was trained with
    the checkpoint was trained on scan sub-1, on its subject or on a relative, who is held out in this split
    "#);
}
