//! Problems of a listing: no scan found, one scan twice, or several variants in one task.

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
    /// Scans of one task have signal files of different variants.
    #[error("{0}")]
    MixedVariants(MixedVariants),
}

/// Tasks whose scans have no common variant of signal files, or lack the cleanest one.
#[derive(Clone, Debug, PartialEq)]
pub struct MixedVariants {
    /// The tasks.
    pub tasks: Vec<MixedTask>,
    /// Whether the cleanest variant of all scans of a task was requested.
    pub common_asked: bool,
}

/// A task whose scans are not of one variant.
#[derive(Clone, Debug, PartialEq)]
pub struct MixedTask {
    /// The task; empty if scans have none.
    pub task: String,
    /// Its cleanest variant; if a common variant was requested, its most frequent one.
    pub variant: String,
    /// Number of scans of the task.
    pub n_scans: usize,
    /// The scans that lack this variant.
    pub lacking: Vec<ScanId>,
    /// The cleanest variant that all scans of the task have, if there is one.
    pub common: Option<String>,
}

impl fmt::Display for MixedVariants {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let which = match self.common_asked {
            true => "no variant is common to all scans; the most frequent one",
            false => "the cleanest variant",
        };
        for task in &self.tasks {
            let name = match &*task.task {
                "" => "scans without a task".to_owned(),
                name => format!("task {name}"),
            };
            let lacking: Vec<&str> = task.lacking.iter().map(ScanId::as_str).collect();
            write!(
                out,
                "{name}: {which}, {:?}, is missing in {} of {} scans ({})",
                task.variant,
                lacking.len(),
                task.n_scans,
                lacking.join(", ")
            )?;
            match &task.common {
                Some(common) => write!(out, ", and all have {common:?}; ")?,
                None => write!(out, "; ")?,
            }
        }
        out.write_str("scans of a task must be of one variant: fetch the missing files, ")?;
        if self.tasks.iter().any(|task| task.common.is_some()) {
            out.write_str("set `common_variant` for the cleanest one that all scans have, ")?;
        }
        out.write_str("or give a part of its name as `variant`, which leaves out scans without it")
    }
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
