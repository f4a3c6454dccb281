//! Front end: the program that was started, `brainmae` or `cargo xtask`.

use std::sync::OnceLock;

/// Programs that people start.
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
    /// Returns the running program: `brainmae`, unless `main` has set another one.
    pub fn this() -> Self {
        FRONT.get().copied().unwrap_or_default()
    }

    /// Sets the running program; `main` calls this before anything else.
    pub fn begin(self) {
        // A second call would be a second main.
        let _ = FRONT.set(self);
    }

    /// Command that starts the program.
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

    /// Package of the program.
    pub fn package(self) -> &'static str {
        match self {
            Front::Brainmae => "brainmae-cli",
            Front::Xtask => "xtask",
        }
    }
}

/// Full command line for these words, such as `brainmae data list`.
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
