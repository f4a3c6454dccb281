//! Scans, atlas, cleaning, segments, splits and batches: everything between a data file and the
//! numbers that a model sees.
//!
//! A raw data set (folder with a `source.toml`) is [`prepare`](prepare())d once into a folder of
//! parquet tables, a [`PreparedDataset`]. A [`SplitSpec`] says who trains and who tests, a
//! [`ScanStore`] holds the scans of one side in memory, and [`fill`] cuts [`Crop`]s out of it into
//! a [`SampleBatch`], whose axes are always `[batch, segments, rois, time]`.
//!
//! This crate does not know the model, its training or its devices: a batch is plain numbers. It
//! has no seed and no clock of its own: randomness comes from the generators that callers pass.
//! It opens data files and writes prepared data sets, and nothing else.

pub mod error;
pub mod id;

pub mod atlas;
pub mod bold;
pub mod cleaning;
pub mod events;
pub mod exclusion;

pub mod checksum;
pub mod label_map;
pub mod layout;
pub mod nifti;
pub mod prepare;
pub mod prepared;
pub mod roi_signals;
pub mod source;
pub mod spatial_atlas;
pub mod synthetic;

pub mod crop_sampler;
pub mod segment;
pub mod split;
pub mod store;

pub use atlas::{Atlas, Hemisphere, Roi};
pub use bold::BoldSeries;
pub use cleaning::CleaningStep;
pub use crop_sampler::{epoch_order, random_crop, tile};
pub use error::DataError;
pub use events::Event;
pub use exclusion::Exclusion;
pub use id::{ScanId, SubjectId};
pub use prepare::{PrepareOptions, PrepareReport, Progress, Step, Streams, prepare};
pub use prepared::{
    DatasetHeader, PreparedDataset, PreparedWriter, ScanRecord, ScanStatus, SubjectRecord,
};
pub use segment::{Crop, SampleBatch, SegmentLayout, SegmentSpec, fill};
pub use split::{Split, SplitSpec, SplitUnit};
pub use store::{ScanStore, StoredScan};
pub use synthetic::{PlantedSpec, Signs, prepare_planted};
