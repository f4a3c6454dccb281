//! All neural baselines by name.

use super::bnt::Bnt;
use super::bolt::Bolt;
use super::brainnetcnn::BrainNetCnn;
use super::fbnetgen::FbNetGen;
use super::mean_mlp::MeanMlp;
use super::stagin::{Readout, Stagin};
use super::transformer::Transformer;
use super::{Architecture, Budget, Neural};
use crate::{DownstreamError, Learner};

/// Names of all neural baselines, as an experiment file gives them.
///
/// On two cores, an epoch of 100 scans of 300 volumes of 200 ROIs takes from a fraction of a second (mean-mlp) to some 6 s (fbnetgen);
/// brainnetcnn takes 20 s, bolt and stagin minutes: these want a GPU.
pub const NAMES: [&str; 9] = [
    "brainnetcnn",
    "bnt",
    "bnt-plain",
    "stagin-garo",
    "stagin-sero",
    "fbnetgen",
    "transformer",
    "mean-mlp",
    "bolt",
];

/// The neural baseline called `name`, with the sizes of its paper.
///
/// # Errors
/// [`DownstreamError::Config`] for a name that is not in [`NAMES`].
pub fn learner(name: &str, budget: Budget) -> Result<Box<dyn Learner>, DownstreamError> {
    fn neural<A: Architecture>(architecture: A, budget: Budget) -> Box<dyn Learner> {
        Box::new(Neural {
            architecture,
            budget,
        })
    }
    Ok(match name {
        "brainnetcnn" => neural(BrainNetCnn::default(), budget),
        "bnt" => neural(Bnt::default(), budget),
        "bnt-plain" => neural(Bnt::plain(), budget),
        "stagin-garo" => neural(Stagin::new(Readout::Garo), budget),
        "stagin-sero" => neural(Stagin::new(Readout::Sero), budget),
        "fbnetgen" => neural(FbNetGen::default(), budget),
        "transformer" => neural(Transformer::default(), budget),
        "mean-mlp" => neural(MeanMlp::default(), budget),
        "bolt" => neural(Bolt::default(), budget),
        _ => {
            return Err(DownstreamError::Config {
                field: "learner".to_string(),
                found: name.to_string(),
                expected: format!("one of {}", NAMES.join(", ")),
            });
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn learners_are_called_as_they_are_asked_for() {
        for name in NAMES {
            let learner = learner(name, Budget::lite()).expect("every name of the list is known");
            assert_eq!(learner.name(), name);
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = learner("gpt", Budget::lite()).err().expect("unknown");
        assert!(error.to_string().contains("mean-mlp"), "{error}");
    }
}
