//! Graph of an experiment's stages: running, planning, resuming and status use the same list.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use brainmae_machine::usage::Meter;
use brainmae_machine::{processes, workspace};
use brainmae_run::{Manifest, RunFolder, Status, write_atomic};

use super::pretrain::Pretrain;
use super::{Desk, KINDS, Kind, Stage, data};
use crate::experiment::{Options, Resolved};

/// Name of the file with what the stage of a run has used.
const USAGE: &str = "usage.jsonl";

/// Stages of an experiment, each after its inputs.
pub struct Graph<'a> {
    experiment: &'a Resolved,
    stages: Vec<Box<dyn Stage + 'a>>,
}

impl<'a> Graph<'a> {
    /// Graph of all stages of an experiment.
    ///
    /// # Errors
    /// If settings of the experiment contradict one another.
    pub fn of(experiment: &'a Resolved) -> Result<Self> {
        Self::of_kinds(experiment, KINDS)
    }

    /// Graph of the stages of some kinds.
    fn of_kinds(experiment: &'a Resolved, kinds: &[Kind]) -> Result<Self> {
        let mut stages = Vec::new();
        for kind in kinds {
            stages.extend(kind(experiment)?);
        }
        Ok(Self {
            experiment,
            stages: sorted(stages)?,
        })
    }

    /// Graph of the training of some variants, on the split of the experiment.
    ///
    /// # Errors
    /// As [`Graph::of`].
    pub fn of_training(experiment: &'a Resolved, variants: &[&str]) -> Result<Self> {
        let mut stages = data::stages(experiment)?;
        for variant in &experiment.variants {
            if variants.contains(&variant.name.as_str()) {
                stages.push(Box::new(Pretrain::on_split(experiment, variant)));
            }
        }
        Ok(Self { experiment, stages })
    }

    /// Does every stage that is needed and not finished. Returns the desk with their results; a
    /// process that follows the first one only has the results of the stages that it took part in.
    ///
    /// # Errors
    /// Errors of the stages.
    pub fn run<'o>(&self, options: &'o Options) -> Result<Desk<'o>> {
        let mut desk = Desk::new(options);
        for source in self.stages.iter().filter(|stage| is_source(&***stage)) {
            measured(&**source, &mut desk)?;
        }
        self.identify(&mut desk)?;
        if options.resume {
            self.require_begun(&desk)?;
        }
        let needed = self.needed(&desk)?;
        for stage in &needed {
            if !desk.is_finished(&stage.name())? {
                stage.check(&desk)?;
            }
        }
        for (at, stage) in needed.iter().enumerate() {
            if !needed[at..].iter().any(|stage| stage.is_shared()) {
                // One process alone does the remaining stages.
                let is_first = options.processes.communicator()?.is_first();
                processes::part();
                if !is_first {
                    break;
                }
            }
            measured(*stage, &mut desk)?;
        }
        Ok(desk)
    }

    /// Puts the identities of all runs on the desk; the identity of a stage depends on those of its
    /// inputs.
    fn identify(&self, desk: &mut Desk) -> Result<()> {
        for stage in &self.stages {
            let runs = stage.runs(desk)?;
            desk.plan(stage.name(), runs);
        }
        Ok(())
    }

    /// Stages to do after the sources: those that no stage reads, and the inputs of unfinished
    /// ones.
    fn needed(&self, desk: &Desk) -> Result<Vec<&(dyn Stage + 'a)>> {
        let read: BTreeSet<String> = self.stages.iter().flat_map(|s| s.inputs()).collect();
        let mut wanted = BTreeSet::new();
        let mut needed = Vec::new();
        let stages = self.stages.iter().map(|stage| &**stage);
        for stage in stages.rev().filter(|stage| !is_source(*stage)) {
            let name = stage.name();
            if read.contains(&name) && !wanted.contains(&name) {
                continue;
            }
            if !desk.is_finished(&name)? {
                wanted.extend(stage.inputs());
            }
            needed.push(stage);
        }
        needed.reverse();
        Ok(needed)
    }

    /// For `--resume`: checks that one of the stages was started with this config.
    fn require_begun(&self, desk: &Desk) -> Result<()> {
        for stage in &self.stages {
            if desk.found(&stage.name())?.iter().any(Option::is_some) {
                return Ok(());
            }
        }
        bail!(
            "there is no run of {} with this config to resume in {}\nhint: leave --resume out to start it",
            self.experiment.name,
            workspace::shown(&desk.options.runs)
        )
    }

    /// Describes what a run would do, without doing it: a line for the data, for each stage and for
    /// each of its runs.
    ///
    /// # Errors
    /// Errors of data that are already prepared.
    pub fn plan(&self, options: &Options) -> Result<String> {
        let state = |found: Option<&Manifest>, _: &Manifest| {
            match found.map(|run| &run.status) {
                None => "new",
                Some(Status::Finished) => "finished",
                Some(Status::Running | Status::Interrupted | Status::Failed) => "to be resumed",
            }
            .to_string()
        };
        self.tell(options, &state)
    }

    /// Describes the progress of every stage, the error of a failed one, and the paths of its runs.
    ///
    /// # Errors
    /// Errors of data that are already prepared.
    pub fn status(&self, options: &Options) -> Result<String> {
        let state = |found: Option<&Manifest>, planned: &Manifest| {
            let Some(found) = found else {
                return "not begun".to_string();
            };
            let word = match found.status {
                Status::Finished => "finished",
                Status::Running => "at work, or killed",
                Status::Interrupted => "interrupted",
                Status::Failed => "failed",
            };
            let why = found.failure.as_ref();
            let why = why.map_or(String::new(), |why| format!(": {}", one_line(why)));
            let place = RunFolder::place(&options.runs, planned);
            format!("{word}{why}, in {}", workspace::shown(&place))
        };
        self.tell(options, &state)
    }

    fn tell(
        &self,
        options: &Options,
        state: &dyn Fn(Option<&Manifest>, &Manifest) -> String,
    ) -> Result<String> {
        let mut text = format!("experiment {}\n", self.experiment.name);
        let mut line = |indent: usize, name: &str, words: String| {
            let width = 17 - indent;
            text += &format!("{:indent$}{name:<width$}{words}\n", "");
        };
        let mut desk = Desk::new(options);
        for source in &self.stages {
            source.open(&desk)?;
        }
        if desk.found_material().is_some() {
            self.identify(&mut desk)?;
        }
        for stage in &self.stages {
            let (name, cost) = (stage.name(), stage.cost(&desk)?);
            let found = desk.found(&name)?;
            let runs = desk.planned(&name).iter().zip(&found);
            let states = runs.map(|(run, found)| (run, state(found.as_ref(), &run.manifest)));
            let states: Vec<_> = states.collect();
            if let [(_, state)] = &states[..] {
                line(2, &name, format!("{state}, {cost}"));
                continue;
            }
            line(2, &name, cost);
            for (run, state) in states {
                line(4, &run.part, format!("{state}, {}", run.on));
            }
        }
        Ok(text)
    }
}

