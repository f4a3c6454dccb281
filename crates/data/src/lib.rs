#![doc = include_str!("../README.md")]

pub mod batch_loader;
pub mod crop_sampler;
pub mod data_card;
pub mod duplicates;
pub mod error;
pub mod ingest;
mod likeness;
pub mod pipeline;
pub mod prepared;
pub mod recipe;
pub mod sample_batch;
pub mod segment;
pub mod split;
pub mod split_file;
pub mod store;

// Crates whose types occur in signatures of this crate.
pub use brainmae_atlas as atlas;
pub use brainmae_atlas::{Atlas, Hemisphere, Roi};
pub use brainmae_files as files;
pub use brainmae_files::{Exclusion, ScanId, SubjectId};
pub use brainmae_formats as formats;
pub use brainmae_signals as signals;
pub use brainmae_signals::{BoldSeries, CleaningStep, ExclusionLimits};
pub use brainmae_studies as studies;
pub use brainmae_studies::{Event, SubjectRecord};

pub use batch_loader::BatchLoader;
pub use crop_sampler::{epoch_order, random_crop, tile, tile_from};
pub use data_card::{DataCard, DataMismatch};
pub use duplicates::{Duplicate, Likeness, find_duplicates};
pub use error::DataError;
pub use ingest::{IngestSpec, ingest, ingest_folder};
pub use pipeline::{OnProgress, PrepareOptions, PrepareReport, Progress, RawSource, Step, Streams};
pub use prepared::{DatasetHeader, PreparedDataset, PreparedWriter, ScanRecord, ScanStatus};
pub use recipe::prepare_recipe;
pub use sample_batch::{Crop, SampleBatch, fill};
pub use segment::{SegmentLayout, SegmentSpec};
pub use split::{FoldBy, FoldSpec, Split, SplitProof, SplitSpec, SplitUnit, check_split};
pub use split_file::{SplitFile, SplitPlan};
pub use store::{ScanEntry, ScanStore, StoreBudget, StoredScan};
