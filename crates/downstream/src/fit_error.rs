//! Reasons why a learner cannot be trained, or cannot predict.

use brainmae_data::ScanId;
use brainmae_train::memory::TooLittleMemory;

/// Reason why a learner cannot be trained on its examples, or cannot predict for them.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// There are no training examples.
    #[error("no training examples")]
    NoExamples,
    /// The encoder has no tokens of ROIs, which the attention probe of a segment pools.
    #[error("the encoder has no tokens of ROIs to pool; use its linear probe for segments")]
    NoRoiTokens,
    /// There are no features, such as confounds if none is known.
    #[error("there are no features")]
    NoFeatures,
    /// Examples with different numbers of features.
    #[error("{scan} has {found} features, the first scan has {expected}")]
    FeatureCount {
        /// Scan of the example.
        scan: ScanId,
        /// Number of its features.
        found: usize,
        /// Number of features of the first example.
        expected: usize,
    },
    /// A feature that is not finite.
    #[error("feature {feature} of {scan}, counted from 0, is {value}, expected a finite number")]
    FeatureNotFinite {
        /// Scan of the example.
        scan: ScanId,
        /// Number of the feature, from 0.
        feature: usize,
        /// Its value.
        value: f32,
    },
    /// A scan of unknown site, where features are harmonised over sites.
    #[error(
        "the site of {scan} is not known: give its subject one in the table of subjects, or leave downstream.linear.harmonise out"
    )]
    UnknownSite {
        /// The scan.
        scan: ScanId,
    },
    /// A scan of a site that the training set does not have.
    #[error(
        "{scan} is of the site {site}, and the training set has {} only: the effect of a site is learned from its training subjects, so leave downstream.linear.harmonise out where sites are left out", known.join(", ")
    )]
    NewSite {
        /// The scan.
        scan: ScanId,
        /// Its site.
        site: String,
        /// Sites of the training set.
        known: Vec<String>,
    },
    /// A site with too few examples to learn its effect from.
    #[error("the training set has {n} example of the site {site}, and its effect needs 2 or more")]
    FewAtSite {
        /// The site.
        site: String,
        /// Number of its examples.
        n: usize,
    },
    /// There are no validation examples to choose the penalty.
    #[error(
        "the validation set is empty, and nothing chooses the penalty; raise validation_fraction"
    )]
    NoValidation,
    /// All truths of the training set are equal.
    #[error("all {n} truths of the training set are {value}")]
    ConstantTruth {
        /// Number of examples.
        n: usize,
        /// Their truth.
        value: f64,
    },
    /// A truth that is not finite.
    #[error("a truth is {0}, expected a finite number")]
    NotFinite(f64),
    /// A truth that is not the number of a class.
    #[error("a truth is {found}, expected the number of one of {n_classes} classes")]
    NoSuchClass {
        /// The truth.
        found: f64,
        /// Number of classes of the target.
        n_classes: usize,
    },
    /// Too few classes in the training set.
    #[error("{found} classes in the training set, expected two")]
    FewClasses {
        /// Number of classes with examples.
        found: usize,
    },
    /// A class without examples in the training set.
    #[error(
        "nobody in the training set is of class {class:?}; ask for fewer folds, a larger share, or stratify by it"
    )]
    MissingClass {
        /// Name of the class.
        class: String,
    },
    /// A set without a known truth.
    #[error(
        "nobody in the {set} set has a truth; ask for fewer folds, or a target that more subjects have"
    )]
    EmptySet {
        /// training, validation or test.
        set: &'static str,
    },
    /// A unit (family, subject or scan) in two sets of a fold.
    #[error("{unit} is in two sets")]
    InTwoSets {
        /// The unit.
        unit: String,
    },
    /// A scan of another atlas.
    #[error("scan {scan} has {found} ROIs, expected {expected}")]
    RoiCount {
        /// The scan.
        scan: ScanId,
        /// Number of its ROIs.
        found: usize,
        /// Number of ROIs of the problem.
        expected: usize,
    },
    /// Examples that are neither whole scans nor segments.
    #[error("it predicts for whole scans and for segments of {segment_len_trs} volumes alone")]
    NotSegments {
        /// Length of the encoder's segments in volumes.
        segment_len_trs: usize,
    },
    /// An example that is neither a whole scan nor a segment.
    #[error(
        "it has {found} volumes; the encoder takes whole scans and segments of {segment_len_trs}"
    )]
    ExampleLength {
        /// Its length in volumes.
        found: usize,
        /// Length of the encoder's segments in volumes.
        segment_len_trs: usize,
    },
    /// A scan without a valid segment.
    #[error("no segment of {scan} is whole and kept")]
    NoSegment {
        /// The scan.
        scan: ScanId,
    },
    /// A loss that is not finite.
    #[error("the {set} loss is {value} in epoch {epoch}: lower the learning rate")]
    Diverged {
        /// training or validation.
        set: &'static str,
        /// The loss.
        value: f64,
        /// Epoch, from 0.
        epoch: usize,
    },
    /// A batch that does not fit into memory.
    #[error(transparent)]
    Memory(#[from] TooLittleMemory),
    /// A config without a training epoch.
    #[error("max_epochs is 0")]
    NoEpochs,
}
