//! Registry of the layouts: search by name and recognition of a folder.

mod layout_name;

use std::path::Path;
use std::sync::LazyLock;

use brainmae_files::CommonErrors as _;

use crate::error::StudyError;
use crate::layout::StudyLayout;
use crate::near::nearest;
use crate::{fmriprep, hcp_7t, hcp_aging, hcp_ya, manifest, nsd, xcpd};

pub use layout_name::LayoutName;

/// Every layout of this crate. A new layout needs its own file and a line here.
pub static LAYOUTS: &[&dyn StudyLayout] = &[
    &hcp_ya::LAYOUT,
    &hcp_7t::LAYOUT,
    &hcp_aging::LAYOUT,
    &nsd::LAYOUT,
    &xcpd::LAYOUT,
    &fmriprep::LAYOUT,
    &manifest::LAYOUT,
];

/// The names of [`LAYOUTS`], in their order.
static NAMES: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| LAYOUTS.iter().map(|layout| layout.name()).collect());

/// Other names of layouts.
const ALIASES: [(&str, &str); 2] = [("aging", "hcp-aging"), ("aabc", "hcp-aging")];

/// The layout with this name; `aging` and `aabc` mean `hcp-aging`.
///
/// # Errors
/// [`StudyError::Config`] for an unknown name, with the known names and the most similar of them.
pub fn by_name(name: &str) -> Result<&'static dyn StudyLayout, StudyError> {
    find(name).ok_or_else(|| {
        let hint = nearest(name, NAMES.iter().copied())
            .map(|near| format!(" (did you mean {near}?)"))
            .unwrap_or_default();
        let known = NAMES.join(", ");
        StudyError::config("layout", name, format!("one of {known}{hint}"))
    })
}

/// The layout with this name; `None` for an unknown name.
fn find(name: &str) -> Option<&'static dyn StudyLayout> {
    let alias = ALIASES.iter().find(|(alias, _)| *alias == name);
    let name = alias.map_or(name, |(_, name)| name);
    LAYOUTS.iter().copied().find(|layout| layout.name() == name)
}

/// The layout that `root` looks like, after a search of a few folders.
pub fn recognise(root: &Path) -> Option<&'static dyn StudyLayout> {
    // The last layouts are tried first: a manifest describes the folder explicitly.
    let mut layouts = LAYOUTS.iter().rev().copied();
    layouts.find(|layout| layout.recognise(root))
}

#[cfg(test)]
mod tests {
    use brainmae_files::InvalidField;

    use super::*;
    use crate::tests::tree::tree;

    #[test]
    fn layouts_are_known_by_their_names() {
        for layout in LAYOUTS {
            assert_eq!(by_name(layout.name()).unwrap().name(), layout.name());
            assert!(!layout.about().contains('\n'));
        }
        assert_eq!(by_name("aabc").unwrap().name(), "hcp-aging");
        assert_eq!(by_name("aging").unwrap().name(), "hcp-aging");
    }

    #[test]
    fn an_unknown_name_lists_those_there_are_and_the_nearest() {
        let refused = |name| match by_name(name) {
            Err(StudyError::Config(InvalidField {
                field: "layout",
                expected,
                ..
            })) => expected,
            other => panic!("{:?}", other.map(|layout| layout.name())),
        };
        let known = "one of hcp, hcp-7t, hcp-aging, nsd, xcpd, fmriprep, manifest";
        assert_eq!(refused("bids"), known);
        assert_eq!(
            refused("fmripep"),
            format!("{known} (did you mean fmriprep?)")
        );
    }

    #[test]
    fn layouts_are_recognised_by_the_names_of_their_files() {
        for (file, layout) in [
            ("manifest.csv", Some("manifest")),
            ("nsddata_timeseries/a", Some("nsd")),
            ("subj01/func1mm/a", Some("nsd")),
            ("HCA9999999_V1_MR/a", Some("hcp-aging")),
            ("999901/MNINonLinear/Results/rfMRI_REST1_LR/a", Some("hcp")),
            (
                "999901/files/MNINonLinear/Results/rfMRI_REST1_7T_PA/a",
                Some("hcp-7t"),
            ),
            (
                "sub-1/func/sub-1_task-a_seg-4S156Parcels_stat-mean_timeseries.tsv",
                Some("xcpd"),
            ),
            (
                "sub-1/ses-1/func/sub-1_ses-1_task-a_space-fsLR_den-91k_bold.dtseries.nii",
                Some("fmriprep"),
            ),
            (
                "sub-1/func/sub-1_task-a_desc-preproc_bold.nii.gz",
                Some("fmriprep"),
            ),
            ("sub-1/func/sub-1_task-a_bold.nii.gz", None),
            ("README", None),
        ] {
            let root = tree(&[file]);
            let found = recognise(root.path()).map(|layout| layout.name());
            assert_eq!(found, layout, "{file}");
        }
    }

    #[test]
    fn a_manifest_beside_the_files_of_a_release_is_asked_first() {
        let root = tree(&["manifest.tsv", "HCA9999999_V1_MR/a"]);
        let found = recognise(root.path()).map(|layout| layout.name());
        assert_eq!(found, Some("manifest"));
    }
}
