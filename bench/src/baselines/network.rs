//! Networks that are measured, and what they take from a scan.

use anyhow::Result;
use brainmae_downstream::neural::bnt::Bnt;
use brainmae_downstream::neural::bolt::Bolt;
use brainmae_downstream::neural::brainnetcnn::BrainNetCnn;
use brainmae_downstream::neural::fbnetgen::FbNetGen;
use brainmae_downstream::neural::mean_mlp::MeanMlp;
use brainmae_downstream::neural::stagin::{Readout, Stagin};
use brainmae_downstream::neural::steps::{Steps, steps};
use brainmae_downstream::neural::transformer::Transformer;
use brainmae_downstream::neural::{Architecture, Paper};
use brainmae_downstream::{Labelled, Problem};
use clap::ValueEnum;

use super::Sizes;

/// TR of the scans, in seconds.
pub const DT_SECS: f64 = 0.72;

/// Scans of a step of BolT: PyTorch takes some gigabytes for them.
const BATCH_OF_BOLT: u32 = 8;

/// A neural baseline, with the sizes of its paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Network {
    /// Convolutions over rows and columns of the FC.
    #[value(name = "brainnetcnn")]
    BrainNetCnn,
    /// Brain Network Transformer, with its clustering readout.
    Bnt,
    /// Brain Network Transformer, with a plain readout.
    BntPlain,
    /// Attention over dynamic graphs, GARO readout.
    StaginGaro,
    /// Attention over dynamic graphs, SERO readout.
    StaginSero,
    /// Graphs generated from signals.
    #[value(name = "fbnetgen")]
    FbNetGen,
    /// A transformer over volumes.
    Transformer,
    /// An MLP for each volume, averaged.
    MeanMlp,
    /// Fused windows of attention over volumes.
    Bolt,
}

/// Calls `$of` with the architecture of a network.
macro_rules! with_architecture {
    ($network:expr, $of:expr) => {
        match $network {
            Network::BrainNetCnn => $of(BrainNetCnn::default()),
            Network::Bnt => $of(Bnt::default()),
            Network::BntPlain => $of(Bnt::plain()),
            Network::StaginGaro => $of(Stagin::new(Readout::Garo)),
            Network::StaginSero => $of(Stagin::new(Readout::Sero)),
            Network::FbNetGen => $of(FbNetGen::default()),
            Network::Transformer => $of(Transformer::default()),
            Network::MeanMlp => $of(MeanMlp::default()),
            Network::Bolt => $of(Bolt::default()),
        }
    };
}

impl Network {
    /// Publication and settings.
    pub fn paper(self) -> Paper {
        with_architecture!(self, |a| Architecture::paper(&a))
    }

    /// Name in tables and experiment files.
    pub fn name(self) -> &'static str {
        self.paper().name
    }

    /// Scans of a training step.
    pub fn batch(self, sizes: &Sizes) -> u32 {
        sizes.batch.unwrap_or(match self {
            Network::Bolt => BATCH_OF_BOLT,
            other => other.paper().recipe.batch_size as u32,
        })
    }

    /// Volumes of one input.
    pub fn volumes(self, sizes: &Sizes) -> u32 {
        let crop = self.paper().recipe.crop;
        let crop = crop.map(|crop| crop.volumes(DT_SECS) as u32);
        crop.map_or(sizes.volumes, |crop| crop.min(sizes.volumes))
    }

    /// Training steps of `batch` examples.
    ///
    /// # Errors
    /// If the network cannot be trained on these examples.
    pub fn steps<'a>(
        self,
        problem: &'a Problem,
        examples: &'a Labelled,
    ) -> Result<Box<dyn Steps + 'a>> {
        with_architecture!(self, |a| Ok(steps(a, problem, examples)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_called_as_in_experiment_files() {
        for network in Network::value_variants() {
            let value = network.to_possible_value().expect("none is hidden");
            assert_eq!(value.get_name(), network.name());
        }
    }
}
