//! Calls of cargo from a program that cargo itself has started.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::workspace;

/// A call of cargo at the clone's root.
pub fn cargo(arguments: &[&str]) -> Command {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_string());
    let mut command = Command::new(cargo);
    command.args(arguments).current_dir(workspace::root());
    // The outer cargo has set these variables for this program; the inner cargo must not see them.
    for name in ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "CARGO_PKG_VERSION"] {
        command.env_remove(name);
    }
    command
}

/// Target folder and profile that this program was built with.
#[derive(Debug, PartialEq)]
pub struct BuiltIn {
    /// Target folder of cargo.
    pub target: PathBuf,
    /// Profile, as `--profile` takes it.
    pub profile: String,
}

impl BuiltIn {
    /// Finds where the running program was built.
    ///
    /// # Errors
    /// If the program lies in no target folder, as an installed program does.
    pub fn this_program() -> Result<Self> {
        let program = std::env::current_exe().context("where this program lies")?;
        // Cargo locks the folders that it builds into.
        let is_cargos = |found: &Self| found.programs().join(".cargo-lock").exists();
        Self::of(&program)
            .filter(is_cargos)
            .with_context(|| format!("{program:?} lies in no target folder"))
    }

    /// Reads `<target>/<folder of the profile>/<program>`; the folder of the profile `dev` is
    /// `debug`, and tests lie in `deps` below it.
    fn of(program: &Path) -> Option<Self> {
        let folder = program.parent()?;
        let folder = match folder.file_name()?.to_str()? {
            "deps" => folder.parent()?,
            _ => folder,
        };
        let profile = match folder.file_name()?.to_str()? {
            "debug" => "dev",
            other => other,
        };
        Some(Self {
            target: folder.parent()?.to_path_buf(),
            profile: profile.to_string(),
        })
    }

    /// Folder of the built programs.
    pub fn programs(&self) -> PathBuf {
        self.target.join(match self.profile.as_str() {
            "dev" => "debug",
            other => other,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn target_and_profile_are_read_from_the_programs_place() {
        for (place, profile) in [("debug", "dev"), ("release", "release"), ("fast", "fast")] {
            let program = Path::new("/t").join(place).join("xtask");
            let built = BuiltIn::of(&program).expect("a target folder");
            let test = program.with_file_name("deps").join("xtask-0f");
            assert_eq!(BuiltIn::of(&test).as_ref(), Some(&built));
            assert_eq!(
                (built.target.as_path(), built.profile.as_str()),
                (Path::new("/t"), profile)
            );
            assert_eq!(built.programs().join("xtask"), program);
        }
        assert_eq!(BuiltIn::of(Path::new("xtask")), None);
    }
}
