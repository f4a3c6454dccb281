//! Task designs: blocks of conditions, and the haemodynamic response to them.

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

/// Tasks of HCP Young Adult.
pub(super) const HCP_TASKS: &[&str] = &[
    "emotion",
    "gambling",
    "language",
    "motor",
    "relational",
    "social",
    "wm",
];

/// Tasks of HCP-Aging.
pub(super) const AGING_TASKS: &[&str] = &["vismotor", "carit", "facename"];

/// Seconds of an NSD trial, and seconds that its image is shown.
const NSD_TRIAL_SECS: f64 = 4.0;
const NSD_IMAGE_SECS: f64 = 3.0;

/// Number of NSD images.
const NSD_IMAGES: u32 = 73_000;

/// Blank NSD trials before the first and after the last image.
const NSD_BLANKS: [usize; 2] = [3, 4];

/// Images whose numbers are equal modulo this value evoke the same response.
pub(super) const NSD_CATEGORIES: u32 = 4;

/// One block of one condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Block {
    /// Condition name in the files on disk.
    pub condition: String,
    /// Name of the response it evokes.
    pub response: String,
    pub onset_secs: f64,
    pub duration_secs: f64,
}

/// A design of blocks; durations in seconds.
struct Design {
    task: &'static str,
    /// Volumes of a scan in the release.
    n_volumes: usize,
    conditions: &'static [&'static str],
    repeats: usize,
    start: f64,
    /// Seconds of the cue before every block.
    cue: f64,
    block: f64,
    /// Number of blocks between fixations.
    fixation_every: usize,
    fixation: f64,
}

/// Lengths and conditions are those of the releases; the order of blocks is random, and one for the
/// scans of a [`BlockOrder`](super::BlockOrder).
#[rustfmt::skip]
const DESIGNS: &[Design] = &[
    Design { task: "emotion", n_volumes: 176, conditions: &["fear", "neut"], repeats: 3, start: 0.0, cue: 3.0, block: 18.0, fixation_every: 6, fixation: 0.0 },
    Design { task: "gambling", n_volumes: 253, conditions: &["win", "loss"], repeats: 2, start: 8.0, cue: 0.0, block: 28.0, fixation_every: 1, fixation: 15.0 },
    Design { task: "language", n_volumes: 316, conditions: &["story", "math"], repeats: 4, start: 8.0, cue: 0.0, block: 26.0, fixation_every: 8, fixation: 0.0 },
    Design { task: "motor", n_volumes: 284, conditions: &["lf", "lh", "rf", "rh", "t"], repeats: 2, start: 8.0, cue: 3.0, block: 12.0, fixation_every: 4, fixation: 15.0 },
    Design { task: "relational", n_volumes: 232, conditions: &["relation", "match"], repeats: 3, start: 8.0, cue: 0.0, block: 16.0, fixation_every: 2, fixation: 16.0 },
    Design { task: "social", n_volumes: 274, conditions: &["mental", "rnd"], repeats: 2, start: 8.0, cue: 0.0, block: 20.0, fixation_every: 1, fixation: 15.0 },
    Design { task: "wm", n_volumes: 405, conditions: &["0bk_body", "0bk_faces", "0bk_places", "0bk_tools", "2bk_body", "2bk_faces", "2bk_places", "2bk_tools"], repeats: 1, start: 8.0, cue: 0.0, block: 27.5, fixation_every: 2, fixation: 15.0 },
    Design { task: "vismotor", n_volumes: 194, conditions: &["vismotor"], repeats: 5, start: 8.0, cue: 0.0, block: 20.0, fixation_every: 1, fixation: 10.0 },
    Design { task: "carit", n_volumes: 300, conditions: &["go", "nogo"], repeats: 4, start: 8.0, cue: 0.0, block: 20.0, fixation_every: 1, fixation: 8.0 },
    Design { task: "facename", n_volumes: 345, conditions: &["distractor", "encoding", "recall"], repeats: 3, start: 8.0, cue: 0.0, block: 20.0, fixation_every: 3, fixation: 10.0 },
];

/// Volumes of a scan of this task in the release.
pub(super) fn release_volumes(task: &str) -> Option<usize> {
    let design = DESIGNS.iter().find(|design| design.task == task)?;
    Some(design.n_volumes)
}

/// The blocks of a task that end before the scan does, sorted by time.
///
/// A task without a design alternates 20 s of task and 20 s of rest; rest has no blocks.
pub(super) fn blocks(task: &str, scan_secs: f64, rng: &mut dyn Rng) -> Vec<Block> {
    let generic = Design {
        task: "",
        n_volumes: 0,
        conditions: &[""],
        repeats: (scan_secs / 40.0) as usize,
        start: 10.0,
        cue: 0.0,
        block: 20.0,
        fixation_every: 1,
        fixation: 20.0,
    };
    if task == "rest" {
        return Vec::new();
    }
    let known = DESIGNS.iter().find(|design| design.task == task);
    let design = known.unwrap_or(&generic);
    let mut order = design.conditions.repeat(design.repeats);
    order.shuffle(rng);
    let mut time = design.start;
    let mut blocks = Vec::with_capacity(order.len());
    for (at, condition) in order.into_iter().enumerate() {
        let onset_secs = time + design.cue;
        time = onset_secs + design.block;
        if time > scan_secs {
            break;
        }
        let condition = if known.is_some() { condition } else { task };
        blocks.push(Block {
            condition: condition.into(),
            response: condition.into(),
            onset_secs,
            duration_secs: design.block,
        });
        if (at + 1) % design.fixation_every == 0 {
            time += design.fixation;
        }
    }
    blocks
}

