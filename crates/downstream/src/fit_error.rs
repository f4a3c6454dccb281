//! Reasons why a learner cannot learn a target.

use brainmae_data::ScanId;

/// Why a learner cannot learn from what it is given, or predict for it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// There are no examples to learn from.
    #[error("no training examples")]
    NoExamples,
    /// There are no features, as with confounds where none is known.
    #[error("there are no features")]
    NoFeatures,
    /// Nothing chooses a penalty.
    #[error(
        "the validation side is empty, and nothing chooses the penalty; raise validation_fraction"
    )]
    NoValidation,
    /// All truths of the training side are one number.
    #[error("all {n} truths of the training side are {value}")]
    ConstantTruth {
        /// Examples.
        n: usize,
        /// Their truth.
        value: f64,
    },
    /// A truth that is no finite number.
    #[error("a truth is {0}, expected a finite number")]
    NotFinite(f64),
    /// A truth that is not the number of a class.
    #[error("a truth is {found}, expected the number of one of {n_classes} classes")]
    NoSuchClass {
        /// The truth.
        found: f64,
        /// Classes of the target.
        n_classes: usize,
    },
    /// Too few classes on the training side.
    #[error("{found} classes on the training side, expected two")]
    FewClasses {
        /// Classes with examples.
        found: usize,
    },
    /// A class without examples on the training side.
    #[error(
        "nobody on the training side is of class {class:?}; ask for fewer folds, a larger share, or stratify by it"
    )]
    MissingClass {
        /// The class.
        class: String,
    },
    /// A side without a truth.
    #[error(
        "nobody on the {side} side has a truth; ask for fewer folds, or a target that more subjects have"
    )]
    EmptySide {
        /// training, validation or test.
        side: &'static str,
    },
    /// A family, a subject or a scan on two sides of a fold.
    #[error("{unit} is on two sides")]
    OnTwoSides {
        /// What must not be split.
        unit: String,
    },
    /// Scans of another atlas.
    #[error("scan {scan} has {found} ROIs, expected {expected}")]
    RoiCount {
        /// The scan.
        scan: ScanId,
        /// Its ROIs.
        found: usize,
        /// ROIs of the problem.
        expected: usize,
    },
    /// Examples that are neither whole scans nor segments.
    #[error("it predicts for whole scans and for segments of {segment_len_trs} volumes alone")]
    NotSegments {
        /// Length of the encoder's segments.
        segment_len_trs: usize,
    },
    /// An example that is neither a whole scan nor a segment.
    #[error(
        "it has {found} volumes; the encoder takes whole scans and segments of {segment_len_trs}"
    )]
    ExampleLength {
        /// Its length.
        found: usize,
        /// Length of the encoder's segments.
        segment_len_trs: usize,
    },
    /// A scan without a segment to encode.
    #[error("no segment of {scan} is whole and kept")]
    NoSegment {
        /// The scan.
        scan: ScanId,
    },
    /// A loss that is not finite.
    #[error("the {side} loss is {value} in epoch {epoch}: lower the learning rate")]
    Diverged {
        /// training or validation.
        side: &'static str,
        /// The loss.
        value: f64,
        /// Epoch, from 0.
        epoch: usize,
    },
    /// No epoch of training was asked for.
    #[error("max_epochs is 0")]
    NoEpochs,
}
