//! HCP-Aging and AABC: `HCA6000030_V1_MR/…/rfMRI_REST1_AP`, or a concatenation of the four rest
//! runs.
//!
//! The subject is `HCA6000030`. A visit is one of its sessions, so that splits keep visits
//! together.

mod seams;
#[cfg(test)]
mod tests;

use std::path::Path;

use crate::error::StudyError;
use crate::folder::Folder;
use crate::hcp::{
    Chosen, FolderName, Person, Protocol, Run, RunFolder, Visit, Walk, after_modality, has_digits,
    is_word, parse_aging_visit,
};
use crate::layout::BuiltIn;
use crate::listing::{ListOptions, Listing, NoteKind};
use seams::RUNS;

/// Name of the concatenation of the rest runs of a visit.
const CONCATENATION: &str = "rfMRI_REST";

/// The TR is 0.8 s by the protocol of the release.
const PROTOCOL: Protocol = Protocol {
    subject_form: "as HCA6000030_V1_MR",
    tr_secs: 0.8,
    runs: &[
        RUNS[0],
        RUNS[1],
        RUNS[2],
        RUNS[3],
        "tfMRI_CARIT_PA",
        "tfMRI_FACENAME_PA",
        "tfMRI_VISMOTOR_PA",
    ],
    parse_subject,
    parse_run,
};

/// HCP-Aging and AABC; the root contains the visits, or a folder with them.
pub static LAYOUT: BuiltIn = BuiltIn::new("hcp-aging", recognise, list)
    .about("HCP-Aging and AABC: HCA<subject>_<visit>_MR/MNINonLinear/Results/*/");

fn recognise(root: &Path) -> bool {
    let is_visit = |name: &str| {
        let subject = name.get(..SUBJECT_LEN);
        subject.is_some_and(|subject| has_digits(subject, "HCA", 7))
    };
    Folder::root(root, &mut Vec::new()).is_ok_and(|top| top.folders().any(is_visit))
}

/// Number of characters of `HCA6000030`.
const SUBJECT_LEN: usize = 10;

/// Lists the scans of the release.
///
/// The rest runs come from their own files. If there are none, or if the concatenation is cleaner,
/// they are cut from the concatenation instead; both are never mixed. Listing reads the header of a
/// concatenation and counts the lines of movement files.
///
/// # Errors
/// An error when `root` cannot be read, or when a scan lacks the variant of its task.
fn list(root: &Path, options: &ListOptions) -> Result<Listing, StudyError> {
    Walk::in_one_variant(&PROTOCOL, root, options, |walk| {
        for visit in walk.visits()? {
            let Some(folders) = walk.runs(&visit) else {
                continue;
            };
            let (joined, single): (Vec<_>, Vec<_>) = folders
                .into_iter()
                .partition(|folder| folder.name == CONCATENATION);
            let (rest, tasks): (Vec<_>, Vec<_>) =
                single.iter().partition(|folder| folder.run.task == "rest");
            for folder in &tasks {
                let chosen = walk.choose(&visit, folder);
                add_or_remark(walk, &visit, folder, chosen);
            }
            let listed = add_rest(walk, &visit, joined.first(), &rest);
            walk.remark_missing(&visit, |name| {
                listed.contains(&name) || tasks.iter().any(|folder| folder.name == name)
            });
        }
        Ok(())
    })
}

fn add_or_remark(
    walk: &mut Walk<'_>,
    visit: &Visit,
    folder: &RunFolder,
    chosen: Result<Chosen, String>,
) {
    match chosen {
        Ok(chosen) => walk.add(visit, &folder.run, chosen, None, Some(folder)),
        Err(why) => walk
            .remarks
            .add(NoteKind::Missing, &visit.folder, &folder.name, why),
    }
}

