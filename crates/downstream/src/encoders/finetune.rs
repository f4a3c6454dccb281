//! Fine-tuning: joint training of the encoder and a linear head.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use brainmae_data::{Crop, SegmentLayout};
use brainmae_encoder::EncoderModel;
use brainmae_model::init::Init;
use brainmae_train::memory::Memory;
use brainmae_train::{LossOf, Objective, PartLoss, Scores};
use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Int, Tensor};
use rand::RngExt;

use super::cut::{Cutter, Of};
use super::embedding::numbers;
use super::{FineTuneConfig, FoldEncoder};
use crate::supervised::Target;
use crate::training::{Epochs, PARTS, Trial, train};
use crate::{
    DownstreamError, Examples, FitError, FitNeed, FitResult, Fitted, Kind, Labelled, Learner,
    Output, Problem,
};

/// An encoder `M` with a linear head on the representation of the scan, or on the tokens of its
/// segments. All weights are trained.
pub struct FineTune<M> {
    name: String,
    encoder: FoldEncoder,
    config: FineTuneConfig,
    /// The type of the encoder.
    of: PhantomData<fn() -> M>,
}

impl<M: EncoderModel> FineTune<M> {
    /// Starts from the encoder's weights, or from random weights if it has none.
    pub fn new(name: &str, encoder: FoldEncoder, config: FineTuneConfig) -> Self {
        Self {
            name: name.to_string(),
            encoder,
            config,
            of: PhantomData,
        }
    }
}

/// Encoder and head.
#[derive(Module, Debug)]
struct Headed<M: EncoderModel> {
    encoder: M,
    head: Linear,
}

impl<M: EncoderModel> Learner for FineTune<M> {
    fn name(&self) -> &str {
        &self.name
    }

    fn fit(&self, problem: &Problem, training: &Labelled, validation: &Labelled) -> FitResult {
        let (run, model) = self.prepare(problem, training, validation)?;
        let config = &self.config;
        let plan = config.plan(config.max_epochs as u64, run.epochs.steps());
        let model = train(&self.name, problem, &plan, &run, model)?.best;
        Ok(Box::new(self.fitted(
            run.of,
            problem.kind,
            &run.target,
            model,
        )))
    }

    fn need(
        &self,
        problem: &Problem,
        training: &Labelled,
        validation: &Labelled,
        memory: &dyn Memory,
    ) -> Result<Option<FitNeed>, DownstreamError> {
        let Some(trial) = Trial::begin(memory) else {
            return Ok(None);
        };
        let (run, model) = self.prepare(problem, training, validation)?;
        let batch_size = self.config.batch_size.min(run.truth.scans.len());
        trial.need(problem, batch_size, &run, &model, |n| {
            run.loss_of(&model, 0, 0..n)
        })
    }
}

impl<M: EncoderModel> FineTune<M> {
    /// The training for one problem, and the model at its start.
    fn prepare<'a>(
        &'a self,
        problem: &'a Problem,
        training: &Labelled,
        validation: &'a Labelled,
    ) -> Result<(Training<'a, M>, Headed<M>), DownstreamError> {
        if self.config.max_epochs == 0 {
            return Err(problem.refused(&self.name, FitError::NoEpochs));
        }
        let of = self.level(problem, &training.examples)?;
        let target = Target::new(problem.kind, &training.truth)
            .map_err(|reason| problem.refused(&self.name, reason))?;
        let device = problem.device.clone().autodiff();
        let encoder: M = self.encoder.model(problem)?;
        let width = encoder.width();
        let rng = &mut problem.seeds.stream("head");
        let head = Init {
            rng,
            device: &problem.device,
        }
        .linear(width, problem.kind.n_outputs());
        let model = Headed { encoder, head }.to_device(&device).train();
        let (truth, batch_size) = (Truth::new(of, training), self.config.batch_size);
        let run = Training {
            learner: self,
            problem,
            of,
            target,
            cutter: Cutter::new(&training.examples, self.encoder.layout)?,
            epochs: Epochs::new(problem.seeds, "order", truth.scans.len(), batch_size),
            truth,
            validation,
        };
        Ok((run, model))
    }
}

/// Fine-tuning for one problem.
struct Training<'a, M> {
    learner: &'a FineTune<M>,
    problem: &'a Problem,
    of: Of,
    target: Target,
    cutter: Cutter,
    truth: Truth,
    epochs: Epochs,
    validation: &'a Labelled<'a>,
}

