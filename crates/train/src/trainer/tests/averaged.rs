//! Tests of the average of the weights.

use super::*;

#[test]
fn the_average_of_the_weights_is_validated_kept_and_resumed() {
    let objective = CopyPlane {
        parts: 1,
        poison: None,
    };
    let train = |ema, keep: Keep, stop_after: u64| {
        let plan = Plan { ema, ..plan() };
        let stop = AtomicBool::new(false);
        let mut watch = Watch {
            stop: &stop,
            progress: &mut |at: Progress| stop.store(at.step >= stop_after, Ordering::Relaxed),
            workers: &one(),
            communicator: &Alone,
        };
        let trainer = Trainer::new(&plan, &objective, keep);
        trainer.train(model(), &mut watch).expect("finite")
    };
    let plain = train(None, Keep::Nowhere, u64::MAX);
    let averaged = train(Some(0.5), Keep::Nowhere, u64::MAX);
    assert_ne!(bytes(&plain.best), bytes(&averaged.best));
    assert_ne!(plain.score, averaged.score);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let keep = Keep::Folder(folder.path());
    let begun = train(Some(0.5), keep, 5);
    assert!(matches!(begun.outcome, Outcome::Interrupted { .. }));
    let resumed = train(Some(0.5), keep, u64::MAX);
    assert_eq!(resumed.outcome, Outcome::Finished);
    assert_eq!(bytes(&resumed.best), bytes(&averaged.best));
}

#[test]
fn an_average_follows_its_formula() {
    let first = model().valid();
    let scaled = |factor: f32| {
        let mut model = model().valid();
        model.down.weight = (model.down.weight).map(|weight| weight * factor);
        weights::with_stable_ids(model, &[])
    };
    let mut average = Average::new(0.3, weights::with_stable_ids(first, &[]));
    average.add(&scaled(2.0), 1);
    average.add(&scaled(3.0), 2);
    // Decays: 2/11, then 3/12.
    let first = 1.0 * 2.0 / 11.0 + 2.0 * 9.0 / 11.0;
    let expected = scaled(first * 0.25 + 3.0 * 0.75);
    let numbers = |model: &LinearAutoencoder| -> Vec<f32> {
        model.down.weight.val().into_data().iter().collect()
    };
    let pairs = numbers(average.model()).into_iter().zip(numbers(&expected));
    for (found, expected) in pairs {
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }
}
