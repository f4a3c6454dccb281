//! Tests with several processes, simulated by threads that share a communicator.

use std::sync::{Barrier, Mutex};

use super::*;

/// Shared values of the threads.
struct Meeting {
    values: Mutex<Vec<Vec<f64>>>,
    barrier: Barrier,
}

struct Member<'a> {
    rank: usize,
    size: usize,
    meeting: &'a Meeting,
}

impl Communicator for Member<'_> {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn sum(&self, values: &mut [f64]) {
        self.meeting.values.lock().expect("no panic")[self.rank] = values.to_vec();
        self.meeting.barrier.wait();
        values.fill(0.0);
        for theirs in self.meeting.values.lock().expect("no panic").iter() {
            assert_eq!(theirs.len(), values.len(), "all are asked the same");
            let pairs = values.iter_mut().zip(theirs);
            pairs.for_each(|(value, theirs)| *value += theirs);
        }
        self.meeting.barrier.wait();
    }

    fn sum_f32(&self, values: &mut [f32]) {
        let mut wide: Vec<f64> = values.iter().copied().map(f64::from).collect();
        self.sum(&mut wide);
        let pairs = values.iter_mut().zip(wide);
        pairs.for_each(|(value, wide)| *value = wide as f32);
    }
}

/// Outcomes of the processes of a run, in order of rank. A stop is requested from the first process
/// alone, after `stop_after` steps.
fn train_together(
    run: &Run,
    objective: &CopyPlane,
    size: usize,
    stop_after: u64,
) -> Vec<Result<Outcome, TrainError>> {
    let meeting = Meeting {
        values: Mutex::new(vec![Vec::new(); size]),
        barrier: Barrier::new(size),
    };
    let train = |rank: usize| {
        let communicator = Member {
            rank,
            size,
            meeting: &meeting,
        };
        if rank == 0 {
            return run.train_in(&run.folder, objective, &one(), &communicator, stop_after);
        }
        let folder = RunFolder::follow(run.root.path(), run.folder.manifest());
        let folder = folder.expect("the first has opened it");
        run.train_in(&folder, objective, &one(), &communicator, u64::MAX)
    };
    std::thread::scope(|scope| {
        let train = &train;
        let members: Vec<_> = (0..size).map(|r| scope.spawn(move || train(r))).collect();
        let outcomes = members.into_iter().map(|m| m.join().expect("no panic"));
        outcomes.collect()
    })
}

const TWO_PARTS: CopyPlane = CopyPlane { parts: 2, ..GOOD };

#[test]
fn two_processes_with_a_part_each_do_what_one_does() {
    let (alone, together) = (Run::new(), Run::new());
    alone.train(&TWO_PARTS, &one(), u64::MAX).expect("finite");
    for outcome in train_together(&together, &TWO_PARTS, 2, u64::MAX) {
        assert_eq!(outcome.expect("finite"), Outcome::Finished);
    }
    assert_eq!(alone.metrics(), together.metrics());
    assert_eq!(alone.weights(), together.weights());
}

#[test]
fn more_parts_are_summed_in_another_order_and_to_the_same() {
    let (alone, together) = (Run::new(), Run::new());
    alone.train(&GOOD, &one(), u64::MAX).expect("finite");
    train_together(&together, &GOOD, 2, u64::MAX);
    for (a, b) in alone.metrics().iter().zip(together.metrics()) {
        assert_eq!((a.step, &a.name), (b.step, &b.name));
        let [a, b] = [a.value, b.value].map(|value| value.expect("finite"));
        assert!((a - b).abs() < 1e-5 * a.abs(), "{a} {b}");
    }
}

#[test]
fn processes_stop_together_and_resume_to_the_last_bit() {
    let (straight, resumed) = (Run::new(), Run::new());
    train_together(&straight, &GOOD, 2, u64::MAX);
    for stop_after in [3, 7] {
        let outcomes = train_together(&resumed, &GOOD, 2, stop_after);
        let outcomes = outcomes.into_iter().map(|outcome| outcome.expect("finite"));
        let stopped = Outcome::Interrupted {
            // The first process reads its losses after step 3 or 8 and gets the request then; all
            // processes stop after the next step.
            step: if stop_after == 3 { 4 } else { 9 },
        };
        assert_eq!(outcomes.collect::<Vec<_>>(), [stopped, stopped]);
    }
    train_together(&resumed, &GOOD, 2, u64::MAX);
    assert_eq!(straight.metrics(), resumed.metrics());
    assert_eq!(straight.weights(), resumed.weights());
}

#[test]
fn every_process_learns_of_a_loss_that_is_not_finite() {
    let run = Run::new();
    let poisoned = CopyPlane {
        poison: Some(7),
        ..GOOD
    };
    for outcome in train_together(&run, &poisoned, 2, u64::MAX) {
        let error = outcome.expect_err("infinite");
        assert!(
            matches!(error, TrainError::NonFinite { step: 7, .. }),
            "{error}"
        );
    }
}

#[test]
fn processes_that_cannot_share_the_parts_are_refused() {
    let outcomes = train_together(&Run::new(), &GOOD, 3, u64::MAX);
    for outcome in outcomes {
        let error = outcome.expect_err("4 parts");
        assert!(
            matches!(
                error,
                TrainError::Config(InvalidField { field: "parts", .. })
            ),
            "{error}"
        );
    }
}
