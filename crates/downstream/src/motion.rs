//! Confounds of predictions: correlations with motion, and predictions without them.

mod link;
mod removal;

pub use link::{ConfoundLink, Quantity, confound_links, to_table};
pub use removal::{has_confounds, without_confounds};

#[cfg(test)]
mod tests;
