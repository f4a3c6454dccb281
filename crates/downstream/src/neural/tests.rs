//! Tests that hold for all neural baselines.

mod golden;
mod planted;

use brainmae_model::init::Init;
use burn::tensor::Device;
use rand_chacha::ChaCha8Rng;

use std::sync::atomic::AtomicBool;

use super::bnt::{Bnt, Clusters};
use super::bolt::Bolt;
use super::brainnetcnn::BrainNetCnn;
use super::fbnetgen::FbNetGen;
use super::mean_mlp::MeanMlp;
use super::recipe::Span;
use super::stagin::{Readout, Stagin};
use super::transformer::Transformer;
use super::*;
use crate::kind::likeliest;
use crate::{DownstreamError, Examples, FitError, Fitted, Kind, Labelled, Learner, Problem};
use brainmae_train::Schedule;
use planted::{N_VOLUMES, TWO, examples, labelled, problem, scans};

/// An architecture with a learning rate for eight examples.
#[derive(Clone)]
struct Quick<A> {
    inner: A,
    lr: f64,
}

impl<A: Architecture> Architecture for Quick<A> {
    type Network = A::Network;

    fn paper(&self) -> Paper {
        let paper = self.inner.paper();
        let recipe = Recipe {
            schedule: Schedule::constant(self.lr),
            epochs: 1000,
            batch_size: 8,
            ..paper.recipe
        };
        Paper { recipe, ..paper }
    }

    fn parts(&self) -> usize {
        self.inner.parts()
    }

    fn init(&self, sizes: Sizes, init: &mut Init<ChaCha8Rng>) -> A::Network {
        self.inner.init(sizes, init)
    }

    fn forward(&self, network: &A::Network, batch: &Batch, noise: &mut Noise) -> Said {
        self.inner.forward(network, batch, noise)
    }
}

fn fit<A: Architecture>(
    architecture: A,
    problem: &Problem,
    examples: &Labelled,
    max_epochs: usize,
) -> Result<Box<dyn Fitted>, DownstreamError> {
    let budget = Budget {
        max_epochs,
        patience: max_epochs,
        ..Budget::default()
    };
    let neural = Neural {
        architecture,
        budget,
    };
    neural.fit(problem, examples, examples)
}

/// Overfits eight examples; training and validation set are the same.
fn overfits<A: Architecture>(architecture: Quick<A>, epochs: usize) {
    let truth = [0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0];
    let scans = scans(&truth.map(|t| 1.2 * t - 0.6), N_VOLUMES);
    let examples = labelled(&scans, &truth);
    let fitted = fit(architecture, &problem(TWO, 1), &examples, epochs).expect("it learns");
    let output = fitted.predict(&examples.examples).expect("same scans");
    let right = output.rows().zip(truth);
    let right = right
        .filter(|(row, t)| likeliest(row) == *t as usize)
        .count();
    let sure: f64 = output
        .rows()
        .zip(truth)
        .map(|(row, t)| row[t as usize])
        .sum();
    assert!(
        right == 8 && sure > 6.4,
        "{right} of 8 right, {}",
        sure / 8.0
    );
}

/// Explains most of the variance of its training set.
fn regresses<A: Architecture>(architecture: Quick<A>, epochs: usize) {
    let planted = [-0.9, -0.6, -0.3, 0.0, 0.2, 0.4, 0.7, 0.9];
    let scans = scans(&planted, N_VOLUMES);
    let ages = planted.map(|p| 40.0 + 20.0 * p);
    let examples = labelled(&scans, &ages);
    let problem = problem(Kind::Regression, 1);
    let fitted = fit(architecture, &problem, &examples, epochs).expect("it learns");
    let output = fitted.predict(&examples.examples).expect("same scans");
    let mean = ages.iter().sum::<f64>() / 8.0;
    let variance: f64 = ages.iter().map(|age| (age - mean).powi(2)).sum();
    let error: f64 = output
        .rows()
        .zip(ages)
        .map(|(row, age)| (row[0] - age).powi(2))
        .sum();
    assert!(error < 0.4 * variance, "{error} of {variance}");
}

