//! Scans and problems for tests.

use std::sync::Arc;

use brainmae_data::BoldSeries;
use brainmae_run::Seeds;
use burn::tensor::Device;

use crate::{Fits, Kind, Problem, Scan};

/// A scan of one ROI without a signal, of the subject of this name.
pub(crate) fn scan(subject: &str, n_volumes: usize) -> Scan {
    let series = BoldSeries::new(vec![0.0; n_volumes], 1, 1.0).expect("finite");
    Scan {
        scan: format!("{subject} {n_volumes}").as_str().into(),
        subject: subject.into(),
        unit: subject.into(),
        series: Arc::new(series),
        confounds: Vec::new(),
        site: None,
        computed: Default::default(),
    }
}

/// A number to predict from such scans.
pub(crate) fn problem(of_subjects: bool, device: Device) -> Problem {
    Problem {
        target: "t".into(),
        kind: Kind::Regression,
        of_subjects,
        n_rois: 1,
        dt_secs: 1.0,
        segment_len_trs: 2,
        confounds: Vec::new(),
        seeds: Seeds::new(1),
        device,
        fits: Fits::default(),
    }
}
