//! Samples of examples: bags for training, and all that cover an example for prediction.

use brainmae_data::{Crop, SegmentLayout};
use rand::{Rng, RngExt};

use super::cut::{Cutter, Of};
use crate::pooled::Pooled;
use crate::{DownstreamError, Example, Examples, FitError, Problem};

/// Examples cut into samples. A segment is a sample of its own, without the segments around it:
/// with them, an encoder could tell its place in the run.
pub(super) struct Samples {
    /// Cuts scans.
    pub cutter: Cutter,
    /// Rows of the truth: subjects, or examples.
    pub pooled: Pooled,
    /// Kind of the examples.
    pub of: Of,
    list: Vec<Example>,
    members: Vec<Vec<usize>>,
}

impl Samples {
    /// Samples of the segments and lengths of `layout`, for the learner called `name`.
    ///
    /// # Errors
    /// If the examples are neither whole scans nor segments.
    pub fn new(
        name: &str,
        problem: &Problem,
        examples: &Examples,
        layout: SegmentLayout,
    ) -> Result<Self, DownstreamError> {
        let of = Of::these(examples, layout.segment_len_trs)
            .map_err(|reason| problem.refused(name, reason))?;
        let pooled = Pooled::new(problem, examples);
        Ok(Self {
            cutter: Cutter::new(examples, of.layout(layout))?,
            members: pooled.members(),
            pooled,
            of,
            list: examples.list.clone(),
        })
    }

    /// Number of samples of row `row` in a bag of at most `most`: no more than cover its scans.
    pub fn n_in_bag(&self, row: usize, most: usize) -> usize {
        let len = self.cutter.layout().sample_len_trs();
        let tiles = |at: &usize| self.list[*at].n_volumes.div_ceil(len);
        let all: usize = self.members[row].iter().map(tiles).sum();
        all.clamp(1, most.max(1))
    }

    /// Random samples of row `row`. Every volume of its scans is as likely as every other.
    pub fn bag(&self, row: usize, most: usize, rng: &mut impl Rng) -> Vec<Crop> {
        let members = &self.members[row];
        let n_volumes: usize = members.iter().map(|at| self.list[*at].n_volumes).sum();
        let one = |_| {
            let mut left = rng.random_range(0..n_volumes);
            let found = members.iter().find(|at| {
                let len = self.list[**at].n_volumes;
                let is_here = left < len;
                if !is_here {
                    left -= len;
                }
                is_here
            });
            let example = self.list[*found.unwrap_or(&members[0])];
            match self.of {
                Of::Scans => self.cutter.random(example.scan, rng),
                Of::Segments => crop_of(example),
            }
        };
        (0..self.n_in_bag(row, most)).map(one).collect()
    }

    /// Number of examples.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// The error that an example has no valid segment.
    pub fn no_segment(&self, name: &str, problem: &Problem, example: usize) -> DownstreamError {
        let scan = self.cutter.scan(self.list[example].scan);
        problem.refused(name, FitError::NoSegment { scan })
    }

    /// Samples that cover the examples, each with the number of its example.
    pub fn covering(&self) -> Vec<(usize, Crop)> {
        let of = |(at, example): (usize, &Example)| -> Vec<(usize, Crop)> {
            match self.of {
                Of::Scans => {
                    let tiles = self.cutter.tiles(example.scan, example.start_volume);
                    tiles.into_iter().map(|crop| (at, crop)).collect()
                }
                Of::Segments => vec![(at, crop_of(*example))],
            }
        };
        self.list.iter().enumerate().flat_map(of).collect()
    }
}

fn crop_of(example: Example) -> Crop {
    Crop {
        scan: example.scan,
        start_volume: example.start_volume,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use brainmae_data::BoldSeries;
    use brainmae_run::Seeds;
    use burn::tensor::Device;

    use super::*;
    use crate::{Fits, Kind, Scan};

    const LAYOUT: SegmentLayout = SegmentLayout {
        segment_len_trs: 2,
        n_segments: 2,
    };

    fn scan(subject: &str, n_volumes: usize) -> Scan {
        let series = BoldSeries::new(vec![0.0; n_volumes], 1, 1.0).expect("finite");
        Scan {
            scan: format!("{subject} {n_volumes}").as_str().into(),
            subject: subject.into(),
            unit: subject.into(),
            series: Arc::new(series),
            confounds: Vec::new(),
            computed: Default::default(),
        }
    }

    fn samples(scans: &[Scan], examples: Vec<Example>, of_subjects: bool) -> Samples {
        let problem = Problem {
            target: "t".into(),
            kind: Kind::Regression,
            of_subjects,
            n_rois: 1,
            dt_secs: 1.0,
            segment_len_trs: 2,
            confounds: Vec::new(),
            seeds: Seeds::new(1),
            device: Device::flex(),
            fits: Fits::default(),
        };
        let examples = Examples {
            scans,
            list: examples,
        };
        Samples::new("t", &problem, &examples, LAYOUT).expect("they fit")
    }

    fn whole(scans: &[Scan]) -> Vec<Example> {
        let example = |(scan, of): (usize, &Scan)| Example {
            scan,
            start_volume: 0,
            n_volumes: of.series.n_volumes(),
        };
        scans.iter().enumerate().map(example).collect()
    }

    #[test]
    fn a_bag_is_of_one_subject_and_long_scans_give_more_of_it() {
        let scans = [scan("a", 6), scan("b", 8), scan("a", 54)];
        let samples = samples(&scans, whole(&scans), true);
        assert_eq!(samples.pooled.len(), 2);
        assert_eq!(samples.n_in_bag(0, 8), 8);
        // Two samples cover all that subject b has.
        assert_eq!(samples.n_in_bag(1, 8), 2);
        let rng = &mut Seeds::new(1).stream("bags");
        let mut counts = [0; 3];
        for _ in 0..250 {
            for crop in samples.bag(0, 8, rng) {
                counts[crop.scan] += 1;
            }
        }
        assert_eq!(counts[1], 0);
        let share = f64::from(counts[0]) / 2000.0;
        assert!((share - 0.1).abs() < 0.03, "{share}");
    }

    #[test]
    fn a_segment_is_seen_alone() {
        let scans = [scan("a", 12)];
        let segment = |start_volume| Example {
            scan: 0,
            start_volume,
            n_volumes: 2,
        };
        let samples = samples(&scans, vec![segment(3), segment(8)], false);
        assert_eq!(samples.cutter.layout().n_segments, 1);
        let starts = |crops: Vec<(usize, Crop)>| -> Vec<(usize, usize)> {
            crops
                .iter()
                .map(|(at, crop)| (*at, crop.start_volume))
                .collect()
        };
        assert_eq!(starts(samples.covering()), [(0, 3), (1, 8)]);
        let rng = &mut Seeds::new(1).stream("bags");
        let bag = samples.bag(1, 4, rng);
        assert_eq!((bag.len(), bag[0].start_volume), (1, 8));
    }
}
