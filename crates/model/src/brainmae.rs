//! BrainMAE as a whole: encoders, decoder and loss of a batch.

use brainmae_ops::Precision;
use burn::module::{Module, Param};
use burn::tensor::{Bool, Device, Tensor, TensorData};
use rand::Rng;

use crate::decoder::Decoder;
use crate::init::Init;
use crate::loss::ReconstructionLoss;
use crate::state_encoder::StateEncoder;
use crate::time_encoder::TimeEncoder;
use crate::time_encoding::{encode, time_encoding};
use crate::weights::{Names, with_stable_ids};
use crate::{BrainMaeConfig, DataShape, ModelError, RoiVectors};

/// A batch of samples as the input of the model.
#[derive(Clone, Debug)]
pub struct Input {
    /// `[batch, segments, rois, time]`, z-scored per ROI and scan.
    pub bold: Tensor<4>,
    /// `p(t)` of every segment's start, `[batch, segments, d_model]`.
    time: Tensor<3>,
    /// `[batch, segments]`, true where a segment is padding; `None` if no segment is.
    padded: Option<Tensor<2, Bool>>,
    /// `[batch, segments, time]`, 1 where a volume is kept and 0 where it is censored; `None` if no
    /// volume of a valid segment is censored.
    kept: Option<Tensor<3>>,
    /// `[batch, rois]`, true where the scan of a sample has no signal of an ROI; `None` if no scan
    /// lacks one.
    missing: Option<Tensor<2, Bool>>,
}

impl Input {
    /// The same batch with missing ROIs, which the encoder hides and the loss leaves out: `missing`
    /// is `[batch, rois]`, true where the scan of a sample has no signal of an ROI.
    pub fn with_missing(self, missing: &[bool]) -> Self {
        if !missing.contains(&true) {
            return self;
        }
        let [batch, _, rois, _] = self.bold.dims();
        let missing = TensorData::new(missing.to_vec(), [batch, rois]);
        Self {
            missing: Some(Tensor::from_data(missing, &self.bold.device())),
            ..self
        }
    }

    /// Mask of the encoder, `[batch, segments, rois]`: the ROIs of `hidden`, and missing ones.
    fn hidden(&self, hidden: Option<&Tensor<3, Bool>>) -> Option<Tensor<3, Bool>> {
        let Some(missing) = &self.missing else {
            return hidden.cloned();
        };
        let [batch, segments, rois, _] = self.bold.dims();
        let missing = missing.clone().unsqueeze_dim::<3>(1);
        let missing = missing.expand([batch, segments, rois]);
        Some(match hidden {
            Some(hidden) => missing.bool_or(hidden.clone()),
            None => missing,
        })
    }

    /// The same batch with censored volumes, which the loss leaves out: `kept` is
    /// `[batch, segments, time]`, false where a volume is censored or of padding. Their signals
    /// should be 0.
    pub fn with_kept(self, kept: &[bool], valid: &[bool]) -> Self {
        let [batch, segments, _, time] = self.bold.dims();
        let mut of_segments = kept.chunks_exact(time.max(1)).zip(valid);
        if !of_segments.any(|(kept, valid)| *valid && kept.contains(&false)) {
            return self;
        }
        let kept: Vec<f32> = kept.iter().map(|kept| f32::from(u8::from(*kept))).collect();
        let kept = TensorData::new(kept, [batch, segments, time]);
        Self {
            kept: Some(Tensor::from_data(kept, &self.bold.device())),
            ..self
        }
    }

    /// `[batch, segments]`, 1 where a segment is padding and 0 elsewhere.
    fn padding(&self) -> Option<Tensor<2>> {
        self.padded.clone().map(|padded| padded.float())
    }

    /// Loss of the reconstruction of this batch; `hidden` is `[batch, segments, rois]`, true where
    /// an ROI was hidden.
    pub fn loss(
        &self,
        drawn: Tensor<4>,
        hidden: &Tensor<3, Bool>,
        lambda: f64,
    ) -> ReconstructionLoss {
        ReconstructionLoss::new(
            drawn,
            self.bold.clone(),
            hidden,
            self.padded.as_ref(),
            self.missing.as_ref(),
            self.kept.clone(),
            lambda,
        )
    }
}

/// Output of the encoder for one batch.
#[derive(Clone, Debug)]
pub struct Encoding {
    /// One vector per sample, `[batch, d_model]`: the representation of the scan.
    pub cls: Tensor<2>,
    /// One vector per segment, `[batch, segments, d_model]`: the states in context.
    pub tokens: Tensor<3>,
}

/// BrainMAE, static (SG) or adaptive (AG).
///
/// # Source
/// Yang, Mao, Liu, Liu: BrainMAE, arXiv 2406.17086. Departures are named at each layer.
#[derive(Module, Debug)]
pub struct BrainMae {
    roi_vectors: Param<Tensor<2>>,
    state_encoder: StateEncoder,
    time_encoder: TimeEncoder,
    decoder: Decoder,
    #[module(skip)]
    precision: Precision,
}

