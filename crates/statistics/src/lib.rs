#![doc = include_str!("../README.md")]

mod auroc;
mod bootstrap;
pub mod linear;
pub mod reliability;
mod softmax;

pub use auroc::{RankOrder, auroc};
pub use bootstrap::{Interval, MeanInterval, bootstrap, bootstrap_mean};
pub use softmax::softmax_rows;
