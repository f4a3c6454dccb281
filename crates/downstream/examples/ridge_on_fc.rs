//! Ridge regression of functional connectivity on one split, for a target that FC tells and for one
//! that nothing tells.
//!
//! `cargo run -p brainmae-downstream --example ridge_on_fc`

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use brainmae_data::{PreparedDataset, SegmentSpec, SplitSpec};
use brainmae_downstream::constant::Constant;
use brainmae_downstream::features::Fc;
use brainmae_downstream::linear::LinearLearner;
use brainmae_downstream::linear::spec::LinearSpec;
use brainmae_downstream::scores::Scorer;
use brainmae_downstream::{
    Fits, FoldOf, Learner, Predictions, Problem, Score, Signals, TargetSpec, Task,
};
use brainmae_run::Seeds;
use brainmae_simulate::{PlantedSpec, PlantedTargets, Signs, planted_dataset};
use burn::tensor::Device;

const COLUMNS: [&str; 2] = ["fc_score", "null_score"];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let dataset = planted(&folder.path().join("planted"))?;
    let seeds = Seeds::new(1);
    let split = SplitSpec::default().draw(&dataset, &mut seeds.stream("split"))?;
    let layout = SegmentSpec::default().layout(dataset.dt_secs())?;
    let signals = Signals::read(&dataset)?;

    let ridge = LinearLearner::new("FC + ridge", Arc::new(Fc), LinearSpec::default());
    let learners: [&dyn Learner; 2] = [&Constant, &ridge];
    let (mut rows, mut confounds) = (Vec::new(), Vec::new());
    for column in COLUMNS {
        let spec = TargetSpec {
            column: Some(column.into()),
            classes: false,
            task: false,
            state: None,
            tasks: Vec::new(),
        };
        let task = Task::new(column, &spec, &dataset, &signals, split.unit, &layout, &[])?;
        let problem = Problem {
            target: task.name.clone(),
            kind: task.kind,
            of_subjects: task.of_subjects,
            n_rois: dataset.atlas().n_rois(),
            dt_secs: dataset.dt_secs(),
            segment_len_trs: layout.segment_len_trs,
            confounds: task.confounds.clone(),
            seeds,
            device: Device::default(),
            fits: Fits::default(),
        };
        confounds = task.table_confounds.clone();
        let fold = FoldOf::new(&task, 1, &split, 1.0, &seeds)?;
        for learner in learners {
            rows.extend(fold.predict(learner, &problem)?);
        }
    }

    let predictions = Predictions::new(confounds, rows)?;
    for sample in predictions.samples() {
        print!("{:<10} from {:<10}", sample.target(), sample.model());
        let scores = Scorer::new(&sample).scores();
        for (score, value) in Score::of(sample.kind()).iter().zip(scores) {
            let value = value.map_or("undefined".to_string(), |value| format!("{value:.3}"));
            print!("  {} {value}", score.name());
        }
        println!("  ({} subjects)", sample.len());
    }
    Ok(())
}

/// Signals of eight ROIs; the best possible R² for `fc_score` is 0.8, and for `null_score` 0.
fn planted(path: &Path) -> Result<PreparedDataset, Box<dyn Error>> {
    let spec = PlantedSpec {
        n_subjects: 240,
        scans_per_subject: 1,
        n_networks: 2,
        rois_per_network: 4,
        n_states: 2,
        n_volumes: 200,
        signs: Signs::Positive,
        activation: 1.5,
        ar1: 0.0,
        age_effect: 0.0,
        targets: Some(PlantedTargets::default()),
        ..PlantedSpec::default()
    };
    let streams =
        |seed, name: &str| -> Box<dyn rand::Rng> { Box::new(Seeds::new(seed).stream(name)) };
    Ok(planted_dataset(&spec, path, &streams)?)
}
