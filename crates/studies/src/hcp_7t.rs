//! HCP Young Adult at 7 T: runs `rfMRI_REST1_7T_PA`, `tfMRI_MOVIE1_7T_AP`, `tfMRI_RETCCW_7T_AP`, ….

use std::path::Path;

use crate::error::StudyError;
use crate::hcp::{self, FolderName, Person, Protocol, Run, after_modality, has_digits, is_word};
use crate::layout::BuiltIn;
use crate::listing::{ListOptions, Listing};

/// The TR is 1.0 s by the protocol of the release.
const PROTOCOL: Protocol = Protocol {
    subject_form: "with six digits",
    tr_secs: 1.0,
    runs: &[
        "rfMRI_REST1_7T_PA",
        "rfMRI_REST2_7T_AP",
        "rfMRI_REST3_7T_PA",
        "rfMRI_REST4_7T_AP",
        "tfMRI_MOVIE1_7T_AP",
        "tfMRI_MOVIE2_7T_PA",
        "tfMRI_MOVIE3_7T_PA",
        "tfMRI_MOVIE4_7T_AP",
        "tfMRI_RETBAR1_7T_AP",
        "tfMRI_RETBAR2_7T_PA",
        "tfMRI_RETCCW_7T_AP",
        "tfMRI_RETCON_7T_PA",
        "tfMRI_RETCW_7T_PA",
        "tfMRI_RETEXP_7T_AP",
    ],
    parse_subject,
    parse_run,
};

/// The release at 7 T; its root contains the subjects, or a folder with them.
pub static LAYOUT: BuiltIn = BuiltIn::new("hcp-7t", recognise, list)
    .about("HCP Young Adult 7T: <subject>/MNINonLinear/Results/{rfMRI,tfMRI}_*_7T_{AP,PA}/");

fn recognise(root: &Path) -> bool {
    hcp::has_young_adult_runs(root, |runs| {
        !runs.is_empty() && runs.iter().all(|run| hcp::is_7t(run))
    })
}

fn list(root: &Path, options: &ListOptions) -> Result<Listing, StudyError> {
    hcp::list(&PROTOCOL, root, options)
}

fn parse_subject(folder: &str) -> Option<Person> {
    has_digits(folder, "", 6).then(|| Person {
        subject: folder.to_owned(),
        session: "7T".to_owned(),
        scan_prefix: format!("sub-{folder}_ses-7T"),
    })
}

fn parse_run(folder: &str) -> Option<FolderName> {
    let name = after_modality(folder)?;
    let parts: Vec<&str> = name.split('_').collect();
    match parts[..] {
        [name, "7T", direction @ ("AP" | "PA")] if is_word(name) => {
            Some(FolderName::Run(Run::new(name, direction)))
        }
        ["7T", ..] => Some(FolderName::Other(
            folder.to_owned(),
            "several runs merged: the single ones are used",
        )),
        // The runs at 3 T are in the same tree.
        _ if !parts.contains(&"7T") => None,
        _ => Some(FolderName::Other(
            folder.to_owned(),
            "not the name of a single run of this release",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::StudyLayout as _;
    use crate::tests::tree::{Tree, scan_names};

    const CLEAN: &str = "_Atlas_MSMAll_hp2000_clean.dtseries.nii";

    #[test]
    fn names_have_four_parts_and_merged_runs_are_skipped() {
        let tree = Tree::new("MNINonLinear/Results");
        let merged = "tfMRI_7T_RETCCW_AP_RETCW_PA_RETEXP_AP_RETCON_PA_RETBAR1_AP_RETBAR2_PA";
        for run in [
            "rfMRI_REST2_7T_AP",
            "tfMRI_RETCW_7T_PA",
            merged,
            "rfMRI_REST1_LR",
        ] {
            tree.run("999901", run, &[CLEAN]);
        }
        let listing = LAYOUT.list(tree.root(), &ListOptions::default()).unwrap();
        let names = scan_names(&listing);
        assert_eq!(
            names,
            [
                "sub-999901_ses-7T_task-rest_acq-REST2_dir-AP",
                "sub-999901_ses-7T_task-retcw_dir-PA"
            ]
        );
        assert_eq!(listing.scans[0].tr_secs, Some(1.0));
        assert_eq!(listing.scans[0].session.as_deref(), Some("7T"));
        let skipped = listing.notes.last().unwrap();
        assert_eq!(skipped.what, format!("999901/{merged}"));
        assert!(skipped.why.contains("merged"));
    }

    #[test]
    fn the_finer_grid_is_skipped_with_a_note_unless_asked_for() {
        let tree = Tree::new("MNINonLinear/Results");
        let fine = "_Atlas_1.6mm_MSMAll_hp2000_clean.dtseries.nii";
        tree.run("999901", "tfMRI_MOVIE1_7T_AP", &[CLEAN, fine]);
        let variant = |asked: Option<&str>| {
            let options = ListOptions {
                variant: asked.map(str::to_owned),
                ..ListOptions::default()
            };
            let listing = LAYOUT.list(tree.root(), &options).unwrap();
            let noted = listing
                .notes
                .iter()
                .any(|note| note.what.contains("1.6 mm"));
            (listing.scans[0].variant.clone(), noted)
        };
        assert_eq!(variant(None), ("_Atlas_MSMAll_hp2000_clean".into(), true));
        assert_eq!(
            variant(Some("1.6mm")),
            ("_Atlas_1.6mm_MSMAll_hp2000_clean".into(), false)
        );
    }
}