/// Adds the rest runs of a visit; returns the names of the runs that need no further remark.
fn add_rest<'f>(
    walk: &mut Walk<'_>,
    visit: &Visit,
    joined: Option<&RunFolder>,
    rest: &[&'f RunFolder],
) -> Vec<&'f str> {
    let mut single: Vec<_> = rest
        .iter()
        .map(|folder| (*folder, walk.choose(visit, folder)))
        .collect();
    let steps = single
        .iter()
        .filter_map(|(_, chosen)| Some(chosen.as_ref().ok()?.cleaning_steps))
        .min();
    if let Some(joined) = joined {
        match walk.choose(visit, joined) {
            Ok(whole) => {
                let is_better = match walk.knows_variant(&joined.run.task) {
                    true => single.is_empty() || single.iter().any(|(_, chosen)| chosen.is_err()),
                    false => steps.is_none_or(|steps| whole.cleaning_steps > steps),
                };
                if is_better {
                    match add_parts(walk, visit, whole, &single) {
                        Ok(listed) => return listed,
                        Err(why) => {
                            walk.remarks
                                .add(NoteKind::Skipped, &visit.folder, CONCATENATION, why);
                        }
                    }
                } else {
                    for chosen in single.iter_mut().filter_map(|(_, run)| run.as_mut().ok()) {
                        chosen.variants.extend(whole.variants.clone());
                    }
                }
            }
            // There are no single runs either, so the visit has no rest runs.
            Err(why) if steps.is_none() => {
                walk.remarks
                    .add(NoteKind::Missing, &visit.folder, CONCATENATION, why);
            }
            Err(_) => {}
        }
    }
    for (folder, chosen) in single {
        add_or_remark(walk, visit, folder, chosen);
    }
    rest.iter().map(|folder| folder.name.as_str()).collect()
}

/// Cuts the concatenation `whole` into its runs; returns the names of the runs that need no further
/// remark.
fn add_parts(
    walk: &mut Walk<'_>,
    visit: &Visit,
    whole: Chosen,
    rest: &[(&RunFolder, Result<Chosen, String>)],
) -> Result<Vec<&'static str>, String> {
    if !whole.is_cifti() {
        return Err("a concatenation of volumes is not cut: use its .dtseries.nii".into());
    }
    let single = |name: &str| rest.iter().find(|(folder, _)| folder.name == name);
    let mut counted = Vec::new();
    for name in RUNS {
        let movement = single(name).and_then(|(folder, _)| folder.file("Movement_Regressors.txt"));
        if let Some(path) = movement {
            let n = seams::count_lines(&path)
                .map_err(|error| format!("the movement of {name} cannot be read: {error}"))?;
            counted.push((name, n));
        }
    }
    let parts = seams::cut(seams::count_volumes(&whole.path)?, &counted)?;
    if parts.iter().any(|(name, _)| name.is_none()) {
        let why = format!(
            "it has {} of the {} resting runs, which ones is not known: they are numbered",
            parts.len(),
            RUNS.len()
        );
        walk.remarks
            .add(NoteKind::Missing, &visit.folder, CONCATENATION, why);
    }
    let mut listed = Vec::new();
    for (at, (name, part)) in parts.into_iter().enumerate() {
        let run = match name.and_then(parse_run) {
            Some(FolderName::Run(run)) => run,
            _ => Run {
                number: Some(at + 1),
                ..concatenation()
            },
        };
        let own = name.and_then(single);
        let mut chosen = whole.clone();
        if let Some((_, Ok(alone))) = own {
            chosen.variants.extend(alone.variants.clone());
        }
        walk.add(
            visit,
            &run,
            chosen,
            Some(part),
            own.map(|(folder, _)| *folder),
        );
        match name {
            Some(name) => listed.push(name),
            None => listed.extend(RUNS),
        }
    }
    Ok(listed)
}

fn parse_subject(folder: &str) -> Option<Person> {
    let (subject, visit) = parse_aging_visit(folder)?;
    Some(Person {
        subject: subject.to_owned(),
        session: visit.to_owned(),
        scan_prefix: format!("sub-{subject}_ses-{visit}"),
    })
}

fn concatenation() -> Run {
    Run {
        task: "rest".to_owned(),
        acquisition: None,
        direction: None,
        number: None,
    }
}

fn parse_run(folder: &str) -> Option<FolderName> {
    let name = after_modality(folder)?;
    match name.split_once('_') {
        Some((name, direction @ ("AP" | "PA"))) if is_word(name) => {
            Some(FolderName::Run(Run::new(name, direction)))
        }
        _ if folder == CONCATENATION => Some(FolderName::Run(concatenation())),
        _ => Some(FolderName::Other(
            folder.to_owned(),
            "not the name of a single run of this release",
        )),
    }
}
