//! Problems of a listing: no scan found, or one scan twice.

use std::fmt;
use std::path::PathBuf;

use brainmae_files::id::ScanId;

use crate::listing::Note;
use crate::shown::few;

/// Why a folder cannot be listed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ListingProblem {
    /// The layout finds no scan in the folder.
    #[error("{0}")]
    NothingFound(Box<NothingFound>),
    /// Two files have the name of one scan.
    #[error("the scan {scan} is in {first:?} too: choose one with `variant`, a part of its name")]
    ScanTwice {
        /// The scan.
        scan: ScanId,
        /// The first of its files.
        first: PathBuf,
    },
}

/// Details of a search that found no scan.
#[derive(Clone, Debug, PartialEq)]
pub struct NothingFound {
    /// Name of the layout.
    pub layout: &'static str,
    /// The files that it looks for.
    pub about: &'static str,
    /// The requested subjects; all when empty.
    pub subjects: Vec<String>,
    /// The requested tasks; all when empty.
    pub tasks: Vec<String>,
    /// The first notes of the layout.
    pub notes: Vec<Note>,
    /// Name and files of another layout that the folder looks like.
    pub fits: Option<(&'static str, &'static str)>,
}

impl fmt::Display for NothingFound {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "no scan of layout {} ({})", self.layout, self.about)?;
        let asked = [("subjects", &self.subjects), ("tasks", &self.tasks)];
        for (name, asked) in asked.into_iter().filter(|(_, asked)| !asked.is_empty()) {
            write!(out, "; {name} asked for: {}", few(asked))?;
        }
        for note in &self.notes {
            write!(out, "; {}: {}", note.what, note.why)?;
        }
        if let Some((layout, about)) = self.fits {
            write!(out, "; this looks like layout {layout} ({about})")?;
        }
        Ok(())
    }
}
