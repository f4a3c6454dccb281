//! Is it motion? How predictions follow confounds, and what is left of them without.

mod link;
mod removal;

pub use link::{ConfoundLink, Quantity, confound_links, to_frame};
pub use removal::without_confounds;

#[cfg(test)]
mod tests;
