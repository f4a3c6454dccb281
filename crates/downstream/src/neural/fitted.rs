//! Trained network and its predictions.

use super::batch::{Crop, Stretches};
use super::{Architecture, Noise, Scaling};
use crate::bags::Bags;
use crate::supervised::Reading;
use crate::training::map_batches;
use crate::{DownstreamError, Examples, FitError, Fitted, Output, Problem};

/// A trained network.
pub(super) struct FittedNetwork<A: Architecture> {
    pub architecture: A,
    pub network: A::Network,
    pub n_volumes: usize,
    pub scaling: Scaling,
    pub reading: Reading,
    pub problem: Problem,
}

impl<A: Architecture> FittedNetwork<A> {
    /// Mean outputs of each row over all crops that cover its examples, `[rows, n_outputs]`,
    /// row-major, not calibrated.
    pub fn outputs(&self, stretches: &Stretches, bags: &Bags) -> Vec<f64> {
        let (architecture, n_volumes, problem) =
            (&self.architecture, self.n_volumes, &self.problem);
        let crops: Vec<Crop> = (0..stretches.len())
            .flat_map(|example| stretches.tiles(example, n_volumes))
            .collect();
        let batches: Vec<&[Crop]> = crops.chunks(architecture.n_at_once()).collect();
        let said = map_batches(problem, &self.network, &batches, |network, crops| {
            let batch = stretches.batch(crops, n_volumes, &problem.device);
            let said = architecture.forward(network, &batch, &mut Noise::off());
            said.logits.into_data().iter().collect::<Vec<f32>>()
        });
        let n_outputs = problem.kind.n_outputs();
        let said = said
            .iter()
            .flat_map(|values| values.chunks_exact(n_outputs));
        let rows = crops.iter().map(|crop| crop.example).zip(said);
        let means = bags.pooled.means(n_outputs, rows);
        means.unwrap_or_else(|_| unreachable!("crops cover every example"))
    }
}

impl<A: Architecture> Fitted for FittedNetwork<A> {
    fn predict(&self, examples: &Examples) -> Result<Output, DownstreamError> {
        let problem = &self.problem;
        let paper = self.architecture.paper();
        check_rois(paper.name, problem, examples)?;
        let stretches = Stretches::new(examples, paper.needs, self.scaling, &problem.device);
        let short = (0..examples.len()).filter(|&e| stretches.n_volumes(e) < self.n_volumes);
        let short = if paper.needs.bold { short.count() } else { 0 };
        if short > 0 {
            tracing::warn!(
                learner = paper.name,
                short,
                volumes = self.n_volumes,
                "examples shorter than those learned from are filled up with the mean"
            );
        }
        let bags = Bags::new(problem, examples);
        let outputs = self.outputs(&stretches, &bags);
        Ok(self.reading.read(problem, &bags.pooled, outputs))
    }
}

/// Checks that all scans have the number of ROIs of the problem.
pub(super) fn check_rois(
    learner: &str,
    problem: &Problem,
    examples: &Examples,
) -> Result<(), DownstreamError> {
    match examples
        .iter()
        .find(|(scan, _)| scan.series.n_rois() != problem.n_rois)
    {
        None => Ok(()),
        Some((scan, _)) => {
            let reason = FitError::RoiCount {
                scan: scan.scan.clone(),
                found: scan.series.n_rois(),
                expected: problem.n_rois,
            };
            Err(problem.refused(learner, reason))
        }
    }
}
