//! Examples: scans, or stretches of them, that get one prediction each.

use std::collections::BTreeSet;
use std::sync::Arc;

use brainmae_data::{BoldSeries, ScanId, SubjectId};

use crate::Computed;

/// A scan with its signals and confounds.
#[derive(Clone, Debug)]
pub struct Scan {
    /// Identifier of the scan.
    pub scan: ScanId,
    /// Subject of the scan.
    pub subject: SubjectId,
    /// Unit that a split keeps together: the family if it is known, otherwise the subject. If all
    /// scans are of one subject, it is the scan.
    pub unit: String,
    /// Cleaned signals.
    pub series: Arc<BoldSeries>,
    /// Values of the confounds, in the order of [`Problem::confounds`](crate::Problem), such as age
    /// and motion; `None` for a missing value.
    pub confounds: Vec<Option<f64>>,
    /// Site at which its subject was scanned, if it is known.
    pub site: Option<String>,
    /// What is computed from the signals once; scans of one data set share it.
    pub computed: Computed,
}

/// A stretch of a scan: the whole scan, or one segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Example {
    /// Number of its scan in [`Examples::scans`].
    pub scan: usize,
    /// First volume.
    pub start_volume: usize,
    /// Length in volumes; it need not be a whole number of segments.
    pub n_volumes: usize,
}

/// Examples and the scans that they belong to.
#[derive(Clone, Debug)]
pub struct Examples<'a> {
    /// All scans of the data set that are used; examples refer to them by number.
    pub scans: &'a [Scan],
    /// The examples, in order.
    pub list: Vec<Example>,
}

impl<'a> Examples<'a> {
    /// Number of examples.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// True if there are no examples.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Each example with its scan.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'a Scan, Example)> {
        let scans = self.scans;
        self.list
            .iter()
            .map(|example| (&scans[example.scan], *example))
    }
}

impl Scan {
    /// The signals of an example of this scan, `[volumes, rois]`, row-major.
    pub fn signals(&self, example: Example) -> &[f32] {
        let rois = self.series.n_rois();
        let start = example.start_volume * rois;
        &self.series.values()[start..start + example.n_volumes * rois]
    }

    /// The uncensored volumes of an example of this scan, in order, each `[rois]`. If all are
    /// censored, all are returned. Values of censored volumes are interpolated, so no statistic of
    /// a scan uses them.
    pub fn kept(&self, example: Example) -> impl Iterator<Item = &[f32]> + Clone {
        let places = self.kept_places(example);
        places.map(move |place| self.series.row(example.start_volume + place))
    }

    /// Places of the volumes of [`Scan::kept`], from 0 at the start of the example.
    pub fn kept_places(&self, example: Example) -> impl Iterator<Item = usize> + Clone {
        let is_kept = move |place: &usize| self.series.is_kept(example.start_volume + place);
        let none_is = !(0..example.n_volumes).any(|place| is_kept(&place));
        (0..example.n_volumes).filter(move |place| none_is || is_kept(place))
    }
}

/// Examples with a known truth: a value, or the number of a class.
#[derive(Clone, Debug)]
pub struct Labelled<'a> {
    /// The examples.
    pub examples: Examples<'a>,
    /// One truth for each example.
    pub truth: Vec<f64>,
}

impl Labelled<'_> {
    /// One truth per subject, in order of first appearance; for targets with one truth per subject.
    pub(crate) fn truth_of_subjects(&self) -> Vec<f64> {
        let mut seen = BTreeSet::new();
        (self.examples.iter().zip(&self.truth))
            .filter(|((scan, _), _)| seen.insert(&scan.subject))
            .map(|(_, truth)| *truth)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_volumes_are_those_of_the_example_that_were_not_censored() {
        let series = BoldSeries::new((0..12).map(|x| x as f32).collect(), 2, 2.0).expect("finite");
        let kept = vec![true, false, true, false, false, true];
        let scan = Scan {
            scan: "scan".into(),
            subject: "subject".into(),
            unit: "subject".into(),
            series: Arc::new(series.with_kept(kept).expect("as many as volumes")),
            confounds: vec![],
            site: None,
            computed: Default::default(),
        };
        let kept = |start_volume, n_volumes| -> Vec<f32> {
            let example = Example {
                scan: 0,
                start_volume,
                n_volumes,
            };
            scan.kept(example).flatten().copied().collect()
        };
        assert_eq!(kept(0, 6), [0.0, 1.0, 4.0, 5.0, 10.0, 11.0]);
        assert_eq!(kept(1, 3), [4.0, 5.0]);
        // No volume is uncensored: all are returned.
        assert_eq!(kept(3, 2), [6.0, 7.0, 8.0, 9.0]);
    }
}
