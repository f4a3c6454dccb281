//! The names in a folder, read once.

use std::io;
use std::path::Path;

use super::remarks::Remarks;
use crate::NoteKind;

/// A name in a folder.
pub(crate) struct Entry {
    pub name: String,
    pub kind: EntryKind,
}

/// What a name stands for, as the folder itself tells.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum EntryKind {
    File,
    Folder,
    /// To either of them, or to nothing.
    Link,
}

/// The entries of `folder` by name, without hidden ones; names that are not UTF-8 are remarked on.
pub(crate) fn read_folder(
    root: &Path,
    folder: &Path,
    remarks: &mut Remarks,
) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in folder.read_dir()? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            let why = "its name is not UTF-8: rename it";
            let what = relative(root, &entry.path());
            remarks.add(NoteKind::Skipped, "", &what, why);
            continue;
        };
        if name.starts_with('.') {
            continue;
        }
        let kind = match entry.file_type()? {
            kind if kind.is_dir() => EntryKind::Folder,
            kind if kind.is_symlink() => EntryKind::Link,
            _ => EntryKind::File,
        };
        entries.push(Entry { name, kind });
    }
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(entries)
}

/// A path as remarks tell it.
pub(crate) fn relative(root: &Path, path: &Path) -> String {
    let path = path.strip_prefix(root).unwrap_or(path);
    path.to_string_lossy().into_owned()
}
