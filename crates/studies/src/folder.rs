//! Folder, read once: names and types of its entries, without opening them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use brainmae_files::CommonErrors as _;

use crate::error::StudyError;
use crate::listing::Note;

/// Advice for a name that is not UTF-8.
pub(crate) const NOT_UTF8: &str = "its name is not UTF-8: rename it";

/// Type of a folder entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    File,
    Folder,
    /// A link to a file, to a folder, or to nothing; the target must be checked.
    Link,
}

/// The names in a folder, sorted.
#[derive(Debug)]
pub(crate) struct Folder {
    pub path: PathBuf,
    /// The path relative to the listed folder, for notes; empty for the listed folder itself.
    shown: String,
    entries: BTreeMap<String, Kind>,
    /// Names that are not UTF-8.
    pub not_utf8: Vec<OsString>,
}

impl Folder {
    /// Reads the listed folder; names that are not UTF-8 are noted.
    ///
    /// # Errors
    /// [`StudyError::Files`] when it cannot be read.
    pub fn root(path: &Path, notes: &mut Vec<Note>) -> Result<Self, StudyError> {
        let folder = Self::read(path, String::new()).map_err(StudyError::io("read", path))?;
        folder.note_names(notes);
        Ok(folder)
    }

    /// Reads a folder; `shown` is its path relative to the listed folder.
    ///
    /// # Errors
    /// An error when it cannot be read.
    pub fn read(path: &Path, shown: String) -> io::Result<Self> {
        let mut folder = Self {
            path: path.to_owned(),
            shown,
            entries: BTreeMap::new(),
            not_utf8: Vec::new(),
        };
        for entry in std::fs::read_dir(path)? {
            let entry = entry?;
            let file_type = entry.file_type()?;
            let kind = if file_type.is_dir() {
                Kind::Folder
            } else if file_type.is_symlink() {
                Kind::Link
            } else {
                Kind::File
            };
            match entry.file_name().into_string() {
                Ok(name) => {
                    folder.entries.insert(name, kind);
                }
                Err(name) => folder.not_utf8.push(name),
            }
        }
        Ok(folder)
    }

    /// Reads a subfolder. An unreadable folder is noted; a link to a file is ignored without a
    /// note.
    pub fn child(&self, name: &str, notes: &mut Vec<Note>) -> Option<Self> {
        let kind = *self.entries.get(name)?;
        if kind == Kind::File {
            return None;
        }
        match Self::read(&self.path.join(name), self.show(name)) {
            Ok(folder) => {
                folder.note_names(notes);
                Some(folder)
            }
            Err(error) if kind == Kind::Link && error.kind() == io::ErrorKind::NotADirectory => {
                None
            }
            Err(error) => {
                notes.push(Note::skipped(
                    self.show(name),
                    format!("the folder cannot be read: {error}"),
                ));
                None
            }
        }
    }

    /// The folder at the path `names` below this one; `None` when it does not exist or cannot be
    /// read.
    pub fn below(&self, names: &[&str]) -> Option<Self> {
        let (first, rest) = names.split_first()?;
        let first = self.child(first, &mut Vec::new())?;
        match rest {
            [] => Some(first),
            rest => first.below(rest),
        }
    }

