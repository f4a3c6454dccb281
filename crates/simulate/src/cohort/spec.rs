//! Spec of a simulated cohort.

use std::ops::RangeInclusive;

use brainmae_files::CommonErrors as _;
use serde::{Deserialize, Serialize};

use super::effects::PlantedEffects;
use super::task_design;
use crate::error::SimulateError;

/// Default interval between the vertices of a sparse cohort.
const SPARSE_EVERY: usize = 128;

/// The release whose names and tables the cohort uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CohortLayout {
    /// HCP Young Adult, 3T: TR 0.72 s, rest and seven tasks, families.
    #[default]
    Hcp,
    /// HCP-Aging: TR 0.8 s, visits, rest runs concatenated.
    Aging,
    /// NSD: images with voxels of 1.8 mm, TR 4/3 s, image designs, label volumes of each subject.
    Nsd,
    /// XCP-D: tables of ROI signals in three generations of names.
    Xcpd,
}

impl CohortLayout {
    /// The name in commands and scan tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hcp => "hcp",
            Self::Aging => "aging",
            Self::Nsd => "nsd",
            Self::Xcpd => "xcpd",
        }
    }

    /// TR, seconds.
    pub fn tr_secs(self) -> f64 {
        match self {
            Self::Hcp => 0.72,
            Self::Aging => 0.8,
            Self::Nsd => 4.0 / 3.0,
            Self::Xcpd => 2.0,
        }
    }

    /// Range of the subjects' ages, years.
    pub(super) fn ages_years(self) -> RangeInclusive<f64> {
        match self {
            Self::Hcp => 22.0..=36.0,
            Self::Aging => 36.0..=89.0,
            Self::Nsd => 19.0..=32.0,
            Self::Xcpd => 20.0..=70.0,
        }
    }

    /// Tasks of every subject, in lower case; XCP-D allows any other word too.
    fn tasks(self) -> Vec<&'static str> {
        match self {
            Self::Hcp => [&["rest"], task_design::HCP_TASKS].concat(),
            Self::Aging => [&["rest"], task_design::AGING_TASKS].concat(),
            Self::Nsd => vec!["nsdcore"],
            Self::Xcpd => vec!["rest"],
        }
    }
}

/// Kind of the signal files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SeriesFile {
    /// CIFTI-2, one row per vertex or voxel.
    Dtseries,
    /// CIFTI-2, one row per ROI.
    Ptseries,
    /// Text, one column per ROI; only for XCP-D.
    Tsv,
    /// A compressed 4-D image of 16-bit integers; only for NSD.
    Nifti,
}

/// Grayordinates of a `.dtseries.nii`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grayordinates {
    /// The 91,282 of the HCP: a scan of 1200 volumes takes 438 MB.
    Full,
    /// The first and then every `sparse_every`-th vertex of each ROI and voxel of each structure.
    #[default]
    Sparse,
}

/// Scans that share one order of blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlockOrder {
    /// All subjects' scans of one run, as in the HCP: `tfMRI_WM_LR` has one order, `tfMRI_WM_RL`
    /// another.
    #[default]
    Run,
    /// All scans of a task: the place in the scan tells the condition.
    Task,
    /// None; each scan has its own order, and the place tells nothing.
    Scan,
}

