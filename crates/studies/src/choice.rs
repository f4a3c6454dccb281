//! Choice of the signal file of a scan among several files.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use brainmae_files::CommonErrors as _;

use crate::bids_tree::{FuncFolder, ScanFile};
use crate::error::{ListingProblem, StudyError};
use crate::listing::{ListOptions, Note};
use crate::one_variant::{self, Offer};
use crate::shown::few;

/// A file that may be the signal file of a scan.
#[derive(Clone, Debug)]
pub(crate) struct Candidate<'a> {
    /// Index of its folder in the list of folders.
    pub folder: usize,
    /// The file.
    pub file: ScanFile<'a>,
    /// Description of the derivative, the same for all scans:
    /// `space-fsLR_den-91k_bold.dtseries.nii`.
    pub output: String,
    /// Rank of the output for the whole data set; the lowest is the best.
    pub rank: u8,
    /// Rank of the file among files of the same output; the lowest is the best.
    pub order: u8,
}

/// Chooses one file per scan: a file with `options.variant` in its name, or else a file of the best
/// output in the data set, so that all scans are in one space. Scans without such a file are noted.
/// If several outputs have the variant in their names, or with `options.common_variant`, all scans
/// of a task get the same output, see [`one_variant`]. `root` is for messages.
///
/// # Errors
/// [`StudyError::Config`] when several files are equally good, or when none has the variant;
/// [`ListingProblem::MixedVariants`] when a scan lacks the output of its task.
pub(crate) fn choose<'a>(
    root: &Path,
    candidates: Vec<Candidate<'a>>,
    options: &ListOptions,
    notes: &mut Vec<Note>,
) -> Result<Vec<Candidate<'a>>, StudyError> {
    let outputs: BTreeSet<(u8, String)> = candidates
        .iter()
        .map(|file| (file.rank, file.output.clone()))
        .collect();
    let Some((best_rank, best_output)) = outputs.first().cloned() else {
        return Ok(Vec::new());
    };
    let names = |outputs: &mut dyn Iterator<Item = &(u8, String)>| {
        let names: Vec<&str> = outputs.map(|(_, output)| output.as_str()).collect();
        names.join(", ")
    };
    let equal = || outputs.iter().filter(|(rank, _)| *rank == best_rank);
    if options.variant.is_none() && equal().count() > 1 {
        return Err(StudyError::config(
            "variant",
            "not given",
            format!(
                "a part of the name of one of these: {}",
                names(&mut equal())
            ),
        ));
    }
    let is_chosen = |candidate: &Candidate| match &options.variant {
        Some(variant) => candidate.file.file.contains(variant.as_str()),
        None => options.common_variant || candidate.output == best_output,
    };

    let mut scans: BTreeMap<String, Vec<Candidate>> = BTreeMap::new();
    for candidate in candidates {
        let scan = scans.entry(candidate.file.scan.clone()).or_default();
        scan.push(candidate);
    }
    let mut without = Vec::new();
    scans.retain(|scan, files| {
        files.retain(is_chosen);
        if files.is_empty() {
            without.push(scan.clone());
        }
        !files.is_empty()
    });
    let offers: Vec<Offer<Reverse<u8>>> = scans.values().map(|files| offer(files)).collect();
    let of_tasks = one_variant::of_tasks(&offers, options.common_variant);
    let of_tasks = of_tasks.map_err(|mixed| StudyError::Listing {
        path: root.to_owned(),
        problem: ListingProblem::MixedVariants(mixed),
    })?;

    let mut chosen = Vec::new();
    for ((scan, mut files), offer) in scans.into_iter().zip(&offers) {
        files.sort_by_key(|file| (file.rank, file.order));
        match &files[..] {
            [] => {}
            [first, second, ..] if (first.rank, first.order) == (second.rank, second.order) => {
                return Err(StudyError::config(
                    "variant",
                    options.variant.as_deref().unwrap_or("not given"),
                    format!(
                        "a part of one name alone, where scan {scan} has {} and {}",
                        first.file.file, second.file.file
                    ),
                ));
            }
            _ => {
                let output = of_tasks.get(&offer.task);
                chosen.extend(files.into_iter().find(|file| Some(&file.output) == output));
            }
        }
    }
    if let (Some(variant), true) = (&options.variant, chosen.is_empty()) {
        return Err(StudyError::config(
            "variant",
            variant,
            format!(
                "a part of the name of one of these: {}",
                names(&mut outputs.iter())
            ),
        ));
    }
    if !without.is_empty() {
        let wanted = options.variant.as_deref().unwrap_or(&best_output);
        notes.push(Note::missing(
            few(&without),
            format!(
                "{} scans have no file {wanted}, only others: choose with `variant`",
                without.len()
            ),
        ));
    }
    Ok(chosen)
}

