//! Gate `mpi`: two processes train exactly as one process does.

use std::process::Command;

use anyhow::{Context, Result};

use brainmae_machine::probe::probe;

use crate::cargo::{BuiltIn, cargo};
use crate::mpi;
use crate::program::Program;
use crate::tool::{self, succeed};
use crate::unavailable::unavailable;

/// Environment variables with which Open MPI starts processes in a CI container: as root, and more
/// of them than processors. Other MPIs need none of this.
const VARIABLES: [(&str, &str); 5] = [
    ("OMPI_ALLOW_RUN_AS_ROOT", "1"),
    ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"),
    ("OMPI_MCA_rmaps_base_oversubscribe", "1"),
    ("OMPI_MCA_hwloc_base_binding_policy", "none"),
    ("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe"),
];

/// Compares the committed loss curve in two processes, started as a user does; then runs tests of
/// kills and failures.
pub fn gate() -> Result<()> {
    mpi::require()?;
    require_two_processes()?;
    tool::require_crates("mpi")?;
    require_bindings()?;
    let program = Program {
        libtorch: None,
        mpi: true,
        ..Program::default()
    };
    program.build()?;
    // The plain program, which the build with MPI replaces.
    let plain = BuiltIn::this_program()?.programs().join("xtask");
    let mut curve = Command::new("mpirun");
    curve.args(["-n", "2"]).arg(plain);
    curve.args(["loss-curve", "--processes", "mpi"]);
    succeed(curve.envs(VARIABLES))?;
    let mut tests = cargo(&["test", "--package", "brainmae-cli", "--features", "mpi"]);
    succeed(tests.args(["--test", "mpi"]).envs(VARIABLES))
}

/// C program that succeeds if it is one of two processes.
const TWO: &str = "#include <mpi.h>
int main(int n, char **words) {
    int size = 0;
    MPI_Init(&n, &words);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Finalize();
    return size == 2 ? 0 : 1;
}
";

/// Checks that the compiler has its headers and libraries, and that `mpirun` belongs to the same
/// MPI.
fn require_two_processes() -> Result<()> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let (source, program) = (folder.path().join("two.c"), folder.path().join("two"));
    std::fs::write(&source, TWO).with_context(|| format!("cannot write {source:?}"))?;
    let mut compile = Command::new(mpi::compiler());
    let compiled = probe(compile.arg(&source).arg("-o").arg(&program));
    compiled.map_err(|error| unavailable(format!("MPI compiles no program: {error}")))?;
    let mut run = Command::new("mpirun");
    let ended = probe(run.args(["-n", "2"]).arg(&program).envs(VARIABLES));
    ended.map_err(|error| unavailable(format!("MPI starts no two processes: {error}")))?;
    Ok(())
}

/// Messages of the bindings' build if libclang cannot be loaded, or if its headers are missing.
const NO_BINDINGS: &[&str] = &["Unable to find libclang", "' file not found"];

fn require_bindings() -> Result<()> {
    let mut build = cargo(&["build", "--package", "xtask", "--features", "mpi"]);
    build.args(["--bin", "xtask-mpi"]);
    let what = "the bindings to MPI cannot be built";
    tool::attempt(&mut build, what, NO_BINDINGS)
}
