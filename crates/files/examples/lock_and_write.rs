//! Folder lock, atomic write and checksum in one example.

use std::error::Error;

use brainmae_files::{Exclusion, FolderLock, exclusion, sha256_file, write_atomic};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("brainmae-files-{}", std::process::id()));
    let lock = FolderLock::take(&folder, &folder)?;
    let second = FolderLock::take(&folder, &folder).err();
    println!("a second lock: {}", second.ok_or("it was given")?);

    let excluded = ["sub-1_run-1", "sub-2_run-1"].map(|scan| Exclusion {
        scan: scan.into(),
        subject: scan[..5].into(),
        reason: "its TR is 2 s".into(),
    });
    let path = folder.join("excluded.json");
    write_atomic(&path, &serde_json::to_vec(&excluded)?)?;
    println!("sha256 {}", sha256_file(&path)?);
    for (reason, n_scans) in exclusion::reasons(&excluded) {
        println!("{n_scans} scans: {reason}");
    }
    drop(lock);
    std::fs::remove_dir_all(folder)?;
    Ok(())
}
