//! Reasons why predictions cannot be scored.

/// What is wrong with predictions of one model for one target.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PredictionError {
    /// A number that is not finite.
    #[error("not all numbers are finite")]
    NotFinite,
    /// A share of the training side outside 0..1.
    #[error("train_share is {0}")]
    TrainShare(f64),
    /// Another number of confounds than names.
    #[error("{found} confounds, expected {expected}")]
    ConfoundCount {
        /// Of the row.
        found: usize,
        /// Names.
        expected: usize,
    },
    /// Outputs and outputs of the constant predictor of different length.
    #[error("{predicted} numbers are predicted, {blind} blindly")]
    OutputCount {
        /// Numbers predicted.
        predicted: usize,
        /// Numbers of the constant predictor.
        blind: usize,
    },
    /// A truth that is not the number of a class.
    #[error("class {found} of {n_classes}")]
    NoSuchClass {
        /// The truth.
        found: f64,
        /// Classes of the target.
        n_classes: usize,
    },
    /// Probabilities that are negative or do not sum to 1.
    #[error("probabilities {0:?}")]
    Probabilities(Vec<f64>),
    /// Rows of one target with different numbers of outputs.
    #[error("{found} numbers are predicted where other rows of this target have {expected}")]
    OtherKind {
        /// Of this row.
        found: usize,
        /// Of rows before it.
        expected: usize,
    },
    /// Models that disagree about the truth of an example.
    #[error("the truth is {found} where another row has {expected}")]
    OtherTruth {
        /// Of this row.
        found: f64,
        /// Of a row before it.
        expected: f64,
    },
    /// A unit that is tested in two folds.
    #[error("unit {unit} is tested in folds {first} and {second}; a unit is tested once")]
    TwoFolds {
        /// The unit.
        unit: String,
        /// The one fold.
        first: u32,
        /// The other fold.
        second: u32,
    },
    /// An example that a model predicts twice.
    #[error("this example is there twice")]
    Twice,
    /// No row has every confound.
    #[error("no row has every confound")]
    NoConfounds,
    /// What confounds do is learned from other folds, and there is one fold.
    #[error("one fold, where another would tell what confounds do")]
    OneFold,
}
