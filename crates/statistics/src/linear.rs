//! Linear models and the decompositions that they rest on: ridge and logistic regression, support
//! vector machines, principal components, standardisation, and the removal of
//! confounds and of effects of sites.

mod aligned;
mod cholesky;
mod combat;
mod decomposition;
mod deconfound;
mod eigenvalues;
mod geometric_mean;
pub(crate) mod gram;
mod lbfgs;
mod logistic;
mod principal;
mod profile;
mod ridge;
mod rows;
mod standard;
mod svm;

pub use combat::Combat;
pub use decomposition::Decomposition;
pub use deconfound::Deconfound;
pub use eigenvalues::map_eigenvalues;
pub use geometric_mean::GeometricMean;
pub use lbfgs::{MOST_STEPS, TOLERANCE};
pub use logistic::{Logistic, LogisticPath};
pub use principal::Principal;
pub use profile::profiles;
pub use ridge::{Ridge, RidgeGram, RidgePath};
pub use standard::{Scaling, Standard};
pub use svm::{Svm, SvmPath};

#[cfg(test)]
mod tests;
