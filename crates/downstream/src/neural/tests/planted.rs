//! Scans with a planted coupling of two ROIs.

use std::sync::Arc;

use brainmae_data::BoldSeries;
use brainmae_run::Seeds;
use burn::tensor::Device;
use rand::RngExt;

use crate::{Example, Examples, Fits, Kind, Labelled, Problem, Scan};

pub(super) const N_ROIS: usize = 6;
pub(super) const N_VOLUMES: usize = 40;
pub(super) const TWO: Kind = Kind::Classification { n_classes: 2 };

/// Scans whose second ROI follows the first with the weight `planted`, within -1..1.
pub(super) fn scans(planted: &[f64], n_volumes: usize) -> Vec<Scan> {
    let scan = |(i, share): (usize, &f64)| {
        let mut rng = Seeds::new(5).stream_at("signals", &[i as u64]);
        let mut values = Vec::new();
        for _ in 0..n_volumes {
            let mut row: Vec<f64> = (0..N_ROIS).map(|_| rng.random_range(-1.0..1.0)).collect();
            row[1] = share * row[0] + (1.0 - share.abs()) * row[1];
            values.extend(row.into_iter().map(|x| x as f32));
        }
        Scan {
            scan: format!("scan-{i}").as_str().into(),
            subject: format!("subject-{i}").as_str().into(),
            unit: format!("subject-{i}"),
            series: Arc::new(BoldSeries::new(values, N_ROIS, 2.0).unwrap()),
            confounds: vec![],
            site: None,
            computed: Default::default(),
        }
    };
    planted.iter().enumerate().map(scan).collect()
}

pub(super) fn examples(scans: &[Scan]) -> Examples<'_> {
    let example = |(scan, s): (usize, &Scan)| Example {
        scan,
        start_volume: 0,
        n_volumes: s.series.n_volumes(),
    };
    Examples {
        scans,
        list: scans.iter().enumerate().map(example).collect(),
    }
}

pub(super) fn labelled<'a>(scans: &'a [Scan], truth: &[f64]) -> Labelled<'a> {
    Labelled {
        examples: examples(scans),
        truth: truth.to_vec(),
    }
}

pub(super) fn problem(kind: Kind, seed: u64) -> Problem {
    Problem {
        target: "planted".to_string(),
        kind,
        of_subjects: false,
        n_rois: N_ROIS,
        dt_secs: 2.0,
        segment_len_trs: 8,
        confounds: vec![],
        seeds: Seeds::new(seed),
        device: Device::flex(),
        fits: Fits::default(),
    }
}
