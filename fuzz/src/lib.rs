//! Files for fuzz targets: the readers take paths, so every input becomes a file.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Folder of this process, in memory if the system has such a file system.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let root = Path::new("/dev/shm");
        let root = if root.is_dir() { root.to_owned() } else { std::env::temp_dir() };
        let folder = root.join(format!("brainmae-fuzz-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for inputs can be made");
        folder
    })
}

/// Writes `data` to a file of this name and returns its path.
pub fn file(name: &str, data: &[u8]) -> PathBuf {
    let path = folder().join(name);
    std::fs::write(&path, data).expect("inputs can be written");
    path
}
