//! Files of NSD: compressed images on a small grid, designs, and label volumes of each subject.

use std::fmt::Write as _;
use std::path::Path;

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use super::brain::{DrawnScan, noise_ar1};
use super::person::subject_id;
use super::place::write_text;
use super::plan::{PlannedScan, volumes};
use super::spec::CohortSpec;
use super::task_design::Block;
use crate::error::SimulateError;
use brainmae_atlas::{Atlas, Hemisphere};
use brainmae_formats::nifti::writer::{Grid, NiftiWriter};

/// The grid of all images; the real ones have about 81 · 104 · 83 voxels.
pub(super) const GRID: Grid = Grid {
    shape: [20, 26, 21],
    voxel_mm: 1.8,
};

/// Mean of a voxel, and its standard deviation over voxels.
const MEAN: f32 = 1500.0;
const MEAN_SD: f32 = 150.0;

/// Squared radius of the voxels with an ROI; the brain mask is larger and reaches to 1.
const LABELLED: f64 = 0.81;

/// Every scan of every session of every subject.
pub(super) fn plan(spec: &CohortSpec) -> Vec<PlannedScan> {
    let mut scans = Vec::new();
    for person in 0..spec.subjects() {
        let subject = subject_id(spec.layout, person);
        for session in 1..=spec.sessions {
            for run in 1..=spec.runs_per_session {
                let name = format!("session{session:02}_run{run:02}");
                scans.push(PlannedScan {
                    person,
                    session: Some(format!("session{session:02}")),
                    run: format!("run{run:02}"),
                    task: "nsdcore".into(),
                    part_volumes: vec![volumes(spec, "nsdcore")],
                    files: vec![format!(
                        "nsddata_timeseries/ppdata/{subject}/func1pt8mm/timeseries/timeseries_{name}.nii.gz"
                    )],
                    defect: None,
                });
            }
        }
    }
    scans
}

/// The brain of one subject on the grid.
pub(super) struct LabelVolume {
    /// By voxel, first axis fastest: −1 outside the brain, 0 without an ROI, `n` for the ROI of
    /// index `n - 1`.
    labels: Vec<i16>,
}

impl LabelVolume {
    /// Fills an ellipsoid with the ROIs: the voxels of each side, plane by plane, are cut into as
    /// many pieces of equal size as that side has ROIs. Subjects differ in size.
    ///
    /// # Errors
    /// An error when there are more ROIs than voxels.
    pub fn of(atlas: &Atlas, person: usize) -> Result<Self, SimulateError> {
        let size = 1.0 - 0.02 * (person % 4) as f64;
        let squared_radius = |voxel: usize| -> f64 {
            let [nx, ny, _] = GRID.shape;
            let at = [voxel % nx, voxel / nx % ny, voxel / (nx * ny)];
            (0..3)
                .map(|axis| {
                    let half = GRID.shape[axis] as f64 / 2.0;
                    ((at[axis] as f64 + 0.5 - half) / (half * size)).powi(2)
                })
                .sum()
        };
        let mut labels = vec![-1; GRID.n_voxels()];
        let mut sides: [Vec<usize>; 2] = Default::default();
        for (voxel, label) in labels.iter_mut().enumerate() {
            let radius = squared_radius(voxel);
            if radius <= 1.0 {
                *label = 0;
            }
            if radius <= LABELLED {
                // x increases to the right.
                let is_right = voxel % GRID.shape[0] >= GRID.shape[0] / 2;
                sides[usize::from(is_right)].push(voxel);
            }
        }
        let mut rois: [Vec<i16>; 2] = Default::default();
        for roi in &atlas.rois {
            let is_right = match roi.hemisphere {
                Some(side) => side == Hemisphere::Right,
                None => roi.index >= atlas.n_rois() / 2,
            };
            let key = i16::try_from(roi.index + 1).map_err(|_| too_many(atlas))?;
            rois[usize::from(is_right)].push(key);
        }
        for (voxels, rois) in sides.iter().zip(&rois) {
            if rois.len() > voxels.len() {
                return Err(too_many(atlas));
            }
            for (at, voxel) in voxels.iter().enumerate() {
                if !rois.is_empty() {
                    labels[*voxel] = rois[at * rois.len() / voxels.len()];
                }
            }
        }
        Ok(Self { labels })
    }

    /// Writes the labels as an image, 0 outside the brain.
    pub fn write(&self, path: &Path) -> Result<(), SimulateError> {
        let keys: Vec<i16> = self.labels.iter().map(|label| *label.max(&0)).collect();
        let mut writer = NiftiWriter::create(path, &GRID, 1, None)?;
        writer.write_volume(&keys)?;
        Ok(writer.finish()?)
    }

