//! Devices by name, as `--device` takes them. Only this module names a backend.

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
    /// The CPU with Flex, a backend in pure Rust.
    Cpu,
    /// The CPU with LibTorch.
    LibTorchCpu,
    /// The NVIDIA GPU of this number with LibTorch.
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
    /// Part of LibTorch that the device needs; `None` for Flex.
    pub fn half(self) -> Option<Half> {
        match self {
            DeviceName::Cpu => None,
            DeviceName::LibTorchCpu => Some(Half::Cpu),
            DeviceName::LibTorchCuda(_) => Some(Half::Cuda),
        }
    }

    /// Makes sure that this program has the device, for products of this precision. For LibTorch in
    /// a clone, another program is built, with LibTorch found or fetched, and replaces this one. It
    /// repeats everything done so far, so this call comes first.
    ///
    /// # Errors
    /// If LibTorch or the GPU is not available, or the device does not support the precision.
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
    /// If the device does not support this precision.
    pub fn check(self, precision: Precision) -> Result<()> {
        match self.lacks(precision) {
            None => Ok(()),
            Some(others) => bail!(
                "precision {precision} is not for --device {self}\nhint: use --device {others}, or precision f32"
            ),
        }
    }

    /// Devices that support this precision, if this one does not.
    pub fn lacks(self, precision: Precision) -> Option<&'static str> {
        match (precision, self.half()) {
            (Precision::F32, _) | (Precision::Tf32, Some(Half::Cuda)) => None,
            (Precision::Bf16, Some(_)) => None,
            (Precision::Tf32, _) => Some("libtorch:cuda:N"),
            (Precision::Bf16, None) => Some("libtorch:cuda:N or libtorch:cpu"),
        }
    }

    /// Opens the device.
    ///
    /// # Errors
    /// If this program was built without the backend; [`DeviceName::provide`] starts one that has
    /// it.
    pub fn open(self) -> Result<Device> {
        match self {
            DeviceName::Cpu => Ok(Device::flex()),
            DeviceName::LibTorchCpu | DeviceName::LibTorchCuda(_) => linked::open(self),
        }
    }

    /// Sets the number of `threads`; returns how many parts of a batch to compute at the same time.
    ///
    /// Flex computes much of a part on one thread, so parts are computed in parallel. LibTorch
    /// spreads every operation over its threads, so parts are computed one after another: on two
    /// cores this is 10 % faster than two parts with one thread each, and takes half the memory.
    /// One thread keeps a GPU busy.
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

/// Number of GPUs that LibTorch sees.
pub fn gpus() -> usize {
    linked::gpus()
}

/// Functions that need LibTorch linked.
#[cfg(feature = "libtorch")]
mod linked {
    use super::*;

    /// Version of LibTorch that this program was built with.
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

/// Version of the LibTorch that the device computes with; `None` for other backends.
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
