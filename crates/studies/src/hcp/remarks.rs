//! Remarks of a listing, joined so that the same remark on many subjects appears once.

use std::collections::BTreeMap;

use crate::listing::{Note, NoteKind};
use crate::shown::first_of;

/// Maximum number of subjects named in a remark; the others are counted.
const NAMED: usize = 8;

/// Remarks, each with the subject folders to which it applies.
#[derive(Default)]
pub(crate) struct Remarks(BTreeMap<(NoteKind, String, String), Vec<String>>);

impl Remarks {
    /// Adds the remark `why` on `what` in the folder of a subject; an empty `what` means the folder
    /// itself.
    pub fn add(&mut self, kind: NoteKind, folder: &str, what: &str, why: impl Into<String>) {
        let folders = self
            .0
            .entry((kind, what.to_owned(), why.into()))
            .or_default();
        if folders.last().is_none_or(|last| last != folder) {
            folders.push(folder.to_owned());
        }
    }

    /// One note per remark.
    pub fn into_notes(self) -> Vec<Note> {
        self.0
            .into_iter()
            .map(|((kind, what, why), folders)| note(kind, what, why, &folders))
            .collect()
    }
}

fn note(kind: NoteKind, what: String, why: String, folders: &[String]) -> Note {
    let join = |folder: &str, what: &str| match (folder, what) {
        ("", what) => what.to_owned(),
        (folder, "") => folder.to_owned(),
        (folder, what) => format!("{folder}/{what}"),
    };
    if let [folder] = folders {
        return Note {
            kind,
            what: join(folder, &what),
            why,
        };
    }
    let n = folders.len();
    let named = first_of(folders, NAMED);
    Note {
        kind,
        what: join("", if what.is_empty() { "subjects" } else { &what }),
        why: format!("{why} ({n} folders: {named})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_for_many_subjects_is_said_once() {
        let mut remarks = Remarks::default();
        for subject in 0..10 {
            remarks.add(NoteKind::Missing, &subject.to_string(), "run", "not there");
            remarks.add(NoteKind::Missing, &subject.to_string(), "run", "not there");
        }
        remarks.add(NoteKind::Skipped, "7", "run", "broken");
        remarks.add(NoteKind::Skipped, "8", "", "cannot be read");
        let notes = remarks.into_notes();
        let said: Vec<_> = notes
            .iter()
            .map(|note| format!("{}: {}", note.what, note.why))
            .collect();
        assert_eq!(
            said,
            [
                "run: not there (10 folders: 0, 1, 2, 3, 4, 5, 6, 7 and 2 more)",
                "8: cannot be read",
                "7/run: broken",
            ]
        );
    }
}
