//! Lists of names that files use for the ROIs of an atlas.

use std::collections::{HashMap, HashSet};

use crate::builtin::{Builtin, Networks};
use crate::naming::Key;
use crate::region::Atlas;

/// One list of names for the ROIs of an atlas.
pub(crate) struct Scheme {
    /// Label of the list, for messages.
    pub label: String,
    /// The number of networks that the prefix of a name may have; `None` allows any.
    networks: Option<u8>,
    /// Whether names must match exactly, because their keys are not unique.
    exact: bool,
    /// By key of the name.
    meanings: HashMap<String, Meaning>,
}

/// The meaning of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The ROI of this index.
    Roi(usize),
    /// A region that was removed from the atlas.
    LeftOut,
}

impl Scheme {
    /// All lists for an atlas, its own names first. A built-in atlas, or one made from it by
    /// removing ROIs, also has the names of the same regions before v0.14.3 and those of the other
    /// number of networks.
    pub fn all(atlas: &Atlas) -> Vec<Self> {
        let Some(builtin) = Builtin::of(atlas) else {
            return vec![Self::own(atlas)];
        };
        [builtin, builtin.other_order()]
            .into_iter()
            .flat_map(|bearer| [(bearer, false), (bearer, true)])
            .map(|(bearer, old)| Self::of_builtin(atlas, builtin, bearer, old))
            .collect()
    }

    /// The meaning of a name; `None` when it is not in the list.
    pub fn meaning(&self, name: &str, key: &Key) -> Option<Meaning> {
        if let (Some(ours), Some(theirs)) = (self.networks, key.networks)
            && ours != theirs
        {
            return None;
        }
        let compared = if self.exact { name } else { &key.rest };
        self.meanings.get(compared).copied()
    }

    /// The names of an atlas that is not built in.
    fn own(atlas: &Atlas) -> Self {
        let keys: Vec<Key> = atlas.rois.iter().map(|roi| Key::of(&roi.name)).collect();
        let networks = keys.first().and_then(|key| key.networks);
        let one_prefix = keys.iter().all(|key| key.networks == networks);
        let distinct: HashSet<&str> = keys.iter().map(|key| key.rest.as_str()).collect();
        let exact = distinct.len() < keys.len();
        Self {
            label: atlas.name.clone(),
            networks: networks.filter(|_| one_prefix && !exact),
            exact,
            meanings: atlas
                .rois
                .iter()
                .zip(keys)
                .enumerate()
                .map(|(at, (roi, key))| {
                    let compared = if exact { roi.name.clone() } else { key.rest };
                    (compared, Meaning::Roi(at))
                })
                .collect(),
        }
    }

    /// The names of the regions of `builtin` in the atlas `bearer`; with `old`, those before
    /// v0.14.3.
    fn of_builtin(atlas: &Atlas, builtin: &Builtin, bearer: &Builtin, old: bool) -> Self {
        let rois: HashMap<&str, usize> = atlas
            .rois
            .iter()
            .enumerate()
            .map(|(at, roi)| (roi.name.as_str(), at))
            .collect();
        let networks: Networks = bearer.networks;
        Self {
            label: format!(
                "{}{}",
                bearer.name,
                if old { " before v0.14.3" } else { "" }
            ),
            networks: Some(networks.number()),
            exact: false,
            meanings: builtin
                .regions()
                .iter()
                .map(|region| {
                    let roi = rois.get(builtin.roi_name(region).as_str());
                    let meaning = roi.map_or(Meaning::LeftOut, |roi| Meaning::Roi(*roi));
                    (Key::of(region.name(networks, old)).rest, meaning)
                })
                .collect(),
        }
    }
}
