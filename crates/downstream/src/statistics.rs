//! Statistics of scores: intervals, tests against chance, comparisons of models.
//!
//! Units are drawn, exchanged and counted: families, or subjects if families are unknown, or scans
//! if there is only one subject. More rows of the same units do not reduce uncertainty.
//!
//! There are two sources of randomness. Intervals and tests over *units* ([`bootstrap()`],
//! [`sign_flips()`]) take the trained models as fixed and describe the variation over test units.
//! The test over *folds* ([`corrected_t()`]) also includes the variation over training sets; with
//! five folds it has little power. The permutation test of one model ([`chance()`]) documents its
//! own position between the two.

mod chance;
mod comparison;
mod corrected_t;
mod exchange;
mod holm;
mod sign_flips;

pub use brainmae_statistics::{Interval, bootstrap};
pub use chance::{Chance, chance};
pub use comparison::{Comparison, compare};
pub(crate) use comparison::{differences_by_fold, test_share};
pub use corrected_t::corrected_t;
pub use exchange::Exchange;
pub use holm::holm;
pub use sign_flips::sign_flips;