    /// Names of files, and of links that may lead to a file.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.names(Kind::Folder)
    }

    /// Names of folders, and of links that may lead to a folder.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        self.names(Kind::File)
    }

    /// Whether a name is a link; links may form a cycle.
    pub fn is_link(&self, name: &str) -> bool {
        self.entries.get(name) == Some(&Kind::Link)
    }

    /// Whether a file of this name exists, or a link that may lead to a file.
    pub fn has_file(&self, name: &str) -> bool {
        self.entries
            .get(name)
            .is_some_and(|kind| *kind != Kind::Folder)
    }

    /// The path of a file; a link without a target file is noted.
    pub fn file(&self, name: &str, notes: &mut Vec<Note>) -> Option<PathBuf> {
        if !self.has_file(name) {
            return None;
        }
        let path = self.reach_file(name);
        if path.is_none() {
            notes.push(Note::missing(
                self.show(name),
                "a link that leads to no file: fetch its content",
            ));
        }
        path
    }

    /// The path of a file, with links followed.
    pub fn reach_file(&self, name: &str) -> Option<PathBuf> {
        self.reach(name, Kind::File, Path::is_file)
    }

    /// The path of a folder, with links followed.
    pub fn reach_folder(&self, name: &str) -> Option<PathBuf> {
        self.reach(name, Kind::Folder, Path::is_dir)
    }

    fn reach(&self, name: &str, wanted: Kind, is_wanted: fn(&Path) -> bool) -> Option<PathBuf> {
        let path = self.path.join(name);
        let is_there = match self.entries.get(name)? {
            Kind::Link => is_wanted(&path),
            kind => *kind == wanted,
        };
        is_there.then_some(path)
    }

    /// The path of an entry of this folder, in the form of notes.
    pub fn show(&self, name: &str) -> String {
        match self.shown.as_str() {
            "" => name.to_owned(),
            shown => format!("{shown}/{name}"),
        }
    }

    fn names(&self, not: Kind) -> impl Iterator<Item = &str> {
        self.entries
            .iter()
            .filter(move |(_, kind)| **kind != not)
            .map(|(name, _)| name.as_str())
    }

    fn note_names(&self, notes: &mut Vec<Note>) {
        let names = self.not_utf8.iter();
        notes.extend(names.map(|name| Note::skipped(self.show(&name.to_string_lossy()), NOT_UTF8)));
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::listing::NoteKind;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    fn tree() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("inner")).unwrap();
        std::fs::write(root.path().join("inner/a.tsv"), "").unwrap();
        std::fs::write(root.path().join("b.tsv"), "").unwrap();
        symlink("inner", root.path().join("to-folder")).unwrap();
        symlink("b.tsv", root.path().join("to-file")).unwrap();
        symlink("gone", root.path().join("to-nothing")).unwrap();
        root
    }

    #[test]
    fn a_link_is_told_by_its_target() {
        let root = tree();
        let mut notes = Vec::new();
        let folder = Folder::root(root.path(), &mut notes).unwrap();
        assert!(folder.is_link("to-folder") && !folder.is_link("inner"));
        assert!(folder.child("to-folder", &mut notes).is_some());
        assert!(folder.child("to-file", &mut notes).is_none());
        assert!(folder.child("b.tsv", &mut notes).is_none());
        assert!(folder.file("to-file", &mut notes).is_some());
        assert!(folder.file("inner", &mut notes).is_none());
        assert_eq!(notes, []);
        assert!(folder.file("to-nothing", &mut notes).is_none());
        assert_eq!(
            (notes[0].kind, notes[0].what.as_str()),
            (NoteKind::Missing, "to-nothing")
        );
        assert!(folder.child("to-nothing", &mut notes).is_none());
        assert_eq!(notes.len(), 2);
    }

    #[test]
    fn a_name_that_is_not_utf_8_is_noted() {
        let root = tree();
        let path = root.path().join("inner");
        std::fs::write(path.join(OsStr::from_bytes(b"x\xff.tsv")), "").unwrap();
        let mut notes = Vec::new();
        let folder = Folder::root(root.path(), &mut notes).unwrap();
        let inner = folder.child("inner", &mut notes).unwrap();
        assert_eq!(inner.files().collect::<Vec<_>>(), ["a.tsv"]);
        assert_eq!(notes[0].what, "inner/x\u{fffd}.tsv");
        assert!(notes[0].why.contains("not UTF-8"));
    }

    #[test]
    fn a_root_that_is_not_there_is_an_error() {
        let root = tree();
        let error = Folder::root(&root.path().join("no"), &mut Vec::new()).unwrap_err();
        assert!(matches!(error, StudyError::Files(_)), "{error:?}");
    }
}
