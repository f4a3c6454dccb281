//! Names of ROIs in files: their comparison, and the information in a name alone.

use strsim::levenshtein;

use crate::region::Hemisphere;

/// Maximum length of a name, in bytes, for the search of a similar one.
const LONGEST_COMPARED: usize = 100;
/// Networks in the prefix of a name of Schaefer 2018.
const PREFIXES: [(&str, u8); 2] = [("7networks_", 7), ("17networks_", 17)];

/// A name in the form that is compared: lower case, with `_` for `-`, space and `.`, and without
/// the prefix `7Networks_` or `17Networks_`, which many files omit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// 7 or 17, if the name has this prefix.
    pub networks: Option<u8>,
    /// The rest of the name.
    pub rest: String,
}

impl Key {
    /// The key of a name; a surrounding `b'…'` from Python bytes is removed.
    pub fn of(name: &str) -> Self {
        let name = name.trim();
        let name = name
            .strip_prefix("b'")
            .and_then(|name| name.strip_suffix('\''))
            .unwrap_or(name);
        let mut rest: String = name
            .chars()
            .map(|letter| match letter {
                '-' | ' ' | '.' => '_',
                other => other.to_ascii_lowercase(),
            })
            .collect();
        for (prefix, networks) in PREFIXES {
            if rest.starts_with(prefix) {
                rest.drain(..prefix.len());
                return Self {
                    networks: Some(networks),
                    rest,
                };
            }
        }
        Self {
            networks: None,
            rest,
        }
    }

    /// The second word of a cortical name such as `lh_vis_1`; it may be a network.
    pub fn network(&self) -> Option<&str> {
        let after_side = self
            .rest
            .strip_prefix("lh_")
            .or_else(|| self.rest.strip_prefix("rh_"))?;
        after_side.split('_').next()
    }
}

/// Whether label tables use this name for a region that is not an ROI.
pub(crate) fn is_background(name: &str) -> bool {
    let rest = Key::of(name).rest;
    matches!(
        rest.as_str(),
        "" | "???" | "none" | "unknown" | "medial_wall"
    ) || rest.starts_with("background")
}

/// The side in the words of a name: `LH`, `RH`, `left` or `right`; `None` if both or neither occur.
pub(crate) fn hemisphere(name: &str) -> Option<Hemisphere> {
    let key = Key::of(name);
    let has = |words: [&str; 2]| key.rest.split('_').any(|word| words.contains(&word));
    match (has(["lh", "left"]), has(["rh", "right"])) {
        (true, false) => Some(Hemisphere::Left),
        (false, true) => Some(Hemisphere::Right),
        _ => None,
    }
}

/// The known name most similar to `name`, if it is similar enough.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > LONGEST_COMPARED {
        return None;
    }
    let name = Key::of(name).rest;
    let measured = known.into_iter().map(|known| {
        let rest = Key::of(known).rest;
        (levenshtein(&name, &rest), rest.len(), known)
    });
    measured
        .min_by_key(|(distance, ..)| *distance)
        .filter(|(distance, length, _)| *distance <= 1 + length / 4)
        .map(|(.., known)| known)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::shown::{LONGEST_SHOWN, shown};

    #[test]
    fn spellings_of_one_name_have_one_key() {
        for name in [
            "7Networks_LH_Vis_1",
            "7networks-lh-vis-1",
            " 7Networks LH Vis 1 ",
            "b'7Networks_LH_Vis_1'",
        ] {
            let key = Key::of(name);
            assert_eq!((key.networks, &*key.rest), (Some(7), "lh_vis_1"), "{name}");
        }
        assert_eq!(Key::of("LH.Vis.1").rest, "lh_vis_1");
        assert_eq!(Key::of("17Networks_LH_VisCent_1").networks, Some(17));
        assert_eq!(Key::of("LH_Vis_1").network(), Some("vis"));
        assert_eq!(Key::of("Cerebellar_Region1").network(), None);
    }

    #[test]
    fn the_side_is_told_by_whole_words_and_one_side_alone() {
        for (name, side) in [
            ("7Networks_LH_Vis_1", Some(Hemisphere::Left)),
            ("ctx-rh-insula", Some(Hemisphere::Right)),
            ("Left Hippocampus", Some(Hemisphere::Left)),
            ("CORTEX_RIGHT", Some(Hemisphere::Right)),
            ("left_to_right_bundle", None),
            ("Rhinal", None),
            ("Brainstem", None),
        ] {
            assert_eq!(hemisphere(name), side, "{name}");
        }
    }

    #[test]
    fn names_of_what_is_no_region_are_known() {
        for name in [
            "???",
            "",
            "NONE",
            "Unknown",
            "Background",
            "Background+FreeSurfer_Defined_Medial_Wall",
        ] {
            assert!(is_background(name), "{name}");
        }
        assert!(!is_background("LH_Vis_1"));
    }

    #[test]
    fn a_misspelt_name_finds_its_neighbour_and_a_strange_one_none() {
        let known = ["LH_Vis_1", "LH_Vis_2", "RH_Limbic_OFC_1"];
        assert_eq!(nearest("LH_Viz_2", known), Some("LH_Vis_2"));
        assert_eq!(nearest("time in seconds", known), None);
        assert_eq!(nearest(&"LH_Vis_1".repeat(1000), known), None);
    }

    proptest! {
        #[test]
        fn any_text_has_a_key_and_can_be_shown(name in ".{0,200}") {
            let key = Key::of(&name);
            prop_assert!(key.rest.len() <= name.len());
            prop_assert!(shown(&name).len() <= 12 * LONGEST_SHOWN + 8);
        }
    }
}
