//! Work whose growth is measured.

use std::fmt;
use std::sync::Arc;

use anyhow::{Context, Result};
use brainmae_data::{
    BoldSeries, ScanId, ScanStore, SegmentLayout, Split, SplitUnit, StoredScan, SubjectId,
};
use brainmae_downstream::features::{Fc, fc_of_examples};
use brainmae_downstream::linear::LinearLearner;
use brainmae_downstream::linear::spec::LinearSpec;
use brainmae_downstream::{Example, Examples, Fits, FoldOf, Kind, Problem, Scan, Task};
use brainmae_machine::device::DeviceName;
use brainmae_model::{BrainMaeConfig, DataShape};
use brainmae_pretrain::mask::MaskConfig;
use brainmae_pretrain::{MaskedReconstruction, Pretext, Pretraining, Setup};
use brainmae_run::{Card, Seeds};
use brainmae_simulate::{PlantedSpec, planted_dataset};
use brainmae_train::batch_gradient::BatchGradient;
use brainmae_train::{Alone, Optimizer, OptimizerConfig, Workers};
use rand::RngExt;

use crate::streams;

/// Volumes of a segment: 15 s at 0.75 s.
const SEGMENT: usize = 20;

/// dt of the scans, in seconds.
const DT_SECS: f64 = 0.75;

/// Number of scans whose FC is computed.
const FC_SCANS: usize = 20;

/// Sizes of the data.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// ROIs.
    pub rois: usize,
    /// Volumes of a scan.
    pub volumes: usize,
    /// Scans.
    pub scans: usize,
    /// Samples of a step.
    pub batch: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            rois: 100,
            volumes: 400,
            scans: 100,
            batch: 8,
        }
    }
}

/// A kind of work, and what it grows with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Growth {
    /// A training step against ROIs.
    StepRois,
    /// A training step against the volumes of a sample.
    StepVolumes,
    /// Functional connectivity against ROIs.
    FcRois,
    /// Functional connectivity against volumes.
    FcVolumes,
    /// Preparation of planted data against scans.
    PrepareScans,
    /// A fold of FC + ridge against scans.
    RidgeScans,
}

/// Work that can be done again and again.
pub type Work = Box<dyn FnMut() -> Result<()>>;

impl Growth {
    /// All kinds.
    pub const ALL: [Self; 6] = [
        Self::StepRois,
        Self::StepVolumes,
        Self::FcRois,
        Self::FcVolumes,
        Self::PrepareScans,
        Self::RidgeScans,
    ];

    /// Largest size along its axis.
    pub fn largest(self, rois: usize, scans: usize) -> usize {
        match self {
            Self::StepRois | Self::FcRois => rois,
            Self::StepVolumes | Self::FcVolumes => 8 * SEGMENT * 5,
            Self::PrepareScans | Self::RidgeScans => scans,
        }
    }

    /// The work at a size along its axis; the other sizes are the default ones.
    ///
    /// # Errors
    /// Errors of the data or the model.
    pub fn prepare(self, size: usize, threads: usize) -> Result<Work> {
        let all = Sizes::default();
        let sizes = match self {
            Self::StepRois | Self::FcRois => Sizes { rois: size, ..all },
            Self::StepVolumes | Self::FcVolumes => Sizes {
                volumes: size,
                ..all
            },
            Self::PrepareScans | Self::RidgeScans => Sizes { scans: size, ..all },
        };
        self.prepare_at(sizes, threads)
    }

    /// The work at these sizes.
    ///
    /// # Errors
    /// Errors of the data or the model.
    pub fn prepare_at(self, sizes: Sizes, threads: usize) -> Result<Work> {
        match self {
            Self::StepRois | Self::StepVolumes => step(sizes, threads),
            Self::FcRois | Self::FcVolumes => fc(sizes),
            Self::PrepareScans => Ok(prepare(sizes)),
            Self::RidgeScans => ridge(sizes),
        }
    }
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::StepRois => "training step, ROIs",
            Self::StepVolumes => "training step, volumes",
            Self::FcRois => "FC, ROIs",
            Self::FcVolumes => "FC, volumes",
            Self::PrepareScans => "preparation, scans",
            Self::RidgeScans => "fold of FC + ridge, scans",
        })
    }
}

/// Random signals of one scan.
fn series(name: &str, number: usize, sizes: Sizes) -> Result<BoldSeries> {
    let rng = &mut Seeds::new(0).stream_at(name, &[number as u64]);
    let values = (0..sizes.volumes * sizes.rois).map(|_| rng.random_range(-1.7f32..1.7));
    Ok(BoldSeries::new(values.collect(), sizes.rois, DT_SECS)?)
}

