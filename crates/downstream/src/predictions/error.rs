//! Reasons why predictions cannot be scored.

/// Reason why predictions of one model for one target cannot be scored.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PredictionError {
    /// A number that is not finite.
    #[error("not all numbers are finite")]
    NotFinite,
    /// A share of the training set outside 0..1.
    #[error("train_share is {0}")]
    TrainShare(f64),
    /// The number of confounds differs from the number of names.
    #[error("{found} confounds, expected {expected}")]
    ConfoundCount {
        /// Number of confounds of the row.
        found: usize,
        /// Number of names.
        expected: usize,
    },
    /// Outputs of the model and of the constant predictor have different lengths.
    #[error("{predicted} numbers are predicted, {blind} by the constant predictor")]
    OutputCount {
        /// Length of the model's output.
        predicted: usize,
        /// Length of the constant predictor's output.
        blind: usize,
    },
    /// A truth that is not the number of a class.
    #[error("class {found} of {n_classes}")]
    NoSuchClass {
        /// The truth.
        found: f64,
        /// Number of classes of the target.
        n_classes: usize,
    },
    /// Probabilities that are negative or do not sum to 1.
    #[error("probabilities {0:?}")]
    Probabilities(Vec<f64>),
    /// Rows of one target with different numbers of outputs.
    #[error("{found} numbers are predicted where other rows of this target have {expected}")]
    OtherKind {
        /// Number of outputs of this row.
        found: usize,
        /// Number of outputs of earlier rows.
        expected: usize,
    },
    /// Models that disagree about the truth of an example.
    #[error("the truth is {found} where another row has {expected}")]
    OtherTruth {
        /// Truth of this row.
        found: f64,
        /// Truth of an earlier row.
        expected: f64,
    },
    /// A unit that is tested in two folds.
    #[error("unit {unit} is tested in folds {first} and {second}; a unit is tested once")]
    TwoFolds {
        /// The unit.
        unit: String,
        /// One fold.
        first: u32,
        /// The other fold.
        second: u32,
    },
    /// An example that a model predicts twice.
    #[error("this example is there twice")]
    Twice,
    /// All rows lack a confound.
    #[error("no row has every confound")]
    NoConfounds,
    /// Effects of confounds are fitted on other folds, but there is only one fold.
    #[error("one fold, where another would tell what confounds do")]
    OneFold,
}
