//! NIfTI file with the volumes of several consecutive scans, a brain mask, and a text file with the
//! condition and scan of every volume.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::recipe_file::{AtlasChoice, NiftiRunsFiles, Recipe};
use super::{AtlasRng, RecipeLayout, RecipeScan, SignalSink};
use crate::error::{DataError, RecipeProblem};
use brainmae_atlas::Atlas;
use brainmae_atlas::spatial::spatial_atlas;
use brainmae_files::CommonErrors as _;
use brainmae_formats::nifti::NiftiReader;

/// Affines and TRs that differ by more than this are reported.
const TOLERANCE: f64 = 1e-3;

pub(super) struct NiftiRuns {
    bold_path: PathBuf,
    atlas: Atlas,
    scans: Vec<RecipeScan>,
    volumes: Vec<Range<usize>>,
    /// Voxels of the mask with the ROI of each.
    voxels: Vec<(usize, usize)>,
    roi_sizes: Vec<f64>,
}

impl NiftiRuns {
    pub fn open(
        dir: &Path,
        recipe: &Recipe,
        files: &NiftiRunsFiles,
        atlas_rng: &AtlasRng<'_>,
    ) -> Result<Self, DataError> {
        let AtlasChoice::Spatial(choice) = &recipe.atlas else {
            return Err(DataError::config(
                "atlas.kind",
                "columns",
                "spatial, for voxels have no names",
            ));
        };
        let bold_path = dir.join(&files.bold);
        let bold = NiftiReader::open(&bold_path)?;
        let n_volumes = usize::try_from(bold.header().n_volumes()).unwrap_or(usize::MAX);
        if let Some(tr_secs) = bold.header().tr_secs
            && (tr_secs - recipe.tr_secs).abs() > TOLERANCE
        {
            tracing::warn!(
                header_tr_secs = tr_secs,
                tr_secs = recipe.tr_secs,
                path = %bold_path.display(),
                "the TR in the header is not that of the recipe, which is used"
            );
        }
        let (inside, places) = read_mask(&dir.join(&files.mask), &bold_path, &bold)?;
        let cut = spatial_atlas(&places, choice.n_rois, &mut *atlas_rng(choice.seed))?;
        let mut roi_sizes = vec![0.0; choice.n_rois];
        for &roi in &cut.roi_of_voxel {
            roi_sizes[roi] += 1.0;
        }

        let labels_path = dir.join(&files.labels);
        let labels = read_labels(&labels_path)?;
        if labels.len() != n_volumes {
            return Err(DataError::recipe(
                &labels_path,
                RecipeProblem::LabelCount {
                    found: labels.len(),
                    expected: n_volumes,
                    bold: bold_path,
                },
            ));
        }
        let volumes = runs(&labels, &labels_path)?;
        let scans = volumes
            .iter()
            .enumerate()
            .map(|(at, volumes)| RecipeScan {
                scan: recipe.scan_id(&recipe.subject.subject, Some(at + 1)),
                subject: recipe.subject.subject.clone(),
                session: None,
                n_volumes: volumes.len(),
                origin: format!(
                    "{}, volumes {} to {}",
                    files.bold,
                    volumes.start,
                    volumes.end - 1
                ),
                labels: labels[volumes.clone()]
                    .iter()
                    .map(|(condition, _)| condition.clone())
                    .collect(),
            })
            .collect();
        Ok(Self {
            bold_path,
            atlas: cut.atlas,
            scans,
            volumes,
            voxels: inside.into_iter().zip(cut.roi_of_voxel).collect(),
            roi_sizes,
        })
    }
}

impl RecipeLayout for NiftiRuns {
    fn atlas(&self) -> &Atlas {
        &self.atlas
    }

    fn scans(&self) -> &[RecipeScan] {
        &self.scans
    }

