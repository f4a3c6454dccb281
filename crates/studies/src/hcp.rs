//! What the releases of the Human Connectome Project share:
//! `<subject>/MNINonLinear/Results/<run>/<run>_<suffixes>`.
//!
//! Every folder is read once; nothing is asked about single files, except where links lead.

mod folder;
mod folder_name;
mod remarks;
mod run_folder;
mod signal_name;
#[cfg(test)]
mod tests;
mod walk;

use std::path::Path;

use super::{ListOptions, Listing, NoteKind};
use crate::error::StudyError;
pub(crate) use folder_name::parse_aging_visit;
pub(super) use folder_name::{FolderName, Person, Run, after_modality, has_digits, is_word};
pub(super) use run_folder::{Chosen, RunFolder};
#[cfg(test)]
pub(super) use tests::Tree;
pub(super) use walk::{Visit, Walk};

/// What tells one release from another.
pub(super) struct Protocol {
    /// How the folder of a subject is named, for a person to read.
    pub subject_form: &'static str,
    /// Seconds between volumes.
    pub tr_secs: f64,
    /// The runs of a complete subject.
    pub runs: &'static [&'static str],
    /// What the name of a folder says of a subject; none when it is no subject's.
    pub parse_subject: fn(&str) -> Option<Person>,
    /// What the name of a folder in `Results` says; none when it is of no interest.
    pub parse_run: fn(&str) -> Option<FolderName>,
}

/// Lists a release whose runs lie in folders of their own.
///
/// # Errors
/// When `root` cannot be read.
pub(super) fn list(
    protocol: &Protocol,
    root: &Path,
    options: &ListOptions,
) -> Result<Listing, StudyError> {
    let mut walk = Walk::new(protocol, root, options);
    for visit in walk.visits()? {
        let Some(runs) = walk.runs(&visit) else {
            continue;
        };
        for run in &runs {
            match walk.choose(&visit, run) {
                Ok(chosen) => walk.add(&visit, &run.run, chosen, None, Some(run)),
                Err(why) => {
                    let folder = &visit.folder;
                    walk.remarks.add(NoteKind::Missing, folder, &run.name, why);
                }
            }
        }
        walk.remark_missing(&visit, |name| runs.iter().any(|run| run.name == name));
    }
    Ok(walk.finish())
}
