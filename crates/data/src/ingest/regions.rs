//! ROIs of a data set, with the labels of vertices and voxels for every kind of file.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::spec::AtlasSpec;
use crate::error::{DataError, ScanProblem};
use brainmae_atlas::guard::{LabelRegion, LabelSpace, match_label_keys, match_label_table};
use brainmae_atlas::{Atlas, builtin, centroids};
use brainmae_files::CommonErrors as _;
use brainmae_files::checksum::{FieldHasher, sha256_file};
use brainmae_formats::cifti::{CiftiFile, DenseLabels, VolumeSpace};
use brainmae_formats::label_map::{GrayordinateLabels, VoxelLabels};
use brainmae_formats::vertex_labels::{self, FSLR_32K_VERTICES};

/// Two grids differ if their affines differ by more than this.
const GRID_TOLERANCE_MM: f64 = 1e-3;

/// The name of the atlas whose ROIs are the columns of the files.
pub const COLUMNS: &str = "columns";

/// An atlas with its given or built-in labels.
pub(super) struct Regions {
    /// The ROIs used.
    pub atlas: Atlas,
    /// Hash and origin of the labels.
    pub source: String,
    grayordinates: Option<GrayordinateLabels>,
    /// The grid of the voxels in `grayordinates`, if there are any.
    volume_space: Option<VolumeSpace>,
    voxels: Option<Arc<VoxelLabels>>,
    /// The whole atlas, if ROIs were dropped: labels are matched with it first.
    whole: Atlas,
    /// Label volumes of subjects, read once.
    of_subjects: Mutex<HashMap<PathBuf, Arc<VoxelLabels>>>,
}

impl Regions {
    /// Determines the atlas; `columns` returns the names in the first file with column names.
    pub fn resolve(
        spec: &AtlasSpec,
        columns: impl FnOnce() -> Result<Vec<String>, DataError>,
    ) -> Result<Self, DataError> {
        let mut volume_space = None;
        let (mut whole, mut grayordinates, mut source) = if spec.name == COLUMNS {
            let names = (1..).zip(columns()?).collect::<Vec<(u32, String)>>();
            (
                Atlas::from_label_table(COLUMNS, "names of the files", &names)?,
                None,
                "names of the columns".to_owned(),
            )
        } else if builtin::names().any(|name| name == spec.name) {
            (
                builtin::atlas(&spec.name)?,
                Some(builtin::surface_labels(&spec.name)?),
                builtin::SOURCE.to_owned(),
            )
        } else if Path::new(&spec.name).is_file() {
            let (atlas, labels) = own_atlas(Path::new(&spec.name))?;
            let source = shown(&[PathBuf::from(&spec.name)]);
            match labels {
                Labels::Grayordinates(labels, space) => {
                    volume_space = space;
                    (atlas, Some(labels), source)
                }
                Labels::Voxels(labels) => {
                    return Self::finish(spec, atlas, source, (None, None), Some(labels));
                }
            }
        } else {
            // The error lists the existing atlases.
            return Err(match builtin::atlas(&spec.name) {
                Err(error) => error.into(),
                Ok(_) => DataError::config("atlas", &spec.name, "an atlas or a label file"),
            });
        };
        let mut voxels = None;
        if !spec.labels.is_empty() {
            source = shown(&spec.labels);
            match read_labels(&spec.labels)? {
                Found::Dense(dense) => {
                    let rois = match_label_table(&whole, &table(&dense))?;
                    volume_space = dense.volume_space;
                    grayordinates = Some(relabelled(dense.labels, &rois));
                }
                Found::Vertices(labels) => {
                    let regions = vertex_regions(&labels);
                    let rois = match_label_keys(&whole, &regions, LabelSpace::Mni)?;
                    grayordinates = Some(relabelled(labels, &rois));
                }
                Found::Voxels(labels) => {
                    voxels = Some(match_volume(&whole, labels, LabelSpace::Mni)?)
                }
            }
        }
        if let Some(path) = &spec.centroids {
            whole = whole.with_centroids(&centroids::read(path)?)?;
        }
        Self::finish(spec, whole, source, (grayordinates, volume_space), voxels)
    }

    fn finish(
        spec: &AtlasSpec,
        whole: Atlas,
        source: String,
        (grayordinates, volume_space): (Option<GrayordinateLabels>, Option<VolumeSpace>),
        voxels: Option<VoxelLabels>,
    ) -> Result<Self, DataError> {
        let atlas = if spec.drop.is_empty() {
            whole.clone()
        } else {
            let names: Vec<&str> = spec.drop.iter().map(String::as_str).collect();
            whole.without(&names)?
        };
        let kept = kept(&whole, &atlas);
        Ok(Self {
            grayordinates: grayordinates.map(|labels| relabelled(labels, &kept)),
            volume_space,
            voxels: voxels.map(|labels| Arc::new(relabelled_volume(labels, &kept))),
            atlas,
            whole,
            source,
            of_subjects: Mutex::default(),
        })
    }

