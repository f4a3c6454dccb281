//! fMRIPrep: preprocessed volumes or grayordinates, with a table of confounds for each scan.
//!
//! | file | signals |
//! |---|---|
//! | `…_space-fsLR_den-91k_bold.dtseries.nii` | grayordinates, taken first |
//! | `…_space-<s>[_res-<r>]_desc-preproc_bold.nii.gz` | volumes, MNI152NLin2009cAsym first |
//! | `…_desc-confounds_timeseries.tsv` | confounds; `…_regressors.tsv` in older versions |

use std::path::Path;

use crate::bids_tree::{self, FuncFolder, ScanFile};
use crate::choice::{Candidate, choose, companion};
use crate::error::StudyError;
use crate::layout::BuiltIn;
use crate::listing::{ConfoundFile, EventFiles, FoundScan, ListOptions, Listing, Note, SignalFile};
use crate::shown::few;
use crate::sidecar;
use crate::subject_labels::SubjectLabels;

/// Spaces of a single subject, which do not fit an atlas.
const OWN_SPACES: [&str; 5] = ["T1w", "T2w", "boldref", "func", "fsnative"];

/// Derivatives of fMRIPrep.
pub static LAYOUT: BuiltIn = BuiltIn::new("fmriprep", recognise, list)
    .about("fMRIPrep: sub-*/[ses-*/]func/*_bold.dtseries.nii or *_desc-preproc_bold.nii.gz");

fn recognise(root: &Path) -> bool {
    bids_tree::any_func_file(root, |name| {
        let is_parcellated = name.get("atlas").or(name.get("seg")).is_some();
        let is_preprocessed = match name.get("desc") {
            None => name.extension == ".dtseries.nii",
            desc => desc == Some("preproc"),
        };
        name.suffix == "bold" && is_preprocessed && !is_parcellated
    })
}

/// Lists the preprocessed scans.
fn list(root: &Path, options: &ListOptions) -> Result<Listing, StudyError> {
    options.warn_of_atlas_label("fmriprep");
    let mut notes = Vec::new();
    let mut labels = SubjectLabels::new(root, options)?;
    let folders = bids_tree::func_folders(root, "fmriprep", options, &mut notes)?;
    let files: Vec<Vec<ScanFile>> = folders
        .iter()
        .map(|folder| folder.scan_files(&mut notes))
        .collect();
    let mut n_echoes = 0;
    let mut candidates = Vec::new();
    for (folder, files) in files.iter().enumerate() {
        for file in files.iter().filter(|file| file.is_wanted(options)) {
            let Some(rank) = rank(file) else { continue };
            if file.name.get("echo").is_some() {
                n_echoes += 1;
                continue;
            }
            // The label volume of a subject labels voxels, so grayordinates cannot be used with it.
            if labels.is_some() && is_cifti(file) {
                continue;
            }
            candidates.push(Candidate {
                folder,
                file: file.clone(),
                output: file.name.output(),
                rank,
                order: u8::from(file.name.extension == ".nii"),
            });
        }
    }
    if n_echoes > 0 {
        notes.push(Note::skipped(
            "echoes",
            format!("{n_echoes} files hold a single echo, only combined echoes are used"),
        ));
    }
    let chosen = choose(root, candidates, options, &mut notes)?;

    let mut scans = Vec::new();
    let mut without_confounds = Vec::new();
    for choice in &chosen {
        let (folder, files) = (&folders[choice.folder], &files[choice.folder]);
        let Some(scan) = found_scan(&choice.file, files, folder, labels.as_mut(), &mut notes)
        else {
            continue;
        };
        if scan.confounds.is_none() {
            without_confounds.push(choice.file.scan.as_str());
        }
        scans.push(scan);
    }
    if !without_confounds.is_empty() {
        let why = format!(
            "{} scans have no _desc-confounds_timeseries.tsv: confounds cannot be regressed out",
            without_confounds.len()
        );
        notes.push(Note::missing(few(&without_confounds), why));
    }
    Ok(Listing { scans, notes })
}

fn is_cifti(file: &ScanFile<'_>) -> bool {
    file.name.extension == ".dtseries.nii"
}

