//! Functional connectivity of examples.

pub use brainmae_signals::fc::{correlations, fisher_z};
use nalgebra::DMatrix;
use rayon::prelude::*;

use crate::{Example, Examples, Scan};

/// [`correlations`] of an example over its [kept](Scan::kept) volumes.
pub fn of_example(scan: &Scan, example: Example) -> DMatrix<f32> {
    correlations(scan.kept(example), scan.series.n_rois())
}

/// [`of_example`] of every example, one on each thread at a time.
pub fn of_examples(examples: &Examples) -> Vec<DMatrix<f32>> {
    let list: Vec<_> = examples.iter().collect();
    (list.par_iter())
        .map(|(scan, example)| of_example(scan, *example))
        .collect()
}