impl BlockOrder {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Spec of a simulated cohort: layout, size and planted effects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CohortSpec {
    /// The imitated release.
    pub layout: CohortLayout,
    /// Seed of all draws.
    pub seed: u64,
    /// Number of people; default 4 for NSD and 12 for the others.
    pub n_subjects: Option<usize>,
    /// Tasks in lower case, such as `rest` and `wm`; all tasks of the layout when empty. For XCP-D,
    /// any word of lower-case letters and digits is a task of alternating blocks.
    pub tasks: Vec<String>,
    /// Volumes of every scan; default as in the release.
    pub n_volumes: Option<usize>,
    /// Kind of the signal files; default the most common one of the release.
    pub file: Option<SeriesFile>,
    /// Grayordinates of a `.dtseries.nii`.
    pub grayordinates: Grayordinates,
    /// Interval between the vertices or voxels of a sparse file.
    pub sparse_every: usize,
    /// Name of the atlas in the file names of XCP-D. A name that starts with `4S` adds the 56
    /// columns of subcortical regions.
    pub atlas_label: String,
    /// Number of sessions of each NSD subject.
    pub sessions: usize,
    /// Number of scans in each NSD session.
    pub runs_per_session: usize,
    /// Whether to plant defects: a missing scan, a truncated file, high head movement, a missing
    /// ROI.
    pub defects: bool,
    /// Scans that share one order of blocks; the default is left out of a cohort's identity.
    #[serde(skip_serializing_if = "BlockOrder::is_default")]
    pub block_order: BlockOrder,
    /// Sizes of the planted effects; without responses to blocks, `task_response` is 0.
    pub effects: PlantedEffects,
}

impl Default for CohortSpec {
    fn default() -> Self {
        Self {
            layout: CohortLayout::default(),
            seed: 0,
            n_subjects: None,
            tasks: Vec::new(),
            n_volumes: None,
            file: None,
            grayordinates: Grayordinates::default(),
            sparse_every: SPARSE_EVERY,
            atlas_label: "4S156Parcels".into(),
            sessions: 2,
            runs_per_session: 3,
            defects: true,
            block_order: BlockOrder::default(),
            effects: PlantedEffects::default(),
        }
    }
}

impl CohortSpec {
    /// Number of people in the cohort.
    pub fn subjects(&self) -> usize {
        self.n_subjects.unwrap_or(match self.layout {
            CohortLayout::Nsd => 4,
            _ => 12,
        })
    }

    /// Kind of the signal files.
    pub fn series_file(&self) -> SeriesFile {
        self.file.unwrap_or(match self.layout {
            CohortLayout::Hcp | CohortLayout::Aging => SeriesFile::Dtseries,
            CohortLayout::Nsd => SeriesFile::Nifti,
            CohortLayout::Xcpd => SeriesFile::Tsv,
        })
    }

    /// The tasks, in a fixed order if they are from a release.
    pub(super) fn task_list(&self) -> Vec<String> {
        if self.tasks.is_empty() || self.layout != CohortLayout::Xcpd {
            let wanted = |task: &str| self.tasks.is_empty() || self.tasks.iter().any(|t| t == task);
            (self.layout.tasks().into_iter())
                .filter(|task| wanted(task))
                .map(str::to_owned)
                .collect()
        } else {
            self.tasks.clone()
        }
    }

    /// Checks that the spec is valid.
    pub(super) fn check(&self) -> Result<(), SimulateError> {
        let count = |key: &'static str, count: usize, most: usize| match count {
            n if (1..=most).contains(&n) => Ok(()),
            n => Err(SimulateError::config(key, n, format!("from 1 to {most}"))),
        };
        if i64::try_from(self.seed).is_err() {
            return Err(SimulateError::config(
                "seed",
                self.seed,
                format!("at most {}, which TOML can hold", i64::MAX),
            ));
        }
        count("n_subjects", self.subjects(), 999)?;
        count("sparse_every", self.sparse_every, 1_000_000)?;
        count("sessions", self.sessions, 99)?;
        count("runs_per_session", self.runs_per_session, 99)?;
        if let Some(n_volumes) = self.n_volumes
            && !(8..=10_000).contains(&n_volumes)
        {
            return Err(SimulateError::config(
                "n_volumes",
                n_volumes,
                "from 8 to 10000",
            ));
        }
        self.check_tasks()?;
        let fits = match self.layout {
            CohortLayout::Hcp | CohortLayout::Aging => {
                &[SeriesFile::Dtseries, SeriesFile::Ptseries][..]
            }
            CohortLayout::Nsd => &[SeriesFile::Nifti],
            CohortLayout::Xcpd => &[SeriesFile::Tsv, SeriesFile::Ptseries],
        };
        if !fits.contains(&self.series_file()) {
            return Err(SimulateError::config(
                "file",
                format!("{:?}", self.series_file()).to_lowercase(),
                format!("one of {fits:?} for {}", self.layout.as_str()).to_lowercase(),
            ));
        }
        if self.layout == CohortLayout::Nsd && !self.block_order.is_default() {
            return Err(SimulateError::config(
                "block_order",
                format!("{:?}", self.block_order).to_lowercase(),
                "nothing for nsd, which has no blocks: each scan shows its own images",
            ));
        }
        if !is_word(&self.atlas_label) {
            return Err(SimulateError::config(
                "atlas_label",
                format!("{:?}", self.atlas_label),
                "letters and digits, such as 4S156Parcels",
            ));
        }
        self.effects.check()
    }