impl<M: EncoderModel> Training<'_, M> {
    /// One sample of a scan: at a random volume if the truth belongs to the scan; from the start of
    /// a segment if the truth belongs to segments.
    fn crop(&self, epoch: u64, scan: usize) -> Crop {
        let rng = &mut self.problem.seeds.stream_at("crops", &[epoch, scan as u64]);
        match self.of {
            Of::Scans => self.cutter.random(scan, rng),
            Of::Segments => {
                // From the first volume of a segment with a known truth.
                let starts = self.truth.starts(scan);
                let last = self.cutter.last_start(scan);
                let n = starts.partition_point(|start| *start <= last).max(1);
                let start_volume = starts[rng.random_range(0..n)].min(last);
                Crop { scan, start_volume }
            }
        }
    }
}

impl<M: EncoderModel> Training<'_, M> {
    /// Loss of the scans with these numbers; `None` if there are none, or none with a truth.
    fn loss_of(
        &self,
        model: &Headed<M>,
        epoch: u64,
        chosen: impl IntoIterator<Item = usize>,
    ) -> LossOf<DownstreamError> {
        let crops: Vec<Crop> = (chosen.into_iter())
            .map(|at| self.crop(epoch, self.truth.scans[at]))
            .collect();
        if crops.is_empty() {
            return Ok(None);
        }
        let Some((outputs, truths)) = self.truth.outputs(model, &self.cutter, &crops)? else {
            return Ok(None);
        };
        let (sum, weight) = self.target.loss(outputs, &truths);
        Ok(Some(PartLoss {
            total: sum / weight,
            terms: Vec::new(),
            weight,
        }))
    }
}

impl<M: EncoderModel> Objective for Training<'_, M> {
    type Model = Headed<M>;
    type Error = DownstreamError;

    fn parts(&self) -> usize {
        PARTS
    }

    fn loss(&self, model: &Headed<M>, step: u64, part: usize) -> LossOf<DownstreamError> {
        let (epoch, _) = self.epochs.place(step);
        self.loss_of(model, epoch, self.epochs.part(step, part, PARTS))
    }

    fn examples(&self, step: u64) -> Vec<String> {
        let (epoch, _) = self.epochs.place(step);
        let chosen = self.epochs.part(step, 0, 1).into_iter();
        let crops = chosen.map(|at| self.crop(epoch, self.truth.scans[at]));
        crops.map(|crop| self.cutter.name(&crop)).collect()
    }

    fn epoch(&self, step: u64) -> f64 {
        self.epochs.passed(step)
    }

    fn validate(&self, model: &Headed<M>) -> Result<Scores, DownstreamError> {
        let (learner, kind) = (self.learner, self.problem.kind);
        let fitted = learner.fitted(self.of, kind, &self.target, model.clone());
        let loss = fitted.loss(self.problem, self.validation)?;
        Ok(vec![("validation/loss", loss)])
    }
}

impl<M: EncoderModel> FineTune<M> {
    /// Kind of the examples. Training segments may start at any volume, because samples are cut
    /// from there.
    fn level(&self, problem: &Problem, examples: &Examples) -> Result<Of, DownstreamError> {
        let len = self.encoder.layout.segment_len_trs;
        Of::these(examples, len).map_err(|reason| problem.refused(&self.name, reason))
    }

    fn fitted(&self, of: Of, kind: Kind, target: &Target, model: Headed<M>) -> FineTuned<M> {
        FineTuned {
            name: self.name.clone(),
            of,
            layout: self.encoder.layout,
            batch_size: self.config.batch_size,
            target: target.clone(),
            kind,
            model,
        }
    }
}

/// Truths of the training scans or of their segments.
struct Truth {
    of: Of,
    /// Scans with a truth, each once.
    scans: Vec<usize>,
    /// Truth by scan and first volume; the first volume is 0 for the truth of a scan.
    truths: BTreeMap<(usize, usize), f64>,
}

impl Truth {
    fn new(of: Of, training: &Labelled) -> Self {
        let keys = training
            .examples
            .list
            .iter()
            .map(|e| (e.scan, e.start_volume));
        let truths: BTreeMap<_, f64> = keys.zip(training.truth.iter().copied()).collect();
        let mut scans: Vec<usize> = truths.keys().map(|(scan, _)| *scan).collect();
        scans.dedup();
        Self { of, scans, truths }
    }

    /// First volumes of the segments of a scan with a known truth, in ascending order.
    fn starts(&self, scan: usize) -> Vec<usize> {
        let of_scan = self.truths.range((scan, 0)..(scan + 1, 0));
        of_scan.map(|((_, start), _)| *start).collect()
    }