/// The conditions of a task with a design.
pub(super) fn conditions(task: &str) -> &'static [&'static str] {
    DESIGNS
        .iter()
        .find(|design| design.task == task)
        .map_or(&[], |design| design.conditions)
}

/// Seconds between the cue and its block; 0 in tasks without cues.
pub(super) fn cue_secs(task: &str) -> f64 {
    DESIGNS
        .iter()
        .find(|design| design.task == task)
        .map_or(0.0, |design| design.cue)
}

/// The images of an NSD scan: one trial every 4 s; some trials are blank.
pub(super) fn images(scan_secs: f64, rng: &mut dyn Rng) -> Vec<Block> {
    let trials = (scan_secs / NSD_TRIAL_SECS) as usize;
    (NSD_BLANKS[0]..trials.saturating_sub(NSD_BLANKS[1]))
        .filter_map(|trial| {
            let image = rng.random_range(1..=NSD_IMAGES);
            // Five of the sixty-eight trials between are blank.
            let blank = rng.random_bool(5.0 / 68.0);
            (!blank).then(|| Block {
                condition: image.to_string(),
                response: format!("category-{}", image % NSD_CATEGORIES),
                onset_secs: trial as f64 * NSD_TRIAL_SECS,
                duration_secs: NSD_IMAGE_SECS,
            })
        })
        .collect()
}

impl Block {
    /// The haemodynamic response at `time_secs` to this block, of amplitude 1: the double-gamma
    /// response of SPM (peaks of shape 6 and 16, the second a sixth as high), convolved with the
    /// block. In a long block it converges to 5/6.
    pub fn response_at(&self, time_secs: f64) -> f64 {
        let since = time_secs - self.onset_secs;
        step_response(since) - step_response(since - self.duration_secs)
    }

    /// End of the response, seconds.
    pub fn over_secs(&self) -> f64 {
        self.onset_secs + self.duration_secs + 40.0
    }
}

/// The integral of the double-gamma response, `P(6, t) - P(16, t) / 6`.
fn step_response(secs: f64) -> f64 {
    if secs <= 0.0 {
        return 0.0;
    }
    gamma_cdf(6, secs) - gamma_cdf(16, secs) / 6.0
}

/// Cumulative distribution function of the gamma distribution with integer shape and scale 1.
fn gamma_cdf(shape: u32, x: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..shape {
        term *= x / f64::from(k);
        sum += term;
    }
    1.0 - sum * (-x).exp()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn every_design_fits_its_scan() {
        for (tasks, tr_secs) in [(HCP_TASKS, 0.72), (AGING_TASKS, 0.8)] {
            for task in tasks {
                let scan_secs = release_volumes(task).unwrap() as f64 * tr_secs;
                let blocks = blocks(task, scan_secs, &mut ChaCha8Rng::seed_from_u64(1));
                let design = DESIGNS.iter().find(|d| d.task == *task).unwrap();
                assert_eq!(blocks.len(), design.conditions.len() * design.repeats);
                assert!(blocks.iter().all(|b| b.onset_secs >= cue_secs(task)));
                let ends = |block: &Block| block.onset_secs + block.duration_secs;
                assert!(blocks.windows(2).all(|b| ends(&b[0]) <= b[1].onset_secs));
                assert!(blocks.iter().all(|block| ends(block) <= scan_secs));
            }
        }
    }

    #[test]
    fn working_memory_has_each_of_its_eight_blocks_once() {
        let blocks = blocks("wm", 405.0 * 0.72, &mut ChaCha8Rng::seed_from_u64(1));
        let mut names: Vec<&str> = blocks.iter().map(|b| b.condition.as_str()).collect();
        names.sort();
        assert_eq!(names[0], "0bk_body");
        names.dedup();
        assert_eq!(names.len(), 8);
        // Two blocks of 27.5 s from 8 s, then 15 s of fixation.
        let onsets: Vec<f64> = blocks.iter().map(|b| b.onset_secs).collect();
        assert_eq!(onsets[..3], [8.0, 35.5, 78.0]);
    }

    #[test]
    fn the_response_rises_late_and_settles() {
        let block = Block {
            condition: "a".into(),
            response: "a".into(),
            onset_secs: 10.0,
            duration_secs: 100.0,
        };
        assert_eq!(block.response_at(10.0), 0.0);
        // P(6, 6) = 1 - e^-6 (1 + 6 + 18 + 36 + 54 + 64.8) = 0.5543; P(16, 6) is 0.0005.
        assert!((block.response_at(16.0) - 0.5542).abs() < 1e-3);
        assert!((block.response_at(90.0) - 5.0 / 6.0).abs() < 1e-6);
        assert!(block.response_at(block.over_secs()).abs() < 1e-3);
    }

    #[test]
    fn images_come_every_four_seconds_in_the_middle_of_a_scan() {
        let images = images(226.0 * 4.0 / 3.0, &mut ChaCha8Rng::seed_from_u64(2));
        assert!((55..=68).contains(&images.len()));
        for image in &images {
            assert!((12.0..=280.0).contains(&image.onset_secs));
            assert_eq!(image.onset_secs % 4.0, 0.0);
            let number: u32 = image.condition.parse().unwrap();
            assert_eq!(image.response, format!("category-{}", number % 4));
        }
    }
}
