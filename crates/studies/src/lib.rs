#![doc = include_str!("../README.md")]

pub mod layout;
pub mod listing;
pub mod registry;

pub mod confounds;
pub mod error;
pub mod events;
pub mod phenotype;

pub mod fmriprep;
pub mod hcp_7t;
pub mod hcp_aging;
pub mod hcp_ya;
pub mod manifest;
pub mod nsd;
pub mod xcpd;

mod bids_name;
mod bids_tree;
mod choice;
mod folder;
mod hcp;
mod json;
mod list;
mod near;
mod one_variant;
mod rows;
mod shown;
mod sidecar;
mod subject;
mod subject_labels;
#[cfg(test)]
mod tests;

pub use confounds::{read_confounds, read_outliers, rebuild_censored};
pub use error::StudyError;
pub use events::Event;
pub use layout::StudyLayout;
pub use list::list;
pub use listing::{
    ConfoundFile, EventFiles, FoundScan, ListOptions, Listing, Note, NoteKind, SignalFile,
};
pub use phenotype::{PhenotypeOptions, Phenotypes};
pub use registry::{LAYOUTS, LayoutName, by_name, recognise};
pub use subject::{SITE, SubjectRecord};
