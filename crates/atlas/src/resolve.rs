//! ROIs of the names in a file, found with one list of names.
//!
//! A name alone can be ambiguous: `7Networks_LH_DorsAttn_FEF_1` was one region of Schaefer 2018
//! before v0.14.3 and is another one since. So all names of a file are read with the same list, the
//! only one that explains them all.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::builtin::{BUILTINS, Builtin, Region};
use crate::error::{AtlasError, Mismatch, NameProblem, UnknownNames};
use crate::naming::{Key, nearest};
use crate::region::Atlas;
use crate::scheme::{Meaning, Scheme};

/// Maximum number of names in a message.
const MOST_LISTED: usize = 5;

/// The ROIs of the names in a file.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// By name: the ROI; `None` for a name that is not an ROI.
    pub rois: Vec<Option<usize>>,
    /// Label of the list used.
    pub label: String,
}

/// Finds the one list that explains `names`, and reads them with it; `what` describes the named
/// objects in errors, in the plural.
///
/// # Errors
/// [`AtlasError::AtlasMismatch`] when a name or an ROI occurs twice; when no list explains all
/// names that are in some list, or two lists explain them differently; when ROIs are missing and
/// there are unknown names, or the names belong to another built-in atlas; when unknown names look
/// like those of a built-in atlas.
pub(crate) fn resolve(atlas: &Atlas, names: &[&str], what: &str) -> Result<Resolved, AtlasError> {
    let keys: Vec<Key> = names.iter().map(|name| Key::of(name)).collect();
    read(atlas, names, &keys).map_err(|problem| {
        let difference = Mismatch::Names {
            problem,
            other_atlas: another_builtin(atlas, &keys),
        };
        let found = format!("of {} named {what}", names.len());
        AtlasError::mismatch(found, &atlas.name, difference)
    })
}

fn read(atlas: &Atlas, names: &[&str], keys: &[Key]) -> Result<Resolved, NameProblem> {
    let mut seen = HashSet::new();
    if let Some(twice) = names.iter().find(|name| !seen.insert(**name)) {
        let name = (*twice).to_owned();
        return Err(NameProblem::NameTwice { name });
    }
    let schemes = Scheme::all(atlas);
    let readings: Vec<Vec<Option<Meaning>>> = schemes
        .iter()
        .map(|scheme| {
            let names = names.iter().zip(keys);
            names.map(|(name, key)| scheme.meaning(name, key)).collect()
        })
        .collect();
    let unknown: Vec<usize> = (0..names.len())
        .filter(|at| readings.iter().all(|reading| reading[*at].is_none()))
        .collect();
    if unknown.len() == names.len() {
        let unknown = list(atlas, names, &unknown);
        return Err(NameProblem::NoRoi { unknown });
    }
    let chosen = choose(&schemes, &readings, names, unknown.len())?;
    let rois: Vec<Option<usize>> = readings[chosen]
        .iter()
        .map(|meaning| match meaning {
            Some(Meaning::Roi(roi)) => Some(*roi),
            _ => None,
        })
        .collect();

    let n_found = count_once(atlas, names, &rois)?;
    check_rest(atlas, names, keys, unknown, n_found)?;
    Ok(Resolved {
        rois,
        label: schemes[chosen].label.clone(),
    })
}

/// Number of ROIs found; an ROI that occurs twice is an error.
fn count_once(atlas: &Atlas, names: &[&str], rois: &[Option<usize>]) -> Result<usize, NameProblem> {
    let mut name_of_roi: Vec<Option<&str>> = vec![None; atlas.n_rois()];
    for (name, roi) in names.iter().zip(rois) {
        let Some(roi) = roi else { continue };
        if let Some(before) = name_of_roi[*roi].replace(name) {
            return Err(NameProblem::RoiTwice {
                first: before.to_owned(),
                second: (*name).to_owned(),
                roi: atlas.rois[*roi].name.clone(),
            });
        }
    }
    Ok(name_of_roi.iter().flatten().count())
}

