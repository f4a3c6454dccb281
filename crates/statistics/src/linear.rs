//! Linear models and the decompositions that they rest on: ridge and logistic regression, principal
//! components, standardisation, and the removal of confounds.

mod aligned;
mod cholesky;
mod decomposition;
mod deconfound;
mod eigenvalues;
mod geometric_mean;
mod gram;
mod lbfgs;
mod logistic;
mod principal;
mod ridge;
mod rows;
mod standard;

pub use decomposition::Decomposition;
pub use deconfound::Deconfound;
pub use eigenvalues::map_eigenvalues;
pub use geometric_mean::GeometricMean;
pub use lbfgs::{MOST_STEPS, TOLERANCE};
pub use logistic::{Logistic, LogisticPath};
pub use principal::Principal;
pub use ridge::{Ridge, RidgeGram, RidgePath};
pub use standard::{Scaling, Standard};
