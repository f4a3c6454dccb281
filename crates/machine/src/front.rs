//! Front end: which of the two programs was started, and what follows from that.

use std::path::PathBuf;
use std::sync::OnceLock;

use crate::workspace;

/// A program that people start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Front {
    /// `brainmae`: runs and prepared data lie in the current folder.
    #[default]
    Brainmae,
    /// `cargo xtask`: runs and prepared data lie in the clone.
    Xtask,
}

static FRONT: OnceLock<Front> = OnceLock::new();

impl Front {
    /// The program that runs: `brainmae`, unless `main` said otherwise.
    pub fn this() -> Self {
        FRONT.get().copied().unwrap_or_default()
    }

    /// Makes this the program that runs; for `main`, before anything else.
    pub fn begin(self) {
        // A second call would be a second main.
        let _ = FRONT.set(self);
    }

    /// What a person types to start it.
    pub fn command(self) -> &'static str {
        match self {
            Front::Brainmae => "brainmae",
            Front::Xtask => "cargo xtask",
        }
    }

    /// Name of its binary without LibTorch and MPI.
    pub fn binary(self) -> &'static str {
        match self {
            Front::Brainmae => "brainmae",
            Front::Xtask => "xtask",
        }
    }

    /// The package that it is built from.
    pub fn package(self) -> &'static str {
        match self {
            Front::Brainmae => "brainmae-cli",
            Front::Xtask => "xtask",
        }
    }

    /// The folder in which `runs` and `prepared` lie when nothing else is said.
    pub fn folder(self) -> PathBuf {
        match self {
            Front::Brainmae => PathBuf::new(),
            Front::Xtask => workspace::root(),
        }
    }
}

/// What a person types to start this program with these words: `brainmae data list`.
pub fn command(words: &str) -> String {
    format!("{} {words}", Front::this().command())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_name_the_program_that_runs() {
        assert_eq!(Front::this(), Front::Brainmae);
        assert_eq!(command("data list"), "brainmae data list");
        assert_eq!(Front::Xtask.command(), "cargo xtask");
    }
}
