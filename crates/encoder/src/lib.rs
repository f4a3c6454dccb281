#![doc = include_str!("../README.md")]

mod brainmae;
mod card;
mod checkpoint;
mod embed;
mod embedding;
mod encoder;
mod error;
mod kinds;

pub use brainmae::input;
pub use brainmae_run::WEIGHTS;
pub use card::card;
pub use checkpoint::{Checkpoint, Evaluation};
pub use embed::{Embed, EncoderModel};
pub use embedding::{SampleEmbedding, embed_crops};
pub use encoder::Encoder;
pub use error::EncoderError;
pub use kinds::{EncoderKind, EncoderKinds, ModelSettings, Source, Weights, build};
