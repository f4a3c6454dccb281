//! Tests of mixtures on signals with planted brain states.

use brainmae_data::{BoldSeries, ScanId, ScanStore, StoredScan, SubjectId};
use brainmae_run::Seeds;
use rand_distr::{Distribution, StandardNormal};

use super::*;
use crate::predictor::LinearPredictor;
use crate::predictor::tests::{LAYOUT, NOISE, masked, mse, store};

/// Three ROIs; the sign of the third is the product of the signs of the others, so that it is not
/// correlated with them. Signs hold for `hold` volumes. Independent noise has the standard
/// deviation `noise` before scaling.
fn signs(name: &str, hold: usize, noise: f64) -> ScanStore {
    let rng = &mut Seeds::new(7).stream(name);
    let mut normal = || -> f64 { StandardNormal.sample(rng) };
    let scale = (1.0 + noise * noise).sqrt().recip();
    let (mut values, mut state) = (Vec::new(), [0.0; 3]);
    for volume in 0..20_000 {
        if volume % hold == 0 {
            let [a, b] = [normal().signum(), normal().signum()];
            state = [a, b, a * b];
        }
        values.extend(state.map(|mean| (scale * (mean + noise * normal())) as f32));
    }
    let scan = StoredScan {
        scan: ScanId::new(name),
        subject: SubjectId::new(name),
        series: BoldSeries::new(values, 3, 1.0).expect("finite"),
    };
    ScanStore::new(vec![scan]).expect("one scan")
}

/// Mixture of `store`; the validation samples are of the same scan and hide the share `ratio`.
fn fit(scope: Scope, store: &ScanStore, ratio: f64) -> MixturePredictor {
    let validation = masked(store, ratio).into_iter().take(20).map(Ok);
    let fitted = MixturePredictor::fit(scope, store, &LAYOUT, validation, &Seeds::new(5));
    fitted.expect("readable").expect("enough volumes")
}

#[test]
fn a_mixture_draws_what_no_linear_predictor_can() {
    let store = signs("training", 1, NOISE);
    let mixture = fit(Scope::Volume, &store, 0.3);
    assert!(mixture.n_components() >= 4, "{}", mixture.n_components());
    let test = masked(&signs("test", 1, NOISE), 0.3);
    let validation = masked(&store, 0.3).into_iter().take(20).map(Ok);
    let linear = LinearPredictor::fit(Scope::Volume, &store, &LAYOUT, validation);
    let linear = mse(&linear.expect("a ridge"), &test);
    // Unexplained: noise, 0.2 of the variance, and the doubt about the state. Two signs are read
    // wrongly with the probability 2 q (1 - q), q = 0.0228.
    let mixed = mse(&mixture, &test);
    assert!(
        linear > 0.97 && (0.2..0.36).contains(&mixed),
        "{linear} {mixed}"
    );
    let again = fit(Scope::Volume, &store, 0.3);
    assert_eq!(mixture.predict(&test[0]), again.predict(&test[0]));
}

#[test]
fn a_mixture_of_one_gaussian_is_as_good_as_a_linear_predictor() {
    let (training, test) = (store("training"), masked(&store("test"), 0.5));
    let validation = || masked(&training, 0.5).into_iter().take(20).map(Ok);
    let linear = LinearPredictor::fit(Scope::Volume, &training, &LAYOUT, validation());
    let linear = mse(&linear.expect("a ridge"), &test);
    for scope in [Scope::Volume, Scope::Segment] {
        let mixed = mse(&fit(scope, &training, 0.5), &test);
        assert!((mixed / linear - 1.0).abs() < 0.03, "{mixed} {linear}");
    }
}

/// A hidden sign is the product of two visible ones. With noise of variance 1, the expected value
/// of a sign given `n` volumes is `tanh(n y)`, `y` their mean, and the error of the hidden ROI is
/// `(1 + 1 - E[tanh^2(n y)]^2) / 2`: .849 for one volume, .538 for five, by numerical integration.
/// .5 is the noise of the hidden ROI.
#[test]
fn a_state_that_holds_for_a_segment_is_read_from_all_its_volumes() {
    let store = signs("training", LAYOUT.segment_len_trs, 1.0);
    let test = masked(&signs("test", LAYOUT.segment_len_trs, 1.0), 0.3);
    for (scope, expected) in [(Scope::Volume, 0.849), (Scope::Segment, 0.538)] {
        let mixture = fit(scope, &store, 0.3);
        let found = mse(&mixture, &test);
        assert!(
            (found / expected - 1.0).abs() < 0.03,
            "{scope:?}: {found}, expected {expected}"
        );
        // Given the state, volumes are independent.
        assert_eq!(mixture.exponent(), 1.0);
    }
}

#[test]
fn volumes_that_repeat_themselves_count_less() {
    // All volumes of a segment are the same: five of them tell as much as one.
    let store = |name: &str| {
        let store = signs(name, 1, 1.0);
        let series = store.series(0).expect("in memory");
        let values = (0..20_000).flat_map(|volume| series.row(volume / 5).to_vec());
        let scan = StoredScan {
            scan: ScanId::new(name),
            subject: SubjectId::new(name),
            series: BoldSeries::new(values.collect(), 3, 1.0).expect("finite"),
        };
        ScanStore::new(vec![scan]).expect("one scan")
    };
    let mixture = fit(Scope::Segment, &store("training"), 0.3);
    assert_eq!(mixture.exponent(), 0.2);
}

#[test]
fn censored_volumes_tell_nothing_about_the_state() {
    let store = signs("training", LAYOUT.segment_len_trs, 1.0);
    let mixture = fit(Scope::Segment, &store, 0.3);
    let mut batch = masked(&store, 0.3).remove(0);
    let time = LAYOUT.segment_len_trs;
    let whole = mixture.predict(&batch);
    for (i, kept) in batch.samples.kept.iter_mut().enumerate() {
        *kept = i % time >= 2;
    }
    let mut of_kept = |filler: f32| {
        for (i, value) in batch.samples.bold.iter_mut().enumerate() {
            if i % time < 2 {
                *value = filler;
            }
        }
        let mut predicted = mixture.predict(&batch);
        predicted
            .chunks_mut(time)
            .for_each(|row| row[..2].fill(0.0));
        predicted
    };
    let censored = of_kept(0.0);
    assert_eq!(censored, of_kept(50.0));
    let differs = |(a, b): (&f32, &f32)| *b != 0.0 && a != b;
    assert!(whole.iter().zip(&censored).any(differs));
}

#[test]
fn few_volumes_make_no_mixture() {
    let values = (0..15 * 4).map(|i| (i as f32).sin()).collect();
    let scan = StoredScan {
        scan: ScanId::new("short"),
        subject: SubjectId::new("short"),
        series: BoldSeries::new(values, 4, 1.0).expect("finite"),
    };
    let store = ScanStore::new(vec![scan]).expect("one scan");
    let fitted = MixturePredictor::fit(Scope::Volume, &store, &LAYOUT, [], &Seeds::new(5));
    assert!(fitted.expect("readable").is_none());
}
