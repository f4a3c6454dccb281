//! Command `bench ingest`: reading raw files, in comparison with a plain read of the same bytes and
//! with peers.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use brainmae_atlas::builtin;
use brainmae_data::PrepareOptions;
use brainmae_data::ingest::{IngestSpec, ingest_folder};
use brainmae_data::pipeline::quiet;
use brainmae_formats::cifti::CiftiFile;
use brainmae_formats::cifti::writer::{BrainModel, CiftiRows, CiftiWriter, Places};
use brainmae_formats::label_map::{GrayordinateLabels, VoxelLabels};
use brainmae_formats::nifti;
use brainmae_formats::nifti::writer::{Grid, NiftiWriter};
use brainmae_run::Seeds;
use brainmae_simulate::cohort::{CohortLayout, CohortSpec, simulate_cohort};
use brainmae_studies::LayoutName;
use clap::Args;
use rand::RngExt;

use super::{peak_rss_mib, streams};

/// Source code of the peer, nibabel and numpy.
const PEER: &str = include_str!("ingest.py");

/// Number of ROIs of the atlas.
const N_ROIS: usize = 100;
const ATLAS: &str = "schaefer-100-7";

/// Grayordinates of the HCP: left and right cortex, and subcortical voxels.
const LEFT: usize = 29_696;
const RIGHT: usize = 29_716;
const BELOW: usize = 31_870;

/// Bytes read at once by the plain read.
const BUFFER_BYTES: usize = 1 << 20;

/// NIfTI image about as large as a scan of NSD at 1.8 mm, with fewer volumes.
const IMAGE: Grid = Grid {
    shape: [81, 104, 83],
    voxel_mm: 1.8,
};
const IMAGE_VOLUMES: usize = 100;

/// Reading raw files.
#[derive(Args)]
pub struct IngestBench {
    /// Volumes of the CIFTI file.
    #[arg(long, default_value_t = 1200)]
    volumes: usize,
    /// Rounds; ours, the plain read and the peer take turns, and the best of each counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Scans of the simulated cohort.
    #[arg(long, default_value_t = 200)]
    scans: usize,
    /// A Python with nibabel and numpy to measure against.
    #[arg(long, value_name = "PROGRAM")]
    python: Option<PathBuf>,
    /// Folder for the files, some 700 MB, which are removed at the end; that of the system when
    /// nothing is said.
    #[arg(long)]
    dir: Option<PathBuf>,
}

impl IngestBench {
    /// Measures, and prints the table.
    ///
    /// # Errors
    /// If files cannot be written or read, or if the peer fails.
    pub fn run(self) -> Result<()> {
        let parent = self.dir.clone().unwrap_or_else(std::env::temp_dir);
        let dir = parent.join(format!("brainmae-bench-{}", std::process::id()));
        std::fs::create_dir_all(&dir).with_context(|| format!("cannot make {dir:?}"))?;
        let done = (self.cifti(&dir))
            .and_then(|()| self.compressed(&dir))
            .and_then(|()| self.cohort(&dir));
        std::fs::remove_dir_all(&dir).with_context(|| format!("cannot remove {dir:?}"))?;
        done
    }

