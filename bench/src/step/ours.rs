//! The step that is measured.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use brainmae_data::{
    BoldSeries, PrepareOptions, PreparedDataset, ScanId, ScanStore, SegmentLayout, SegmentSpec,
    StoreBudget, StoredScan, SubjectId,
};
use brainmae_model::{BrainMae, DataShape};
use brainmae_pretrain::batch_gradient::BatchGradient;
use brainmae_pretrain::brainmae::{MaskedReconstruction, Setup};
use brainmae_pretrain::mask::{MaskConfig, Ratio};
use brainmae_pretrain::optimizer::{Optimizer, OptimizerConfig};
use brainmae_pretrain::{Alone, Workers};
use brainmae_run::{Card, Seeds};
use brainmae_simulate::{PlantedSpec, prepare_planted};
use burn::module::Module;
use rand::RngExt;
use tempfile::TempDir;

use super::{Case, Work};
use crate::streams;

/// ROIs of the scans.
pub const N_ROIS: usize = 100;
/// Seconds between their volumes.
const DT_SECS: f64 = 0.75;

/// A model in training, on random scans.
pub struct Step {
    /// Scans on disk.
    _folder: Option<TempDir>,
    objective: MaskedReconstruction,
    work: Work,
    model: Option<BrainMae>,
    /// What inference encodes.
    bold: (Vec<f32>, [usize; 4]),
    optimizer: Optimizer,
    workers: Workers,
    next: u64,
}

impl Step {
    /// # Errors
    /// From the device or the data.
    pub fn new(case: &Case, threads: usize, on_disk: bool) -> Result<Self> {
        let (batch, device) = (case.batch(), case.device);
        let seeds = Seeds::new(0);
        let layout = SegmentSpec::default().layout(DT_SECS)?;
        let store = |name: &str, n: usize| -> Result<ScanStore> {
            let scans = (0..n).map(|i| {
                let rng = &mut seeds.stream_at(name, &[i as u64]);
                let values = (0..layout.sample_len_trs() * N_ROIS)
                    .map(|_| rng.random_range(-1.7f32..1.7))
                    .collect();
                Ok(StoredScan {
                    scan: ScanId::new(format!("{name}-{i}")),
                    subject: SubjectId::new(format!("{name}-{i}")),
                    series: BoldSeries::new(values, N_ROIS, DT_SECS)?,
                })
            });
            Ok(ScanStore::new(scans.collect::<Result<_>>()?)?)
        };
        let parts = parts(case, threads);
        let setup = Setup {
            layout,
            mask: MaskConfig {
                ratio: Ratio::Fixed(0.5),
                ..MaskConfig::default()
            },
            seeds,
            batch_size: batch,
            parts,
            own: 0..parts,
            card: Card::default(),
        };
        let folder = on_disk.then(tempfile::tempdir).transpose()?;
        let training = match &folder {
            Some(folder) => stored_on_disk(folder.path(), batch, &layout)?,
            None => store("training", batch)?,
        };
        let objective = MaskedReconstruction::new(setup, training, store("validation", 1)?)?;
        let data = DataShape {
            n_rois: N_ROIS,
            segment_len_trs: layout.segment_len_trs,
        };
        let dims = [batch, layout.n_segments, N_ROIS, layout.segment_len_trs];
        let rng = &mut seeds.stream("inference");
        let n = dims.iter().product();
        let bold = (
            (0..n).map(|_| rng.random_range(-1.7f32..1.7)).collect(),
            dims,
        );
        let place = device.open()?.autodiff();
        let model = case
            .config()
            .init(data, &mut seeds.stream("weights"), &place)?;
        let model = model.with_precision(case.precision);
        eprintln!("{} parameters", model.num_params());
        Ok(Self {
            _folder: folder,
            objective,
            optimizer: Optimizer::new(&OptimizerConfig::default(), &model),
            work: case.work,
            model: Some(match case.work {
                Work::Training => model,
                Work::Inference => model.valid(),
            }),
            bold,
            workers: Workers::on_one_device(device.share_threads(threads)),
            next: 0,
        })
    }