    /// Outputs and truth of the samples with a known truth; `None` if there are no such samples.
    fn outputs<M: EncoderModel>(
        &self,
        model: &Headed<M>,
        cutter: &Cutter,
        crops: &[Crop],
    ) -> Result<Option<(Tensor<2>, Vec<f64>)>, DownstreamError> {
        let encoding = model.encoder.encode(&cutter.samples(crops)?);
        if self.of == Of::Scans {
            let truths = crops
                .iter()
                .map(|crop| self.truths[&(crop.scan, 0)])
                .collect();
            return Ok(Some((model.head.forward(encoding.cls), truths)));
        }
        let layout = cutter.layout();
        let places = crops.iter().enumerate().flat_map(|(i, crop)| {
            (0..layout.n_segments).map(move |k| {
                let start = crop.start_volume + k * layout.segment_len_trs;
                (i * layout.n_segments + k, (crop.scan, start))
            })
        });
        let (places, truths): (Vec<i32>, Vec<f64>) = places
            .filter_map(|(place, key)| Some((place as i32, *self.truths.get(&key)?)))
            .unzip();
        if places.is_empty() {
            return Ok(None);
        }
        let tokens = encoding.tokens;
        let [batch, segments, d_model] = tokens.dims();
        let places = Tensor::<1, Int>::from_data(places.as_slice(), &tokens.device());
        let tokens = tokens
            .reshape([batch * segments, d_model])
            .select(0, places);
        Ok(Some((model.head.forward(tokens), truths)))
    }
}

/// A fine-tuned encoder with its head.
struct FineTuned<M: EncoderModel> {
    name: String,
    of: Of,
    layout: SegmentLayout,
    batch_size: usize,
    target: Target,
    kind: Kind,
    model: Headed<M>,
}

impl<M: EncoderModel> FineTuned<M> {
    /// Outputs, one row per example; for a scan, the mean over the samples that cover it.
    fn outputs(&self, examples: &Examples) -> Result<Vec<f32>, DownstreamError> {
        let cutter = Cutter::new(examples, self.layout)?;
        let mut scans: Vec<usize> = examples.list.iter().map(|e| e.scan).collect();
        scans.sort_unstable();
        scans.dedup();
        let crops: Vec<Crop> = scans
            .iter()
            .flat_map(|scan| cutter.tiles(*scan, 0))
            .collect();
        let mut found: BTreeMap<(usize, usize), (Vec<f32>, f32)> = BTreeMap::new();
        for crops in crops.chunks(self.batch_size) {
            let batch = cutter.samples(crops)?;
            let encoding = self.model.encoder.encode(&batch);
            let outputs = match self.of {
                Of::Scans => numbers(self.model.head.forward(encoding.cls)),
                Of::Segments => numbers(self.model.head.forward(encoding.tokens)),
            };
            let per_crop = outputs.len() / crops.len();
            for (i, (crop, outputs)) in crops.iter().zip(outputs.chunks_exact(per_crop)).enumerate()
            {
                let valid = &batch.valid[i * batch.segments..(i + 1) * batch.segments];
                if self.of == Of::Scans {
                    if !valid.contains(&true) {
                        continue;
                    }
                    let (sum, n) = found.entry((crop.scan, 0)).or_default();
                    sum.resize(per_crop, 0.0);
                    sum.iter_mut().zip(outputs).for_each(|(sum, x)| *sum += x);
                    *n += 1.0;
                } else {
                    let rows = outputs.chunks_exact(per_crop / batch.segments);
                    for (k, row) in rows.enumerate() {
                        let start = crop.start_volume + k * batch.time;
                        found.insert((crop.scan, start), (row.to_vec(), 1.0));
                    }
                }
            }
        }
        let mut all = Vec::new();
        for (scan, example) in examples.iter() {
            let Some((sum, n)) = found.get(&(example.scan, example.start_volume)) else {
                return Err(DownstreamError::Fit {
                    learner: self.name.clone(),
                    target: format!("{} from volume {}", scan.scan, example.start_volume),
                    reason: FitError::NoSegment {
                        scan: scan.scan.clone(),
                    },
                });
            };
            all.extend(sum.iter().map(|sum| sum / n));
        }
        Ok(all)
    }

    fn loss(&self, problem: &Problem, validation: &Labelled) -> Result<f64, DownstreamError> {
        let outputs = self.outputs(&validation.examples)?;
        let shape = [validation.truth.len(), problem.kind.n_outputs()];
        let outputs = Tensor::<1>::from_data(outputs.as_slice(), &problem.device).reshape(shape);
        let (sum, weight) = self.target.loss(outputs, &validation.truth);
        Ok(f64::from(sum.into_scalar::<f32>()) / weight)
    }
}

impl<M: EncoderModel> Fitted for FineTuned<M> {
    fn predict(&self, examples: &Examples) -> Result<Output, DownstreamError> {
        let outputs = self.outputs(examples)?;
        Ok(self.target.read_each(&outputs, self.kind))
    }
}