/// Same seed: the same output, bit by bit. Other seed: another output.
fn repeats<A: Architecture>(architecture: Quick<A>) {
    let truth = [0.0, 1.0, 0.0, 1.0];
    let scans = scans(&[0.5, -0.5, 0.4, -0.4], N_VOLUMES);
    let examples = labelled(&scans, &truth);
    let said = |seed| {
        let fitted = fit(architecture.clone(), &problem(TWO, seed), &examples, 2);
        let fitted = fitted.expect("it learns");
        fitted.predict(&examples.examples).expect("same scans")
    };
    assert_eq!(said(1), said(1));
    assert_ne!(said(1), said(2));
}

static STOP: AtomicBool = AtomicBool::new(true);

/// A fit that is stopped after every step and goes on ends as one that was never stopped.
fn goes_on<A: Architecture>(architecture: Quick<A>) {
    let truth = [0.0, 1.0, 0.0, 1.0, 1.0, 0.0];
    let scans = scans(&[0.5, -0.5, 0.4, -0.4, -0.3, 0.3], N_VOLUMES);
    let examples = labelled(&scans, &truth);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let straight = problem(TWO, 1);
    let mut stopped = straight.clone();
    stopped.fits.folder = Some(folder.path().join("fit"));
    stopped.fits.stop = Some(&STOP);
    let said = |fitted: Box<dyn Fitted>| fitted.predict(&examples.examples).expect("same scans");
    let mut n_stops = 0;
    let resumed = loop {
        match fit(architecture.clone(), &stopped, &examples, 4) {
            Err(DownstreamError::Interrupted) => n_stops += 1,
            fitted => break fitted,
        }
    };
    assert_eq!(n_stops, 3);
    let straight = fit(architecture, &straight, &examples, 4).expect("it learns");
    assert_eq!(said(resumed.expect("it learns")), said(straight));
}

macro_rules! holds {
    ($($name:ident: $architecture:expr, lr $lr:expr, epochs $epochs:expr;)*) => {$(
        mod $name {
            use super::*;

            fn quick() -> Quick<impl Architecture> {
                Quick { inner: $architecture, lr: $lr }
            }

            #[test]
            fn overfits_eight_examples() {
                overfits(quick(), $epochs);
            }

            #[test]
            fn explains_a_number() {
                regresses(quick(), $epochs);
            }

            #[test]
            fn says_the_same_after_the_same_seed() {
                repeats(quick());
            }

            #[test]
            fn goes_on_after_a_stop() {
                goes_on(quick());
            }
        }
    )*};
}

/// The network of the paper, except for its width.
fn narrow(readout: Readout) -> Stagin {
    Stagin {
        d_model: 16,
        layers: 2,
        stride: Span::Secs(12.0),
        ..Stagin::new(readout)
    }
}

holds! {
    brainnetcnn: BrainNetCnn::default(), lr 1e-3, epochs 60;
    bnt: Bnt::default(), lr 1e-3, epochs 40;
    bnt_plain: Bnt::plain(), lr 1e-3, epochs 40;
    stagin_garo: narrow(Readout::Garo), lr 1e-2, epochs 80;
    stagin_sero: narrow(Readout::Sero), lr 1e-2, epochs 80;
    fbnetgen: FbNetGen::default(), lr 5e-3, epochs 150;
    transformer: Transformer::default(), lr 2e-3, epochs 60;
    mean_mlp: MeanMlp::default(), lr 5e-3, epochs 150;
    bolt: Bolt { layers: 2, heads: 6, d_head: 8, ..Bolt::default() }, lr 5e-3, epochs 40;
}

