#![doc = include_str!("../README.md")]

pub mod builtin;
pub mod centroids;
pub mod error;
pub mod guard;
mod naming;
mod own;
mod region;
mod resolve;
mod scheme;
mod shown;
pub mod spatial;

pub use error::AtlasError;
pub use region::{Atlas, Hemisphere, Roi};