    fn check_tasks(&self) -> Result<(), SimulateError> {
        let known = self.layout.tasks();
        for (at, task) in self.tasks.iter().enumerate() {
            let fits = match self.layout {
                CohortLayout::Xcpd => is_word(task) && !task.contains(char::is_uppercase),
                _ => known.contains(&task.as_str()),
            };
            if !fits || self.tasks[..at].contains(task) {
                let expected = match self.layout {
                    CohortLayout::Xcpd => "words of lower-case letters and digits".to_owned(),
                    _ => known.join(", "),
                };
                return Err(SimulateError::config(
                    "tasks",
                    format!("{task:?}"),
                    format!("each once, out of: {expected}"),
                ));
            }
        }
        Ok(())
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use brainmae_files::InvalidField;

    use super::*;

    fn spec(layout: CohortLayout) -> CohortSpec {
        CohortSpec {
            layout,
            ..CohortSpec::default()
        }
    }

    #[test]
    fn a_layout_alone_is_a_whole_spec() {
        for layout in ["hcp", "aging", "nsd", "xcpd"] {
            let spec: CohortSpec = toml::from_str(&format!("layout = \"{layout}\"")).unwrap();
            spec.check().unwrap();
            assert_eq!(spec.layout.as_str(), layout);
            let back: CohortSpec = toml::from_str(&toml::to_string(&spec).unwrap()).unwrap();
            assert_eq!(back, spec);
        }
    }

    #[test]
    fn tasks_come_in_one_order() {
        let mut spec = spec(CohortLayout::Hcp);
        assert_eq!(spec.task_list().len(), 8);
        spec.tasks = vec!["wm".into(), "rest".into()];
        assert_eq!(spec.task_list(), ["rest", "wm"]);
    }

    #[test]
    fn what_cannot_be_made_is_named() {
        let xcpd = spec(CohortLayout::Xcpd);
        let hcp = spec(CohortLayout::Hcp);
        for (spec, key) in [
            (
                CohortSpec {
                    n_subjects: Some(0),
                    ..hcp.clone()
                },
                "n_subjects",
            ),
            (
                CohortSpec {
                    seed: u64::MAX,
                    ..hcp.clone()
                },
                "seed",
            ),
            (
                CohortSpec {
                    tasks: vec!["nap".into()],
                    ..hcp.clone()
                },
                "tasks",
            ),
            (
                CohortSpec {
                    tasks: vec!["wm".into(), "wm".into()],
                    ..hcp.clone()
                },
                "tasks",
            ),
            (
                CohortSpec {
                    tasks: vec!["../etc".into()],
                    ..xcpd.clone()
                },
                "tasks",
            ),
            (
                CohortSpec {
                    atlas_label: "a/b".into(),
                    ..xcpd.clone()
                },
                "atlas_label",
            ),
            (
                CohortSpec {
                    block_order: BlockOrder::Task,
                    ..spec(CohortLayout::Nsd)
                },
                "block_order",
            ),
            (
                CohortSpec {
                    file: Some(SeriesFile::Tsv),
                    ..hcp
                },
                "file",
            ),
        ] {
            match spec.check() {
                Err(SimulateError::Config(InvalidField { field, .. })) => assert_eq!(field, key),
                other => panic!("{key}: {other:?}"),
            }
        }
    }
}
