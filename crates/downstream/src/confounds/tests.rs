//! Tests with a sex effect that is only head size: it vanishes once head size is a confound.

use std::path::Path;
use std::sync::Arc;

use brainmae_data::{
    Atlas, BoldSeries, DatasetHeader, PreparedWriter, Roi, ScanId, ScanStatus, SegmentLayout,
    Split, SplitUnit,
};
use brainmae_run::Seeds;
use burn::tensor::Device;
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

use super::*;
use crate::features::{Fc, Features};
use crate::linear::LinearLearner;
use crate::linear::spec::LinearSpec;
use crate::motion::{confound_links, without_confounds};
use crate::scores::{Score, Scorer};
use crate::{Fits, FoldOf, Predictions, Problem, Signals, TargetSpec, Task, features};

mod censoring;

const SUBJECTS: usize = 200;
const ROIS: usize = 5;
const VOLUMES: usize = 120;
const FOLDS: usize = 4;

/// Names of a scan and its subject.
fn names(i: usize) -> (ScanId, String) {
    let direction = ["LR", "RL"][i / 2 % 2];
    let scan = format!("sub-{i:03}_task-rest_dir-{direction}");
    (scan.as_str().into(), format!("{i:03}"))
}

/// Writes scans whose connectivity depends on head size alone. Men have larger heads. `change`
/// makes other records.
fn write(path: &Path, change: impl Fn(usize, &mut ScanRecord)) -> PreparedDataset {
    let header = DatasetHeader {
        name: "heads".into(),
        licence: "CC0".into(),
        citation: String::new(),
        dt_secs: 2.0,
        cleaning: Vec::new(),
        atlas_source: String::new(),
        warnings: Vec::new(),
        identity: String::new(),
    };
    let roi = |index| Roi {
        index,
        name: format!("roi-{index}"),
        network: None,
        hemisphere: None,
        centroid_mm: None,
    };
    let atlas = Atlas {
        name: "five".into(),
        version: "1".into(),
        rois: (0..ROIS).map(roi).collect(),
    };
    let mut writer = PreparedWriter::create(path, header, atlas).expect("a new folder");
    let rng = &mut Seeds::new(11).stream("heads");
    let mut subjects = Vec::new();
    for i in 0..SUBJECTS {
        let is_man = rng.random_bool(0.5);
        let spread: f64 = StandardNormal.sample(rng);
        // In standard deviations within a sex, which are 1.7 apart.
        let head = spread + if is_man { 0.85 } else { -0.85 };
        let coupling = 0.5 + 0.08 * head;
        let mut values = Vec::with_capacity(VOLUMES * ROIS);
        for _ in 0..VOLUMES {
            let shared: f64 = StandardNormal.sample(rng);
            for _ in 0..ROIS {
                let own: f64 = StandardNormal.sample(rng);
                values.push((coupling * shared + 0.5 * own) as f32);
            }
        }
        let series = BoldSeries::new(values, ROIS, 2.0).expect("finite");
        let (scan, subject) = names(i);
        let mut record = ScanRecord {
            scan,
            subject: subject.as_str().into(),
            session: None,
            task: Some("rest".into()),
            tr_secs: 2.0,
            n_volumes: VOLUMES,
            kept_volumes: VOLUMES,
            mean_fd_mm: None,
            variant: None,
            quality: Default::default(),
            source: "planted".into(),
            status: ScanStatus::Included,
            reason: None,
        };
        change(i, &mut record);
        subjects.push(SubjectRecord {
            subject: record.subject.clone(),
            family: None,
            targets: [("head_size".to_owned(), 1500.0 + 100.0 * head)].into(),
            categories: [
                ("sex".to_owned(), if is_man { "M" } else { "F" }.to_owned()),
                ("release".to_owned(), format!("R{}", i % 3)),
            ]
            .into(),
        });
        let added = writer.add(record, &series, &[Default::default(); ROIS], &[]);
        added.expect("the record fits");
    }
    writer.finish(&subjects).expect("written");
    PreparedDataset::open(path).expect("a data set")
}