/// Rank of a file of preprocessed signals, the best is 0; `None` for other files.
fn rank(file: &ScanFile<'_>) -> Option<u8> {
    let name = &file.name;
    let is_volume =
        [".nii.gz", ".nii"].contains(&name.extension) && name.get("desc") == Some("preproc");
    let is_cifti = is_cifti(file) && matches!(name.get("desc"), None | Some("preproc"));
    if name.suffix != "bold" || !(is_volume || is_cifti) {
        return None;
    }
    Some(match (name.get("space"), name.get("den")) {
        (_, Some("91k")) if is_cifti => 0,
        _ if is_cifti => 1,
        (Some("MNI152NLin2009cAsym"), _) => 2,
        (Some(space), _) if !OWN_SPACES.contains(&space) => 3,
        _ => 4,
    })
}

/// The scan with its companion files, or a note why it cannot be used.
fn found_scan(
    of: &ScanFile<'_>,
    files: &[ScanFile<'_>],
    folder: &FuncFolder,
    labels: Option<&mut SubjectLabels>,
    notes: &mut Vec<Note>,
) -> Option<FoundScan> {
    let path = folder.func.file(of.file, notes)?;
    let signal = if is_cifti(of) {
        SignalFile::Cifti(path)
    } else {
        let labels = match labels {
            Some(labels) => Some(labels.of(of.name.get("sub")?, notes)?),
            None => None,
        };
        SignalFile::Nifti { bold: path, labels }
    };
    let tr_secs = match sidecar::tr_secs(of, files, folder) {
        Ok(tr_secs) => tr_secs,
        Err(error) => {
            notes.push(Note::skipped(folder.func.show(of.file), error.to_string()));
            return None;
        }
    };
    let mut table = |suffix: &str, desc: Option<&str>| {
        companion(of, files, folder, notes, |other| {
            let name = &other.name;
            name.suffix == suffix && name.extension == ".tsv" && name.get("desc") == desc
        })
    };
    let confounds = table("timeseries", Some("confounds"))
        .or_else(|| table("regressors", Some("confounds")))
        .map(ConfoundFile::Fmriprep);
    Some(FoundScan {
        tr_secs,
        confounds,
        events: table("events", None).map_or(EventFiles::None, EventFiles::Bids),
        ..of.found_scan(signal)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::tree::tree;

    const VOLUME: &str = "sub-1/func/sub-1_task-rest_space-MNI152NLin2009cAsym_desc-preproc_bold";
    const SIX: &str = "sub-1/func/sub-1_task-rest_space-MNI152NLin6Asym_res-2_desc-preproc_bold";
    const CIFTI: &str = "sub-1/func/sub-1_task-rest_space-fsLR_den-91k_bold";
    const OWN: &str = "sub-1/func/sub-1_task-rest_desc-preproc_bold";
    const CONFOUNDS: &str = "sub-1/func/sub-1_task-rest_desc-confounds";

    /// Lists volumes (`V`, `6` and, in the space of the subject, `O`) and grayordinates (`C`), with
    /// the confounds.
    fn list_of(
        kinds: &str,
        options: &ListOptions,
        more: &[&str],
    ) -> (tempfile::TempDir, Result<Listing, StudyError>) {
        let mut files = vec!["dataset_description.json".to_owned()];
        files.extend(more.iter().map(|name| (*name).to_owned()));
        files.extend(kinds.chars().map(|kind| match kind {
            'V' => format!("{VOLUME}.nii.gz"),
            '6' => format!("{SIX}.nii.gz"),
            'O' => format!("{OWN}.nii.gz"),
            _ => format!("{CIFTI}.dtseries.nii"),
        }));
        let root = tree(&files);
        let listing = list(root.path(), options);
        (root, listing)
    }

    #[test]
    fn a_scan_is_found_with_its_companions() {
        let timeseries = format!("{CONFOUNDS}_timeseries.tsv");
        let regressors = format!("{CONFOUNDS}_regressors.tsv");
        let sidecar = format!("{CIFTI}.json={{\"RepetitionTime\": 0.8}}");
        let events = "sub-1/func/sub-1_task-rest_events.tsv";
        let more = [&timeseries, &regressors, &sidecar, events];
        let (root, listing) = list_of("CV", &ListOptions::default(), &more);
        let listing = listing.unwrap();
        assert_eq!(listing.notes, []);
        let [scan] = &listing.scans[..] else {
            panic!("{listing:?}")
        };
        assert_eq!(scan.scan, "sub-1_task-rest".into());
        assert_eq!(scan.subject, "1".into());
        assert_eq!(scan.task.as_deref(), Some("rest"));
        assert_eq!(scan.tr_secs, Some(0.8));
        assert_eq!(scan.variant, "space-fsLR_den-91k_bold.dtseries.nii");
        let at = |name: &str| root.path().join(name);
        let cifti = at(&format!("{CIFTI}.dtseries.nii"));
        assert_eq!(scan.signal, SignalFile::Cifti(cifti));
        assert_eq!(
            scan.confounds,
            Some(ConfoundFile::Fmriprep(at(&timeseries)))
        );
        assert_eq!(scan.events, EventFiles::Bids(at(events)));
    }

    #[test]
    fn grayordinates_come_first_then_the_common_template() {
        let variant = |variant: &str| ListOptions {
            variant: Some(variant.into()),
            ..Default::default()
        };
        let none = ListOptions::default();
        for (kinds, options, taken) in [
            ("CV6O", none.clone(), CIFTI),
            ("V6O", none.clone(), VOLUME),
            ("6O", none.clone(), SIX),
            ("O", none, OWN),
            ("CV6O", variant("MNI152NLin6Asym"), SIX),
            ("CV6O", variant("2009c"), VOLUME),
        ] {
            let (_root, listing) = list_of(kinds, &options, &[]);
            let path = listing.unwrap().scans.remove(0).signal.path().clone();
            let path = path.to_string_lossy();
            assert!(path.contains(taken), "{path} for {kinds}");
        }
    }

    #[test]
    fn confounds_of_old_versions_are_known_and_missing_ones_told() {
        let regressors = format!("{CONFOUNDS}_regressors.tsv");
        let (_root, listing) = list_of("V", &ListOptions::default(), &[&regressors]);
        let listing = listing.unwrap();
        assert!(listing.scans[0].confounds.is_some());
        assert_eq!(listing.notes, []);
        let (_root, listing) = list_of("V", &ListOptions::default(), &[]);
        let listing = listing.unwrap();
        assert_eq!(listing.scans[0].confounds, None);
        assert!(listing.notes[0].why.contains("1 scans have no _desc"));
    }

    #[test]
    fn single_echoes_are_no_scans() {
        let echo = "sub-1/func/sub-1_task-rest_echo-1_desc-preproc_bold.nii.gz";
        let (_root, listing) = list_of("V", &ListOptions::default(), &[echo]);
        let listing = listing.unwrap();
        assert_eq!(listing.scans.len(), 1);
        assert_eq!(listing.notes[0].what, "echoes");
    }

    #[test]
    fn label_volumes_of_subjects_are_for_volumes() {
        let options = ListOptions {
            subject_labels: Some("labels/{subject}.nii".into()),
            ..Default::default()
        };
        let (root, listing) = list_of("CV", &options, &["labels/1.nii"]);
        assert_eq!(
            listing.unwrap().scans[0].signal,
            SignalFile::Nifti {
                bold: root.path().join(format!("{VOLUME}.nii.gz")),
                labels: Some(root.path().join("labels/1.nii")),
            }
        );
        let (_root, listing) = list_of("CV", &options, &[]);
        let listing = listing.unwrap();
        assert_eq!(listing.scans, []);
        assert!(listing.notes[0].what.contains("labels/1.nii"));
    }

    #[test]
    fn a_scan_whose_sidecar_is_wrong_is_left_out() {
        let sidecar = format!("{VOLUME}.json={{\"RepetitionTime\": 800}}");
        let (_root, listing) = list_of("V", &ListOptions::default(), &[&sidecar]);
        let listing = listing.unwrap();
        assert_eq!(listing.scans, []);
        assert!(listing.notes[0].why.contains("looks like milliseconds"));
    }
}
