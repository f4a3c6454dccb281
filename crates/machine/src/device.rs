//! The only place that names a backend.

use std::fmt;
use std::str::FromStr;

use anyhow::{Result, bail};
use brainmae_model::Precision;
use burn::tensor::Device;

use crate::libtorch::Half;
use crate::program;

/// A device, as `--device` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceName {
    /// Flex: the CPU, in Rust alone.
    Cpu,
    /// The CPU, by LibTorch.
    LibTorchCpu,
    /// An NVIDIA GPU, by LibTorch.
    LibTorchCuda(usize),
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            DeviceName::Cpu => write!(f, "cpu"),
            DeviceName::LibTorchCpu => write!(f, "libtorch:cpu"),
            DeviceName::LibTorchCuda(index) => write!(f, "libtorch:cuda:{index}"),
        }
    }
}

impl FromStr for DeviceName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let unknown = || {
            "expected cpu, libtorch:cpu, or libtorch:cuda:N for GPU number N (the first is 0)"
                .to_string()
        };
        match name {
            "cpu" => Ok(DeviceName::Cpu),
            "libtorch:cpu" => Ok(DeviceName::LibTorchCpu),
            "libtorch:cuda" => Ok(DeviceName::LibTorchCuda(0)),
            other => {
                let index = other.strip_prefix("libtorch:cuda:").ok_or_else(unknown)?;
                let index = index.parse().map_err(|_| unknown())?;
                Ok(DeviceName::LibTorchCuda(index))
            }
        }
    }
}

impl DeviceName {
    /// The part of LibTorch that it needs.
    pub fn half(self) -> Option<Half> {
        match self {
            DeviceName::Cpu => None,
            DeviceName::LibTorchCpu => Some(Half::Cpu),
            DeviceName::LibTorchCuda(_) => Some(Half::Cuda),
        }
    }

    /// Makes sure that this program has the device, for products of this precision. In a clone, for
    /// LibTorch that is another program, which is built, with LibTorch found or fetched, and takes
    /// this one's place: what was done before is done again, so this comes first.
    ///
    /// # Errors
    /// If LibTorch or the GPU cannot be had, or the device does not have the precision.
    pub fn provide(self, precision: Precision) -> Result<()> {
        self.check(precision)?;
        let Some(half) = self.half() else {
            return Ok(());
        };
        if !cfg!(feature = "libtorch") {
            return Err(program::replace(Some(half), false, precision));
        }
        program::restart_for(precision)?;
        match half {
            Half::Cuda => linked::require_gpu(self),
            Half::Cpu => Ok(()),
        }
    }

    /// # Errors
    /// If it does not have this precision.
    pub fn check(self, precision: Precision) -> Result<()> {
        match self.lacks(precision) {
            None => Ok(()),
            Some(others) => bail!(
                "precision {precision} is not for --device {self}\nhint: use --device {others}, or precision f32"
            ),
        }
    }

    /// The devices that have this precision, if this one has not.
    pub fn lacks(self, precision: Precision) -> Option<&'static str> {
        match (precision, self.half()) {
            (Precision::F32, _) | (Precision::Tf32, Some(Half::Cuda)) => None,
            (Precision::Bf16, Some(_)) => None,
            (Precision::Tf32, _) => Some("libtorch:cuda:N"),
            (Precision::Bf16, None) => Some("libtorch:cuda:N or libtorch:cpu"),
        }
    }

    /// The device.
    ///
    /// # Errors
    /// If this program is not the one that [`DeviceName::provide`] starts.
    pub fn open(self) -> Result<Device> {
        match self {
            DeviceName::Cpu => Ok(Device::flex()),
            DeviceName::LibTorchCpu | DeviceName::LibTorchCuda(_) => linked::open(self),
        }
    }

    /// Gives the device `threads`; returns how many parts of a batch are to be computed at a time.
    ///
    /// Flex computes much of a part on one thread: parts in parallel. LibTorch spreads every
    /// operation over its threads: parts one after another, which is 10 % faster on two cores than
    /// two parts on a thread each, and takes half the memory. A GPU is kept busy by one thread.
    pub fn share_threads(self, threads: usize) -> usize {
        brainmae_ops::set_threads(threads);
        match self {
            DeviceName::Cpu => threads,
            DeviceName::LibTorchCpu | DeviceName::LibTorchCuda(_) => {
                linked::set_threads(threads);
                1
            }
        }
    }
}

/// How many GPUs LibTorch sees.
pub fn gpus() -> usize {
    linked::gpus()
}

/// What needs LibTorch linked.
#[cfg(feature = "libtorch")]
mod linked {
    use super::*;

    /// The version that this program was built with.
    pub const VERSION: Option<&str> = Some(env!("BRAINMAE_LIBTORCH_VERSION"));

    #[allow(deprecated)] // docs: decisions
    pub fn open(name: DeviceName) -> Result<Device> {
        Ok(match name {
            DeviceName::LibTorchCuda(index) => Device::libtorch_cuda(index),
            _ => Device::libtorch(),
        })
    }

    pub fn require_gpu(name: DeviceName) -> Result<()> {
        let DeviceName::LibTorchCuda(index) = name else {
            return Ok(());
        };
        let count = gpus();
        anyhow::ensure!(
            index < count,
            "there is no {name}: LibTorch {} sees {count} GPUs\nhint: `nvidia-smi` lists them; CUDA_VISIBLE_DEVICES hides some; an old driver hides all",
            env!("BRAINMAE_LIBTORCH_VERSION")
        );
        Ok(())
    }

    pub fn gpus() -> usize {
        usize::try_from(tch::Cuda::device_count()).unwrap_or(0)
    }

    pub fn set_threads(threads: usize) {
        tch::set_num_threads(i32::try_from(threads).unwrap_or(i32::MAX));
    }
}

#[cfg(not(feature = "libtorch"))]
mod linked {
    use super::*;

    pub const VERSION: Option<&str> = None;

    pub fn open(name: DeviceName) -> Result<Device> {
        anyhow::bail!("this program was built without LibTorch, and cannot open {name}")
    }

    pub fn require_gpu(name: DeviceName) -> Result<()> {
        open(name).map(|_| ())
    }

    pub fn gpus() -> usize {
        0
    }

    pub fn set_threads(_threads: usize) {}
}

/// The LibTorch that the numbers of a device come from, if they come from one.
pub fn libtorch_version(name: DeviceName) -> Option<&'static str> {
    name.half().and(linked::VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for name in ["cpu", "libtorch:cpu", "libtorch:cuda:0", "libtorch:cuda:3"] {
            let device: DeviceName = name.parse().expect("a known name");
            assert_eq!(device.to_string(), name);
        }
        assert_eq!("libtorch:cuda".parse(), Ok(DeviceName::LibTorchCuda(0)));
    }

    #[test]
    fn an_unknown_name_is_told_the_known_ones() {
        for name in [
            "gpu",
            "libtorch",
            "libtorch:gpu",
            "libtorch:cuda:",
            "libtorch:cuda:-1",
            "CPU",
            "",
        ] {
            let problem = name.parse::<DeviceName>().expect_err("unknown");
            assert!(problem.contains("libtorch:cuda:N"), "{problem}");
        }
    }
}