    /// The labels of grayordinates, for a file with the same grid of voxels.
    pub fn grayordinates(
        &self,
        file: &CiftiFile,
        path: &Path,
    ) -> Result<&GrayordinateLabels, DataError> {
        let labels = (self.grayordinates.as_ref())
            .ok_or_else(|| DataError::scan(path, ScanProblem::NoVertexLabels))?;
        if !labels.voxels.is_empty()
            && let (Some(ours), Some(theirs)) = (&self.volume_space, file.volume_space())
        {
            let pairs = ours
                .affine
                .iter()
                .flatten()
                .zip(theirs.affine.iter().flatten());
            let apart = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            if ours.shape != theirs.shape || apart > GRID_TOLERANCE_MM {
                return Err(DataError::scan(
                    path,
                    ScanProblem::VoxelGrid {
                        found: theirs.shape,
                        expected: ours.shape,
                    },
                ));
            }
        }
        Ok(labels)
    }

    /// The labels for an image: the subject's own, or those of the atlas.
    pub fn voxels(&self, own: Option<&Path>) -> Result<Arc<VoxelLabels>, DataError> {
        let Some(path) = own else {
            return self.voxels.clone().ok_or_else(|| {
                DataError::config(
                    "atlas.labels",
                    "not given",
                    format!(
                        "a label volume in the grid of the images, for {} has none built in",
                        self.whole.name
                    ),
                )
            });
        };
        let mut known = self
            .of_subjects
            .lock()
            .expect("no thread panics while it holds the labels");
        if let Some(labels) = known.get(path) {
            return Ok(labels.clone());
        }
        let labels = match_volume(&self.whole, VoxelLabels::read(path)?, LabelSpace::Subject)?;
        let labels = relabelled_volume(labels, &kept(&self.whole, &self.atlas));
        let labels = Arc::new(labels);
        known.insert(path.to_owned(), labels.clone());
        Ok(labels)
    }

    /// Identity of atlas and labels.
    pub fn hash(&self) -> String {
        let mut hasher = FieldHasher::new("regions").field(self.atlas.hash());
        if let Some(labels) = &self.grayordinates {
            for side in [&labels.left, &labels.right] {
                let bytes: Vec<u8> = side.iter().flat_map(|label| label.to_le_bytes()).collect();
                hasher = hasher.field(bytes);
            }
            let mut voxels: Vec<_> = labels.voxels.iter().collect();
            voxels.sort_unstable();
            hasher = hasher.field(format!("{voxels:?}"));
        }
        if let Some(labels) = &self.voxels {
            let bytes: Vec<u8> = labels.labels.iter().flat_map(|l| l.to_le_bytes()).collect();
            hasher = hasher.field(bytes).field(format!("{:?}", labels.affine));
        }
        hasher.finish()
    }
}

/// Labels of an atlas that is made from a label file.
enum Labels {
    Grayordinates(GrayordinateLabels, Option<VolumeSpace>),
    Voxels(VoxelLabels),
}

/// Content of a label file; labels are still the keys of the file.
enum Found {
    Dense(DenseLabels),
    Vertices(GrayordinateLabels),
    Voxels(VoxelLabels),
}

fn read_labels(paths: &[PathBuf]) -> Result<Found, DataError> {
    let name = |path: &Path| path.to_string_lossy().to_lowercase();
    match paths {
        [one] if name(one).ends_with(".dlabel.nii") => {
            Ok(Found::Dense(CiftiFile::open(one)?.dense_labels()?))
        }
        [one] if name(one).ends_with(".nii") || name(one).ends_with(".nii.gz") => {
            Ok(Found::Voxels(VoxelLabels::read(one)?))
        }
        [both] => {
            let labels = vertex_labels::read(both, FSLR_32K_VERTICES)?;
            Ok(Found::Vertices(labels))
        }
        [left, right] => {
            let labels = vertex_labels::read_sides(left, right, FSLR_32K_VERTICES)?;
            Ok(Found::Vertices(labels))
        }
        _ => Err(DataError::config(
            "atlas.labels",
            format!("{} files", paths.len()),
            "one file, or one for each hemisphere",
        )),
    }
}

