//! Which layout a folder seems to have, by its tell-tale names.

use std::path::Path;

use super::Layout;
use super::bids_name::BidsName;
use super::folder::Folder;
use super::{manifest, nsd};

/// Entries of a kind that are looked into before giving up.
const TRIES: usize = 3;

/// The layout whose names are in `root`, after a look into a few folders.
pub(super) fn layout_of(root: &Path) -> Option<Layout> {
    let top = Folder::root(root, &mut Vec::new()).ok()?;
    if manifest::NAMES.iter().any(|name| top.has_file(name)) {
        return Some(Layout::Manifest);
    }
    let nsd =
        |name: &str| ["nsddata_timeseries", "ppdata"].contains(&name) || nsd::is_subject(name);
    if top.folders().any(nsd) {
        return Some(Layout::Nsd);
    }
    if top.folders().any(is_aging) {
        return Some(Layout::HcpAging);
    }
    let subjects = top.folders().filter(|name| is_hcp(name)).take(TRIES);
    for subject in subjects {
        let results = folder(&top, &[subject, "MNINonLinear", "Results"])
            .or_else(|| folder(&top, &[subject, "files", "MNINonLinear", "Results"]));
        if let Some(results) = results {
            let is_7t = results.folders().any(|run| run.contains("_7T_"));
            let is_3t = results.folders().any(|run| !run.contains("_7T_"));
            return Some(if is_7t && !is_3t {
                Layout::Hcp7t
            } else {
                Layout::HcpYa
            });
        }
    }
    let subjects = top.folders().filter(|name| name.starts_with("sub-"));
    for subject in subjects.take(TRIES) {
        let Some(subject) = folder(&top, &[subject]) else {
            continue;
        };
        let sessions = subject.folders().filter(|name| name.starts_with("ses-"));
        let inner = sessions.filter_map(|session| folder(&subject, &[session, "func"]));
        let found = folder(&subject, &["func"])
            .into_iter()
            .chain(inner.take(TRIES))
            .find_map(|func| func.files().find_map(of_derivative));
        if found.is_some() {
            return found;
        }
    }
    None
}

fn folder(top: &Folder, names: &[&str]) -> Option<Folder> {
    let mut notes = Vec::new();
    let (first, rest) = names.split_first()?;
    let first = top.child(first, &mut notes)?;
    match rest {
        [] => Some(first),
        rest => folder(&first, rest),
    }
}

fn is_hcp(name: &str) -> bool {
    name.len() == 6 && name.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_aging(name: &str) -> bool {
    name.strip_prefix("HCA")
        .and_then(|rest| rest.get(..7))
        .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn of_derivative(file: &str) -> Option<Layout> {
    let name = BidsName::parse(file)?;
    match (name.suffix, name.get("atlas").or(name.get("seg"))) {
        ("timeseries", Some(_)) => Some(Layout::Xcpd),
        ("bold", None) if name.get("desc") == Some("preproc") => Some(Layout::Fmriprep),
        ("bold", None) if name.extension == ".dtseries.nii" && name.get("desc").is_none() => {
            Some(Layout::Fmriprep)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::bids_tree::tests::tree;
    use super::*;

    #[test]
    fn layouts_are_known_by_their_names() {
        for (file, layout) in [
            ("manifest.csv", Some(Layout::Manifest)),
            ("nsddata_timeseries/a", Some(Layout::Nsd)),
            ("subj01/func1mm/a", Some(Layout::Nsd)),
            ("HCA9999999_V1_MR/a", Some(Layout::HcpAging)),
            (
                "999901/MNINonLinear/Results/rfMRI_REST1_LR/a",
                Some(Layout::HcpYa),
            ),
            (
                "999901/files/MNINonLinear/Results/rfMRI_REST1_7T_PA/a",
                Some(Layout::Hcp7t),
            ),
            (
                "sub-1/func/sub-1_task-a_seg-4S156Parcels_stat-mean_timeseries.tsv",
                Some(Layout::Xcpd),
            ),
            (
                "sub-1/ses-1/func/sub-1_ses-1_task-a_space-fsLR_den-91k_bold.dtseries.nii",
                Some(Layout::Fmriprep),
            ),
            (
                "sub-1/func/sub-1_task-a_desc-preproc_bold.nii.gz",
                Some(Layout::Fmriprep),
            ),
            ("sub-1/func/sub-1_task-a_bold.nii.gz", None),
            ("README", None),
        ] {
            let root = tree(&[file]);
            assert_eq!(layout_of(root.path()), layout, "{file}");
        }
    }
}
