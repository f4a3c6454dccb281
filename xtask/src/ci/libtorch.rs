//! Gate `libtorch`: golden arrays and the committed loss curve on the device `libtorch:cpu`, with
//! the program that `--device` builds.

use std::process::Command;

use anyhow::Result;

use brainmae_machine::probe::probe;

use crate::cargo::cargo;
use crate::libtorch::{Half, folder};
use crate::program::{Program, environment};
use crate::tool::{self, succeed};
use crate::unavailable::unavailable;

/// Builds the program with LibTorch, and runs loss curve and tests.
pub fn gate() -> Result<()> {
    let folder = folder(Half::Cpu)?;
    tool::require_crates("libtorch")?;
    let program = Program {
        libtorch: Some(folder.clone()),
        mpi: false,
        ..Program::default()
    };
    let program = program.build()?;
    require_start(Command::new(&program).arg("--version"))?;
    succeed(Command::new(program).args(["loss-curve", "--device", "libtorch:cpu"]))?;
    // Both packages are named so that their dependencies match those of the program that was just
    // built.
    let mut tests = cargo(&["test", "--package", "xtask"]);
    tests
        .args(["--package", "brainmae-tests", "--test", "pipeline"])
        .args(["--package", "brainmae-ops", "--lib"])
        .args(["--features", "xtask/libtorch,brainmae-tests/libtorch"])
        .args(["--", "golden", "invariance", "larger_than_memory"])
        .args(["parity", "bf16", "of_the_definition"])
        .envs(environment(&folder))
        .env("BRAINMAE_TEST_DEVICE", "libtorch:cpu");
    succeed(&mut tests)
}

/// Checks that the program starts. If LibTorch needs libraries that this machine lacks, the loader
/// fails before `main`.
fn require_start(program: &mut Command) -> Result<()> {
    let Err(error) = probe(program) else {
        return Ok(());
    };
    let is_of_loader = error
        .to_string()
        .contains("error while loading shared libraries");
    Err(if is_of_loader {
        unavailable(error.to_string())
    } else {
        error
    })
}
