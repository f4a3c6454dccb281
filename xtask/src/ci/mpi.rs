//! The gate `mpi`: two processes train as one does.

use std::process::Command;

use anyhow::Result;

use super::{Outcome, succeed};
use crate::cargo::{BuiltIn, cargo};
use crate::mpi;
use crate::program::Program;
use crate::unavailable::{reason, unavailable};

/// What lets Open MPI start processes in a container of CI: as root, and more of them than there are processors. Other MPIs ask
/// for nothing of this.
const VARIABLES: [(&str, &str); 5] = [
    ("OMPI_ALLOW_RUN_AS_ROOT", "1"),
    ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"),
    ("OMPI_MCA_rmaps_base_oversubscribe", "1"),
    ("OMPI_MCA_hwloc_base_binding_policy", "none"),
    ("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe"),
];

/// The committed loss curve in two processes, started as a user does; then tests of kills and failures.
pub fn gate() -> Result<Outcome> {
    if let Err(error) = mpi::require().and_then(|()| require_mpirun()) {
        return Ok(Outcome::Skipped(reason(error)?));
    }
    let program = Program {
        libtorch: None,
        mpi: true,
        ..Program::default()
    };
    program.build()?;
    // The plain program, whose place the other one takes.
    let plain = BuiltIn::this_program()?.programs().join("xtask");
    let mut curve = Command::new("mpirun");
    curve.args(["-n", "2"]).arg(plain);
    curve.args(["loss-curve", "--processes", "mpi"]);
    succeed(curve.envs(VARIABLES))?;
    let mut tests = cargo(&["test", "--package", "brainmae-cli", "--features", "mpi"]);
    succeed(tests.args(["--test", "mpi"]).envs(VARIABLES))
}

fn require_mpirun() -> Result<()> {
    let probe = Command::new("mpirun").arg("--version").output();
    match probe.is_ok_and(|output| output.status.success()) {
        true => Ok(()),
        false => Err(unavailable("there is no mpirun to start processes with")),
    }
}