/// Classes differ in the correlation of two ROIs. Right predictions for unseen subjects show that
/// the network has learned this.
fn generalises<A: Architecture>(architecture: A) {
    let planted: Vec<f64> = (0..96)
        .map(|i| if i % 2 == 0 { 0.6 } else { -0.6 })
        .collect();
    let truth: Vec<f64> = (0..96).map(|i| f64::from(i % 2)).collect();
    let scans = scans(&planted, N_VOLUMES);
    let all = examples(&scans);
    let set = |range: std::ops::Range<usize>| Labelled {
        examples: Examples {
            scans: &scans,
            list: all.list[range.clone()].to_vec(),
        },
        truth: truth[range].to_vec(),
    };
    let neural = Neural {
        architecture,
        budget: Budget {
            max_epochs: 30,
            patience: 10,
            ..Budget::default()
        },
    };
    let fitted = neural.fit(&problem(TWO, 1), &set(0..48), &set(48..64));
    let test = set(64..96);
    let output = fitted.expect("it learns").predict(&test.examples);
    let output = output.expect("same atlas");
    let right = output.rows().zip(&test.truth);
    let right = right.filter(|(row, t)| likeliest(row) == **t as usize);
    let right = right.count();
    assert!(right > 26, "{right} of 32");
}

#[test]
fn people_never_met_are_told_apart() {
    let lr = 1e-3;
    generalises(Quick {
        inner: Bnt::default(),
        lr,
    });
    generalises(Quick {
        inner: BrainNetCnn::default(),
        lr,
    });
}

#[test]
fn what_cannot_be_learned_says_who_and_why() {
    let scans = scans(&[0.5, -0.5], N_VOLUMES);
    let fit = |problem: &Problem, truth: [f64; 2]| {
        let fitted = fit(MeanMlp::default(), problem, &labelled(&scans, &truth), 2);
        match fitted.err().expect("refused") {
            DownstreamError::Fit {
                learner,
                target,
                reason,
            } => (learner, target, reason),
            other => panic!("expected a refusal, found {other}"),
        }
    };
    let refused = |reason| ("mean-mlp".to_string(), "planted".to_string(), reason);
    let one_class = fit(&problem(TWO, 1), [1.0, 1.0]);
    assert_eq!(one_class, refused(FitError::FewClasses { found: 1 }));
    let other_atlas = Problem {
        n_rois: 7,
        ..problem(TWO, 1)
    };
    let wrong_rois = fit(&other_atlas, [0.0, 1.0]);
    let roi_count = FitError::RoiCount {
        scan: "scan-0".into(),
        found: 6,
        expected: 7,
    };
    assert_eq!(wrong_rois, refused(roi_count));
}

#[test]
fn a_loss_that_is_not_finite_is_an_error() {
    let scans = scans(&[0.5, -0.5], N_VOLUMES);
    let hot = Quick {
        inner: MeanMlp::default(),
        lr: 1e38,
    };
    let fitted = fit(hot, &problem(TWO, 1), &labelled(&scans, &[0.0, 1.0]), 5);
    let error = fitted.err().expect("it explodes");
    assert!(
        matches!(
            error,
            DownstreamError::Fit {
                reason: FitError::Diverged { .. },
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn longer_and_shorter_scans_can_be_predicted() {
    let training = scans(&[0.5, -0.5, 0.4, -0.4], N_VOLUMES);
    let examples_of = labelled(&training, &[0.0, 1.0, 0.0, 1.0]);
    for fitted in [
        fit(Transformer::default(), &problem(TWO, 1), &examples_of, 1),
        fit(narrow(Readout::Sero), &problem(TWO, 1), &examples_of, 1),
        fit(FbNetGen::default(), &problem(TWO, 1), &examples_of, 1),
    ] {
        let fitted = fitted.expect("it learns");
        for n_volumes in [7, 97] {
            let other = scans(&[0.1, 0.2, 0.3], n_volumes);
            let output = fitted.predict(&examples(&other)).expect("same atlas");
            assert_eq!(output.len(), 3);
            assert!(output.rows().flatten().all(|p| p.is_finite()));
        }
    }
}
