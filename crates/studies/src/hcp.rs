//! Releases of the Human Connectome Project: the common part of HCP Young Adult and HCP-Aging,
//! `<subject>/MNINonLinear/Results/<run>/<run>_<suffixes>`.
//!
//! Every folder is read once; single files are checked only if they are links.

mod folder_name;
mod remarks;
mod run_folder;
mod signal_name;
mod walk;

use std::path::Path;

use crate::error::StudyError;
use crate::folder::Folder;
use crate::listing::{ListOptions, Listing, NoteKind};
pub(crate) use folder_name::{
    FolderName, Person, Run, after_modality, has_digits, is_word, parse_aging_visit,
};
pub(crate) use run_folder::{Chosen, RunFolder};
pub(crate) use walk::{Visit, Walk};

/// The properties of one release.
pub(super) struct Protocol {
    /// Form of the folder names of subjects, for messages.
    pub subject_form: &'static str,
    /// Seconds between volumes.
    pub tr_secs: f64,
    /// The runs of a complete subject.
    pub runs: &'static [&'static str],
    /// Parses the folder name of a subject; `None` for another folder.
    pub parse_subject: fn(&str) -> Option<Person>,
    /// Parses the name of a folder in `Results`; `None` for a folder that is ignored.
    pub parse_run: fn(&str) -> Option<FolderName>,
}

/// Lists a release with one folder per run.
///
/// # Errors
/// An error when `root` cannot be read, or when a scan lacks the variant of its task.
pub(super) fn list(
    protocol: &Protocol,
    root: &Path,
    options: &ListOptions,
) -> Result<Listing, StudyError> {
    Walk::in_one_variant(protocol, root, options, |walk| {
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
        Ok(())
    })
}

/// Maximum number of subject folders that are searched to recognise a layout.
const TRIES: usize = 3;

/// Whether the first six-digit subject with runs has a run whose name passes the test.
pub(super) fn has_young_adult_runs(root: &Path, passes: impl Fn(&[&str]) -> bool) -> bool {
    let Ok(top) = Folder::root(root, &mut Vec::new()) else {
        return false;
    };
    let subjects = top.folders().filter(|name| has_digits(name, "", 6));
    let results = subjects.take(TRIES).find_map(|subject| {
        top.below(&[subject, "MNINonLinear", "Results"])
            .or_else(|| top.below(&[subject, "files", "MNINonLinear", "Results"]))
    });
    results.is_some_and(|results| passes(&results.folders().collect::<Vec<_>>()))
}

/// Whether a run was acquired at 7 T.
pub(super) fn is_7t(run: &str) -> bool {
    run.contains("_7T_")
}
