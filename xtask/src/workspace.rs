//! Where the files of the workspace lie.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The workspace's root: what cargo says when it starts us, the current folder otherwise.
pub fn root() -> PathBuf {
    match std::env::var_os("CARGO_MANIFEST_DIR") {
        Some(xtask) => Path::new(&xtask)
            .parent()
            .unwrap_or(Path::new("."))
            .to_path_buf(),
        None => PathBuf::from("."),
    }
}

/// `path` as a person would write it: relative to the current folder where it lies below it.
pub fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here)
        .unwrap_or(path)
        .display()
        .to_string()
}

/// A folder of things that are fetched or built once: what `variable` names, otherwise `name` in the user's cache.
///
/// # Errors
/// Without a home folder.
pub fn cache_folder(variable: &str, name: &str) -> Result<PathBuf> {
    if let Some(folder) = std::env::var_os(variable) {
        return Ok(PathBuf::from(folder));
    }
    let home = std::env::var_os("HOME")
        .with_context(|| format!("HOME is not set; name a folder in {variable}"))?;
    Ok(Path::new(&home).join(".cache/brainmae").join(name))
}

/// The version of the code, where git knows it.
pub fn code_version() -> Option<String> {
    let output = std::process::Command::new("git")
        .args(["describe", "--always", "--dirty", "--abbrev=12"])
        .current_dir(root())
        .output()
        .ok()?;
    let version = String::from_utf8(output.stdout).ok()?;
    let version = version.trim();
    (output.status.success() && !version.is_empty()).then(|| version.to_string())
}
