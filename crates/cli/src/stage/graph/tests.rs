use brainmae_machine::device::DeviceName;
use brainmae_machine::devices::Devices;
use brainmae_machine::processes::Processes;
use brainmae_run::write_atomic;
use tempfile::TempDir;

use super::*;
use crate::Registry;
use crate::stage::{PlannedRun, manifest, pretrain, report};

/// Six planted scans, and a model that is trained for one step.
const EXPERIMENT: &str = r#"
about = "A small experiment, for tests."
[data.planted]
n_subjects = 6
scans_per_subject = 1
n_networks = 2
rois_per_network = 2
n_volumes = 60
[segments]
sample_secs = 30.0
[model]
d_model = 8
n_heads = 2
encoder_depth = 1
[train]
steps = 1
batch_size = 2
validate_every = 1
checkpoint_every = 1
[reconstruction]
mask_ratios = [0.5]
draws = 1
"#;

/// Toy stage that counts the training scans, to show how a stage is added.
struct Toy<'a> {
    experiment: &'a Resolved,
}

fn toy_stages(experiment: &Resolved) -> Result<Vec<Box<dyn Stage + '_>>> {
    Ok(vec![Box::new(Toy { experiment })])
}

impl Stage for Toy<'_> {
    fn name(&self) -> String {
        "toy".to_string()
    }

    fn inputs(&self) -> Vec<String> {
        vec![pretrain::name("model")]
    }

    fn cost(&self, _desk: &Desk) -> Result<String> {
        Ok("a count".to_string())
    }

    fn runs(&self, desk: &Desk) -> Result<Vec<PlannedRun>> {
        let mut inputs = desk.material()?.scans.inputs();
        let read = desk.identities(&pretrain::name("model"));
        inputs.extend(
            read.iter()
                .map(|identity| ("pretrain".to_string(), identity.to_string())),
        );
        let (name, device) = (&self.experiment.name, &desk.options.device);
        Ok(vec![
            manifest(name, "toy", "count".into(), inputs, 0, device).into(),
        ])
    }

    fn run(&self, desk: &Desk) -> Result<Vec<RunFolder>> {
        let mut run = desk.options.open(self.runs(desk)?.remove(0).manifest)?;
        if run.found() != Some(&Status::Finished) {
            let checkpoint = desk.run_of(&pretrain::name("model"))?.checkpoints();
            let card = brainmae_run::Checkpoint::open(&checkpoint.join("best"))?;
            let count = card.card().pretraining_scans.len().to_string();
            write_atomic(&run.path().join("count"), count.as_bytes())?;
            run.set_status(Status::Finished, None)?;
        }
        Ok(vec![run])
    }
}

/// Kinds with the toy stage, which takes one line to add.
const WITH_TOY: &[Kind] = &[toy_stages, data::stages, pretrain::stages];

fn options(folder: &TempDir) -> Options {
    Options {
        device: Devices::Times(DeviceName::Cpu, 1),
        processes: Processes::One,
        runs: folder.path().join("runs"),
        data: folder.path().join("prepared"),
        threads: 2,
        ckpt: None,
        resume: false,
        restart: false,
    }
}

fn experiment() -> Resolved {
    Resolved::parse("small", EXPERIMENT, &[], &Registry::built_in()).expect("valid")
}

#[test]
fn a_stage_is_added_with_one_line() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (experiment, options) = (experiment(), options(&folder));
    let graph = Graph::of_kinds(&experiment, WITH_TOY).expect("an order");
    let plan = graph.plan(&options).expect("nothing is read");
    let lines: Vec<&str> = plan.lines().map(str::trim).collect();
    assert!(
        lines[1].starts_with("data           to be prepared in"),
        "{plan}"
    );
    assert_eq!(lines[2], "pretrain-model 1 steps of 2 samples");
    assert_eq!(lines[3], "toy            a count");

    let resume = Options {
        resume: true,
        ..self::options(&folder)
    };
    let error = graph.run(&resume).err().expect("nothing was begun");
    assert!(error.to_string().contains("to resume"), "{error:#}");

    let desk = graph.run(&options).expect("it runs");
    let count = desk.run_of("toy").expect("a run").path().join("count");
    let count = std::fs::read_to_string(count).expect("a count");
    let trained = desk.material().expect("data").scans.split.train.len();
    assert_eq!(count, trained.to_string());
    drop(desk);

    let plan = graph.plan(&options).expect("readable");
    assert!(plan.contains("toy            finished, a count"), "{plan}");
    let status = graph.status(&options).expect("readable");
    let place = "runs/small/toy-";
    assert!(
        status.contains("finished, in ") && status.contains(place),
        "{status}"
    );
}

#[test]
fn what_a_finished_stage_read_is_not_done_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (experiment, options) = (experiment(), options(&folder));
    let graph = Graph::of_kinds(&experiment, WITH_TOY).expect("an order");
    let desk = graph.run(&options).expect("it runs");
    let trained = desk
        .run_of("pretrain-model")
        .expect("a run")
        .path()
        .to_path_buf();
    drop(desk);
    std::fs::remove_dir_all(&trained).expect("removable");
    let desk = graph.run(&options).expect("it runs");
    assert!(desk.runs("pretrain-model").is_empty());
    assert!(!trained.exists());
    drop(desk);
    // The page of an experiment shows what its models learned, so they are trained again.
    let graph = Graph::of(&experiment).expect("an order");
    graph.run(&options).expect("it runs");
    assert!(trained.exists());
}

#[test]
fn stages_come_after_those_that_they_read() {
    let experiment = experiment();
    let kinds: Vec<Kind> = KINDS.iter().rev().copied().collect();
    let names = |graph: Graph| graph.stages.iter().map(|s| s.name()).collect::<Vec<_>>();
    let graph = Graph::of_kinds(&experiment, &kinds).expect("an order");
    let expected = ["data", "pretrain-model", "reconstruct", "report"];
    assert_eq!(names(graph), expected);
    let lone: &[Kind] = &[data::stages, report::stages];
    let error = Graph::of_kinds(&experiment, lone).err().expect("no order");
    assert!(error.to_string().contains("report"), "{error}");
}
