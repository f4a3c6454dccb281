//! HCP Young Adult at 3 T (S1200 and the 2025 release): runs `rfMRI_REST1_LR`, `tfMRI_WM_RL`, ….

#[cfg(test)]
mod tests;

use std::path::Path;

use crate::error::StudyError;
use crate::hcp::{self, FolderName, Person, Protocol, Run, after_modality, has_digits, is_word};
use crate::layout::BuiltIn;
use crate::listing::{ListOptions, Listing};

/// The TR is 0.72 s by the protocol of the release.
const PROTOCOL: Protocol = Protocol {
    subject_form: "with six digits",
    tr_secs: 0.72,
    runs: &[
        "rfMRI_REST1_LR",
        "rfMRI_REST1_RL",
        "rfMRI_REST2_LR",
        "rfMRI_REST2_RL",
        "tfMRI_EMOTION_LR",
        "tfMRI_EMOTION_RL",
        "tfMRI_GAMBLING_LR",
        "tfMRI_GAMBLING_RL",
        "tfMRI_LANGUAGE_LR",
        "tfMRI_LANGUAGE_RL",
        "tfMRI_MOTOR_LR",
        "tfMRI_MOTOR_RL",
        "tfMRI_RELATIONAL_LR",
        "tfMRI_RELATIONAL_RL",
        "tfMRI_SOCIAL_LR",
        "tfMRI_SOCIAL_RL",
        "tfMRI_WM_LR",
        "tfMRI_WM_RL",
    ],
    parse_subject,
    parse_run,
};

/// The release at 3 T; its root contains the subjects, or a folder with them.
pub static LAYOUT: BuiltIn = BuiltIn::new("hcp", recognise, list)
    .about("HCP Young Adult 3T: <subject>/MNINonLinear/Results/{rfMRI,tfMRI}_*_{LR,RL}/");

fn recognise(root: &Path) -> bool {
    // A release with 7 T runs only is another layout.
    hcp::has_young_adult_runs(root, |runs| {
        runs.is_empty() || !runs.iter().all(|run| hcp::is_7t(run))
    })
}

fn list(root: &Path, options: &ListOptions) -> Result<Listing, StudyError> {
    hcp::list(&PROTOCOL, root, options)
}

fn parse_subject(folder: &str) -> Option<Person> {
    has_digits(folder, "", 6).then(|| Person {
        subject: folder.to_owned(),
        session: "3T".to_owned(),
        scan_prefix: format!("sub-{folder}"),
    })
}

fn parse_run(folder: &str) -> Option<FolderName> {
    let name = after_modality(folder)?;
    match name.split_once('_') {
        Some((name, direction @ ("LR" | "RL"))) if is_word(name) => {
            Some(FolderName::Run(Run::new(name, direction)))
        }
        _ if name.split('_').any(|part| part == "7T") => Some(FolderName::Other(
            "runs at 7 T".to_owned(),
            "another protocol: list them with the layout hcp-7t",
        )),
        // The second-level folder of a task analysis lies beside the two runs of the task.
        None if folder.starts_with("tfMRI_") => None,
        _ => Some(FolderName::Other(
            folder.to_owned(),
            "not the name of a single run of this release",
        )),
    }
}
