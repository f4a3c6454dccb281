//! MPI for `--processes mpi`: its build requirements, and the only code that uses it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::unavailable::unavailable;

/// Compiler of the machine's MPI.
pub fn compiler() -> OsString {
    std::env::var_os("MPICC").unwrap_or_else(|| "mpicc".into())
}

/// Checks that the bindings can be built from the headers of the machine's MPI.
///
/// # Errors
/// [`Unavailable`](crate::unavailable::Unavailable) if there is no MPI compiler, or no libclang,
/// which reads the headers.
pub fn require() -> Result<()> {
    let compiler = compiler();
    let probe = Command::new(&compiler).arg("-show").output();
    if !probe.is_ok_and(|output| output.status.success()) {
        return Err(unavailable(format!(
            "there is no MPI to build with: no {}\nhint: on a cluster, load its module (`module load openmpi`); on Debian or Ubuntu, install libopenmpi-dev and openmpi-bin; or name the compiler of an MPI in the variable MPICC",
            compiler.display()
        )));
    }
    let named = std::env::var_os("LIBCLANG_PATH").map(PathBuf::from);
    let has_libclang = match named {
        Some(named) => is_libclang(&named) || holds_libclang(&named),
        None => libraries().any(|folder| holds_libclang(&folder)),
    };
    if !has_libclang {
        return Err(unavailable(
            "the bindings to MPI are made with libclang, and there is none\nhint: on a cluster, load a module of llvm or clang; on Debian or Ubuntu, install libclang-dev; or name its folder in the variable LIBCLANG_PATH",
        ));
    }
    Ok(())
}

/// Folders in which the build of the bindings (the crate clang-sys) looks for libclang.
fn libraries() -> impl Iterator<Item = PathBuf> {
    let llvm = std::env::var_os("LLVM_CONFIG_PATH").unwrap_or_else(|| "llvm-config".into());
    let llvm = Command::new(llvm).arg("--libdir").output();
    let llvm = llvm.map_or(String::new(), |output| {
        String::from_utf8_lossy(&output.stdout).trim().to_string()
    });
    let variables = ["LD_LIBRARY_PATH", "LIBRARY_PATH"];
    let named = variables.into_iter().flat_map(|name| {
        let paths = std::env::var_os(name).unwrap_or_default();
        std::env::split_paths(&paths).collect::<Vec<_>>()
    });
    // These come last, because there are thousands: `/usr/lib*` and two levels below it.
    let roots = ["/usr", "/usr/local"].into_iter().map(Path::new);
    let top = roots.flat_map(folders).filter(|folder| {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("lib") || name.starts_with("llvm")
    });
    let system = top.flat_map(|folder| {
        let below = folders(&folder);
        let further: Vec<_> = below.iter().flat_map(|folder| folders(folder)).collect();
        [vec![folder], below, further].concat()
    });
    [PathBuf::from(llvm)].into_iter().chain(named).chain(system)
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path()))
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    entries(folder).filter(|path| path.is_dir()).collect()
}

fn holds_libclang(folder: &Path) -> bool {
    entries(folder).any(|path| is_libclang(&path))
}

/// Whether the file has a name under which libclang is loaded. `libclang-cpp` is another library.
fn is_libclang(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_so = name.starts_with("libclang.so") || name.starts_with("libclang-");
    let is_named = is_so && name.contains(".so") && !name.contains("-cpp");
    (is_named || name == "libclang.dylib") && path.is_file()
}

#[cfg(feature = "mpi")]
mod linked {
    use std::sync::{Mutex, MutexGuard};

    use ::mpi::Threading;
    use ::mpi::collective::SystemOperation;
    use ::mpi::environment::{Universe, initialize_with_threading};
    use ::mpi::topology::SimpleCommunicator;
    use ::mpi::traits::{Communicator, CommunicatorCollectives, Equivalence};
    use anyhow::{Context, Result};
    use brainmae_train::Communicator as Processes;

    /// MPI starts and ends once. A panic must not end it, because that would wait for the other
    /// processes.
    static UNIVERSE: Mutex<Option<Universe>> = Mutex::new(None);

    /// Communicator of the processes that MPI started.
    #[derive(Debug)]
    pub struct Mpi {
        rank: usize,
        size: usize,
    }

    fn universe() -> MutexGuard<'static, Option<Universe>> {
        UNIVERSE
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    impl Mpi {
        /// Joins the other processes.
        ///
        /// # Errors
        /// If this process has already joined.
        pub fn begin() -> Result<Self> {
            // Only the training thread calls MPI, while other threads compute.
            let begun = initialize_with_threading(Threading::Funneled);
            let (begun, _) = begun.context("MPI has begun already")?;
            let world = begun.world();
            *universe() = Some(begun);
            let number = |n| usize::try_from(n).context("MPI counts below zero");
            Ok(Self {
                rank: number(world.rank())?,
                size: number(world.size())?,
            })
        }

        /// Leaves, once all processes have called this.
        pub fn end() {
            drop(universe().take());
        }

        /// Ends all processes, unless MPI has not started or has ended.
        pub fn abort() {
            if universe().is_some() {
                SimpleCommunicator::world().abort(1);
            }
        }
    }

    /// Sums in place, in chunks, because MPI counts in 32 bits.
    fn sum<T: Equivalence + Copy>(values: &mut [T]) {
        let world = SimpleCommunicator::world();
        for piece in values.chunks_mut(1 << 28) {
            let mine = piece.to_vec();
            world.all_reduce_into(&mine[..], piece, SystemOperation::sum());
        }
    }

    impl Processes for Mpi {
        fn rank(&self) -> usize {
            self.rank
        }

        fn size(&self) -> usize {
            self.size
        }

        fn sum(&self, values: &mut [f64]) {
            sum(values);
        }

        fn sum_f32(&self, values: &mut [f32]) {
            sum(values);
        }
    }
}

#[cfg(not(feature = "mpi"))]
mod linked {
    use anyhow::Result;
    use brainmae_train::Alone;

    /// Placeholder for a program that was built without MPI.
    pub struct Mpi;

    impl Mpi {
        /// # Errors
        /// Always.
        pub fn begin() -> Result<Alone> {
            anyhow::bail!("this program was built without MPI")
        }

        /// Does nothing, as MPI has not started.
        pub fn end() {}

        /// Does nothing, as MPI has not started.
        pub fn abort() {}
    }
}

pub use linked::Mpi;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libclang_is_known_by_its_name() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let others = [
            "libclang-cpp.so.14",
            "libclang-cpp.so",
            "libclang-common.a",
            "libclang",
        ];
        for name in others {
            std::fs::write(folder.path().join(name), "").expect("writable");
        }
        assert!(!holds_libclang(folder.path()));
        assert!(!holds_libclang(&folder.path().join("nowhere")));
        for name in [
            "libclang.so",
            "libclang-14.so.1",
            "libclang.so.1",
            "libclang-3.9.so",
        ] {
            let folder = tempfile::tempdir().expect("a temporary folder");
            std::fs::write(folder.path().join(name), "").expect("writable");
            assert!(holds_libclang(folder.path()), "{name}");
        }
    }
}
