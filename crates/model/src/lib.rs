//! BrainMAE's layers, from the signal of an ROI to its reconstruction.
//!
//! Tensors in, tensors out. The crate does not use files, subjects or clocks, names no backend (a
//! [`Device`](burn::tensor::Device) value carries it) and has no random source of its own:
//! [`BrainMaeConfig::init`] takes the random stream to use.
//!
//! Axes are `[batch, segments, rois, time]` everywhere, and `[batch, segments, rois, d_model]` once
//! embedded. Read in this order: [`config`], [`attention`], [`block`], [`state_encoder`],
//! [`time_encoder`], [`decoder`], [`brainmae`], [`loss`], and [`weights`] for the exchange with
//! PyTorch.

pub mod attention;
pub mod block;
pub mod brainmae;
pub mod config;
pub mod decoder;
mod error;
mod feed_forward;
mod fused;
pub mod init;
mod layer_norm;
pub mod loss;
pub mod readout;
pub mod state_encoder;
pub mod time_encoder;
pub mod time_encoding;
pub mod weights;

pub use brainmae::{BrainMae, Encoding, Input};
pub use config::{BrainMaeConfig, DataShape, ReadoutKind, RoiVectors, TseKind};
pub use error::ModelError;
pub use layer_norm::LayerNorm;

pub use brainmae_ops::Precision;
