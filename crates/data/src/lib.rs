//! Scans, atlas, cleaning, segments, splits and batches: everything between a data file and the
//! numbers that a model sees.
//!
//! A folder of raw data, in one of the layouts that releases have, is [`ingest`](ingest::ingest)ed
//! once into a folder of parquet tables, a [`PreparedDataset`]; a small one with a `source.toml` is
//! [`prepare`](prepare())d. A [`SplitSpec`] says who trains and who tests, a
//! [`ScanStore`] holds the scans of one side, in memory as far as they fit, and [`fill`] cuts
//! [`Crop`]s out of it into a [`SampleBatch`], whose axes are always `[batch, segments, rois, time]`;
//! a [`BatchLoader`] does so ahead of time.
//!
//! This crate does not know the model, its training or its devices: a batch is plain numbers. It
//! has no seed and no clock of its own: randomness comes from the generators that callers pass.
//! It opens data files, writes prepared data sets and simulated cohorts, and nothing else.

pub mod error;
pub mod id;

pub mod atlas;
pub mod bold;
pub mod cleaning;
pub mod confounds;
pub mod events;
pub mod exclusion;
pub mod motion;
pub mod phenotype;

pub mod checksum;
pub mod cifti;
pub mod columnar;
pub mod ingest;
pub mod label_map;
pub mod label_volume;
pub mod layout;
pub mod nifti;
pub mod npy;
pub mod number;
pub mod prepare;
pub mod prepared;
pub mod roi_signals;
pub mod signal_table;
pub mod source;
pub mod spatial_atlas;
pub mod vertex_labels;

pub mod cohort;
pub mod synthetic;

pub mod batch_loader;
pub mod crop_sampler;
pub mod data_card;
pub mod duplicates;
pub mod segment;
pub mod split;
pub mod split_file;
pub mod store;

pub use atlas::{Atlas, Hemisphere, Roi};
pub use batch_loader::BatchLoader;
pub use bold::BoldSeries;
pub use cleaning::{CleanedSignals, CleaningStep, ScanSignals, Unusable, clean_scan};
pub use cohort::{CohortLayout, CohortSpec, plan_cohort, simulate_cohort};
pub use confounds::ConfoundTable;
pub use crop_sampler::{epoch_order, random_crop, tile, tile_from};
pub use data_card::{DataCard, DataMismatch};
pub use duplicates::{Duplicate, Likeness, find_duplicates};
pub use error::DataError;
pub use events::Event;
pub use exclusion::{Exclusion, ExclusionLimits};
pub use id::{ScanId, SubjectId};
pub use phenotype::{PhenotypeOptions, Phenotypes};
pub use prepare::{PrepareOptions, PrepareReport, Progress, Step, Streams, prepare};
pub use prepared::{
    DatasetHeader, PreparedDataset, PreparedWriter, ScanRecord, ScanStatus, SubjectRecord,
};
pub use segment::{Crop, SampleBatch, SegmentLayout, SegmentSpec, fill};
pub use split::{FoldSpec, Split, SplitProof, SplitSpec, SplitUnit, check_split};
pub use split_file::{SplitFile, SplitPlan};
pub use store::{ScanEntry, ScanStore, StoreBudget, StoredScan};
pub use synthetic::{PlantedSpec, PlantedTargets, Signs, prepare_planted};