    /// Writes the signals of a scan as a 4-D image; voxels outside the brain are 0.
    pub fn write_scan(
        &self,
        path: &Path,
        spec: &CohortSpec,
        drawn: &DrawnScan,
        rng: &mut dyn Rng,
    ) -> Result<(), SimulateError> {
        let tr_secs = spec.layout.tr_secs();
        let sd = spec.effects.vertex_noise_sd as f32;
        let ar1 = noise_ar1(tr_secs) as f32;
        let fresh = (1.0 - ar1 * ar1).sqrt();
        let mut draw = || -> f32 { rng.sample(StandardNormal) };
        let mut state: Vec<[f32; 2]> = (self.labels.iter())
            .map(|_| [MEAN + MEAN_SD * draw(), draw()])
            .collect();
        let mut writer = NiftiWriter::create(path, &GRID, drawn.n_volumes(), Some(tr_secs))?;
        let mut voxels = vec![0; self.labels.len()];
        for volume in 0..drawn.n_volumes() {
            for ((voxel, label), [mean, noise]) in
                voxels.iter_mut().zip(&self.labels).zip(&mut state)
            {
                let Ok(label) = usize::try_from(*label) else {
                    continue;
                };
                let signal = drawn.written[label][volume] as f32;
                // The value is never 0, which means outside the brain; the conversion saturates.
                *voxel = (*mean * (1.0 + 0.01 * (signal + sd * *noise)))
                    .max(1.0)
                    .round() as i16;
                *noise = ar1 * *noise + fresh * draw();
            }
            writer.write_volume(&voxels)?;
        }
        Ok(writer.finish()?)
    }
}

/// Writes the design and the head movement of a scan whose signals are at `path`.
pub(super) fn write_beside(
    path: &Path,
    spec: &CohortSpec,
    drawn: &DrawnScan,
    blocks: &[Block],
) -> Result<(), SimulateError> {
    let mut images = vec!["0"; drawn.n_volumes()];
    for block in blocks {
        let volume = (block.onset_secs / spec.layout.tr_secs()).round() as usize;
        if let Some(image) = images.get_mut(volume) {
            *image = &block.condition;
        }
    }
    let beside = |folder: &str| {
        let name = path.file_name().map(|name| name.to_string_lossy());
        let name = name.unwrap_or_default().replace(".nii.gz", ".tsv");
        let folder_above = path.parent().and_then(Path::parent).unwrap_or(path);
        folder_above
            .join(folder)
            .join(name.replace("timeseries", folder))
    };
    write_text(&beside("design"), &(images.join("\n") + "\n"))?;
    let mut text = String::new();
    for position in &drawn.motion.positions {
        let cells = position.map(|value| format!("{value:.6}"));
        writeln!(text, "{}", cells.join("\t")).expect("a String takes all text");
    }
    write_text(&beside("motion"), &text)
}

fn too_many(atlas: &Atlas) -> SimulateError {
    SimulateError::NoRoom {
        atlas: atlas.name.clone(),
        n_rois: atlas.n_rois(),
        shape: GRID.shape,
    }
}

#[cfg(test)]
mod tests {
    use super::super::brain::tests::atlas;
    use super::*;

    #[test]
    fn every_roi_has_voxels_on_its_side() {
        let atlas = atlas(12);
        let volume = LabelVolume::of(&atlas, 1).unwrap();
        let mut counts = vec![0; atlas.n_rois()];
        for (voxel, label) in volume.labels.iter().enumerate() {
            if *label > 0 {
                let roi = &atlas.rois[*label as usize - 1];
                let x = GRID.affine()[0][0] * (voxel % 20) as f32 + GRID.affine()[0][3];
                assert_eq!(roi.hemisphere == Some(Hemisphere::Right), x > 0.0);
                counts[roi.index] += 1;
            }
        }
        assert!(counts.iter().all(|count| *count > 20), "{counts:?}");
        // The rim of the brain has no ROI, and the corners are outside.
        assert!(volume.labels.contains(&0));
        assert_eq!(volume.labels[0], -1);
    }

    #[test]
    fn subjects_differ() {
        let atlas = atlas(12);
        let [first, second] = [0, 1].map(|person| LabelVolume::of(&atlas, person).unwrap().labels);
        assert_ne!(first, second);
    }

    #[test]
    fn an_atlas_without_room_is_refused() {
        let error = LabelVolume::of(&atlas(1000), 0).err().unwrap();
        assert!(
            matches!(error, SimulateError::NoRoom { n_rois: 8000, .. }),
            "{error}"
        );
    }
}
