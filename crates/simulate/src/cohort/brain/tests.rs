//! Tests that drawn scans contain the planted effects.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::super::person::draw_people;
use super::*;
use brainmae_atlas::{Hemisphere, Roi};
use brainmae_files::checksum::sha256_bytes;

/// One stream per name.
pub fn stream(seed: u64, name: &str) -> Box<dyn Rng> {
    let hash = sha256_bytes(format!("{seed}/{name}").as_bytes());
    let number = u64::from_str_radix(&hash[..16], 16).unwrap();
    Box::new(ChaCha8Rng::seed_from_u64(number))
}

/// Four networks, each with `each` ROIs per side.
pub fn atlas(each: usize) -> Atlas {
    let mut rois = Vec::new();
    for (side, hemisphere) in [("LH", Hemisphere::Left), ("RH", Hemisphere::Right)] {
        for network in ["Vis", "SomMot", "Cont", "Default"] {
            for number in 1..=each {
                rois.push(Roi {
                    index: rois.len(),
                    name: format!("{side}_{network}_{number}"),
                    network: Some(network.into()),
                    hemisphere: Some(hemisphere),
                    centroid_mm: None,
                });
            }
        }
    }
    Atlas {
        name: "test".into(),
        version: "1".into(),
        rois,
    }
}

pub fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let sum = |x: &[f64], mx: f64, y: &[f64], my: f64| -> f64 {
        x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum()
    };
    sum(a, mean_a, b, mean_b) / (sum(a, mean_a, a, mean_a) * sum(b, mean_b, b, mean_b)).sqrt()
}

/// A long scan of each of two people who differ only in `change`.
fn drawn(
    spec: &CohortSpec,
    task: &str,
    blocks: &[Block],
    change: &dyn Fn(&mut Person),
) -> DrawnScan {
    let atlas = atlas(2);
    let mut brain = Brain::draw(spec, &atlas, &|name| stream(1, name)).unwrap();
    brain.learn_responses(task, blocks, &|name| stream(1, name));
    let mut person = draw_people(spec, &mut *stream(1, "people")).remove(0);
    change(&mut person);
    brain.draw_scan(
        &ScanRequest {
            person: &person,
            task,
            part_volumes: &[20_000],
            blocks,
            motion_times: 1.0,
        },
        &|name| stream(1, name),
    )
}

fn quiet() -> CohortSpec {
    let mut spec = CohortSpec::default();
    spec.effects.n_states = 1;
    spec.effects.gain = [1.0, 1.0];
    spec.effects.activation = 0.0;
    spec.effects.roi_noise_sd = 0.0;
    spec
}

// ROIs 0, 2, 4, 6 are the first ROIs of Vis, SomMot, Cont and Default on the left.

#[test]
fn age_couples_the_last_two_networks_and_weakens_the_last() {
    let at = |years: u32| drawn(&quiet(), "rest", &[], &|p| p.age_months = years * 12);
    let (young, old) = (at(22), at(36));
    // 0.35 - 0.3 and 0.35 + 0.3, from about 1000 independent samples.
    assert!((correlation(&young.clean[4], &young.clean[6]) - 0.05).abs() < 0.1);
    assert!((correlation(&old.clean[4], &old.clean[6]) - 0.65).abs() < 0.1);
    // The same time course, 1.3 times as strong and 0.7 times.
    let rms = |x: &[f64]| (x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64).sqrt();
    assert!((rms(&young.clean[6]) - 1.3).abs() < 0.1);
    assert!((rms(&old.clean[6]) - 0.7).abs() < 0.1);
    assert_eq!(young.clean[0], old.clean[0]);
}

#[test]
fn sex_couples_the_first_two_networks() {
    let of = |sex: Sex| drawn(&quiet(), "rest", &[], &|p| p.sex = sex);
    let (women, men) = (of(Sex::Female), of(Sex::Male));
    assert!(correlation(&women.clean[0], &women.clean[2]).abs() < 0.1);
    assert!((correlation(&men.clean[0], &men.clean[2]) - 0.6).abs() < 0.1);
}

#[test]
fn a_long_latent_dwell_is_a_long_stay_in_state_0() {
    let share = |dwell: f64| {
        let scan = drawn(&CohortSpec::default(), "rest", &[], &|p| p.dwell = dwell);
        let total: f64 = scan.stays.iter().map(|stay| stay.duration_secs).sum();
        assert!((total - 20_000.0 * 0.72).abs() < 1e-6);
        let in_0 = scan.stays.iter().filter(|stay| stay.state == 0);
        in_0.map(|stay| stay.duration_secs).sum::<f64>() / total
    };
    // exp(1) and exp(-1) times 20 s, against twice 20 s: 0.58 and 0.16.
    assert!((share(2.0) - 0.58).abs() < 0.08);
    assert!((share(-2.0) - 0.16).abs() < 0.05);
}

#[test]
fn blocks_add_their_response() {
    let block = Block {
        condition: "a".into(),
        response: "a".into(),
        onset_secs: 72.0,
        duration_secs: 72.0,
    };
    let (spec, atlas) = (quiet(), atlas(2));
    let blocks = [block];
    let rest = drawn(&spec, "x", &[], &|_| ());
    let task = drawn(&spec, "x", &blocks, &|_| ());
    let mut brain = Brain::draw(&spec, &atlas, &|name| stream(1, name)).unwrap();
    brain.learn_responses("x", &blocks, &|name| stream(1, name));
    let planted = &brain.responses[&("x".to_owned(), "a".to_owned())];
    for (roi, response) in planted.iter().enumerate() {
        let added = |volume: usize| task.clean[roi][volume] - rest.clean[roi][volume];
        assert_eq!([added(99), added(300)], [0.0, 0.0], "{roi}");
        // 58 s after the start of the block, the response is constant; its undershoot subtracts a
        // sixth.
        let settled = added(180) * 6.0 / 5.0;
        assert!(
            (settled - response).abs() < 1e-5,
            "{roi}: {settled}, {response}"
        );
    }
    // Sixteen responses with this standard deviation; each of the four networks has a common
    // response.
    let mean_square = planted.iter().map(|x| x * x).sum::<f64>() / 16.0;
    let sd = mean_square.sqrt() / spec.effects.task_response;
    assert!((0.3..2.0).contains(&sd), "{sd}");
}

#[test]
fn movement_disturbs_in_proportion_to_displacement() {
    let mut spec = quiet();
    spec.effects.drift_sd = 0.0;
    let scan = drawn(&spec, "rest", &[], &|_| ());
    let added: Vec<f64> = (scan.written[1].iter().zip(&scan.clean[0]))
        .map(|(written, clean)| written - clean)
        .collect();
    assert!(correlation(&added, &scan.motion.fd_mm) > 0.999_999);
    // Without an ROI, there is only the artefact of 2 % per mm.
    let volume = 77;
    let alone = scan.written[0][volume];
    assert!((alone - 2.0 * scan.motion.fd_mm[volume]).abs() < 1e-12);
}

#[test]
fn an_atlas_without_networks_is_refused() {
    let spec = CohortSpec::default();
    let mut atlas = atlas(1);
    atlas.rois[3].network = None;
    let problem = |atlas: &Atlas| match Brain::draw(&spec, atlas, &|name| stream(1, name)) {
        Err(SimulateError::Networks { problem, .. }) => problem,
        other => panic!("{:?}", other.err()),
    };
    let roi = "LH_Default_1".to_owned();
    assert_eq!(problem(&atlas), NetworkProblem::None { roi });
    atlas.rois.truncate(3);
    assert_eq!(problem(&atlas), NetworkProblem::TooFew { found: 3 });
}
