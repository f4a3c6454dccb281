//! Protocol of a fold: all models get the same examples, without the truth of the test set.

use std::collections::{BTreeMap, BTreeSet};

use brainmae_data::{Split, epoch_order};
use brainmae_run::Seeds;
use brainmae_train::memory::Memory;

use crate::{
    DownstreamError, FitError, FitNeed, Kind, Labelled, Learner, Prediction, Problem, Task,
};

/// One fold of a task, the same for all models.
pub struct FoldOf<'a> {
    task: &'a Task,
    number: u32,
    train_share: f64,
    training: Vec<usize>,
    validation: Vec<usize>,
    test: Vec<usize>,
}

impl<'a> FoldOf<'a> {
    /// Fold `number` (from 1) of `split`, with a share of the units of the training set. Smaller
    /// shares are subsets of larger ones; validation and test set are the same for all shares.
    ///
    /// # Errors
    /// [`DownstreamError::Fit`] if a unit is in two sets, a set has no examples, or a class has no
    /// example in the training set.
    pub fn new(
        task: &'a Task,
        number: u32,
        split: &Split,
        train_share: f64,
        seeds: &Seeds,
    ) -> Result<Self, DownstreamError> {
        let [training, validation, test] = task.sets(split);
        let refuse = |reason: FitError| DownstreamError::Fit {
            learner: format!("fold {number}"),
            target: task.name.clone(),
            reason,
        };
        let units =
            |set: &[usize]| -> BTreeSet<&str> { set.iter().map(|i| task.unit(*i)).collect() };
        let [of_training, of_validation, of_test] =
            [&training, &validation, &test].map(|s| units(s));
        for (a, b) in [
            (&of_training, &of_validation),
            (&of_training, &of_test),
            (&of_validation, &of_test),
        ] {
            if let Some(both) = a.intersection(b).next() {
                let unit = both.to_string();
                return Err(refuse(FitError::InTwoSets { unit }));
            }
        }
        let mut order: Vec<&str> = of_training.into_iter().collect();
        let rng = &mut seeds.stream_at("train-share", &[u64::from(number)]);
        let n = ((train_share * order.len() as f64).round() as usize).clamp(1, order.len().max(1));
        order = epoch_order(order.len(), rng)
            .into_iter()
            .map(|i| order[i])
            .collect();
        let chosen: BTreeSet<&str> = order.into_iter().take(n).collect();
        let training: Vec<usize> = (training.into_iter())
            .filter(|i| chosen.contains(task.unit(*i)))
            .collect();
        for (examples, set) in [
            (&training, "training"),
            (&validation, "validation"),
            (&test, "test"),
        ] {
            if examples.is_empty() {
                return Err(refuse(FitError::EmptySet { set }));
            }
        }
        if let Kind::Classification { n_classes } = task.kind {
            let found: BTreeSet<u64> = training.iter().map(|i| task.truth[*i] as u64).collect();
            if let Some(missing) = (0..n_classes).find(|class| !found.contains(&(*class as u64))) {
                let class = task.classes[missing].clone();
                return Err(refuse(FitError::MissingClass { class }));
            }
        }
        Ok(Self {
            task,
            number,
            train_share,
            training,
            validation,
            test,
        })
    }

    /// Memory that the fit of [`FoldOf::predict`] needs; `None` if it is little or not known.
    ///
    /// # Errors
    /// From the model.
    pub fn need(
        &self,
        learner: &dyn Learner,
        problem: &Problem,
        memory: &dyn Memory,
    ) -> Result<Option<FitNeed>, DownstreamError> {
        let training = self.task.training(&self.training);
        let validation = self.task.labelled(&self.validation);
        learner.need(problem, &training, &validation, memory)
    }

    /// Trains a model on the training set, with the validation set for its settings, and predicts
    /// for the test set. Returns one row per example, or, if all scans of a subject have one truth,
    /// one row per subject: the mean over its scans.
    ///
    /// # Errors
    /// From the model.
    pub fn predict(
        &self,
        learner: &dyn Learner,
        problem: &Problem,
    ) -> Result<Vec<Prediction>, DownstreamError> {
        let task = self.task;
        let training = task.training(&self.training);
        let fitted = learner.fit(problem, &training, &task.labelled(&self.validation))?;
        let test = task.examples(&self.test);
        let output = fitted.predict(&test)?;
        let blind = blind(problem, &training);
        let units: BTreeSet<&str> = self.training.iter().map(|i| task.unit(*i)).collect();
        // The target itself is among the confounds of the table, and not of the task.
        let of_table = task.table_confounds.iter();
        let of_table = of_table.map(|name| task.confounds.iter().position(|one| one == name));
        let of_table: Vec<Option<usize>> = of_table.collect();
        let rows = test.iter().zip(output.rows()).zip(&self.test);
        let rows = rows.map(|(((scan, example), row), i)| Prediction {
            target: task.name.clone(),
            model: learner.name().to_string(),
            train_share: self.train_share,
            fold: self.number,
            scan: Some(scan.scan.to_string()),
            subject: scan.subject.to_string(),
            unit: scan.unit.clone(),
            start_secs: task
                .of_segments
                .then(|| example.start_volume as f64 * scan.series.tr_secs()),
            truth: task.truth[*i],
            output: row.to_vec(),
            blind: blind.clone(),
            n_train_units: units.len() as u32,
            confounds: (of_table.iter())
                .map(|at| at.and_then(|at| scan.confounds[at]))
                .collect(),
        });
        Ok(match task.of_subjects {
            true => of_subjects(rows),
            false => rows.collect(),
        })
    }
}

/// One row per subject: the mean of the predictions for its scans, and the mean of their confounds.
fn of_subjects(rows: impl Iterator<Item = Prediction>) -> Vec<Prediction> {
    let mut subjects: BTreeMap<String, Vec<Prediction>> = BTreeMap::new();
    for row in rows {
        subjects.entry(row.subject.clone()).or_default().push(row);
    }
    let mean = |of: &mut dyn Iterator<Item = f64>| {
        let (sum, n) = of.fold((0.0, 0u32), |(sum, n), x| (sum + x, n + 1));
        (n > 0).then(|| sum / f64::from(n))
    };
    (subjects.into_values())
        .map(|scans| Prediction {
            scan: None,
            output: (0..scans[0].output.len())
                .filter_map(|k| mean(&mut scans.iter().map(|scan| scan.output[k])))
                .collect(),
            confounds: (0..scans[0].confounds.len())
                .map(|k| mean(&mut scans.iter().filter_map(|scan| scan.confounds[k])))
                .collect(),
            ..scans[0].clone()
        })
        .collect()
}

/// Output of the constant predictor: mean truth of the training set, or its class shares. If all
/// scans of a subject have one truth, each subject counts once.
pub(crate) fn blind(problem: &Problem, training: &Labelled) -> Vec<f64> {
    let truth = match problem.of_subjects {
        true => training.truth_of_subjects(),
        false => training.truth.clone(),
    };
    let n = truth.len() as f64;
    match problem.kind {
        Kind::Regression => vec![truth.iter().sum::<f64>() / n],
        Kind::Classification { n_classes } => {
            let share = |class| truth.iter().filter(|t| **t == f64::from(class)).count() as f64 / n;
            (0..n_classes as u32).map(share).collect()
        }
    }
}

#[cfg(test)]
mod tests;
