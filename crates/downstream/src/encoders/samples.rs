//! Samples of examples: bags for training, and all that cover an example for prediction.

use brainmae_data::{Crop, SegmentLayout};
use rand::Rng;

use super::cut::{Cutter, Of};
use crate::bags::Bags;
use crate::{DownstreamError, Example, Examples, FitError, Problem};

/// Examples cut into samples. A segment is a sample of its own, without the segments around it:
/// with them, an encoder could tell its place in the run.
pub(super) struct Samples {
    /// Cuts scans.
    pub cutter: Cutter,
    /// Rows of the truth, with their examples.
    pub bags: Bags,
    /// Kind of the examples.
    pub of: Of,
    list: Vec<Example>,
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
        Ok(Self {
            cutter: Cutter::new(examples, of.layout(layout))?,
            bags: Bags::new(problem, examples),
            of,
            list: examples.list.clone(),
        })
    }

    /// At most `most` random samples of a row.
    pub fn bag(&self, row: usize, most: usize, rng: &mut impl Rng) -> Vec<Crop> {
        let len = self.cutter.layout().sample_len_trs();
        let drawn = (self.bags).draw(row, self.bags.n_samples(row, len, most), rng);
        let crop = |at: usize| match self.of {
            Of::Scans => self.cutter.random(self.list[at].scan, rng),
            Of::Segments => crop_of(self.list[at]),
        };
        drawn.into_iter().map(crop).collect()
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

    /// At most `most` of the samples that cover each row, at equal distances.
    pub fn thinned(&self, most: usize) -> Vec<(usize, Crop)> {
        let mut of_example = vec![Vec::new(); self.len()];
        for (example, crop) in self.covering() {
            of_example[example].push((example, crop));
        }
        let of_row = |row: usize| -> Vec<(usize, Crop)> {
            let members = self.bags.members(row).iter();
            let all: Vec<_> = members.flat_map(|at| of_example[*at].clone()).collect();
            let n = all.len().min(most);
            // The middle of each of `n` equal runs.
            let at = |i: usize| all[(2 * i + 1) * all.len() / (2 * n)];
            (0..n).map(at).collect()
        };
        (0..self.bags.pooled.len()).flat_map(of_row).collect()
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
    use brainmae_run::Seeds;

    use burn::tensor::Device;

    use super::*;
    use crate::Scan;
    use crate::testing::{problem, scan};

    const LAYOUT: SegmentLayout = SegmentLayout {
        segment_len_trs: 2,
        n_segments: 2,
    };

    fn samples(scans: &[Scan], examples: Vec<Example>) -> Samples {
        let examples = Examples {
            scans,
            list: examples,
        };
        Samples::new("t", &problem(false, Device::flex()), &examples, LAYOUT).expect("they fit")
    }

    #[test]
    fn thinned_samples_are_spread_over_all_scans_of_a_row() {
        let scans = [scan("a", 24), scan("b", 12)];
        let whole = |scan, n_volumes| Example {
            scan,
            start_volume: 0,
            n_volumes,
        };
        // Tiles of four volumes: six and three, each example a row of its own.
        let samples = samples(&scans, vec![whole(0, 24), whole(1, 12)]);
        let found = |most: usize| -> Vec<(usize, usize)> {
            let thinned = samples.thinned(most).into_iter();
            thinned.map(|(at, crop)| (at, crop.start_volume)).collect()
        };
        assert_eq!(found(2), [(0, 4), (0, 16), (1, 0), (1, 8)]);
        assert_eq!(found(1), [(0, 12), (1, 4)]);
        assert_eq!(samples.thinned(6), samples.covering());
    }

    #[test]
    fn a_segment_is_seen_alone() {
        let scans = [scan("a", 12)];
        let segment = |start_volume| Example {
            scan: 0,
            start_volume,
            n_volumes: 2,
        };
        let samples = samples(&scans, vec![segment(3), segment(8)]);
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