    fn cifti(&self, dir: &Path) -> Result<()> {
        let path = dir.join("rest.dtseries.nii");
        let labels = builtin::surface_labels(ATLAS)?;
        let rois = write_dense(&path, &labels, self.volumes)?;
        let bytes = std::fs::metadata(&path)?.len();
        let keys = dir.join("rois.bin");
        std::fs::write(
            &keys,
            rois.iter()
                .flat_map(|roi| roi.to_le_bytes())
                .collect::<Vec<_>>(),
        )?;

        let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
        let mut best = Best::default();
        let mut peer_mib = None;
        let mut means = Vec::new();
        for _ in 0..self.rounds {
            best.take("plain read", || plain_read(&path))?;
            for threads in [1, cores] {
                let name = format!("roi means, {threads} threads");
                means = best.take(&name, || {
                    let file = CiftiFile::open(&path)?;
                    Ok(file
                        .roi_means(&labels, N_ROIS, None, threads)?
                        .signals
                        .values)
                })?;
            }
            if let Some(python) = &self.python {
                let out = dir.join("peer.bin");
                let output = Command::new(python)
                    .args(["-c", PEER])
                    .args([&path, &keys])
                    .arg(N_ROIS.to_string())
                    .arg(&out)
                    .output()
                    .with_context(|| format!("cannot start {python:?}"))?;
                if !output.status.success() {
                    bail!(
                        "the peer failed: {}",
                        String::from_utf8_lossy(&output.stderr)
                    );
                }
                let line: serde_json::Value = serde_json::from_slice(&output.stdout)?;
                best.note(
                    "nibabel + numpy",
                    line["ms"].as_f64().context("no ms from the peer")?,
                );
                peer_mib = line["peak_rss_mib"].as_f64();
                let theirs = std::fs::read(&out)?;
                let theirs = theirs
                    .chunks_exact(8)
                    .map(|b| f64::from_le_bytes(b.try_into().unwrap_or_default()));
                let apart = means
                    .iter()
                    .zip(theirs)
                    .map(|(a, b)| (a - b).abs())
                    .fold(0.0, f64::max);
                if apart > 1e-5 {
                    bail!("ours and the peer's means differ by {apart}");
                }
            }
        }
        println!(
            "\n{} grayordinates x {} volumes, {:.0} MB, to {N_ROIS} ROI means",
            LEFT + RIGHT + BELOW,
            self.volumes,
            bytes as f64 / 1e6
        );
        best.print("plain read");
        let mib = |mib: Option<f64>| mib.map_or("unknown".into(), |mib| format!("{mib:.0} MiB"));
        println!(
            "peak memory: this process {}, the peer {}",
            mib(peak_rss_mib()),
            mib(peer_mib)
        );
        Ok(())
    }

    fn compressed(&self, dir: &Path) -> Result<()> {
        let path = dir.join("run.nii.gz");
        let labels = write_image(&path)?;
        let mut best = Best::default();
        for _ in 0..self.rounds {
            let gzip = || {
                let status = Command::new("gzip").arg("-t").arg(&path).status();
                let status = status.context("cannot start gzip")?;
                anyhow::ensure!(status.success(), "gzip finds a fault in {path:?}");
                Ok(())
            };
            if best.take("gzip -t", gzip).is_err() {
                eprintln!("no gzip on this machine to measure against");
            }
            best.take("roi means", || {
                Ok(nifti::roi_means(&path, &labels, N_ROIS, None)?)
            })?;
        }
        println!(
            "\n{} x {IMAGE_VOLUMES} voxels of 16 bits in {:.0} MB of gzip, to {N_ROIS} ROI means",
            IMAGE.n_voxels(),
            std::fs::metadata(&path)?.len() as f64 / 1e6
        );
        best.print("gzip -t");
        Ok(())
    }

    fn cohort(&self, dir: &Path) -> Result<()> {
        let raw = dir.join("cohort");
        let spec = CohortSpec {
            layout: CohortLayout::Hcp,
            n_subjects: Some(self.scans.div_ceil(4).max(1)),
            tasks: vec!["rest".into()],
            defects: false,
            ..CohortSpec::default()
        };
        let labels = builtin::surface_labels(ATLAS)?;
        let atlas = builtin::atlas(ATLAS)?;
        let report = simulate_cohort(&spec, &atlas, &labels, &raw, &streams, &mut quiet)
            .context("simulating a cohort")?;
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
        let mut best = Best::default();
        for _ in 0..self.rounds {
            for threads in [1, cores] {
                let out = dir.join("prepared");
                let options = PrepareOptions {
                    overwrite: false,
                    threads,
                };
                let mut spec = IngestSpec::of_layout(LayoutName::HCP_YA, "cohort", ATLAS);
                // A simulated file contains few of the vertices.
                spec.min_coverage = 0.0;
                best.take(&format!("{threads} threads"), || {
                    Ok(ingest_folder(&raw, &out, &spec, &options, &mut quiet)?)
                })?;
                std::fs::remove_dir_all(&out)?;
            }
        }
        println!(
            "\na cohort of {} scans to a prepared data set",
            report.n_scans
        );
        best.print("1 threads");
        Ok(())
    }
}

/// Best time of each method.
#[derive(Default)]
struct Best(Vec<(String, f64)>);

