//! Mismatches between an atlas and the columns or labels of a file.

use std::fmt;

use crate::shown::shown;

/// Maximum number of keys in a message.
const KEYS_LISTED: usize = 5;

/// How columns or labels differ from the ROIs of an atlas.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// The names differ.
    #[error("{problem}{}", these_are(.other_atlas))]
    Names {
        /// The problem.
        problem: NameProblem,
        /// The built-in atlas, with another number of ROIs, to which the names belong.
        other_atlas: Option<&'static str>,
    },
    /// The number of unnamed columns differs.
    #[error("expected {expected} columns; {hint}")]
    Count {
        /// Number of ROIs in the atlas.
        expected: usize,
        /// A possible explanation.
        hint: CountHint,
    },
    /// The keys of the labels or the positions of the regions differ.
    #[error(transparent)]
    Labels(#[from] LabelProblem),
}

fn these_are(other_atlas: &Option<&'static str>) -> String {
    other_atlas
        .map(|other| format!("; these are the ROIs of {other}: ask for that atlas"))
        .unwrap_or_default()
}

/// Why names do not match the ROIs of an atlas.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NameProblem {
    /// A name occurs twice.
    #[error("{} is there twice: remove one", shown(.name))]
    NameTwice {
        /// The name.
        name: String,
    },
    /// An ROI occurs under two names.
    #[error("{} and {} are both the ROI {roi}: remove one", shown(.first), shown(.second))]
    RoiTwice {
        /// The first of its names.
        first: String,
        /// The second.
        second: String,
        /// The ROI.
        roi: String,
    },
    /// No name belongs to an ROI.
    #[error("none is a name of its ROIs{unknown}")]
    NoRoi {
        /// The names.
        unknown: UnknownNames,
    },
    /// ROIs are missing, or there are unknown names that may be ROIs.
    #[error("{found} of its {expected} ROIs are there{unknown}")]
    Unknown {
        /// Number of ROIs found.
        found: usize,
        /// Number of ROIs in the atlas.
        expected: usize,
        /// Names that are not in any list.
        unknown: UnknownNames,
    },
    /// The names are from several lists.
    #[error(
        "the names are mixed: {n_explained} of them are names of {list}, but {} is one of \
         {other_list}: give all ROIs the names of one list",
        shown(.odd)
    )]
    Mixed {
        /// Number of names in the list with the most of them.
        n_explained: usize,
        /// That list.
        list: String,
        /// A name that is not in this list.
        odd: String,
        /// The list with that name.
        other_list: String,
    },
    /// Two lists give different ROIs for a name, and no other name decides between them.
    #[error(
        "{} is one ROI by the names of {list} and another by those of {other_list}, and the other \
         names do not tell which are meant: use the names of the atlas and name all of its ROIs",
        shown(.name)
    )]
    Ambiguous {
        /// The name.
        name: String,
        /// One list.
        list: String,
        /// The other.
        other_list: String,
    },
}

/// The first names that are not in any list, each with a suggestion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnknownNames {
    /// The name, and the ROI with the most similar name.
    pub listed: Vec<(String, Option<String>)>,
    /// Number of further unknown names.
    pub n_more: usize,
}

impl fmt::Display for UnknownNames {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, near)) in self.listed.iter().enumerate() {
            out.write_str(if at == 0 { ", unknown: " } else { ", " })?;
            out.write_str(&shown(name))?;
            if let Some(near) = near {
                write!(out, " (is it {near}?)")?;
            }
        }
        match self.n_more {
            0 => Ok(()),
            more => write!(out, " and {more} more"),
        }
    }
}

/// Possible explanation when the number of unnamed columns is not that of the ROIs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CountHint {
    /// There is one column too many.
    #[error("off by one: has the file a column for the background or for an index? Remove it")]
    OneMore,
    /// The number of rows is that of the ROIs.
    #[error("its rows are as many as ROIs: a row must be a volume, so transpose it")]
    Transposed,
    /// The number of columns is that of another built-in atlas.
    #[error("as many as ROIs of {atlas}: is that its atlas?")]
    OtherAtlas {
        /// Name of that atlas.
        atlas: &'static str,
    },
    /// The number of columns is that of a 4S atlas of XCP-D.
    #[error(
        "as many as ROIs of 4S{n_columns}, which are those of {atlas} and {n_subcortical} below \
         the cortex: give the table with its header, so that they are found by name"
    )]
    With4s {
        /// Number of columns in the file.
        n_columns: usize,
        /// The cortical atlas.
        atlas: &'static str,
        /// Number of subcortical ROIs.
        n_subcortical: usize,
    },
    /// No explanation is known.
    #[error("give a table with a header, or the atlas that it was made with")]
    Unknown,
}