/// Checks that names in no list are not ROIs: every ROI must be found without them, and they must
/// not look like ROIs.
fn check_rest(
    atlas: &Atlas,
    names: &[&str],
    keys: &[Key],
    unknown: Vec<usize>,
    n_found: usize,
) -> Result<(), NameProblem> {
    let complete = n_found == atlas.n_rois();
    let in_the_way: Vec<usize> = if !complete {
        unknown
    } else if Builtin::of(atlas).is_some() {
        unknown
            .into_iter()
            .filter(|at| is_cortical(&keys[*at]))
            .collect()
    } else {
        Vec::new()
    };
    if in_the_way.is_empty() && (complete || another_builtin(atlas, keys).is_none()) {
        return Ok(());
    }
    Err(NameProblem::Unknown {
        found: n_found,
        expected: atlas.n_rois(),
        unknown: list(atlas, names, &in_the_way),
    })
}

/// The list that explains every name that is in any list.
fn choose(
    schemes: &[Scheme],
    readings: &[Vec<Option<Meaning>>],
    names: &[&str],
    n_unknown: usize,
) -> Result<usize, NameProblem> {
    let n_explained: Vec<usize> = readings
        .iter()
        .map(|reading| reading.iter().flatten().count())
        .collect();
    let mut fitting = (0..schemes.len()).filter(|at| n_explained[*at] + n_unknown == names.len());
    let Some(chosen) = fitting.next() else {
        // The first of the lists that explain most names, so that the names of the atlas itself
        // come first.
        let best = (0..schemes.len())
            .rev()
            .max_by_key(|at| n_explained[*at])
            .expect("an atlas has at least its own names");
        let (odd, by) = (0..names.len())
            .filter(|at| readings[best][*at].is_none())
            .find_map(|at| Some((at, readings.iter().position(|by| by[at].is_some())?)))
            .expect("a name that the best list lacks is on another one");
        return Err(NameProblem::Mixed {
            n_explained: n_explained[best],
            list: schemes[best].label.clone(),
            odd: names[odd].to_owned(),
            other_list: schemes[by].label.clone(),
        });
    };
    for other in fitting {
        let differs = (0..names.len()).find(|at| readings[chosen][*at] != readings[other][*at]);
        if let Some(at) = differs {
            return Err(NameProblem::Ambiguous {
                name: names[at].to_owned(),
                list: schemes[chosen].label.clone(),
                other_list: schemes[other].label.clone(),
            });
        }
    }
    Ok(chosen)
}

/// Networks of Schaefer 2018 in names before and since v0.14.3, in lower case.
static NETWORKS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let names = BUILTINS.iter().flat_map(|builtin| {
        let both = |region| [false, true].map(|old| Region::name(region, builtin.networks, old));
        builtin.regions().iter().flat_map(both)
    });
    names
        .filter_map(|name| Key::of(name).network().map(str::to_owned))
        .collect()
});

/// Whether a name looks like a cortical ROI of Schaefer 2018.
fn is_cortical(key: &Key) -> bool {
    key.network()
        .is_some_and(|network| NETWORKS.contains(network))
}

/// The largest built-in atlas with another number of ROIs whose names are all in `keys`. The
/// largest is needed: the names of `schaefer-300-17` include all names of `schaefer-100-17`.
fn another_builtin(atlas: &Atlas, keys: &[Key]) -> Option<&'static str> {
    let n_rois = Builtin::of(atlas).map(|builtin| builtin.n_rois);
    let found: HashSet<&str> = keys.iter().map(|key| key.rest.as_str()).collect();
    let holds = |builtin: &Builtin| {
        [false, true].into_iter().any(|old| {
            builtin.regions().iter().all(|region| {
                let name = region.name(builtin.networks, old).to_ascii_lowercase();
                found.contains(name.as_str())
            })
        })
    };
    BUILTINS
        .iter()
        .rev()
        .filter(|builtin| Some(builtin.n_rois) != n_rois)
        .find(|builtin| holds(builtin))
        .map(|builtin| builtin.name)
}

/// The first unknown names, each with the ROI that it may mean.
fn list(atlas: &Atlas, names: &[&str], unknown: &[usize]) -> UnknownNames {
    let known = || atlas.rois.iter().map(|roi| roi.name.as_str());
    let listed = unknown.iter().take(MOST_LISTED).map(|at| {
        let near = nearest(names[*at], known());
        (names[*at].to_owned(), near.map(str::to_owned))
    });
    UnknownNames {
        listed: listed.collect(),
        n_more: unknown.len().saturating_sub(MOST_LISTED),
    }
}