impl Best {
    fn take<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let started = Instant::now();
        let result = work()?;
        self.note(name, started.elapsed().as_secs_f64() * 1e3);
        Ok(result)
    }

    fn note(&mut self, name: &str, ms: f64) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, best)) => *best = best.min(ms),
            None => self.0.push((name.to_string(), ms)),
        }
    }

    /// Prints the times, and their ratios to that of `reference`.
    fn print(&self, reference: &str) {
        let known = self.0.iter().find(|(name, _)| name == reference);
        for (name, ms) in &self.0 {
            let ratio = known.map_or("–".to_string(), |(_, of)| format!("{:.2}", ms / of));
            println!("{name:<24}{ms:>10.0} ms{ratio:>10} x {reference}");
        }
    }
}

/// Reads a file from start to end and discards the bytes.
fn plain_read(path: &Path) -> Result<u64> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut total = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(total),
            n => total += n as u64,
        }
    }
}

/// Writes random signals in the layout of the HCP; returns the ROI of every row, from 1, or 0 for
/// none.
fn write_dense(path: &Path, labels: &GrayordinateLabels, n_volumes: usize) -> Result<Vec<u32>> {
    let mut rois = Vec::with_capacity(LEFT + RIGHT + BELOW);
    let mut side = |structure, of_vertex: &[u32], n: usize| {
        // Vertices without a label are left out first, like the medial wall.
        let mut left_out = of_vertex.len() - n;
        let indices: Vec<u32> = (of_vertex.iter().enumerate())
            .filter(|(_, roi)| {
                let out = **roi == 0 && left_out > 0;
                left_out -= usize::from(out);
                !out
            })
            .map(|(vertex, _)| vertex as u32)
            .collect();
        rois.extend(indices.iter().map(|vertex| of_vertex[*vertex as usize]));
        let n_vertices = of_vertex.len();
        let places = Places::Vertices {
            n_vertices,
            indices,
        };
        BrainModel { structure, places }
    };
    let left = side("CORTEX_LEFT", &labels.left, LEFT);
    let right = side("CORTEX_RIGHT", &labels.right, RIGHT);
    let voxels = (0..BELOW as u32)
        .map(|at| [at % 91, at / 91 % 109, at / (91 * 109)])
        .collect();
    rois.resize(LEFT + RIGHT + BELOW, 0);
    let below = BrainModel {
        structure: "BRAIN_STEM",
        places: Places::Voxels(voxels),
    };
    let rows = CiftiRows::Dense(vec![left, right, below]);
    let mut writer = CiftiWriter::create(path, &rows, n_volumes, 0.72)?;
    let mut rng = Seeds::new(0).stream("bench/cifti");
    let mut row = vec![0.0; n_volumes];
    for _ in 0..rois.len() {
        row.fill_with(|| rng.random_range(9_000.0..11_000.0));
        writer.write_row(&row)?;
    }
    writer.finish()?;
    Ok(rois)
}

/// Writes smooth random volumes, compressed; returns labels of blocks of voxels.
fn write_image(path: &Path) -> Result<VoxelLabels> {
    let n_voxels = IMAGE.n_voxels();
    let [x, y, z] = IMAGE.shape;
    let mut rng = Seeds::new(0).stream("bench/nifti");
    let inside = |voxel: usize| {
        let place = [voxel % x, voxel / x % y, voxel / (x * y)];
        let far: f64 = (place.iter().zip([x, y, z]))
            .map(|(at, n)| (*at as f64 / n as f64 * 2.0 - 1.0).powi(2))
            .sum();
        far < 0.8
    };
    let mut writer = NiftiWriter::create(path, &IMAGE, IMAGE_VOLUMES, Some(4.0 / 3.0))?;
    let mut volume = vec![0_i16; n_voxels];
    for _ in 0..IMAGE_VOLUMES {
        for (voxel, value) in volume.iter_mut().enumerate() {
            *value = if inside(voxel) {
                rng.random_range(900..1100)
            } else {
                0
            };
        }
        writer.write_volume(&volume)?;
    }
    writer.finish()?;
    let labels = (0..n_voxels)
        .map(|voxel| {
            if inside(voxel) {
                (voxel * N_ROIS / n_voxels) as u32 + 1
            } else {
                0
            }
        })
        .collect();
    Ok(VoxelLabels {
        shape: IMAGE.shape.map(|n| n as u64),
        affine: IMAGE.affine().map(|row| row.map(f64::from)),
        labels,
    })
}
