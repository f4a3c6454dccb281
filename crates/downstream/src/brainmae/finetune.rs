//! Fine-tuning: joint training of the encoder and a linear head.

use std::collections::BTreeMap;

use brainmae_data::{Crop, epoch_order};
use brainmae_model::BrainMae;
use brainmae_model::init::Init;
use burn::module::Module;
use burn::nn::Linear;
use burn::optim::GradientsParams;
use burn::tensor::{Int, Tensor};
use rand::RngExt;

use super::cut::{Cutter, Of};
use super::embedding::numbers;
use super::{FineTuneConfig, FoldEncoder};
use crate::supervised::Target;
use crate::{
    DownstreamError, Examples, FitError, FitResult, Fitted, Kind, Labelled, Learner, Output,
    Problem,
};

/// BrainMAE with a linear head on the representation of the scan, or on the tokens of its segments.
/// All weights are trained.
pub struct FineTune {
    name: String,
    encoder: FoldEncoder,
    config: FineTuneConfig,
}

impl FineTune {
    /// Starts from the encoder's weights, or from random weights if it has none.
    pub fn new(name: &str, encoder: FoldEncoder, config: FineTuneConfig) -> Self {
        Self {
            name: name.to_string(),
            encoder,
            config,
        }
    }
}

/// Encoder and head.
#[derive(Module, Debug)]
struct Headed {
    encoder: BrainMae,
    head: Linear,
}

impl Learner for FineTune {
    fn name(&self) -> &str {
        &self.name
    }

    fn fit(&self, problem: &Problem, training: &Labelled, validation: &Labelled) -> FitResult {
        let of = self.level(problem, &training.examples)?;
        let target = Target::new(problem.kind, &training.truth)
            .map_err(|reason| problem.refused(&self.name, reason))?;
        let device = problem.device.clone().autodiff();
        let encoder = self.encoder.start(problem)?;
        let [_, d_model] = encoder.roi_vectors().dims();
        let rng = &mut problem.seeds.stream("head");
        let head = Init {
            rng,
            device: &problem.device,
        }
        .linear(d_model, problem.kind.n_outputs());
        let mut model = Headed { encoder, head }.to_device(&device).train();
        let mut adamw = self.config.optimizer();

        let cutter = Cutter::new(&training.examples, self.encoder.layout)?;
        let truth = Truth::new(of, training);
        let per_epoch = truth.scans.len().div_ceil(self.config.batch_size);
        let steps = per_epoch * self.config.max_epochs;
        let mut best: Option<(f64, Headed)> = None;
        let mut waited = 0;
        for epoch in 0..self.config.max_epochs {
            let order_rng = &mut problem.seeds.stream_at("order", &[epoch as u64]);
            let order = epoch_order(truth.scans.len(), order_rng);
            for (i, batch) in order.chunks(self.config.batch_size).enumerate() {
                let scans: Vec<usize> = batch.iter().map(|at| truth.scans[*at]).collect();
                let crops = self.crops(of, &cutter, &truth, &scans, order_rng);
                let Some((outputs, truths)) = truth.outputs(&model, &cutter, &crops)? else {
                    continue;
                };
                let (sum, weight) = target.loss(outputs, &truths);
                let loss = sum / weight;
                let gradients = GradientsParams::from_grads(loss.backward(), &model);
                let lr = self.config.lr(epoch * per_epoch + i, steps);
                model = adamw.step(lr, model, gradients);
            }
            let valid = model.valid();
            let fitted = self.fitted(of, problem.kind, &target, valid.clone());
            let loss = fitted.loss(problem, validation)?;
            if !loss.is_finite() {
                let reason = FitError::Diverged {
                    set: "validation",
                    value: loss,
                    epoch,
                };
                return Err(problem.refused(&self.name, reason));
            }
            waited += 1;
            if best.as_ref().is_none_or(|(least, _)| loss < *least) {
                best = Some((loss, valid));
                waited = 0;
            }
            tracing::debug!(epoch, loss, "{}", self.name);
            if waited >= self.config.patience {
                break;
            }
        }
        let Some((_, model)) = best else {
            return Err(problem.refused(&self.name, FitError::NoEpochs));
        };
        Ok(Box::new(self.fitted(of, problem.kind, &target, model)))
    }
}

