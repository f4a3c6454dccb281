//! How sure a score is, and whether two differ.
//!
//! Units are what is drawn, exchanged and counted: families, or subjects where families are not
//! known, or scans of an only subject. More rows of the same units make nothing surer.
//!
//! Two sources of chance are kept apart. Intervals and tests over *units* ([`bootstrap()`],
//! [`sign_flips()`]) take the trained models as they are and ask what other test units would have
//! given. The test over *folds* ([`corrected_t()`]) asks what other training sides would have given
//! as well; with five folds it sees little. The permutation test of one model ([`chance()`]) says
//! there how it stands between the two.

mod chance;
mod comparison;
mod corrected_t;
mod exchange;
mod holm;
mod sign_flips;

pub use brainmae_statistics::{Interval, bootstrap};
pub use chance::{Chance, chance};
pub use comparison::{Comparison, compare};
pub use corrected_t::corrected_t;
pub use exchange::Exchange;
pub use holm::holm;
pub use sign_flips::sign_flips;