    fn read(&mut self, wanted: &[usize], sink: &mut SignalSink<'_>) -> Result<(), DataError> {
        let mut bold = NiftiReader::open(&self.bold_path)?;
        let mut voxels = Vec::new();
        let mut means = vec![0.0; self.roi_sizes.len()];
        for (number, volumes) in self.volumes.iter().enumerate() {
            let is_wanted = wanted.contains(&number);
            let n_volumes = volumes.len();
            let mut signals = match is_wanted {
                true => vec![0.0; means.len() * n_volumes],
                false => Vec::new(),
            };
            for (at, volume) in volumes.clone().enumerate() {
                if !bold.read_volume(&mut voxels)? {
                    return Err(DataError::recipe(
                        &self.bold_path,
                        RecipeProblem::Truncated {
                            found: volume as u64,
                            expected: bold.header().n_volumes(),
                        },
                    ));
                }
                if is_wanted {
                    means.fill(0.0);
                    for &(voxel, roi) in &self.voxels {
                        means[roi] += voxels[voxel];
                    }
                    let places = signals.iter_mut().skip(at).step_by(n_volumes);
                    for ((place, sum), n) in places.zip(&means).zip(&self.roi_sizes) {
                        *place = sum / n;
                    }
                }
            }
            if number + 1 == self.volumes.len() {
                // Reads to the end, where gzip verifies the checksum, before the last scan is
                // passed on.
                bold.read_volume(&mut voxels)?;
            }
            if is_wanted {
                sink(number, signals)?;
            }
        }
        Ok(())
    }
}

/// The voxels inside the mask with their positions in mm.
fn read_mask(
    path: &Path,
    bold_path: &Path,
    bold: &NiftiReader,
) -> Result<(Vec<usize>, Vec<[f64; 3]>), DataError> {
    let mut mask = NiftiReader::open(path)?;
    if mask.header().shape() != bold.header().shape() || mask.header().n_volumes() != 1 {
        return Err(DataError::recipe(
            path,
            RecipeProblem::MaskShape {
                found: mask.header().dims.clone(),
                expected: bold.header().shape().to_vec(),
                bold: bold_path.to_owned(),
            },
        ));
    }
    let (ours, theirs) = (mask.header().affine, bold.header().affine);
    let apart = (ours.iter().flatten())
        .zip(theirs.iter().flatten())
        .any(|(a, b)| (a - b).abs() > TOLERANCE);
    if apart {
        tracing::warn!(
            mask = %path.display(),
            bold = %bold_path.display(),
            "mask and volumes have one shape but different affines: are they aligned?"
        );
    }
    let mut values = Vec::new();
    mask.read_volume(&mut values)?;
    let inside: Vec<usize> = (values.iter().enumerate())
        .filter(|(_, value)| **value != 0.0 && !value.is_nan())
        .map(|(voxel, _)| voxel)
        .collect();
    mask.read_volume(&mut values)?; // To the end: gzip verifies it.
    let header = bold.header();
    let places = inside
        .iter()
        .map(|&voxel| header.position_mm(voxel as u64))
        .collect();
    Ok((inside, places))
}

/// Condition and run of every volume.
fn read_labels(path: &Path) -> Result<Vec<(String, String)>, DataError> {
    let text = std::fs::read_to_string(path).map_err(DataError::io("read", path))?;
    let lines = text.trim_end().lines().enumerate();
    lines
        .map(|(at, line)| {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                [condition, run] => Ok((condition.to_owned(), run.to_owned())),
                _ => Err(DataError::recipe(
                    path,
                    RecipeProblem::LabelLine {
                        line: at + 1,
                        text: line.to_owned(),
                    },
                )),
            }
        })
        .collect()
}

