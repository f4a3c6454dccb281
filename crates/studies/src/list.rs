//! List of the scans of a folder, sorted and checked.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use brainmae_files::id::ScanId;

use crate::error::{ListingProblem, NothingFound, StudyError};
use crate::layout::StudyLayout;
use crate::listing::{FoundScan, ListOptions, Listing, Note, is_task};
use crate::registry;

/// Maximum number of layout notes in the error on an empty folder.
const NOTES_REPEATED: usize = 3;

/// Lists the scans in the folder `root`, sorted by subject and name.
///
/// Expected but missing files are noted, and so are unused files.
///
/// # Errors
/// [`StudyError::Config`] with the possible values for ambiguous options; [`StudyError::Listing`]
/// when no scan is found, with the layout that would fit, and when two files have the name of one
/// scan; [`StudyError::Manifest`] for an invalid manifest; [`StudyError::Files`] when `root` cannot
/// be read.
pub fn list(
    layout: &dyn StudyLayout,
    root: &Path,
    options: &ListOptions,
) -> Result<Listing, StudyError> {
    let mut listing = layout.list(root, options)?;
    if listing.scans.is_empty() {
        return Err(nothing_found(layout, root, options, listing.notes));
    }
    listing
        .scans
        .sort_by(|one, other| (&one.subject, &one.scan).cmp(&(&other.subject, &other.scan)));
    check_unique(&listing.scans)?;
    for wanted in &options.subjects {
        let label = wanted.strip_prefix("sub-").unwrap_or(wanted);
        let mut found = listing.scans.iter().map(|scan| scan.subject.as_str());
        if !found.any(|subject| subject == wanted || subject == label) {
            let note = Note::missing(wanted, "no scan of this subject was found");
            listing.notes.push(note);
        }
    }
    for wanted in &options.tasks {
        let mut found = listing
            .scans
            .iter()
            .map(|scan| scan.task.as_deref().unwrap_or_default());
        if !found.any(|task| is_task(wanted, task)) {
            let note = Note::missing(format!("task {wanted}"), "no scan of this task was found");
            listing.notes.push(note);
        }
    }
    Ok(listing)
}

/// Checks that no two files belong to one scan.
fn check_unique(scans: &[FoundScan]) -> Result<(), StudyError> {
    let mut files: HashMap<&ScanId, &PathBuf> = HashMap::new();
    for scan in scans {
        let path = scan.signal.path();
        if let Some(first) = files.insert(&scan.scan, path) {
            return Err(StudyError::Listing {
                path: path.clone(),
                problem: ListingProblem::ScanTwice {
                    scan: scan.scan.clone(),
                    first: first.clone(),
                },
            });
        }
    }
    Ok(())
}

/// The error for a folder without scans: what was looked for, what was found, and a better layout.
fn nothing_found(
    layout: &dyn StudyLayout,
    root: &Path,
    options: &ListOptions,
    mut notes: Vec<Note>,
) -> StudyError {
    notes.truncate(NOTES_REPEATED);
    let fits = registry::recognise(root).filter(|other| other.name() != layout.name());
    StudyError::Listing {
        path: root.to_owned(),
        problem: ListingProblem::NothingFound(Box::new(NothingFound {
            layout: layout.name(),
            about: layout.about(),
            subjects: options.subjects.clone(),
            tasks: options.tasks.clone(),
            notes,
            fits: fits.map(|other| (other.name(), other.about())),
        })),
    }
}

#[cfg(test)]
mod tests;