/// Does a stage, and leaves its runs and what it has used to later stages; a run that was not
/// finished before keeps what it has used, as a line of `usage.jsonl`.
fn measured(stage: &dyn Stage, desk: &mut Desk) -> Result<()> {
    let name = stage.name();
    let was_finished = desk.is_finished(&name)?;
    let meter = Meter::begin();
    let runs = stage.run(desk)?;
    let used = meter.read();
    if let Some(run) = runs.first().filter(|_| !was_finished) {
        let file = run.path().join(USAGE);
        let earlier = std::fs::read_to_string(&file).unwrap_or_default();
        let line = serde_json::to_string(&used)?;
        write_atomic(&file, format!("{earlier}{line}\n").as_bytes())?;
    }
    desk.leave(name, runs, used);
    Ok(())
}

/// Whether a stage has no inputs.
fn is_source(stage: &dyn Stage) -> bool {
    stage.inputs().is_empty()
}

/// First line of a text.
fn one_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// Sorts stages so that each follows its inputs, and otherwise keeps their order.
fn sorted<'a>(mut left: Vec<Box<dyn Stage + 'a>>) -> Result<Vec<Box<dyn Stage + 'a>>> {
    let mut sorted: Vec<Box<dyn Stage + 'a>> = Vec::new();
    while !left.is_empty() {
        let known: BTreeSet<String> = sorted.iter().map(|stage| stage.name()).collect();
        let is_ready = |inputs: Vec<String>| inputs.iter().all(|input| known.contains(input));
        let mut ready = left.iter().map(|stage| is_ready(stage.inputs()));
        let ready = ready.position(|is_ready| is_ready).with_context(|| {
            let names: Vec<String> = left.iter().map(|stage| stage.name()).collect();
            format!(
                "no order of the stages {names:?}: they read each other, or one that is not there"
            )
        })?;
        sorted.push(left.remove(ready));
    }
    Ok(sorted)
}

#[cfg(test)]
mod tests;
