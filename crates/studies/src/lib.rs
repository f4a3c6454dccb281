#![doc = include_str!("../README.md")]

mod bids_name;
mod bids_tree;
mod choice;
pub mod confounds;
mod error;
pub mod events;
mod fmriprep;
mod folder;
mod guess;
mod hcp;
mod hcp_7t;
mod hcp_aging;
mod hcp_ya;
mod kind;
mod listing;
mod manifest;
mod nsd;
pub mod phenotype;
mod sidecar;
mod subject;
mod subject_labels;
mod xcpd;

pub use confounds::{read_confounds, read_outliers, rebuild_censored};
pub use error::StudyError;
pub use events::Event;
pub use kind::Layout;
pub use listing::{
    ConfoundFile, EventFiles, FoundScan, ListOptions, Listing, Note, NoteKind, SignalFile, list,
};
pub use phenotype::{PhenotypeOptions, Phenotypes};
pub use subject::SubjectRecord;

use hcp::parse_aging_visit;
use subject_labels::SubjectLabels;
