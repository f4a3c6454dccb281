//! Folders: the clone that a program is built from, and caches of the user.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result};

use crate::cargo::BuiltIn;
use crate::front::Front;

/// Root of the clone. For `cargo xtask`, cargo names it at the start; for `brainmae`, it is the
/// clone around the current folder. In both cases, the fallback is the current folder.
pub fn root() -> PathBuf {
    let found = match Front::this() {
        Front::Xtask => std::env::var_os("CARGO_MANIFEST_DIR")
            .and_then(|xtask| Path::new(&xtask).parent().map(Path::to_path_buf)),
        Front::Brainmae => clone_here(),
    };
    found.unwrap_or_else(|| PathBuf::from("."))
}

/// Root of the clone around the current folder.
pub fn clone_here() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let is_clone = |folder: &&Path| folder.join("crates/cli/Cargo.toml").is_file();
    here.ancestors().find(is_clone).map(Path::to_path_buf)
}

/// `path` in the form that a person would write: relative if it lies below the current folder.
pub fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here)
        .unwrap_or(path)
        .display()
        .to_string()
}

/// Folder of things that are fetched or built once: the value of the variable `variable`, otherwise
/// `name` in the user's cache.
///
/// # Errors
/// If there is no home folder.
pub fn cache_folder(variable: &str, name: &str) -> Result<PathBuf> {
    if let Some(folder) = std::env::var_os(variable) {
        return Ok(PathBuf::from(folder));
    }
    let home = std::env::var_os("HOME")
        .with_context(|| format!("HOME is not set; name a folder in {variable}"))?;
    Ok(Path::new(&home).join(".cache/brainmae").join(name))
}

static BUILT_FROM: OnceLock<Option<&'static str>> = OnceLock::new();

/// Sets the version of the code that this program was built from, if the build knew it; for `main`.
pub fn begin(built_from: Option<&'static str>) {
    // A second call would be a second main.
    let _ = BUILT_FROM.set(built_from);
}

/// Version of the code from git: of the clone that this program was built in, otherwise as recorded
/// when the program was built to be installed.
pub fn code_version() -> Option<String> {
    let clone = match Front::this() {
        Front::Xtask => Some(root()),
        Front::Brainmae => BuiltIn::this_program().ok().and_then(|_| clone_here()),
    };
    let installed = || BUILT_FROM.get().copied().flatten().map(String::from);
    clone.and_then(|clone| described(&clone)).or_else(installed)
}

fn described(clone: &Path) -> Option<String> {
    let output = std::process::Command::new("git")
        .args(["describe", "--always", "--dirty", "--abbrev=12"])
        .current_dir(clone)
        .output()
        .ok()?;
    let version = String::from_utf8(output.stdout).ok()?;
    let version = version.trim();
    (output.status.success() && !version.is_empty()).then(|| version.to_string())
}