/// Why labels do not match the ROIs of an atlas.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LabelProblem {
    /// One key has two names.
    #[error("key {key} stands for {} and for {}", shown(.first), shown(.second))]
    KeyTwice {
        /// The key.
        key: u32,
        /// Its first name.
        first: String,
        /// Its second name.
        second: String,
    },
    /// The key of the background has the name of an ROI.
    #[error("key 0 is the background and stands for {roi}: are the keys off by one?")]
    RoiAtZero {
        /// The ROI.
        roi: String,
    },
    /// No voxel or vertex has a label.
    #[error("no voxel or vertex has a label above 0")]
    NoLabel,
    /// Keys start at 0, and 0 is not the background.
    #[error(
        "keys run from 0 to {last} and 0 covers no more than an ROI does, so that every key is off \
         by one: add 1 to all of them and give 0 to the background"
    )]
    KeysFromZero {
        /// The last key.
        last: u32,
    },
    /// Keys start at 2.
    #[error(
        "keys run from 2 to {last}, expected 1 to {expected}, so that every key is off by one: \
         subtract 1 from all of them"
    )]
    KeysFromTwo {
        /// The last key.
        last: u32,
        /// The expected last key.
        expected: usize,
    },
    /// Some keys are above the number of ROIs.
    #[error(
        "{} keys are above its {n_rois} ROIs ({}): {}",
        .keys.len(), listed(.keys), is_it(.other_atlas)
    )]
    KeysAbove {
        /// The keys.
        keys: Vec<u32>,
        /// ROIs of the atlas.
        n_rois: usize,
        /// The built-in atlas whose number of ROIs is the last key.
        other_atlas: Option<&'static str>,
    },
    /// Key `k` lies at the position of ROI `k + 1`.
    #[error("every key is off by one: key k lies where ROI k + 1 is; add 1 to all")]
    OneLow,
    /// Key `k` lies at the position of ROI `k - 1`.
    #[error("every key is off by one: key k lies where ROI k - 1 is; subtract 1 from all")]
    OneHigh,
    /// The keys have the order of the other number of networks.
    #[error(
        "its regions lie where those of {atlas} do, the same ones in another order: ask for that \
         atlas, or give the label table"
    )]
    OtherOrder {
        /// The atlas in that order.
        atlas: &'static str,
    },
    /// The right hemisphere comes first.
    #[error("the right hemisphere comes first: give the label table, or put the left one first")]
    RightFirst,
    /// The image is mirrored.
    #[error("the image is mirrored: left and right are exchanged, correct its affine")]
    Mirrored,
    /// The two sides are exchanged, by order or by mirroring.
    #[error(
        "its regions lie on the other side of the brain: the right hemisphere comes first, or the \
         image is mirrored; give the label table or correct the image"
    )]
    OtherSide,
    /// The regions do not lie at the positions of the ROIs.
    #[error(
        "its regions do not lie where the ROIs do: {}, expected {}; is it of another atlas{}?",
        shares(.own_side, .own_place), percent(.expected), not_in_mni(.in_mni)
    )]
    Places {
        /// Share of the regions on their own side, 0 to 1, where it is known.
        own_side: Option<f64>,
        /// Share of the regions nearer to their own ROI than to its neighbours, 0 to 1, in MNI
        /// space.
        own_place: Option<f64>,
        /// The required share of either.
        expected: f64,
        /// Whether the image is in MNI space.
        in_mni: bool,
    },
}

fn listed(keys: &[u32]) -> String {
    let first: Vec<String> = keys.iter().take(KEYS_LISTED).map(u32::to_string).collect();
    let more = if keys.len() > KEYS_LISTED {
        ", …"
    } else {
        ""
    };
    format!("{}{more}", first.join(", "))
}

fn is_it(other_atlas: &Option<&'static str>) -> String {
    match other_atlas {
        Some(other) => format!("is it an image of {other}?"),
        None => "give the label table that says which key is which ROI".into(),
    }
}

fn percent(share: &f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

fn not_in_mni(in_mni: &bool) -> &'static str {
    match in_mni {
        true => ", or not in MNI space",
        false => "",
    }
}

fn shares(own_side: &Option<f64>, own_place: &Option<f64>) -> String {
    let counted = [
        (own_side, "on their own side"),
        (
            own_place,
            "nearer to their own ROI than to its neighbours in the order",
        ),
    ];
    let counted: Vec<String> = counted
        .into_iter()
        .filter_map(|(share, what)| Some(format!("{} are {what}", percent(share.as_ref()?))))
        .collect();
    counted.join(", ")
}
