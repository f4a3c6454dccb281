//! Case of a measurement: size, encoder, work, device and precision of a step.

use brainmae_machine::device::DeviceName;
use brainmae_model::{BrainMaeConfig, Precision, TseKind};
use clap::{Args, ValueEnum};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What is measured, and where. A further axis is a field here, a flag in [`Case::arguments`], and
/// a loop in `bench all`.
#[derive(Args, Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Case {
    /// Size of model and batch.
    #[arg(long, value_enum, default_value = "quick")]
    pub size: Size,
    /// Transient state encoder.
    #[arg(long, value_enum, default_value = "static")]
    pub tse: Tse,
    /// What a step does.
    #[arg(long, value_enum, default_value = "training")]
    pub work: Work,
    /// Where tensors live.
    #[arg(long, default_value_t = DeviceName::Cpu)]
    #[serde(serialize_with = "write_device", deserialize_with = "read_device")]
    pub device: DeviceName,
    /// Kind of number that products are taken in.
    #[arg(long, default_value_t = Precision::F32)]
    pub precision: Precision,
    /// Samples of a step, instead of the size's own.
    #[arg(long)]
    pub batch: Option<usize>,
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Fresh mask, forward, backward, clip, AdamW.
    Training,
    /// Encoding, nothing hidden, no gradients.
    Inference,
}

/// Sizes of model and batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    /// Width 64, batch 32.
    Quick,
    /// Width 512, batch 64.
    Paper,
}

/// Kinds of the transient state encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tse {
    /// SG.
    Static,
    /// AG.
    Adaptive,
}

impl Case {
    /// Config of the model.
    pub fn config(&self) -> BrainMaeConfig {
        let tse = match self.tse {
            Tse::Static => TseKind::Static,
            Tse::Adaptive => TseKind::Adaptive,
        };
        let size = match self.size {
            Size::Quick => BrainMaeConfig::default(),
            Size::Paper => BrainMaeConfig::paper(),
        };
        BrainMaeConfig { tse, ..size }
    }

    /// Number of samples of a step.
    pub fn batch(&self) -> usize {
        self.batch.unwrap_or(match self.size {
            Size::Quick => 32,
            Size::Paper => 64,
        })
    }

    /// Whether a step trains.
    pub fn trains(&self) -> bool {
        self.work == Work::Training
    }

    /// Number of the GPU that the case runs on; `None` for a CPU.
    pub fn gpu(&self) -> Option<usize> {
        match self.device {
            DeviceName::LibTorchCuda(index) => Some(index),
            DeviceName::Cpu | DeviceName::LibTorchCpu => None,
        }
    }

    /// Arguments of `bench step` that measure the case.
    pub fn arguments(&self) -> Vec<String> {
        [
            ("--size", word(&self.size)),
            ("--tse", word(&self.tse)),
            ("--work", word(&self.work)),
            ("--device", self.device.to_string()),
            ("--precision", self.precision.to_string()),
            ("--batch", self.batch().to_string()),
        ]
        .into_iter()
        .flat_map(|(flag, value)| [flag.to_string(), value])
        .collect()
    }
}

/// Word of a value on the command line.
pub fn word(value: &impl ValueEnum) -> String {
    value
        .to_possible_value()
        .map_or(String::new(), |value| value.get_name().to_string())
}

fn write_device<S: Serializer>(device: &DeviceName, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(device)
}

fn read_device<'de, D: Deserializer<'de>>(from: D) -> Result<DeviceName, D::Error> {
    String::deserialize(from)?
        .parse()
        .map_err(serde::de::Error::custom)
}