/// An atlas made from a label file alone.
fn own_atlas(path: &Path) -> Result<(Atlas, Labels), DataError> {
    let name = path.file_name().map_or_else(String::new, |name| {
        let name = name.to_string_lossy();
        name.split('.').next().unwrap_or(&name).to_owned()
    });
    let version = sha256_file(path)?[..12].to_owned();
    // For keys without names, the atlas numbers them in order.
    let unnamed = |keys: &mut dyn Iterator<Item = u32>| -> Vec<(u32, String)> {
        keys.map(|key| (key, format!("label_{key:03}"))).collect()
    };
    let build = |names: &[(u32, String)]| {
        let atlas = Atlas::from_label_table(&name, &version, names)?;
        let rois = match_label_table(&atlas, names)?;
        Ok::<_, DataError>((atlas, rois))
    };
    Ok(match read_labels(&[path.to_owned()])? {
        Found::Dense(dense) => {
            let (atlas, rois) = build(&table(&dense))?;
            let labels = relabelled(dense.labels, &rois);
            (atlas, Labels::Grayordinates(labels, dense.volume_space))
        }
        Found::Vertices(labels) => {
            let (atlas, rois) = build(&unnamed(&mut vertex_regions(&labels).into_keys()))?;
            (
                atlas,
                Labels::Grayordinates(relabelled(labels, &rois), None),
            )
        }
        Found::Voxels(labels) => {
            let regions = labels.regions();
            let (mut atlas, rois) = build(&unnamed(&mut regions.keys().copied()))?;
            for (key, roi) in &rois {
                let centroid = regions[key].centroid_mm.map(|mm| mm as f32);
                atlas.rois[*roi].centroid_mm = Some(centroid);
            }
            let labels = relabelled_volume(labels, &rois);
            (atlas, Labels::Voxels(labels))
        }
    })
}

/// The label table of a file, without negative keys, which are not labels.
fn table(dense: &DenseLabels) -> Vec<(u32, String)> {
    (dense.table.iter())
        .filter_map(|entry| Some((u32::try_from(entry.key).ok()?, entry.name.clone())))
        .collect()
}

/// Replaces keys of a file by ROI index plus one, and keys of no ROI by 0.
fn relabelled(labels: GrayordinateLabels, rois: &BTreeMap<u32, usize>) -> GrayordinateLabels {
    let new = |key: u32| rois.get(&key).map_or(0, |roi| *roi as u32 + 1);
    GrayordinateLabels {
        left: labels.left.into_iter().map(new).collect(),
        right: labels.right.into_iter().map(new).collect(),
        voxels: labels
            .voxels
            .into_iter()
            .map(|(place, key)| (place, new(key)))
            .filter(|(_, roi)| *roi > 0)
            .collect(),
    }
}

fn relabelled_volume(labels: VoxelLabels, rois: &BTreeMap<u32, usize>) -> VoxelLabels {
    let new = |key: u32| rois.get(&key).map_or(0, |roi| *roi as u32 + 1);
    VoxelLabels {
        labels: labels.labels.into_iter().map(new).collect(),
        ..labels
    }
}

/// Map from the labels of the whole atlas to the ROIs of the used atlas.
fn kept(whole: &Atlas, used: &Atlas) -> BTreeMap<u32, usize> {
    let places: BTreeMap<&str, usize> = (used.rois.iter())
        .map(|roi| (roi.name.as_str(), roi.index))
        .collect();
    (whole.rois.iter())
        .filter_map(|roi| Some((roi.index as u32 + 1, *places.get(roi.name.as_str())?)))
        .collect()
}

/// Vertices of each key, without positions.
fn vertex_regions(labels: &GrayordinateLabels) -> BTreeMap<u32, LabelRegion> {
    let mut regions = BTreeMap::new();
    for key in labels.left.iter().chain(&labels.right) {
        let region = regions.entry(*key).or_insert(LabelRegion {
            n: 0,
            centroid_mm: None,
        });
        region.n += 1;
    }
    regions.remove(&0);
    regions
}

/// Replaces the keys of a label volume by ROIs.
fn match_volume(
    atlas: &Atlas,
    labels: VoxelLabels,
    space: LabelSpace,
) -> Result<VoxelLabels, DataError> {
    let region = |region: brainmae_formats::label_volume::Region| LabelRegion {
        n: region.n_voxels,
        centroid_mm: Some(region.centroid_mm),
    };
    let regions = (labels.regions().into_iter())
        .map(|(key, found)| (key, region(found)))
        .collect();
    let rois = match_label_keys(atlas, &regions, space)?;
    Ok(relabelled_volume(labels, &rois))
}

fn shown(paths: &[PathBuf]) -> String {
    let names: Vec<_> = (paths.iter())
        .map(|path| path.file_name().unwrap_or_default().to_string_lossy())
        .collect();
    names.join(", ")
}
