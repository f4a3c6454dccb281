//! MPI, for whoever asks for it with `--processes mpi`: what it is built with, and the only place that uses it.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::unavailable::unavailable;

/// The bindings are made from the headers of the MPI that the machine has.
///
/// # Errors
/// [`Unavailable`](crate::unavailable::Unavailable) without its compiler, or without libclang, which reads the headers.
pub fn require() -> Result<()> {
    let compiler = std::env::var_os("MPICC").unwrap_or_else(|| "mpicc".into());
    let probe = Command::new(&compiler).arg("-show").output();
    if !probe.is_ok_and(|output| output.status.success()) {
        return Err(unavailable(format!(
            "there is no MPI to build with: no {}\nhint: on a cluster, load its module (`module load openmpi`); on Debian or Ubuntu, install libopenmpi-dev and openmpi-bin; or name the compiler of an MPI in the variable MPICC",
            compiler.display()
        )));
    }
    if !has_libclang() {
        return Err(unavailable(
            "the bindings to MPI are made with libclang, and there is none\nhint: on a cluster, load a module of llvm or clang; on Debian or Ubuntu, install libclang-dev; or name its folder in the variable LIBCLANG_PATH",
        ));
    }
    Ok(())
}

/// Looks where the bindings' build will look.
fn has_libclang() -> bool {
    let in_folder = |folder: &Path| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut names = entries.map(|entry| entry.file_name());
        names.any(|name| {
            let name = name.to_string_lossy();
            name.starts_with("libclang.so") || name.starts_with("libclang-")
        })
    };
    let paths = |name| std::env::var_os(name).unwrap_or_default();
    let llvm = Command::new("llvm-config").arg("--libdir").output();
    let llvm = llvm.map_or_else(|_| Vec::new(), |output| output.stdout);
    let llvm = String::from_utf8_lossy(&llvm).trim().to_string();
    let versions = std::fs::read_dir("/usr/lib")
        .into_iter()
        .flatten()
        .flatten();
    let versions = versions.filter(|entry| entry.file_name().to_string_lossy().starts_with("llvm"));
    let known = [
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib64",
        "/usr/lib",
        "/usr/local/lib",
    ];
    std::env::var_os("LIBCLANG_PATH").is_some()
        || std::env::split_paths(&paths("LD_LIBRARY_PATH")).any(|folder| in_folder(&folder))
        || known
            .into_iter()
            .chain([llvm.as_str()])
            .any(|folder| in_folder(Path::new(folder)))
        || versions
            .into_iter()
            .any(|entry| in_folder(&entry.path().join("lib")))
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
    use brainmae_pretrain::World;

    /// MPI is begun and ended once, and not ended by a panic: that would wait for the others.
    static UNIVERSE: Mutex<Option<Universe>> = Mutex::new(None);

    /// The processes that MPI started.
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
        /// If this process has done so before.
        pub fn begin() -> Result<Self> {
            // Only the thread that trains asks, while others compute.
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

        /// Leaves, once all processes want to.
        pub fn end() {
            drop(universe().take());
        }

        /// Ends all processes, if they have begun and not ended.
        pub fn abort() {
            if universe().is_some() {
                SimpleCommunicator::world().abort(1);
            }
        }
    }

    /// Sums in place, piece by piece: MPI counts in 32 bits.
    fn sum<T: Equivalence + Copy>(values: &mut [T]) {
        let world = SimpleCommunicator::world();
        for piece in values.chunks_mut(1 << 28) {
            let mine = piece.to_vec();
            world.all_reduce_into(&mine[..], piece, SystemOperation::sum());
        }
    }

    impl World for Mpi {
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
    use brainmae_pretrain::Alone;

    /// No processes: this program was built without MPI.
    pub struct Mpi;

    impl Mpi {
        /// # Errors
        /// Always.
        pub fn begin() -> Result<Alone> {
            anyhow::bail!("this program was built without MPI")
        }

        /// Nothing has begun.
        pub fn end() {}

        /// Nothing has begun.
        pub fn abort() {}
    }
}

pub use linked::Mpi;
