//! Plan of a cohort: its scans and its size on disk, before anything is drawn.

use super::rows::{LabelledRows, dense_rows, parcel_rows};
use super::spec::{CohortLayout, CohortSpec, SeriesFile};
use super::{aging, hcp, nsd, task_design, xcpd};
use crate::error::SimulateError;
use brainmae_atlas::Atlas;
use brainmae_formats::label_map::GrayordinateLabels;

/// Volumes of a rest scan in the releases; tasks have other numbers.
const HCP_REST_VOLUMES: usize = 1200;
const AGING_REST_VOLUMES: usize = 478;
const NSD_VOLUMES: usize = 226;
const XCPD_VOLUMES: usize = 240;

/// Bytes of a number in a table, with its tab.
const TABLE_CELL_BYTES: u64 = 10;

/// Deliberate defect of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Defect {
    /// Its files are missing.
    Missing,
    /// Its signal file is truncated.
    CutShort,
    /// The head moves five times as much.
    HighMotion,
    /// One ROI has no values.
    MissingRoi,
}

impl Defect {
    /// The text in the tables of the truth.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::CutShort => "cut-short",
            Self::HighMotion => "high-motion",
            Self::MissingRoi => "missing-roi",
        }
    }
}

/// One scan to write.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PlannedScan {
    /// Index of the subject.
    pub person: usize,
    /// Session in the words of the release: `V1`, `session01`.
    pub session: Option<String>,
    /// Run in the words of the release: `tfMRI_WM_LR`.
    pub run: String,
    /// Task in lower case.
    pub task: String,
    /// Volumes of each concatenated run; a single number for most scans.
    pub part_volumes: Vec<usize>,
    /// Signal files, relative to the cohort: the file to use, then others of the same scan.
    pub files: Vec<String>,
    pub defect: Option<Defect>,
}

impl PlannedScan {
    /// Number of volumes acquired.
    pub fn n_volumes(&self) -> usize {
        self.part_volumes.iter().sum()
    }
}

/// Size of a planned cohort.
#[derive(Clone, Debug, PartialEq)]
pub struct CohortPlan {
    /// Number of people.
    pub n_subjects: usize,
    /// Number of scans with files.
    pub n_scans: usize,
    /// Approximate size of the signal files in bytes; `.nii.gz` before compression.
    pub n_bytes: u64,
    /// All scans, with those that are missing on purpose.
    pub(super) scans: Vec<PlannedScan>,
    /// Rows of the CIFTI files, if there are any.
    pub(super) rows: Option<LabelledRows>,
}

/// Plans the scans and the size of a cohort, without writing anything.
///
/// # Errors
/// [`SimulateError::Config`] for an invalid spec, or labels of another atlas.
pub fn plan_cohort(
    spec: &CohortSpec,
    atlas: &Atlas,
    labels: &GrayordinateLabels,
) -> Result<CohortPlan, SimulateError> {
    spec.check()?;
    let rows = match spec.series_file() {
        SeriesFile::Dtseries => Some(dense_rows(spec, atlas, labels)?),
        SeriesFile::Ptseries => Some(parcel_rows(atlas, labels)?),
        SeriesFile::Tsv | SeriesFile::Nifti => None,
    };
    let mut scans = match spec.layout {
        CohortLayout::Hcp => hcp::plan(spec),
        CohortLayout::Aging => aging::plan(spec),
        CohortLayout::Nsd => nsd::plan(spec),
        CohortLayout::Xcpd => xcpd::plan(spec),
    };
    if spec.defects {
        plant_defects(spec.layout, &mut scans);
    }
    let volume_bytes = match (&rows, spec.layout) {
        (Some(rows), _) => 4 * rows.labels.len() as u64,
        (None, CohortLayout::Nsd) => 2 * nsd::GRID.n_voxels() as u64,
        (None, _) => TABLE_CELL_BYTES * (atlas.n_rois() + xcpd::extra_columns(spec).len()) as u64,
    };
    let written = |scan: &&PlannedScan| scan.defect != Some(Defect::Missing);
    let volumes = |scan: &PlannedScan| (scan.n_volumes() * scan.files.len()) as u64;
    Ok(CohortPlan {
        n_subjects: spec.subjects(),
        n_scans: scans.iter().filter(written).count(),
        n_bytes: volume_bytes * scans.iter().filter(written).map(volumes).sum::<u64>(),
        scans,
        rows,
    })
}

