#![doc = include_str!("../README.md")]

mod auroc;
mod bootstrap;

pub use auroc::{RankOrder, auroc};
pub use bootstrap::{Interval, MeanInterval, bootstrap, bootstrap_mean};
