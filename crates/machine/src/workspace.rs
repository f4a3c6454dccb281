//! Folders: the clone that a program is built from, and caches of the user.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

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

/// Default folder of `runs` and `prepared`: the clone for `cargo xtask`, the current folder for
/// `brainmae`.
pub fn work_folder() -> PathBuf {
    match Front::this() {
        Front::Brainmae => PathBuf::new(),
        Front::Xtask => root(),
    }
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