impl BrainMaeConfig {
    /// Creates a model with random weights drawn from `rng`; the same stream gives the same weights
    /// on every device.
    ///
    /// # Errors
    /// [`ModelError::Config`] if the sizes do not fit one another or the data.
    pub fn init<R: Rng>(
        &self,
        data: DataShape,
        rng: &mut R,
        device: &Device,
    ) -> Result<BrainMae, ModelError> {
        self.check(data)?;
        let (n, d) = (data.n_rois, self.d_model);
        let init = &mut Init { rng, device };
        let roi_vectors = match self.roi_vectors {
            RoiVectors::Learned => init.normal([n, d], (d as f32).sqrt().recip()),
            RoiVectors::Fixed => {
                let index: Vec<f32> = (0..n).map(|i| i as f32).collect();
                init.values([n, d], encode(&index, d))
                    .set_require_grad(false)
            }
        };
        let model = BrainMae {
            roi_vectors,
            state_encoder: StateEncoder::new(self, data, init),
            time_encoder: TimeEncoder::new(self, init),
            decoder: Decoder::new(self, data, init),
            precision: Precision::default(),
        };
        Ok(with_stable_ids(model, BrainMae::WEIGHT_NAMES))
    }
}

impl BrainMae {
    /// Names of the parameters in weight files.
    pub const WEIGHT_NAMES: &'static Names = &[
        ("roi_vectors", "roi"),
        ("state_encoder.signal", "signal"),
        ("state_encoder.mask_token", "mask_token"),
        ("state_encoder.blocks", "tse"),
        ("state_encoder.norm", "tse_norm"),
        ("state_encoder.readout.roi_weight", "roi_weight"),
        ("state_encoder.readout.linear", "readout"),
        ("time_encoder.cls", "cls"),
        ("time_encoder.blocks", "encoder"),
        ("time_encoder.norm", "encoder_norm"),
        ("decoder.input", "decoder_in"),
        ("decoder.blocks", "decoder"),
        ("decoder.norm", "decoder_norm"),
        ("decoder.head_", "head_"),
    ];

    /// Learnable vectors of the ROIs, `[rois, d_model]`.
    pub fn roi_vectors(&self) -> Tensor<2> {
        self.roi_vectors.val()
    }

    /// Returns the model with this precision. A new model has 32 bits.
    pub fn with_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// Transient state encoder of the model.
    pub fn state_encoder(&self) -> &StateEncoder {
        &self.state_encoder
    }

    /// Puts a batch on the model's device.
    ///
    /// # Shapes
    /// - `bold`: `[batch, segments, rois, time]` in `dims`, row-major
    /// - `start_secs`, `valid`: `[batch, segments]`; start of each segment in seconds, and whether
    ///   it is no padding
    pub fn input(
        &self,
        bold: Vec<f32>,
        dims: [usize; 4],
        start_secs: &[f32],
        valid: &[bool],
    ) -> Input {
        let device = self.roi_vectors.val().device();
        let [batch, segments, ..] = dims;
        let [_, d_model] = self.roi_vectors.val().dims();
        let padded = valid.contains(&false).then(|| {
            let padded: Vec<bool> = valid.iter().map(|valid| !valid).collect();
            Tensor::from_data(TensorData::new(padded, [batch, segments]), &device)
        });
        Input {
            bold: Tensor::from_data(TensorData::new(bold, dims), &device),
            time: time_encoding(start_secs, d_model, &device).reshape([batch, segments, d_model]),
            padded,
            kept: None,
            missing: None,
        }
    }

    /// Transient state of every segment, `[batch, segments, d_model]`, before the time encoder.
    pub fn states(&self, bold: Tensor<4>, hidden: Option<&Tensor<3, Bool>>) -> Tensor<3> {
        self.state_encoder
            .forward(bold, hidden, &self.roi_vectors.val(), self.precision)
    }

    /// ROI tokens of every segment before the readout: `[batch * segments, rois, d_model]`. Only
    /// missing ROIs are hidden.
    pub fn roi_tokens(&self, input: &Input) -> Tensor<3> {
        let roi_vectors = self.roi_vectors.val();
        let hidden = input.hidden(None);
        let bold = input.bold.clone();
        self.state_encoder
            .roi_tokens(bold, hidden.as_ref(), &roi_vectors, self.precision)
    }

    /// Encodes a batch: CLS token and states in context. `hidden` is `[batch, segments, rois]`,
    /// true where an ROI is hidden; missing ROIs are hidden, too.
    pub fn encode(&self, input: &Input, hidden: Option<&Tensor<3, Bool>>) -> Encoding {
        let hidden = input.hidden(hidden);
        let states = self.states(input.bold.clone(), hidden.as_ref());
        let (cls, tokens) = self.time_encoder.forward(
            states,
            input.time.clone(),
            input.padding().as_ref(),
            self.precision,
        );
        Encoding { cls, tokens }
    }

    /// Reconstructs the signal of every ROI, hidden or not, from the states: `[batch, segments,
    /// rois, time]`.
    pub fn reconstruct(&self, input: &Input, hidden: Option<&Tensor<3, Bool>>) -> Tensor<4> {
        let tokens = self.encode(input, hidden).tokens;
        self.decoder.forward(
            tokens,
            input.time.clone(),
            input.padding().as_ref(),
            &self.roi_vectors.val(),
            self.precision,
        )
    }
}
