//! File names by the rules of BIDS: `sub-1_task-rest_run-1_space-fsLR_bold.dtseries.nii`.

/// Entities that identify a scan, in the order of BIDS.
const SCAN_ENTITIES: [&str; 8] = ["sub", "ses", "task", "acq", "ce", "rec", "dir", "run"];

/// Entities that describe a derivative of a scan, not the scan itself.
const OUTPUT_ENTITIES: [&str; 18] = [
    "space",
    "cohort",
    "res",
    "den",
    "hemi",
    "atlas",
    "seg",
    "scale",
    "label",
    "desc",
    "stat",
    "measure",
    "from",
    "to",
    "mode",
    "thresh",
    "echo",
    "recording",
];

/// Extensions with more than one dot; a longer one comes before the extension it ends with.
const DOUBLE_EXTENSIONS: [&str; 7] = [
    ".dtseries.nii",
    ".ptseries.nii",
    ".dscalar.nii",
    ".dlabel.nii",
    ".dtseries.json",
    ".ptseries.json",
    ".nii.gz",
];

/// A parsed file name.
///
/// Follows BIDS 1.10, "File name structure", but allows entities in any order and entities that are
/// not in the standard.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BidsName<'a> {
    /// Key and value as in the name; each key occurs once.
    entities: Vec<(&'a str, &'a str)>,
    /// The last word, such as `bold`; empty when the name ends with an entity.
    pub suffix: &'a str,
    /// Extension with its dot: `.nii.gz`; empty when there is none.
    pub extension: &'a str,
}

impl<'a> BidsName<'a> {
    /// Parses a file name; `None` when it is not a sequence of `key-value`, or has a key twice.
    pub fn parse(file: &'a str) -> Option<Self> {
        let stem_len = DOUBLE_EXTENSIONS
            .iter()
            .find_map(|ending| file.strip_suffix(ending).map(str::len))
            .or_else(|| file.rfind('.'))
            .unwrap_or(file.len());
        let (stem, extension) = file.split_at(stem_len);
        let (head, suffix) = match stem.rsplit_once('_') {
            Some((head, last)) if !last.contains('-') => (head, last),
            _ => (stem, ""),
        };
        let mut entities: Vec<(&str, &str)> = Vec::new();
        for part in head.split('_') {
            let (key, value) = part.split_once('-')?;
            let known = entities.iter().any(|(other, _)| *other == key);
            if key.is_empty() || value.is_empty() || known {
                return None;
            }
            entities.push((key, value));
        }
        Some(Self {
            entities,
            suffix,
            extension,
        })
    }

    /// The value of an entity; `None` if it is absent.
    pub fn get(&self, key: &str) -> Option<&'a str> {
        self.entities
            .iter()
            .find(|(other, _)| *other == key)
            .map(|(_, value)| *value)
    }

    /// The scan of the file: `sub-1_ses-2_task-rest_run-01`. It is the same for all files of the
    /// scan, in any order of entities. `None` without a subject.
    pub fn scan_id(&self) -> Option<String> {
        self.scan_id_without(&[])
    }

    /// The id of the scan without the entities in `left_out`.
    pub fn scan_id_without(&self, left_out: &[&str]) -> Option<String> {
        self.get("sub")?;
        let place = |key: &str| {
            let known = SCAN_ENTITIES.iter().position(|other| *other == key);
            known.unwrap_or(SCAN_ENTITIES.len())
        };
        let mut entities: Vec<_> = self
            .entities
            .iter()
            .filter(|(key, _)| !OUTPUT_ENTITIES.contains(key) && !left_out.contains(key))
            .collect();
        entities.sort_by_key(|(key, _)| (place(key), *key));
        Some(join(entities))
    }

    /// The rest of the name, which describes the derivative:
    /// `space-fsLR_den-91k_bold.dtseries.nii`.
    pub fn output(&self) -> String {
        let entities = self.entities.iter();
        let made = join(entities.filter(|(key, _)| OUTPUT_ENTITIES.contains(key)));
        let gap = if made.is_empty() || self.suffix.is_empty() {
            ""
        } else {
            "_"
        };
        format!("{made}{gap}{}{}", self.suffix, self.extension)
    }

    /// Number of entities.
    pub fn n_entities(&self) -> usize {
        self.entities.len()
    }

    /// Whether a sidecar with this name applies to the file with the other name: all its entities
    /// are in the other name (BIDS, "The inheritance principle").
    pub fn applies_to(&self, other: &Self) -> bool {
        self.entities
            .iter()
            .all(|(key, value)| other.get(key) == Some(*value))
    }
}

