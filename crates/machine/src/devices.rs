//! Devices of this process, as `--device` lists them. Training shares its batches among them;
//! everything else runs on the first.

use std::fmt;
use std::str::FromStr;

use anyhow::{Result, ensure};
use brainmae_model::Precision;
use brainmae_train::Workers;
use brainmae_train::memory::Memory;
use burn::tensor::Device;

use crate::device::{self, DeviceName};
use crate::libtorch::Half;
use crate::local::Local;
use crate::memory::ProcessMemory;

/// One device, or several of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Devices {
    /// One device, or a CPU that does the work of several devices: `cpu`, `cpu:2`.
    Times(DeviceName, usize),
    /// GPUs by number: `libtorch:cuda:0,1`.
    Gpus(Vec<usize>),
    /// Every GPU that LibTorch sees.
    AllGpus,
    /// GPU whose number is that of this process among the processes of its machine.
    LocalGpu,
}

const EXPECTED: &str = "expected cpu, libtorch:cpu, or libtorch:cuda:N for GPU number N (the first is 0); for several GPUs libtorch:cuda:0,1,2 or libtorch:cuda:all; for one of each process libtorch:cuda:local; to try on a processor what several devices do, cpu:N or libtorch:cpu:N";

impl fmt::Display for Devices {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Devices::Times(name, 1) => write!(f, "{name}"),
            Devices::Times(name, times) => write!(f, "{name}:{times}"),
            Devices::Gpus(numbers) => {
                let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
                write!(f, "libtorch:cuda:{}", numbers.join(","))
            }
            Devices::AllGpus => write!(f, "libtorch:cuda:all"),
            Devices::LocalGpu => write!(f, "libtorch:cuda:local"),
        }
    }
}

impl FromStr for Devices {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("libtorch:cuda:") {
            Some("all") => return Ok(Devices::AllGpus),
            Some("local") => return Ok(Devices::LocalGpu),
            Some(list) if list.contains(',') => {
                let numbers = list.split(',').map(str::parse).collect::<Result<_, _>>();
                return numbers.map(Devices::Gpus).map_err(|_| EXPECTED.to_string());
            }
            _ => {}
        }
        if let Ok(name) = text.parse() {
            return Ok(Devices::Times(name, 1));
        }
        let times = text.rsplit_once(':').and_then(|(name, times)| {
            let (name, times) = (name.parse().ok()?, times.parse().ok()?);
            let known = !matches!(name, DeviceName::LibTorchCuda(_)) && times > 0;
            known.then_some(Devices::Times(name, times))
        });
        times.ok_or_else(|| EXPECTED.to_string())
    }
}

impl Devices {
    /// Name of one device; all are of the same kind.
    fn kind(&self) -> DeviceName {
        match self {
            Devices::Times(name, _) => *name,
            Devices::Gpus(_) | Devices::AllGpus | Devices::LocalGpu => DeviceName::LibTorchCuda(0),
        }
    }

    /// Names of all devices, in order.
    fn names(&self) -> Result<Vec<DeviceName>> {
        let gpus = |numbers: Vec<usize>| numbers.into_iter().map(DeviceName::LibTorchCuda);
        Ok(match self {
            Devices::Times(name, times) => vec![*name; *times],
            Devices::Gpus(numbers) => gpus(numbers.clone()).collect(),
            Devices::AllGpus => gpus((0..device::gpus()).collect()).collect(),
            Devices::LocalGpu => {
                let number = local_gpu(Local::this().rank, device::gpus())?;
                vec![DeviceName::LibTorchCuda(number)]
            }
        })
    }

    /// Part of LibTorch that the devices need.
    pub fn half(&self) -> Option<Half> {
        self.kind().half()
    }

    /// # Errors
    /// If a device is missing or does not support the precision. If they need LibTorch, a program
    /// that has it replaces this one first, see [`DeviceName::provide`].
    pub fn require(&self, precision: Precision) -> Result<()> {
        self.kind().provide(precision)?;
        (self.names()?.into_iter()).try_for_each(|name| name.provide(precision))
    }

    /// # Errors
    /// If the devices do not support this precision.
    pub fn check(&self, precision: Precision) -> Result<()> {
        self.kind().check(precision)
    }

