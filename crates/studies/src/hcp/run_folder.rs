//! Folder of one run: its file names, and the choice of its signal file.

use std::path::PathBuf;

use super::folder_name::Run;
use super::remarks::Remarks;
use super::signal_name::{Kind, Rank, SignalName};
use crate::folder::Folder;
use crate::listing::{ListOptions, NoteKind};
use crate::shown::first_of;

/// Maximum number of file names in a message; the others are counted.
const NAMED: usize = 6;

/// The folder of one run.
pub(crate) struct RunFolder {
    pub name: String,
    pub run: Run,
    /// Its entries, or the error when it was read.
    pub entries: Result<Folder, String>,
}

/// The signal file of a run.
#[derive(Clone)]
pub(crate) struct Chosen {
    pub path: PathBuf,
    pub kind: Kind,
    pub variant: String,
    pub cleaning_steps: usize,
    /// The variants of all reachable files that the options allow.
    pub variants: Vec<(Rank, String)>,
}

impl Chosen {
    /// Whether it is a CIFTI-2 file; otherwise it is a NIfTI image.
    pub fn is_cifti(&self) -> bool {
        self.kind != Kind::Volumes
    }
}

impl RunFolder {
    /// The path of the file `name` in it, if it is reachable.
    pub fn file(&self, name: &str) -> Option<PathBuf> {
        self.entries.as_ref().ok()?.reach_file(name)
    }

    /// The path of the folder `name` in it, if it is reachable.
    pub fn folder(&self, name: &str) -> Option<PathBuf> {
        self.entries.as_ref().ok()?.reach_folder(name)
    }

    /// The cleanest reachable file that the options allow, of the variant `only` if it is given;
    /// otherwise the reason why there is none. Remarks name the folder of the subject,
    /// `subject_folder`.
    pub fn choose(
        &self,
        subject_folder: &str,
        options: &ListOptions,
        only: Option<&str>,
        remarks: &mut Remarks,
    ) -> Result<Chosen, String> {
        let all: Vec<SignalName<'_>> = self
            .entries
            .as_ref()
            .map_err(Clone::clone)?
            .files()
            .filter_map(|file| SignalName::parse(&self.name, file))
            .collect();
        if all.iter().any(|name| name.is_too_fine(options)) {
            let what = "files on the 1.6 mm or 59k grid";
            let why = "the grid of 2 mm and 32k is used: ask for the finer one with `variant`";
            remarks.add(NoteKind::Skipped, subject_folder, what, why);
        }

        let mut names: Vec<&SignalName<'_>> = (all.iter())
            .filter(|name| name.is_allowed(options))
            .filter(|name| only.is_none_or(|only| name.variant == only))
            .collect();
        // The sort is stable, and the entries are already sorted by name.
        names.sort_by_key(|name| std::cmp::Reverse(name.rank()));
        let found = names
            .iter()
            .enumerate()
            .find_map(|(at, name)| Some((at, self.file(name.file)?)));
        let Some((at, path)) = found else {
            return Err(nothing_fits(options, only, &all, &names));
        };

        let best = names[at];
        for broken in &names[..at] {
            let what = format!("{}/{}", self.name, broken.file);
            let why = format!(
                "the link leads nowhere, so {} is used: fetch the file",
                best.file
            );
            remarks.add(NoteKind::Missing, subject_folder, &what, why);
        }
        let equal: Vec<&str> = names[at + 1..]
            .iter()
            .take_while(|name| name.rank() == best.rank())
            .map(|name| name.file)
            .collect();
        if !equal.is_empty() {
            let why = format!(
                "{} is used, and as good by their names are {}: choose with `variant`",
                best.file,
                first_of(&equal, NAMED)
            );
            remarks.add(NoteKind::Skipped, subject_folder, &self.name, why);
        }
        Ok(Chosen {
            path,
            kind: best.kind,
            variant: best.variant.to_owned(),
            cleaning_steps: best.cleaning_steps,
            variants: names[at..]
                .iter()
                .filter(|name| self.file(name.file).is_some())
                .map(|name| (name.rank(), name.variant.to_owned()))
                .collect(),
        })
    }
}

fn nothing_fits(
    options: &ListOptions,
    only: Option<&str>,
    all: &[SignalName<'_>],
    allowed: &[&SignalName<'_>],
) -> String {
    let names: Vec<&str> = all.iter().map(|name| name.file).collect();
    if names.is_empty() {
        return "there is no .dtseries.nii or .ptseries.nii of its name".into();
    }
    if !allowed.is_empty() {
        let broken: Vec<&str> = allowed.iter().map(|name| name.file).collect();
        return format!(
            "the links lead nowhere, fetch one: {}",
            first_of(&broken, NAMED)
        );
    }
    if let Some(only) = only {
        return format!(
            "it has no file of the variant of its task, {only:?}: {}",
            first_of(&names, NAMED)
        );
    }
    let asked = match (&options.variant, &options.atlas_label) {
        (None, None) => "by default (`variant = \".nii.gz\"` asks for volumes)".to_owned(),
        (Some(variant), None) => format!("with `variant` {variant:?}"),
        (None, Some(label)) => format!("with `atlas_label` {label:?}"),
        (Some(variant), Some(label)) => {
            format!("with `variant` {variant:?} and `atlas_label` {label:?}")
        }
    };
    format!(
        "none of its files is used {asked}: {}",
        first_of(&names, NAMED)
    )
}
