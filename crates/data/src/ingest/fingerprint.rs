//! Fingerprint of the files of a scan: names, sizes and samples of their bytes.
//!
//! A study can have terabytes, and hashing all of them would take longer than reading the needed
//! parts. Small files are hashed completely. Of large files, both ends and blocks at even distances
//! are hashed; a tool that writes the file again changes them. A manual edit of a few bytes in a
//! large file may not be detected.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::error::DataError;
use brainmae_files::CommonErrors as _;
use brainmae_files::checksum::FieldHasher;
use brainmae_studies::confounds::sidecar;
use brainmae_studies::{ConfoundFile, EventFiles, FoundScan, SignalFile};

/// Files up to this size are hashed completely.
const WHOLE_BYTES: u64 = 4 << 20;

/// Bytes hashed at each end of a larger file.
const END_BYTES: u64 = 1 << 16;

/// Number and size of the blocks between the ends, at even distances.
const N_BLOCKS: u64 = 32;
const BLOCK_BYTES: u64 = 1 << 12;

/// Identity of all files of `scan`; paths are relative to `root`.
///
/// An unreadable file has an identity too; the reader of the scan reports the problem.
pub(super) fn of_scan(root: &Path, scan: &FoundScan) -> String {
    let mut hasher = FieldHasher::new("scan files")
        .field(scan.scan.as_str())
        .field(scan.subject.as_str())
        .field(scan.session.as_deref().unwrap_or(""))
        .field(scan.task.as_deref().unwrap_or(""))
        .field(format!("{:?} {:?}", scan.part, scan.tr_secs))
        .field(match &scan.signal {
            SignalFile::Columnar {
                scan: Some(key), ..
            } => key.as_str(),
            _ => "",
        });
    for path in files(scan) {
        let name = path.strip_prefix(root).unwrap_or(&path);
        hasher = hasher.field(name.to_string_lossy().as_bytes());
        hasher = match sample(&path) {
            Ok((size, samples)) => hasher.field(size.to_le_bytes()).field(samples),
            Err(_) => hasher.field("unreadable"),
        };
    }
    hasher.finish()
}

/// All files of a scan.
fn files(scan: &FoundScan) -> Vec<PathBuf> {
    let mut files = vec![scan.signal.path().clone()];
    if let SignalFile::Nifti {
        labels: Some(labels),
        ..
    } = &scan.signal
    {
        files.push(labels.clone());
    }
    match &scan.confounds {
        Some(ConfoundFile::Hcp(path) | ConfoundFile::Fmriprep(path) | ConfoundFile::Xcpd(path)) => {
            files.push(path.clone())
        }
        None => {}
    }
    if let Some(ConfoundFile::Fmriprep(path)) = &scan.confounds {
        files.extend(Some(sidecar(path)).filter(|path| path.exists()));
    }
    files.extend(scan.outliers.clone());
    files.extend(scan.coverage.clone());
    match &scan.events {
        EventFiles::Evs(folder) => {
            let mut evs: Vec<PathBuf> = std::fs::read_dir(folder)
                .into_iter()
                .flatten()
                .filter_map(|entry| Some(entry.ok()?.path()))
                .filter(|path| path.extension().is_some_and(|ending| ending == "txt"))
                .collect();
            evs.sort();
            files.extend(evs);
        }
        EventFiles::Design(path) | EventFiles::Bids(path) => files.push(path.clone()),
        EventFiles::None => {}
    }
    files
}

/// Size of a file, and a hash of its samples.
fn sample(path: &Path) -> Result<(u64, String), DataError> {
    let mut file = File::open(path).map_err(DataError::io("open", path))?;
    let size = file
        .metadata()
        .map_err(DataError::io("read the size of", path))?
        .len();
    let mut places = Vec::new();
    if size <= WHOLE_BYTES {
        places.push((0, size));
    } else {
        places.push((0, END_BYTES));
        let blocks = (1..=N_BLOCKS).map(|block| size / (N_BLOCKS + 1) * block);
        places.extend(blocks.map(|start| (start, BLOCK_BYTES)));
        places.push((size - END_BYTES, END_BYTES));
    }
    let mut bytes = Vec::new();
    let mut hasher = FieldHasher::new("file samples");
    for (start, length) in places {
        bytes.clear();
        file.seek(SeekFrom::Start(start))
            .and_then(|_| file.by_ref().take(length).read_to_end(&mut bytes))
            .map_err(DataError::io("read", path))?;
        hasher = hasher.field(&bytes);
    }
    Ok((size, hasher.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(signal: PathBuf) -> FoundScan {
        FoundScan {
            scan: "sub-1".into(),
            subject: "1".into(),
            session: None,
            task: None,
            signal: SignalFile::Table(signal),
            part: None,
            tr_secs: Some(1.0),
            variant: String::new(),
            confounds: None,
            outliers: None,
            coverage: None,
            events: EventFiles::None,
        }
    }

    #[test]
    fn the_sidecar_of_confounds_is_part_of_a_scan() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let scan = FoundScan {
            confounds: Some(ConfoundFile::Fmriprep(at("c_timeseries.tsv"))),
            ..scan(at("a.csv"))
        };
        assert_eq!(files(&scan), [at("a.csv"), at("c_timeseries.tsv")]);
        let without = of_scan(folder.path(), &scan);
        std::fs::write(at("c_timeseries.json"), "{}").unwrap();
        assert_eq!(files(&scan)[2..], [at("c_timeseries.json")]);
        assert_ne!(of_scan(folder.path(), &scan), without);
    }

    #[test]
    fn a_file_that_grows_or_is_written_anew_is_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let scan = scan(path.clone());
        let identity = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            of_scan(folder.path(), &scan)
        };
        let small = vec![7; 200_000];
        let mut edited = small.clone();
        edited[100_000] = 8;
        // Both ends are zeros, as in an image with a brain mask.
        let mut large = vec![0; 6 << 20];
        large[1 << 20..5 << 20].fill(1);
        let mut anew = large.clone();
        anew[1 << 20..5 << 20].fill(3);
        let identities = [
            identity(b"1"),
            identity(b"2"),
            identity(&small),
            identity(&edited),
            identity(&large),
            identity(&anew),
        ];
        assert_eq!(identity(b"1"), identities[0]);
        for (at, one) in identities.iter().enumerate() {
            assert!(!identities[..at].contains(one), "{at}");
        }
        std::fs::remove_file(&path).unwrap();
        assert!(!identities.contains(&of_scan(folder.path(), &scan)));
    }
}
