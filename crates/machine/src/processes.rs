//! Processes that train together: this one alone, or all that were started with it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use brainmae_model::Precision;
use brainmae_train::{Alone, Communicator};
use clap::ValueEnum;

use crate::devices::Devices;
use crate::mpi::Mpi;
use crate::program;

/// Which processes train together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Processes {
    /// This one alone.
    #[default]
    One,
    /// Those that mpirun or srun started with this one.
    Mpi,
}

/// Communicator of this program's processes, from their start.
static COMMUNICATOR: OnceLock<Box<dyn Communicator + Send + Sync>> = OnceLock::new();

/// Set when the processes have parted.
static PARTED: AtomicBool = AtomicBool::new(false);

impl Processes {
    /// Makes sure that this program can be one of these processes and has `devices`, for products
    /// of this precision. Otherwise another build of the program replaces it and repeats everything
    /// done so far, so this call comes first.
    ///
    /// # Errors
    /// If MPI, LibTorch or a GPU is not available.
    pub fn provide(self, devices: &Devices, precision: Precision) -> Result<()> {
        devices.check(precision)?;
        let half = devices.half();
        let mpi = self == Processes::Mpi;
        let lacks_libtorch = half.is_some() && !cfg!(feature = "libtorch");
        if lacks_libtorch || (mpi && !cfg!(feature = "mpi")) {
            return Err(program::replace(half, mpi, precision));
        }
        devices.require(precision)
    }

    /// Returns the communicator, which this process joins on the first call. After [`part`], it
    /// holds this process alone.
    ///
    /// # Errors
    /// If there is no MPI; see [`Processes::provide`].
    pub fn communicator(self) -> Result<&'static dyn Communicator> {
        if PARTED.load(Ordering::Relaxed) {
            return Ok(&Alone);
        }
        if let Some(communicator) = COMMUNICATOR.get() {
            return Ok(&**communicator);
        }
        let communicator: Box<dyn Communicator + Send + Sync> = match self {
            Processes::One => Box::new(Alone),
            Processes::Mpi => Box::new(Mpi::begin()?),
        };
        Ok(&**COMMUNICATOR.get_or_init(|| communicator))
    }
}

/// Number of this process if another one speaks for it, from 1; otherwise `None`.
pub fn follower() -> Option<usize> {
    let communicator = COMMUNICATOR.get()?;
    (!communicator.is_first()).then(|| communicator.rank())
}

/// Output of the log: nothing in processes that another one speaks for.
pub fn log_writer() -> Box<dyn Write> {
    match follower() {
        Some(_) => Box::new(std::io::sink()),
        None => Box::new(std::io::stderr()),
    }
}

/// Guard that ends all processes if this one panics.
pub struct PanicGuard;

impl Drop for PanicGuard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            abort();
        }
    }
}

/// Leaves the other processes once all have reached this call; each then continues or ends by
/// itself.
pub fn part() {
    PARTED.store(true, Ordering::Relaxed);
    Mpi::end();
}

/// Ends all processes because this one cannot continue. A process that is alone, or has
/// [parted](part), continues to its own end.
pub fn abort() {
    if PARTED.load(Ordering::Relaxed) {
        return;
    }
    if follower().is_some() {
        // An error in all processes is also one in the first process, which is about to report it.
        std::thread::sleep(Duration::from_secs(1));
    }
    Mpi::abort();
}

/// Path of the first process.
///
/// # Errors
/// If the path is not valid text.
pub fn path_of_first(communicator: &dyn Communicator, path: &Path) -> Result<PathBuf> {
    let bytes = path.to_str().context("a path that is no text")?.as_bytes();
    let length = communicator.of_first(&[bytes.len() as f64])[0] as usize;
    let mut padded: Vec<f64> = bytes.iter().map(|byte| f64::from(*byte)).collect();
    padded.resize(length, 0.0);
    let told = communicator.of_first(&padded);
    let text = String::from_utf8(told.into_iter().map(|byte| byte as u8).collect())?;
    Ok(PathBuf::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_is_its_own_first() {
        let communicator = Processes::One.communicator().expect("nothing is needed");
        assert_eq!(
            (communicator.rank(), communicator.size(), follower()),
            (0, 1, None)
        );
        let path = path_of_first(communicator, Path::new("/a/b")).expect("text");
        assert_eq!(path, Path::new("/a/b"));
    }
}
