//! Guard that matches columns and labels of a file with the ROIs of an atlas.
//!
//! A certain match is brought into the order of the atlas. An uncertain one is refused with an
//! error that describes the file.

mod labels;

use crate::builtin::{BUILTINS, Builtin};
use crate::error::{AtlasError, CountHint, Mismatch};
use crate::naming::Key;
use crate::region::Atlas;
use crate::resolve::resolve;

pub use labels::{LabelRegion, LabelSpace, match_label_keys, match_label_table};

/// Subcortical ROIs that XCP-D's 4S atlases add to those of Schaefer 2018.
const SUBCORTICAL_4S: usize = 56;

/// Match of columns with ROIs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnMatch {
    /// By ROI of the atlas: its column; `None` if it is missing.
    pub columns: Vec<Option<usize>>,
    /// Whether the file has another order of the ROIs.
    pub reordered: bool,
    /// Number of ROIs that have another name in the file than in the atlas.
    pub aliased: usize,
    /// Columns that are not ROIs of the atlas, such as the 56 subcortical ROIs of 4S156.
    pub ignored: Vec<String>,
    /// The list of names that the file uses: `schaefer-100-17`, `schaefer-100-7 before v0.14.3`, ….
    pub naming: String,
}

/// Finds the ROIs of an atlas among named columns.
///
/// The comparison ignores case, a missing `7Networks_`, and the difference between `_`, `-`, `.`
/// and space. For a built-in atlas, the names before v0.14.3 and those of the other number of
/// networks are allowed as well; one list must explain all names. An ROI without a column is not an
/// error here: see [`missing`].
///
/// # Errors
/// [`AtlasError::AtlasMismatch`] for a name or an ROI that occurs twice, for names from several
/// lists or with two meanings, and for unknown names. Unknown names are allowed if every ROI is
/// found and they do not look like cortical ROIs.
pub fn match_columns(atlas: &Atlas, found: &[String]) -> Result<ColumnMatch, AtlasError> {
    let names: Vec<&str> = found.iter().map(String::as_str).collect();
    let resolved = resolve(atlas, &names, "columns")?;
    let mut columns = vec![None; atlas.n_rois()];
    let mut aliased = 0;
    let mut ignored = Vec::new();
    for (column, roi) in resolved.rois.iter().enumerate() {
        match roi {
            Some(roi) => {
                columns[*roi] = Some(column);
                let (ours, theirs) = (&atlas.rois[*roi].name, &found[column]);
                aliased += usize::from(Key::of(ours).rest != Key::of(theirs).rest);
            }
            None => ignored.push(found[column].clone()),
        }
    }
    Ok(ColumnMatch {
        reordered: !columns.iter().flatten().is_sorted(),
        columns,
        aliased,
        ignored,
        naming: resolved.label,
    })
}

/// Assigns unnamed columns to the ROIs in order, if their numbers are equal. Returns a text for the
/// log that tells what could not be checked. `n_rows` is used to detect a transposed table.
///
/// # Errors
/// [`AtlasError::AtlasMismatch`] for another number of columns.
pub fn match_count(atlas: &Atlas, n_columns: usize, n_rows: usize) -> Result<String, AtlasError> {
    let n_rois = atlas.n_rois();
    if n_columns == n_rois {
        let orders = match Builtin::of(atlas) {
            Some(_) => ", nor whether they are in the order of 7 or of 17 networks",
            None => "",
        };
        return Ok(format!(
            "the {n_rois} columns have no names and were taken as the ROIs of {} in order: that \
             this is so cannot be checked{orders}",
            atlas.name
        ));
    }
    let builtin = BUILTINS.iter().find(|builtin| builtin.n_rois == n_columns);
    let with_4s = BUILTINS
        .iter()
        .find(|builtin| builtin.n_rois + SUBCORTICAL_4S == n_columns);
    let hint = if n_columns == n_rois + 1 {
        CountHint::OneMore
    } else if n_rows == n_rois {
        CountHint::Transposed
    } else if let Some(builtin) = builtin {
        let atlas = builtin.name;
        CountHint::OtherAtlas { atlas }
    } else if let Some(builtin) = with_4s {
        CountHint::With4s {
            n_columns,
            atlas: builtin.name,
            n_subcortical: SUBCORTICAL_4S,
        }
    } else {
        CountHint::Unknown
    };
    let expected = n_rois;
    Err(AtlasError::mismatch(
        format!("of {n_columns} columns without names"),
        &atlas.name,
        Mismatch::Count { expected, hint },
    ))
}

/// Names of the ROIs that are not in `found`.
pub fn missing(atlas: &Atlas, found: impl IntoIterator<Item = usize>) -> Vec<&str> {
    let mut there = vec![false; atlas.n_rois()];
    for roi in found {
        if let Some(there) = there.get_mut(roi) {
            *there = true;
        }
    }
    atlas
        .rois
        .iter()
        .zip(there)
        .filter(|(_, there)| !there)
        .map(|(roi, _)| roi.name.as_str())
        .collect()
}

#[cfg(test)]
mod tests;
