//! Tests of early stopping and best weights, with given validation scores.

use std::sync::atomic::AtomicUsize;

use super::*;

/// [`CopyPlane`] with given validation scores, in which every third step has no examples.
struct Scored {
    scores: Vec<f64>,
    validated: AtomicUsize,
}

impl Objective for Scored {
    type Model = LinearAutoencoder;
    type Error = TrainError;

    fn parts(&self) -> usize {
        GOOD.parts
    }

    fn loss(&self, model: &Self::Model, step: u64, part: usize) -> LossOf<TrainError> {
        match step % 3 {
            2 => Ok(None),
            _ => GOOD.loss(model, step, part),
        }
    }

    fn examples(&self, step: u64) -> Vec<String> {
        GOOD.examples(step)
    }

    fn epoch(&self, step: u64) -> f64 {
        step as f64
    }

    fn validate(&self, _model: &Self::Model) -> Result<Scores, TrainError> {
        let score = self
            .scores
            .get(self.validated.fetch_add(1, Ordering::Relaxed));
        Ok(score
            .map(|score| ("validation/loss", *score))
            .into_iter()
            .collect())
    }
}

/// Trains with these validation scores after each step, the first of which belongs to step `begun`;
/// a stop is requested after `stop_after` steps.
fn train_scored(
    scores: &[f64],
    keep: Keep,
    patience: Option<u64>,
    steps: [usize; 2],
) -> Trained<LinearAutoencoder> {
    let plan = Plan { patience, ..plan() };
    train_scored_by(plan, scores, keep, steps)
}

/// The same with a plan whose weights are validated and kept after each step.
fn train_scored_by(
    plan: Plan,
    scores: &[f64],
    keep: Keep,
    [begun, stop_after]: [usize; 2],
) -> Trained<LinearAutoencoder> {
    let objective = Scored {
        scores: scores.to_vec(),
        validated: AtomicUsize::new(begun),
    };
    let plan = Plan {
        validate_every: 1,
        checkpoint_every: 1,
        ..plan
    };
    let stop = AtomicBool::new(false);
    let mut watch = Watch {
        stop: &stop,
        progress: &mut |at: Progress| stop.store(at.step >= stop_after as u64, Ordering::Relaxed),
        workers: &one(),
        communicator: &Alone,
    };
    let trainer = Trainer::new(&plan, &objective, keep);
    trainer.train(model(), &mut watch).expect("finite")
}

const SCORES: [f64; 12] = [3.0, 1.0, 2.0, 2.0, 2.0, 0.5, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0];

#[test]
fn training_ends_when_validation_no_longer_improves() {
    let patient = |patience| {
        let trained = train_scored(&SCORES, Keep::Nowhere, patience, [0, usize::MAX]);
        assert_eq!(trained.outcome, Outcome::Finished);
        (trained.score, trained.best_step)
    };
    assert_eq!(patient(Some(3)), (Some(1.0), 2));
    assert_eq!(patient(Some(4)), (Some(0.5), 6));
    assert_eq!(patient(None), (Some(0.5), 6));
}

#[test]
fn small_gains_are_kept_and_do_not_prolong_training() {
    let scores = [3.0, 1.0, 0.99, 0.98, 0.97, 0.5];
    let with = |least_gain| {
        let plan = Plan {
            patience: Some(3),
            least_gain,
            ..plan()
        };
        let trained = train_scored_by(plan, &scores, Keep::Nowhere, [0, usize::MAX]);
        (trained.score, trained.best_step)
    };
    assert_eq!(with(0.1), (Some(0.97), 5));
    assert_eq!(with(0.001), (Some(0.5), 6));
}

#[test]
fn without_validation_the_last_weights_are_the_best() {
    let trained = train_scored(&[], Keep::Nowhere, Some(1), [0, usize::MAX]);
    assert_eq!((trained.score, trained.best_step), (None, 12));
}

#[test]
fn a_step_without_examples_changes_nothing() {
    let after = |steps| {
        let keep = Keep::Nowhere;
        bytes(&train_scored(&[], keep, None, [0, steps]).best)
    };
    // A stop is seen at the next step: two steps, three with the empty one, and four.
    assert_eq!(after(1), after(2));
    assert_ne!(after(2), after(3));
}

#[test]
fn a_fit_in_a_folder_is_resumed_with_its_best_weights() {
    let straight = train_scored(&SCORES, Keep::Nowhere, Some(4), [0, usize::MAX]);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let keep = Keep::Folder(folder.path());
    let begun = train_scored(&SCORES, keep, Some(4), [0, 4]);
    assert_eq!(begun.outcome, Outcome::Interrupted { step: 5 });
    assert_eq!((begun.score, begun.best_step), (Some(1.0), 2));
    let mut resumed = train_scored(&SCORES, keep, Some(4), [5, usize::MAX]);
    for _ in 0..2 {
        assert_eq!(resumed.outcome, Outcome::Finished);
        assert_eq!((resumed.score, resumed.best_step), (Some(0.5), 6));
        assert_eq!(bytes(&straight.best), bytes(&resumed.best));
        // A finished training is only read again.
        resumed = train_scored(&[], keep, Some(4), [0, usize::MAX]);
    }
}