/// A step of the quick static model: mask, forward, backward, clip, AdamW.
fn step(sizes: Sizes, threads: usize) -> Result<Work> {
    let seeds = Seeds::new(0);
    let layout = SegmentLayout {
        segment_len_trs: SEGMENT,
        n_segments: sizes.volumes / SEGMENT,
    };
    let store = |name: &str, n: usize| -> Result<ScanStore> {
        let scans = (0..n).map(|number| {
            let id = format!("{name}-{number}");
            Ok(StoredScan {
                scan: ScanId::new(id.clone()),
                subject: SubjectId::new(id),
                series: series(name, number, sizes)?,
            })
        });
        Ok(ScanStore::new(scans.collect::<Result<_>>()?)?)
    };
    let parts = (1..=threads).rev().find(|n| sizes.batch.is_multiple_of(*n));
    let parts = parts.unwrap_or(1);
    let setup = Setup {
        layout,
        seeds,
        batch_size: sizes.batch,
        parts,
        own: 0..parts,
        card: Card::default(),
    };
    let pretext = MaskedReconstruction::new(&MaskConfig::default())?;
    let (training, validation) = (store("training", sizes.batch)?, store("validation", 1)?);
    let objective = Pretraining::new(setup, pretext, training, validation)?;
    let data = DataShape {
        n_rois: sizes.rois,
        segment_len_trs: SEGMENT,
    };
    let device = DeviceName::Cpu.open()?.autodiff();
    let rng = &mut seeds.stream("weights");
    let mut model = Some(BrainMaeConfig::default().init(data, rng, &device)?);
    let model_of = |model: &mut Option<_>| model.take().context("a step failed before");
    let mut optimizer = Optimizer::new(
        &OptimizerConfig::default(),
        &[],
        model.as_ref().context("just made")?,
    );
    let (workers, mut next) = (Workers::on_one_device(threads), 0);
    Ok(Box::new(move || {
        let before = model_of(&mut model)?;
        let batch = BatchGradient::of(&objective, &before, next, &workers, &Alone)?;
        let (after, norm) = optimizer.step(1e-4, before, batch.gradients);
        // The read of one number waits for the device.
        let norm = norm.into_scalar::<f32>();
        anyhow::ensure!(norm.is_finite(), "the gradient is not finite");
        model = Some(after);
        next += 1;
        Ok(())
    }))
}

/// Scans that downstream models see, each whole.
fn scans(n: usize, sizes: Sizes) -> Result<(Vec<Scan>, Vec<Example>)> {
    let scan = |number: usize| -> Result<Scan> {
        let name = format!("scan-{number}");
        Ok(Scan {
            scan: name.as_str().into(),
            subject: name.as_str().into(),
            unit: name,
            series: Arc::new(series("scans", number, sizes)?),
            confounds: vec![Some(0.1)],
            site: None,
            computed: Default::default(),
        })
    };
    let whole = |scan| Example {
        scan,
        start_volume: 0,
        n_volumes: sizes.volumes,
    };
    let scans = (0..n).map(scan).collect::<Result<Vec<_>>>()?;
    Ok((scans, (0..n).map(whole).collect()))
}

fn fc(sizes: Sizes) -> Result<Work> {
    let (scans, list) = scans(FC_SCANS, sizes)?;
    Ok(Box::new(move || {
        let examples = Examples {
            list: list.clone(),
            scans: &scans,
        };
        anyhow::ensure!(
            fc_of_examples(&examples).len() == FC_SCANS,
            "an FC is missing"
        );
        Ok(())
    }))
}

/// Planted scans through the pipeline to a prepared data set.
fn prepare(sizes: Sizes) -> Work {
    Box::new(move || {
        let spec = PlantedSpec {
            n_subjects: sizes.scans,
            scans_per_subject: 1,
            n_networks: sizes.rois / 10,
            rois_per_network: 10,
            dt_secs: DT_SECS,
            n_volumes: sizes.volumes,
            ..PlantedSpec::default()
        };
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        planted_dataset(&spec, &folder.path().join("planted"), &streams)?;
        Ok(())
    })
}

/// Features, choice of the penalty, fit and predictions of one fold; truths are random.
fn ridge(sizes: Sizes) -> Result<Work> {
    let (scans, list) = scans(sizes.scans, sizes)?;
    let rng = &mut Seeds::new(0).stream("truth");
    let truth = (0..sizes.scans).map(|_| rng.random_range(20.0..80.0));
    let names: Vec<ScanId> = scans.iter().map(|scan| scan.scan.clone()).collect();
    let (a, b) = (sizes.scans * 7 / 10, sizes.scans * 8 / 10);
    let split = Split {
        unit: SplitUnit::Subject,
        train: names[..a].to_vec(),
        validation: names[a..b].to_vec(),
        test: names[b..].to_vec(),
        train_subjects: Vec::new(),
    };
    let task = Task::of_examples("random", Kind::Regression, list, truth.collect(), scans);
    let learner = LinearLearner::new("FC + ridge", Arc::new(Fc), LinearSpec::default());
    Ok(Box::new(move || {
        let seeds = Seeds::new(0);
        let problem = Problem {
            target: task.name.clone(),
            kind: task.kind,
            of_subjects: task.of_subjects,
            n_rois: sizes.rois,
            dt_secs: DT_SECS,
            segment_len_trs: SEGMENT,
            confounds: task.confounds.clone(),
            seeds,
            device: DeviceName::Cpu.open()?,
            fits: Fits::default(),
        };
        let fold = FoldOf::new(&task, 1, &split, 1.0, &seeds)?;
        fold.predict(&learner, &problem)?;
        Ok(())
    }))
}