/// The volumes of each run, which must be consecutive.
fn runs(labels: &[(String, String)], path: &Path) -> Result<Vec<Range<usize>>, DataError> {
    let mut seen: Vec<&str> = Vec::new();
    let mut runs = Vec::new();
    let mut start = 0;
    for block in labels.chunk_by(|first, second| first.1 == second.1) {
        let run = block[0].1.as_str();
        if seen.contains(&run) {
            return Err(DataError::recipe(
                path,
                RecipeProblem::RunComesBack {
                    line: start + 1,
                    run: run.to_owned(),
                },
            ));
        }
        seen.push(run);
        runs.push(start..start + block.len());
        start += block.len();
    }
    Ok(runs)
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::recipe::SourceKind;
    use brainmae_formats::nifti::writer::{Grid, NiftiWriter};

    /// An image of five voxels in a row.
    fn write_row(path: &Path, volumes: &[[i16; 5]]) {
        let grid = Grid {
            shape: [5, 1, 1],
            voxel_mm: 1.0,
        };
        let mut writer = NiftiWriter::create(path, &grid, volumes.len(), Some(2.0)).unwrap();
        for volume in volumes {
            writer.write_volume(volume).unwrap();
        }
        writer.finish().unwrap();
    }

    #[test]
    fn an_roi_is_the_mean_of_its_voxels_in_the_mask() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        // Five voxels in a row, the middle one outside the mask; the ROIs are the left and right
        // pair.
        write_row(&dir.join("mask.nii.gz"), &[[1, 1, 0, 1, 1]]);
        let volumes = [
            [1, 3, 99, 10, 20],
            [2, 4, 99, 30, 10],
            [5, 5, 99, -4, -6],
            [0, 1, 99, 7, 7],
        ];
        write_row(&dir.join("bold.nii.gz"), &volumes);
        std::fs::write(dir.join("labels.txt"), "rest 0\nface 0\nrest 1\ncat 1\n").unwrap();
        let recipe = r#"
            name = "made-up"
            licence = "CC0-1.0"
            citation = ""
            tr_secs = 2.0
            dt_secs = 2.0
            cleaning = []
            subject = { subject = "1" }
            source = { kind = "nifti-runs", bold = "bold.nii.gz", mask = "mask.nii.gz", labels = "labels.txt", rest_label = "rest" }
            atlas = { kind = "spatial", n_rois = 2, seed = 0 }
            files = {}
        "#;
        let recipe: Recipe = toml::from_str(recipe).unwrap();
        let SourceKind::NiftiRuns(files) = &recipe.source else {
            panic!("the recipe says nifti-runs")
        };
        let rng = |seed| -> Box<dyn Rng> { Box::new(ChaCha8Rng::seed_from_u64(seed)) };
        let mut source = NiftiRuns::open(dir, &recipe, files, &rng).unwrap();
        assert_eq!(source.scans()[1].labels, ["rest", "cat"]);

        let mut read = Vec::new();
        let mut sink = |scan, values| {
            read.push((scan, values));
            Ok(())
        };
        source.read(&[0, 1], &mut sink).unwrap();
        source.read(&[1], &mut sink).unwrap();
        let second = (1, vec![5.0, 0.5, -5.0, 7.0]);
        assert_eq!(
            read,
            [(0, vec![2.0, 3.0, 15.0, 20.0]), second.clone(), second]
        );
    }

    fn labels(runs: &[&str]) -> Vec<(String, String)> {
        runs.iter()
            .map(|run| ("rest".to_owned(), (*run).to_owned()))
            .collect()
    }

    #[test]
    fn neighbours_of_one_number_are_one_run() {
        let path = Path::new("labels.txt");
        assert_eq!(
            runs(&labels(&["0", "0", "3", "3", "3"]), path).unwrap(),
            [0..2, 2..5]
        );
        let error = runs(&labels(&["0", "1", "0"]), path).unwrap_err();
        let DataError::Recipe {
            problem: RecipeProblem::RunComesBack { line, run },
            ..
        } = error
        else {
            panic!("{error}")
        };
        assert_eq!((line, run.as_str()), (3, "0"));
    }
}
