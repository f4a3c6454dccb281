//! Training or inference step that is measured.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use brainmae_data::{
    BoldSeries, ScanId, ScanStore, SegmentLayout, SegmentSpec, StoreBudget, StoredScan, SubjectId,
};
use brainmae_model::{BrainMae, DataShape};
use brainmae_pretrain::mask::{MaskConfig, Ratio};
use brainmae_pretrain::{MaskedReconstruction, Pretext, Pretraining, Setup};
use brainmae_run::{Card, Seeds};
use brainmae_simulate::{PlantedSpec, planted_dataset};
use brainmae_train::batch_gradient::BatchGradient;
use brainmae_train::{Alone, Optimizer, OptimizerConfig, Workers};
use burn::module::Module;
use rand::RngExt;
use tempfile::TempDir;

use super::{Case, Work};
use crate::streams;

/// Number of ROIs of the scans.
pub const N_ROIS: usize = 100;
/// dt of the scans, in seconds.
const DT_SECS: f64 = 0.75;

/// A model in training, on random scans.
pub struct Step {
    /// Temporary folder of the scans; `None` if they are in memory.
    _folder: Option<TempDir>,
    objective: Pretraining<MaskedReconstruction>,
    work: Work,
    model: Option<BrainMae>,
    /// Signals and their shape, for inference.
    bold: (Vec<f32>, [usize; 4]),
    optimizer: Optimizer,
    workers: Workers,
    next: u64,
}

impl Step {
    /// # Errors
    /// Errors of the device or the data.
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
        let pretext = MaskedReconstruction::new(&MaskConfig {
            ratio: Ratio::Fixed(0.5),
            ..MaskConfig::default()
        })?;
        let setup = Setup {
            layout,
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
        let objective = Pretraining::new(setup, pretext, training, store("validation", 1)?)?;
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
            optimizer: Optimizer::new(&OptimizerConfig::default(), &[], &model),
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

    /// Number of segments of a sample.
    pub fn segments(&self) -> usize {
        self.bold.1[1]
    }

    /// Number of volumes of a segment.
    pub fn segment_len_trs(&self) -> usize {
        self.bold.1[3]
    }

    /// Milliseconds per step in which the threads waited for their part of the batch, summed over
    /// threads.
    pub fn waited_ms_per_step(&self) -> f64 {
        self.objective.waited().as_secs_f64() * 1e3 / self.next.max(1) as f64
    }

    /// Median milliseconds of `steps` steps after one warm-up step.
    ///
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
        // The read of one number waits for the device.
        let norm = norm.into_scalar::<f32>();
        ensure!(norm.is_finite(), "the gradient is not finite");
        self.model = Some(model);
        self.next += 1;
        Ok(())
    }

    /// Encodes a batch with no ROI hidden and without gradients.
    fn encode(&mut self) -> Result<()> {
        let model = self.model.as_ref().context("there is no model")?;
        let (bold, dims) = &self.bold;
        let [batch, segments, ..] = *dims;
        let start_secs: Vec<f32> = (0..batch * segments)
            .map(|i| (i % segments) as f32 * 15.0)
            .collect();
        let valid = vec![true; batch * segments];
        let input = model.input(bold.clone(), *dims, &start_secs, &valid);
        // The read of one number waits for the device.
        let mean = model.encode(&input, None).cls.mean().into_scalar::<f32>();
        ensure!(mean.is_finite(), "the encoding is not finite");
        Ok(())
    }
}

/// Number of parts of a batch: the number of threads, or the largest smaller number that gives
/// equal parts. A GPU takes the whole batch.
fn parts(case: &Case, threads: usize) -> usize {
    if case.gpu().is_some() {
        return 1;
    }
    let batch = case.batch();
    let even = |parts: &usize| batch.is_multiple_of(*parts);
    (1..=threads.min(batch)).rev().find(even).unwrap_or(1)
}

/// Writes planted scans of 15 minutes to `folder`; the store keeps none of them in memory.
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
    let dataset = planted_dataset(&spec, &place, &streams).context("simulating scans")?;
    let ids: Vec<ScanId> = dataset.included().map(|scan| scan.scan.clone()).collect();
    let nothing = &mut StoreBudget::new(0);
    Ok(ScanStore::load_within(&dataset, &ids, layout, nothing)?)
}
