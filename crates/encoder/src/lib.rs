#![doc = include_str!("../README.md")]

mod card;
mod checkpoint;
mod embedding;
mod encoder;
mod error;

pub use brainmae_run::WEIGHTS;
pub use card::card;
pub use checkpoint::{Checkpoint, MODEL};
pub use embedding::{SampleEmbedding, embed_crops, input};
pub use encoder::Encoder;
pub use error::EncoderError;
