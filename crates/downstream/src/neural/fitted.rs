//! Trained network and its predictions.

use super::batch::{Crop, Stretches};
use super::{Architecture, Noise};
use crate::supervised::Target;
use crate::training::map_batches;
use crate::{DownstreamError, Examples, FitError, Fitted, Kind, Output, Problem};

/// A trained network.
pub(super) struct FittedNetwork<A: Architecture> {
    pub architecture: A,
    pub network: A::Network,
    pub batch_size: usize,
    pub n_volumes: usize,
    pub target: Target,
    pub problem: Problem,
}

impl<A: Architecture> Fitted for FittedNetwork<A> {
    fn predict(&self, examples: &Examples) -> Result<Output, DownstreamError> {
        let kind: Kind = self.problem.kind;
        let name = self.architecture.paper().name;
        check_rois(name, &self.problem, examples)?;
        let needs = self.architecture.paper().needs;
        let stretches = Stretches::new(examples, needs, &self.problem.device);
        let short = (0..examples.len()).filter(|&e| stretches.n_volumes(e) < self.n_volumes);
        let short = if needs.bold { short.count() } else { 0 };
        if short > 0 {
            tracing::warn!(
                learner = name,
                short,
                volumes = self.n_volumes,
                "examples shorter than those learned from are filled up with the mean"
            );
        }
        let crops: Vec<Crop> = (0..examples.len())
            .flat_map(|example| stretches.tiles(example, self.n_volumes))
            .collect();
        let mut logits = vec![Vec::new(); examples.len()];
        let batches: Vec<&[Crop]> = crops.chunks(self.batch_size).collect();
        let (architecture, n_volumes) = (&self.architecture, self.n_volumes);
        let device = &self.problem.device;
        let said = map_batches(&self.problem, &self.network, &batches, |network, crops| {
            let batch = stretches.batch(crops, n_volumes, device);
            let said = architecture.forward(network, &batch, &mut Noise::off());
            said.logits.into_data().iter().collect::<Vec<f32>>()
        });
        for (crops, values) in batches.iter().zip(said) {
            for (crop, row) in crops.iter().zip(values.chunks_exact(kind.n_outputs())) {
                logits[crop.example].extend(row.iter().copied().map(f64::from));
            }
        }
        let read = |tiles: &Vec<f64>| self.target.read(tiles, kind);
        Ok(Output::new(kind, logits.iter().flat_map(read).collect()))
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