    /// Segments of a sample.
    pub fn segments(&self) -> usize {
        self.bold.1[1]
    }

    /// Volumes of a segment.
    pub fn segment_len_trs(&self) -> usize {
        self.bold.1[3]
    }

    /// Time that the threads of a step have stood waiting for their part of the batch, together.
    pub fn waited_ms_per_step(&self) -> f64 {
        self.objective.waited().as_secs_f64() * 1e3 / self.next.max(1) as f64
    }

    /// Median milliseconds of `steps` steps after one to warm up.
    /// # Errors
    /// If a step fails.
    pub fn measure(&mut self, steps: u64) -> Result<f64> {
        let mut times = Vec::new();
        for i in 0..=steps {
            let started = Instant::now();
            match self.work {
                Work::Training => self.train()?,
                Work::Inference => self.encode()?,
            }
            if i > 0 {
                times.push(started.elapsed().as_secs_f64() * 1e3);
            }
        }
        times.sort_by(f64::total_cmp);
        Ok(times[times.len() / 2])
    }

    fn train(&mut self) -> Result<()> {
        let model = self.model.take().context("a step failed before")?;
        let batch = BatchGradient::of(&self.objective, &model, self.next, &self.workers, &Alone)?;
        let (model, norm) = self.optimizer.step(1e-4, model, batch.gradients);
        // Reading a number waits for the device.
        let norm = norm.into_scalar::<f32>();
        ensure!(norm.is_finite(), "the gradient is not finite");
        self.model = Some(model);
        self.next += 1;
        Ok(())
    }

    /// Encodes a batch, nothing hidden, without gradients.
    fn encode(&mut self) -> Result<()> {
        let model = self.model.as_ref().context("there is no model")?;
        let (bold, dims) = &self.bold;
        let [batch, segments, ..] = *dims;
        let start_secs: Vec<f32> = (0..batch * segments)
            .map(|i| (i % segments) as f32 * 15.0)
            .collect();
        let valid = vec![true; batch * segments];
        let input = model.input(bold.clone(), *dims, &start_secs, &valid);
        // Reading a number waits for the device.
        let mean = model.encode(&input, None).cls.mean().into_scalar::<f32>();
        ensure!(mean.is_finite(), "the encoding is not finite");
        Ok(())
    }
}

/// Parts of a batch: as many as there are threads, or the most below that of which all are of one
/// size. A GPU takes it whole.
fn parts(case: &Case, threads: usize) -> usize {
    if case.gpu().is_some() {
        return 1;
    }
    let batch = case.batch();
    let even = |parts: &usize| batch.is_multiple_of(*parts);
    (1..=threads.min(batch)).rev().find(even).unwrap_or(1)
}

/// Planted scans of 15 minutes in `folder`, of which none is in memory.
fn stored_on_disk(folder: &Path, n_scans: usize, layout: &SegmentLayout) -> Result<ScanStore> {
    let spec = PlantedSpec {
        n_subjects: n_scans,
        scans_per_subject: 1,
        n_networks: N_ROIS / 10,
        rois_per_network: 10,
        dt_secs: DT_SECS,
        n_volumes: 1200,
        ..PlantedSpec::default()
    };
    let place = folder.join("planted");
    let options = PrepareOptions {
        overwrite: false,
        streams: &streams,
    };
    prepare_planted(&spec, &place, &options, &mut |_| {}).context("simulating scans")?;
    let dataset = PreparedDataset::open(&place)?;
    let ids: Vec<ScanId> = dataset.included().map(|scan| scan.scan.clone()).collect();
    let nothing = &mut StoreBudget::new(0);
    Ok(ScanStore::load_within(&dataset, &ids, layout, nothing)?)
}