/// The outputs of the files of one scan, of which there is at least one.
fn offer(files: &[Candidate<'_>]) -> Offer<Reverse<u8>> {
    let file = &files[0].file;
    Offer {
        scan: file.scan.as_str().into(),
        task: file.task().unwrap_or_default(),
        variants: (files.iter())
            .map(|file| (Reverse(file.rank), file.output.clone()))
            .collect(),
    }
}

/// The first file of the scan of `of` that passes the test `is`; files without `desc` come first. A
/// broken link is noted.
pub(crate) fn companion(
    of: &ScanFile<'_>,
    files: &[ScanFile<'_>],
    folder: &FuncFolder,
    notes: &mut Vec<Note>,
    is: impl Fn(&ScanFile<'_>) -> bool,
) -> Option<std::path::PathBuf> {
    let found = files
        .iter()
        .filter(|other| other.is_beside(of) && is(other))
        .min_by_key(|other| other.name.get("desc").is_some())?;
    folder.func.file(found.file, notes)
}

#[cfg(test)]
mod tests {
    use brainmae_files::InvalidField;

    use super::*;
    use crate::bids_name::BidsName;

    fn candidate(file: &str, rank: u8, order: u8) -> Candidate<'_> {
        let name = BidsName::parse(file).unwrap();
        let (scan, output) = (name.scan_id().unwrap(), name.output());
        Candidate {
            folder: 0,
            file: ScanFile { file, name, scan },
            output,
            rank,
            order,
        }
    }

    fn names(
        candidates: &[Candidate<'static>],
        variant: Option<&str>,
    ) -> (Result<Vec<&'static str>, StudyError>, Vec<Note>) {
        let options = ListOptions {
            variant: variant.map(str::to_owned),
            ..Default::default()
        };
        let mut notes = Vec::new();
        let chosen = choose(Path::new("raw"), candidates.to_vec(), &options, &mut notes);
        let files = chosen.map(|chosen| chosen.iter().map(|file| file.file.file).collect());
        (files, notes)
    }

    /// Found and expected values of the error on `variant`.
    fn refused(candidates: &[Candidate<'static>], variant: Option<&str>) -> (String, String) {
        match names(candidates, variant).0 {
            Err(StudyError::Config(InvalidField {
                field: "variant",
                found,
                expected,
            })) => (found, expected),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn all_scans_are_taken_in_the_best_output_of_the_data_set() {
        let files = [
            candidate("sub-1_space-B_bold.nii", 1, 0),
            candidate("sub-1_space-A_bold.nii", 0, 0),
            candidate("sub-2_space-B_bold.nii", 1, 0),
        ];
        let (found, notes) = names(&files, None);
        assert_eq!(found.unwrap(), ["sub-1_space-A_bold.nii"]);
        assert_eq!(notes[0].what, "sub-2");
        assert!(notes[0].why.contains("no file space-A_bold.nii"));
        let (found, notes) = names(&files, Some("space-B"));
        assert_eq!(
            found.unwrap(),
            ["sub-1_space-B_bold.nii", "sub-2_space-B_bold.nii"]
        );
        assert_eq!(notes, []);
    }

    #[test]
    fn what_is_equally_good_is_asked_for() {
        let files = [
            candidate("sub-1_space-A_bold.nii", 0, 0),
            candidate("sub-2_space-B_bold.nii", 0, 0),
        ];
        assert_eq!(
            refused(&files, None),
            (
                "not given".into(),
                "a part of the name of one of these: space-A_bold.nii, space-B_bold.nii".into()
            )
        );
        // Each scan has one of them, but then the task has two.
        let error = names(&files, Some("bold")).0.unwrap_err().to_string();
        assert!(
            error.contains("is missing in 1 of 2 scans (sub-2)"),
            "{error}"
        );
    }

    #[test]
    fn a_task_gets_the_best_output_that_all_its_scans_have_if_that_is_asked_for() {
        let files = [
            candidate("sub-1_task-a_space-A_bold.nii", 0, 0),
            candidate("sub-1_task-a_space-B_bold.nii", 1, 0),
            candidate("sub-2_task-a_space-B_bold.nii", 1, 0),
            candidate("sub-2_task-b_space-A_bold.nii", 0, 0),
        ];
        let options = ListOptions {
            common_variant: true,
            ..Default::default()
        };
        let chosen = choose(Path::new("raw"), files.to_vec(), &options, &mut Vec::new()).unwrap();
        let outputs: Vec<&str> = chosen.iter().map(|file| &*file.output).collect();
        assert_eq!(
            outputs,
            ["space-B_bold.nii", "space-B_bold.nii", "space-A_bold.nii"]
        );
    }

    #[test]
    fn a_variant_must_leave_one_file_for_a_scan() {
        let files = [
            candidate("sub-1_space-A_bold.nii", 0, 0),
            candidate("sub-1_space-B_bold.nii", 0, 0),
        ];
        let (found, expected) = refused(&files, Some("bold"));
        assert_eq!(found, "bold");
        assert!(
            expected.contains("sub-1_space-A_bold.nii and sub-1_space-B"),
            "{expected}"
        );
        let (found, expected) = refused(&files, Some("C"));
        assert_eq!(found, "C");
        assert!(expected.contains("space-A"), "{expected}");
    }
}
