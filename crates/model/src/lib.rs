#![doc = include_str!("../README.md")]

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