/// Volumes of a scan: as requested, or as in the release.
pub(super) fn volumes(spec: &CohortSpec, task: &str) -> usize {
    spec.n_volumes
        .or_else(|| task_design::release_volumes(task))
        .unwrap_or(match spec.layout {
            CohortLayout::Hcp => HCP_REST_VOLUMES,
            CohortLayout::Aging => AGING_REST_VOLUMES,
            CohortLayout::Nsd => NSD_VOLUMES,
            CohortLayout::Xcpd => XCPD_VOLUMES,
        })
}

/// Extension of the requested kind of CIFTI file.
pub(super) fn cifti_ending(spec: &CohortSpec) -> &'static str {
    match spec.series_file() {
        SeriesFile::Ptseries => ".ptseries.nii",
        _ => ".dtseries.nii",
    }
}

/// Plants defects: the last of several scans of the second subject is missing, the first scan of
/// the third subject is truncated (in XCP-D, all its scans miss an ROI), and the first scan of the
/// fourth subject has high head movement.
fn plant_defects(layout: CohortLayout, scans: &mut [PlannedScan]) {
    let n_of_second = scans.iter().filter(|scan| scan.person == 1).count();
    if n_of_second > 1
        && let Some(scan) = scans.iter_mut().rev().find(|scan| scan.person == 1)
    {
        scan.defect = Some(Defect::Missing);
    }
    if layout == CohortLayout::Xcpd {
        for scan in scans.iter_mut().filter(|scan| scan.person == 2) {
            scan.defect = Some(Defect::MissingRoi);
        }
    } else if let Some(scan) = scans.iter_mut().find(|scan| scan.person == 2) {
        scan.defect = Some(Defect::CutShort);
    }
    if let Some(scan) = scans.iter_mut().find(|scan| scan.person == 3) {
        scan.defect = Some(Defect::HighMotion);
    }
}

#[cfg(test)]
mod tests {
    use super::super::brain::tests::atlas;
    use super::super::rows::tests::labels;
    use super::*;

    fn plan(spec: &CohortSpec) -> CohortPlan {
        let atlas = atlas(2);
        plan_cohort(spec, &atlas, &labels(&atlas)).unwrap()
    }

    #[test]
    fn the_young_adults_do_four_rests_and_seven_tasks_twice() {
        let spec = CohortSpec {
            n_subjects: Some(1),
            file: Some(SeriesFile::Ptseries),
            defects: false,
            ..CohortSpec::default()
        };
        let plan = plan(&spec);
        assert_eq!(plan.n_scans, 18);
        // 4 · 1200 + 2 · (176 + 253 + 316 + 284 + 232 + 274 + 405), and a second file of one rest
        // scan; 16 ROIs of 4 bytes.
        assert_eq!(plan.n_bytes, (4800 + 3880 + 1200) * 16 * 4);
    }

    #[test]
    fn defects_are_planted_in_three_subjects() {
        let spec = CohortSpec {
            n_subjects: Some(5),
            tasks: vec!["rest".into()],
            ..CohortSpec::default()
        };
        let planned = plan(&spec);
        let defects: Vec<_> = (planned.scans.iter())
            .filter_map(|scan| Some((scan.person, scan.run.as_str(), scan.defect?)))
            .collect();
        assert_eq!(
            defects,
            [
                (1, "rfMRI_REST2_RL", Defect::Missing),
                (2, "rfMRI_REST1_LR", Defect::CutShort),
                (3, "rfMRI_REST1_LR", Defect::HighMotion),
            ]
        );
        assert_eq!(planned.n_scans, planned.scans.len() - 1);
        let whole = CohortSpec {
            defects: false,
            ..spec
        };
        assert!(plan(&whole).scans.iter().all(|scan| scan.defect.is_none()));
    }

    #[test]
    fn a_small_cohort_stays_small() {
        for layout in [
            CohortLayout::Hcp,
            CohortLayout::Aging,
            CohortLayout::Nsd,
            CohortLayout::Xcpd,
        ] {
            let spec = CohortSpec {
                layout,
                ..CohortSpec::default()
            };
            assert!(plan(&spec).n_bytes < 1_000_000_000, "{layout:?}");
        }
    }
}