impl FineTune {
    /// Kind of the examples. Training segments may start at any volume, because samples are cut
    /// from there.
    fn level(&self, problem: &Problem, examples: &Examples) -> Result<Of, DownstreamError> {
        let len = self.encoder.layout.segment_len_trs;
        Of::these(examples, len).map_err(|reason| problem.refused(&self.name, reason))
    }

    /// One sample of each scan: at a random volume if the truth belongs to the scan; from the start
    /// of a segment if the truth belongs to segments.
    fn crops(
        &self,
        of: Of,
        cutter: &Cutter,
        truth: &Truth,
        scans: &[usize],
        rng: &mut impl rand::Rng,
    ) -> Vec<Crop> {
        (scans.iter())
            .map(|&scan| match of {
                Of::Scans => cutter.random(scan, rng),
                Of::Segments => {
                    // From the first volume of a segment with a known truth.
                    let starts = truth.starts(scan);
                    let last = cutter.last_start(scan);
                    let n = starts.partition_point(|start| *start <= last).max(1);
                    let start_volume = starts[rng.random_range(0..n)].min(last);
                    Crop { scan, start_volume }
                }
            })
            .collect()
    }

    fn fitted(&self, of: Of, kind: Kind, target: &Target, model: Headed) -> FineTuned {
        FineTuned {
            of,
            encoder: self.encoder.clone(),
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
    fn outputs(
        &self,
        model: &Headed,
        cutter: &Cutter,
        crops: &[Crop],
    ) -> Result<Option<(Tensor<2>, Vec<f64>)>, DownstreamError> {
        let (input, _) = cutter.input(crops, &model.encoder)?;
        if self.of == Of::Scans {
            let truths = crops
                .iter()
                .map(|crop| self.truths[&(crop.scan, 0)])
                .collect();
            let cls = model.encoder.encode(&input, None).cls;
            return Ok(Some((model.head.forward(cls), truths)));
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
        let tokens = model.encoder.encode(&input, None).tokens;
        let [batch, segments, d_model] = tokens.dims();
        let places = Tensor::<1, Int>::from_data(places.as_slice(), &tokens.device());
        let tokens = tokens
            .reshape([batch * segments, d_model])
            .select(0, places);
        Ok(Some((model.head.forward(tokens), truths)))
    }
}

/// A fine-tuned encoder with its head.
struct FineTuned {
    of: Of,
    encoder: FoldEncoder,
    batch_size: usize,
    target: Target,
    kind: Kind,
    model: Headed,
}

impl FineTuned {
    /// Outputs, one row per example; for a scan, the mean over the samples that cover it.
    fn outputs(&self, examples: &Examples) -> Result<Vec<f32>, DownstreamError> {
        let cutter = Cutter::new(examples, self.encoder.layout)?;
        let mut scans: Vec<usize> = examples.list.iter().map(|e| e.scan).collect();
        scans.sort_unstable();
        scans.dedup();
        let crops: Vec<Crop> = scans
            .iter()
            .flat_map(|scan| cutter.tiles(*scan, 0))
            .collect();
        let mut found: BTreeMap<(usize, usize), (Vec<f32>, f32)> = BTreeMap::new();
        for crops in crops.chunks(self.batch_size) {
            let (input, batch) = cutter.input(crops, &self.model.encoder)?;
            let encoding = self.model.encoder.encode(&input, None);
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
                    learner: "BrainMAE".into(),
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

impl Fitted for FineTuned {
    fn predict(&self, examples: &Examples) -> Result<Output, DownstreamError> {
        let outputs = self.outputs(examples)?;
        Ok(self.target.read_each(&outputs, self.kind))
    }
}