    /// Number of devices.
    ///
    /// # Errors
    /// As [`Devices::require`].
    pub fn count(&self) -> Result<usize> {
        Ok(self.names()?.len())
    }

    /// Opens the first device.
    ///
    /// # Errors
    /// As [`Devices::require`].
    pub fn open(&self) -> Result<Device> {
        let first = self.names()?.into_iter().next();
        first.unwrap_or(self.kind()).open()
    }

    /// Sets the number of `threads`; returns how the devices share the parts of a batch.
    ///
    /// # Errors
    /// As [`Devices::require`].
    pub fn workers(&self, threads: usize) -> Result<Workers> {
        let names = self.names()?;
        let others = names.iter().skip(1).map(|name| Ok(name.open()?.autodiff()));
        Ok(Workers {
            others: others.collect::<Result<_>>()?,
            per_device: (self.share_threads(threads) / names.len().max(1)).max(1),
        })
    }

    /// Sets the number of `threads`; returns how many parts of a batch all devices together compute
    /// at the same time.
    pub fn share_threads(&self, threads: usize) -> usize {
        self.kind().share_threads(threads)
    }

    /// Memory of the process if the devices compute in it; `None` for GPUs, whose own memory is not
    /// known.
    pub fn memory(&self) -> Option<&'static dyn Memory> {
        match self.kind() {
            DeviceName::Cpu | DeviceName::LibTorchCpu => Some(&ProcessMemory),
            DeviceName::LibTorchCuda(_) => None,
        }
    }

    /// Version of the LibTorch that the devices compute with; `None` for other backends.
    pub fn libtorch_version(&self) -> Option<&'static str> {
        device::libtorch_version(self.kind())
    }
}

/// GPU of the process with number `rank` on this machine. If each process sees only one GPU, it is
/// that one.
fn local_gpu(rank: usize, gpus: usize) -> Result<usize> {
    if gpus == 1 {
        return Ok(0);
    }
    ensure!(
        rank < gpus,
        "process {rank} of this machine (the first is 0) has no GPU of its own: LibTorch sees {gpus} GPUs\nhint: start as many processes on a machine as it has GPUs"
    );
    Ok(rank)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_they_are_written() {
        for (text, n) in [
            ("cpu", 1),
            ("cpu:3", 3),
            ("libtorch:cpu", 1),
            ("libtorch:cpu:2", 2),
            ("libtorch:cuda:1", 1),
            ("libtorch:cuda:0,2,1", 3),
        ] {
            let devices: Devices = text.parse().expect("a known name");
            assert_eq!(devices.to_string(), text);
            assert_eq!(devices.names().expect("no questions").len(), n);
        }
        let gpus = "libtorch:cuda:0,2,1".parse();
        assert_eq!(gpus, Ok(Devices::Gpus(vec![0, 2, 1])));
        assert_eq!("libtorch:cuda:all".parse(), Ok(Devices::AllGpus));
        assert_eq!("libtorch:cuda:local".parse(), Ok(Devices::LocalGpu));
    }

    #[test]
    fn an_unknown_list_is_told_the_known_ones() {
        for text in [
            "cpu:0",
            "cpu:",
            "cpu,cpu",
            "libtorch:cuda:0,",
            "libtorch:cuda:0,cpu",
            "libtorch:cuda:some",
            "libtorch:cuda:0:2",
        ] {
            let problem = text.parse::<Devices>().expect_err("unknown");
            assert!(problem.contains("libtorch:cuda:all"), "{text}: {problem}");
        }
    }

    #[test]
    fn every_process_of_a_machine_has_a_gpu_of_its_own() {
        assert_eq!(local_gpu(3, 4).expect("there are four"), 3);
        assert_eq!(local_gpu(3, 1).expect("the one that it is shown"), 0);
        assert!(local_gpu(4, 4).is_err());
    }

    #[test]
    fn the_parts_of_a_batch_go_to_all_devices() {
        let workers = Devices::Times(DeviceName::Cpu, 2).workers(4);
        let workers = workers.expect("the processor");
        assert_eq!((workers.n_devices(), workers.per_device), (2, 2));
    }
}