fn split(fold: usize) -> Split {
    let set = |wanted: &dyn Fn(usize) -> bool| -> Vec<ScanId> {
        let numbers = (0..SUBJECTS).filter(|i| wanted(*i));
        numbers.map(|i| names(i).0).collect()
    };
    let decides = |i: usize| (i / FOLDS).is_multiple_of(5);
    Split {
        unit: SplitUnit::Subject,
        train: set(&|i| i % FOLDS != fold && !decides(i)),
        validation: set(&|i| i % FOLDS != fold && decides(i)),
        test: set(&|i| i % FOLDS == fold),
        train_subjects: Vec::new(),
    }
}

const LAYOUT: SegmentLayout = SegmentLayout {
    segment_len_trs: 8,
    n_segments: 4,
};

fn task_of(dataset: &PreparedDataset, column: &str, extra: &[&str]) -> Task {
    let spec = TargetSpec {
        column: Some(column.into()),
        classes: false,
        task: false,
        state: None,
        tasks: Vec::new(),
    };
    let signals = Signals::read(dataset).expect("all scans");
    let extra: Vec<String> = extra.iter().map(|name| (*name).to_owned()).collect();
    let unit = SplitUnit::Subject;
    Task::new(column, &spec, dataset, &signals, unit, &LAYOUT, &extra).expect("a target")
}

/// Predictions of all folds by logistic regression.
fn predictions(task: &Task, features: Arc<dyn Features>, regress_confounds: bool) -> Predictions {
    let spec = LinearSpec {
        regress_confounds,
        ..LinearSpec::default()
    };
    let learner = LinearLearner::new("linear", features, spec);
    let rows = (0..FOLDS).flat_map(|number| {
        let seeds = Seeds::new(2);
        let problem = Problem {
            target: task.name.clone(),
            kind: task.kind,
            of_subjects: task.of_subjects,
            n_rois: ROIS,
            dt_secs: 2.0,
            segment_len_trs: LAYOUT.segment_len_trs,
            confounds: task.confounds.clone(),
            seeds,
            device: Device::flex(),
            fits: Fits::default(),
        };
        let fold = FoldOf::new(task, number as u32 + 1, &split(number), 1.0, &seeds);
        let fold = fold.expect("nobody is in two sets");
        fold.predict(&learner, &problem).expect("it learns")
    });
    Predictions::new(task.table_confounds.clone(), rows.collect()).expect("rows that agree")
}

/// Balanced accuracy over all folds.
fn accuracy(predictions: &Predictions) -> f64 {
    let sample = &predictions.samples()[0];
    let at = Score::of(sample.kind())
        .iter()
        .position(|score| score.is_primary());
    Scorer::new(sample).scores()[at.expect("one is")].expect("two classes")
}

/// Three standard deviations of the balanced accuracy of a guess.
const CHANCE: f64 = 3.0 * 0.5 / 14.14;

#[test]
fn a_sex_effect_that_is_only_head_size_vanishes_if_head_size_is_a_confound() {
    let folder = tempfile::tempdir().expect("a folder");
    let dataset = write(&folder.path().join("heads"), |_, _| {});
    let fc = || -> Arc<dyn Features> { Arc::new(Fc) };
    let without = task_of(&dataset, "sex", &[]);
    let with = task_of(&dataset, "sex", &["head_size"]);
    assert_eq!(without.confounds, ["mean_fd_mm"]);
    assert_eq!(with.confounds, ["head_size", "mean_fd_mm"]);

    // Removal from the features.
    let found = accuracy(&predictions(&without, fc(), true));
    assert!(found > 0.5 + CHANCE, "{found}");
    let left = accuracy(&predictions(&with, fc(), true));
    assert!((left - 0.5).abs() < CHANCE, "{left}");

    // Without any signal, head size tells the sex: Φ(0.85) = .80.
    let confounds = || -> Arc<dyn Features> { Arc::new(features::Confounds) };
    let told = accuracy(&predictions(&with, confounds(), false));
    assert!((told - 0.80).abs() < 0.09, "{told}");

    // Removal from predictions, and the link. No motion is known.
    let rows = predictions(&with, fc(), false);
    assert_eq!(rows.confounds(), ["mean_fd_mm", "head_size"]);
    let found = accuracy(&rows);
    assert!(found > 0.5 + CHANCE, "{found}");
    let left = accuracy(&without_confounds(&rows).expect("head size is known"));
    assert!((left - 0.5).abs() < CHANCE, "{left}");
    let links = confound_links(&rows, 100, &Seeds::new(1));
    let of_prediction = links.iter().find(|link| {
        link.confound == "head_size" && link.quantity == crate::motion::Quantity::Prediction
    });
    let r = of_prediction.and_then(|link| link.r).expect("it varies");
    assert!(r > 0.4, "{r}");
}

