//! Functional connectivity.

use brainmae_signals::fc::fisher_z;
use nalgebra::DMatrix;
use rayon::prelude::*;

use super::{Features, FittedFeatures};
use crate::{Example, Examples, Labelled, Problem, Scan};

/// Fisher's z of the correlation of each pair of ROIs.
#[derive(Clone, Copy, Debug)]
pub struct Fc;

impl Fc {
    /// Name in experiment files.
    pub const NAME: &'static str = "fc";
}

impl Features for Fc {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn title(&self) -> &str {
        "FC"
    }

    fn fit(&self, _problem: &Problem, _training: &Labelled) -> Box<dyn FittedFeatures> {
        Box::new(Self)
    }
}

impl FittedFeatures for Fc {
    fn row(&self, scan: &Scan, example: Example) -> Vec<f32> {
        fisher_z(&fc_of(scan, example))
    }
}

/// Functional connectivity of an example of `scan` over its [uncensored](Scan::kept) volumes;
/// computed once if it fits into [`Computed`](crate::Computed).
pub fn fc_of(scan: &Scan, example: Example) -> DMatrix<f32> {
    scan.computed.fc(scan, example)
}

/// Functional connectivity of every example; each thread computes one example at a time.
pub fn fc_of_examples(examples: &Examples) -> Vec<DMatrix<f32>> {
    let list: Vec<_> = examples.iter().collect();
    (list.par_iter())
        .map(|(scan, example)| fc_of(scan, *example))
        .collect()
}
