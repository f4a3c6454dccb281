//! Release of the Human Connectome Project: what HCP Young Adult and HCP-Aging share,
//! `<subject>/MNINonLinear/Results/<run>/<run>_<suffixes>`.
//!
//! Every folder is read once; nothing is asked about single files, except where links lead.

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

/// What tells one release from another.
pub(super) struct Protocol {
    /// How the folder of a subject is named, for a person to read.
    pub subject_form: &'static str,
    /// Seconds between volumes.
    pub tr_secs: f64,
    /// The runs of a complete subject.
    pub runs: &'static [&'static str],
    /// What the name of a folder says of a subject; `None` when it is no subject's.
    pub parse_subject: fn(&str) -> Option<Person>,
    /// What the name of a folder in `Results` says; `None` when it is of no interest.
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

/// The first folders of subjects that are looked into before a layout gives up to recognise one.
const TRIES: usize = 3;

/// Whether the first subject of six digits that has runs has some whose name passes.
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

/// Whether a run is one at 7 T.
pub(super) fn is_7t(run: &str) -> bool {
    run.contains("_7T_")
}
