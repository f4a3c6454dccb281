//! Whether this process trains alone, or together with others that were started with it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use brainmae_model::Precision;
use brainmae_pretrain::{Alone, World};
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

/// The processes of this program, from their beginning on.
static WORLD: OnceLock<Box<dyn World + Send + Sync>> = OnceLock::new();

/// Set once they have parted.
static PARTED: AtomicBool = AtomicBool::new(false);

impl Processes {
    /// Makes sure that this program can be one of these processes and has `devices`, for products
    /// of this precision. Otherwise another build of it takes its place: what was done before is
    /// done again, so this comes first.
    ///
    /// # Errors
    /// If MPI, LibTorch or a GPU cannot be had.
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

    /// The processes, which this one joins when it is first asked; itself alone once they have
    /// [parted](part).
    ///
    /// # Errors
    /// If there is no MPI, see [`Processes::provide`].
    pub fn world(self) -> Result<&'static dyn World> {
        if PARTED.load(Ordering::Relaxed) {
            return Ok(&Alone);
        }
        if let Some(world) = WORLD.get() {
            return Ok(&**world);
        }
        let world: Box<dyn World + Send + Sync> = match self {
            Processes::One => Box::new(Alone),
            Processes::Mpi => Box::new(Mpi::begin()?),
        };
        Ok(&**WORLD.get_or_init(|| world))
    }
}

/// The number of this process, if another one speaks for it: from 1.
pub fn follower() -> Option<usize> {
    let world = WORLD.get()?;
    (!world.is_first()).then(|| world.rank())
}

/// Where the log goes: nowhere in processes that another one speaks for.
pub fn log_writer() -> Box<dyn Write> {
    match follower() {
        Some(_) => Box::new(std::io::sink()),
        None => Box::new(std::io::stderr()),
    }
}

/// Ends all processes if this one panics.
pub struct PanicGuard;

impl Drop for PanicGuard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            abort();
        }
    }
}

/// Leaves the other processes, once all have come to this point: each goes on, or ends, by itself.
pub fn part() {
    PARTED.store(true, Ordering::Relaxed);
    Mpi::end();
}

/// Ends all processes because this one cannot go on; one that is alone, or has [parted](part), goes
/// on to its own end.
pub fn abort() {
    if PARTED.load(Ordering::Relaxed) {
        return;
    }
    if follower().is_some() {
        // What went wrong in all went wrong in the first one, which is about to write it down.
        std::thread::sleep(Duration::from_secs(1));
    }
    Mpi::abort();
}

/// The path that the first process has.
///
/// # Errors
/// If it is no text.
pub fn path_of_first(world: &dyn World, path: &Path) -> Result<PathBuf> {
    let bytes = path.to_str().context("a path that is no text")?.as_bytes();
    let length = world.of_first(&[bytes.len() as f64])[0] as usize;
    let mut padded: Vec<f64> = bytes.iter().map(|byte| f64::from(*byte)).collect();
    padded.resize(length, 0.0);
    let told = world.of_first(&padded);
    let text = String::from_utf8(told.into_iter().map(|byte| byte as u8).collect())?;
    Ok(PathBuf::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_is_its_own_first() {
        let world = Processes::One.world().expect("nothing is needed");
        assert_eq!((world.rank(), world.size(), follower()), (0, 1, None));
        let path = path_of_first(world, Path::new("/a/b")).expect("text");
        assert_eq!(path, Path::new("/a/b"));
    }
}