fn join<'b, 'a: 'b>(entities: impl IntoIterator<Item = &'b (&'a str, &'a str)>) -> String {
    let words: Vec<String> = entities
        .into_iter()
        .map(|(key, value)| format!("{key}-{value}"))
        .collect();
    words.join("_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_is_taken_apart() {
        let file = "sub-01_task-rest_space-fsLR_atlas-4S156Parcels_den-91k_timeseries.ptseries.nii";
        let name = BidsName::parse(file).unwrap();
        assert_eq!(
            (name.suffix, name.extension),
            ("timeseries", ".ptseries.nii")
        );
        assert_eq!(name.get("atlas"), Some("4S156Parcels"));
        assert_eq!(name.get("ses"), None);
        assert_eq!(name.scan_id().unwrap(), "sub-01_task-rest");
        assert_eq!(
            name.output(),
            "space-fsLR_atlas-4S156Parcels_den-91k_timeseries.ptseries.nii"
        );
    }

    #[test]
    fn all_files_of_a_scan_have_its_id_whatever_their_order() {
        for file in [
            "sub-1_ses-2_task-wm_acq-mb_dir-LR_run-01_motion.tsv",
            "sub-1_ses-2_acq-mb_run-01_dir-LR_task-wm_desc-confounds_timeseries.tsv",
            "ses-2_sub-1_task-wm_acq-mb_dir-LR_run-01_echo-2_desc-preproc_bold.nii.gz",
            "sub-1_ses-2_task-wm_acq-mb_dir-LR_run-01",
        ] {
            assert_eq!(
                BidsName::parse(file).unwrap().scan_id().unwrap(),
                "sub-1_ses-2_task-wm_acq-mb_dir-LR_run-01",
                "{file}"
            );
        }
    }

    #[test]
    fn unknown_entities_are_kept_in_the_id() {
        let name = BidsName::parse("sub-1_zeta-1_part-mag_task-rest_bold.nii").unwrap();
        assert_eq!(name.scan_id().unwrap(), "sub-1_task-rest_part-mag_zeta-1");
        assert_eq!(
            name.scan_id_without(&["zeta"]).unwrap(),
            "sub-1_task-rest_part-mag"
        );
    }

    #[test]
    fn other_names_are_none() {
        for file in [
            "",
            "README",
            "bold.nii.gz",
            "sub-01_my_table.csv",
            "sub-_bold.nii",
            "-1_bold.nii",
            "sub-1_run-1_run-2_bold.nii",
            "sub-1__bold.nii",
        ] {
            assert_eq!(BidsName::parse(file), None, "{file}");
        }
        let sidecar = BidsName::parse("task-rest_bold.json").unwrap();
        assert_eq!(sidecar.scan_id(), None);
    }

    #[test]
    fn a_sidecar_applies_to_what_says_the_same_and_more() {
        let file = BidsName::parse("sub-1_task-rest_run-1_bold.nii.gz").unwrap();
        for (sidecar, applies) in [
            ("task-rest_bold.json", true),
            ("sub-1_task-rest_bold.json", true),
            ("task-wm_bold.json", false),
            ("task-rest_acq-a_bold.json", false),
        ] {
            let sidecar = BidsName::parse(sidecar).unwrap();
            assert_eq!(sidecar.applies_to(&file), applies, "{sidecar:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_name_or_none(file in "[-_.a-z0-9\\PC]{0,60}") {
            if let Some(name) = BidsName::parse(&file) {
                let _ = (name.scan_id(), name.output());
                prop_assert!(name.applies_to(&name));
                let end = [name.suffix, name.extension].concat();
                prop_assert!(file.ends_with(&end));
            }
        }

        #[test]
        fn the_id_of_a_scan_is_that_of_the_file_named_by_it(
            file in "sub-[a-z0-9]{1,3}(_(ses|task|run|foo|space)-[a-z0-9]{1,3}){0,4}_bold.nii"
        ) {
            if let Some(name) = BidsName::parse(&file) {
                let id = name.scan_id().unwrap();
                prop_assert_eq!(BidsName::parse(&id).unwrap().scan_id().unwrap(), id);
            }
        }
    }
}