#[test]
fn the_target_is_no_confound_of_itself_and_others_keep_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let dataset = write(&folder.path().join("heads"), |_, _| {});
    let task = task_of(&dataset, "head_size", &["head_size", "release"]);
    assert_eq!(
        task.confounds,
        ["sex=M", "release=R1", "release=R2", "mean_fd_mm"]
    );
    let rows = predictions(&task, Arc::new(Fc), false);
    let expected = ["mean_fd_mm", "head_size", "release=R1", "release=R2"];
    assert_eq!(rows.confounds(), expected);
    assert!(
        rows.rows()
            .iter()
            .all(|row| row.confounds[..2] == [None, None])
    );
    assert!(
        without_confounds(&rows)
            .expect("the release is known")
            .rows()
            .len()
            == SUBJECTS
    );
}

#[test]
fn measures_in_which_scans_differ_are_confounds_and_so_is_the_direction() {
    let folder = tempfile::tempdir().expect("a folder");
    let dataset = write(&folder.path().join("heads"), |i, record| {
        record.mean_fd_mm = Some(0.1);
        record.quality.kept_minutes = Some(4.0);
        record.quality.censored_share = Some(0.01 * (i % 4) as f64);
        record.quality.mean_filtered_fd_mm = (i > 0).then_some(0.01 * i as f64);
    });
    let task = task_of(&dataset, "sex", &["phase_encoding", "mean_fd_mm"]);
    let expected = [
        "phase_encoding=RL",
        "mean_fd_mm",
        "mean_filtered_fd_mm",
        "censored_share",
    ];
    assert_eq!(task.confounds, expected);
    let of_scan = |i: usize| &task.scans[i].confounds;
    assert_eq!(*of_scan(0), [Some(0.0), Some(0.1), None, Some(0.0)]);
    assert_eq!(*of_scan(3), [Some(1.0), Some(0.1), Some(0.03), Some(0.03)]);
}

#[test]
fn a_column_that_is_not_there_is_refused_with_advice() {
    let folder = tempfile::tempdir().expect("a folder");
    let refusal = |dataset: &PreparedDataset, name: &str| {
        let refused = Confounds::of_table(dataset, &[name.to_owned()]);
        refused.expect_err("it is not there").to_string()
    };
    let old = write(&folder.path().join("old"), |_, _| {});
    let text = refusal(&old, "brain_size");
    assert!(
        text.contains("confounds is \"brain_size\", expected a column"),
        "{text}"
    );
    assert!(
        text.contains("head_size, ") && text.contains("phase_encoding"),
        "{text}"
    );
    for name in ["mean_filtered_fd_mm", "kept_minutes", "variant"] {
        let text = refusal(&old, name);
        assert!(
            text.contains("remove its folder and prepare it again"),
            "{text}"
        );
    }
    let new = write(&folder.path().join("new"), |_, record| {
        record.quality.kept_minutes = Some(4.0);
    });
    let text = refusal(&new, "mean_dvars_percent");
    assert!(text.contains("null in all scans"), "{text}");
    assert!(refusal(&old, "mean_fd_mm").contains("null in all scans"));
}
