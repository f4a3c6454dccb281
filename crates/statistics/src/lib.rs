#![doc = include_str!("../README.md")]

mod auroc;
mod bootstrap;
pub mod linear;
pub mod over_seeds;
pub mod reliability;
mod softmax;

pub use auroc::{RankOrder, auroc};
pub use bootstrap::{Interval, MeanInterval, bootstrap, bootstrap_mean};
pub use over_seeds::OverSeeds;
pub use softmax::softmax_rows;
