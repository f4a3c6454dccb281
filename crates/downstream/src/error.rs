//! Errors of training learners and predicting targets.

use brainmae_data::DataError;
use brainmae_encoder::EncoderError;
use brainmae_model::ModelError;
use brainmae_run::RunError;
use brainmae_table::TableError;
use brainmae_train::TrainError;

use crate::fit_error::FitError;
use crate::predictions::PredictionError;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownstreamError {
    /// An invalid config value.
    #[error("downstream config: {field} is {found}, expected {expected}")]
    Config {
        /// Name of the field.
        field: String,
        /// Its value.
        found: String,
        /// The valid values.
        expected: String,
    },
    /// No learner has this name.
    #[error("unknown model `{found}`, expected one of `{}`", known.join("`, `"))]
    UnknownLearner {
        /// Name that was asked for.
        found: String,
        /// Names of the known learners.
        known: Vec<String>,
    },
    /// A learner that cannot be trained on its examples.
    #[error("{learner} cannot learn target {target}: {reason}")]
    Fit {
        /// Name of the learner.
        learner: String,
        /// Name of the target.
        target: String,
        /// Reason, with a remedy if there is one.
        reason: FitError,
    },
    /// Predictions that cannot be scored.
    #[error("predictions of {target} by {model}: {}{reason}", place.as_ref().map_or(String::new(), |place| format!("{place}: ")))]
    Predictions {
        /// Name of the target.
        target: String,
        /// Name of the model.
        model: String,
        /// Scan or subject of the row; `None` if the reason concerns more than one row.
        place: Option<String>,
        /// Reason.
        reason: PredictionError,
    },
    /// An unknown value in a column of a table.
    #[error("column {column} has {found:?}: the table is damaged, or of a later version")]
    UnknownWord {
        /// Name of the column.
        column: &'static str,
        /// The value.
        found: String,
    },
    /// An invalid table.
    #[error("table of predictions or results")]
    Table(#[from] TableError),
    /// A fit was stopped on request; if it is kept, the same fit goes on from there.
    #[error("stopped on request")]
    Interrupted,
    /// From the trainer.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// From a checkpoint.
    #[error(transparent)]
    Encoder(#[from] EncoderError),
    /// From the run folder.
    #[error(transparent)]
    Run(#[from] RunError),
    /// From the model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// From the data.
    #[error(transparent)]
    Data(#[from] DataError),
}

impl DownstreamError {
    /// Whether a fit was stopped on request, so that there is no failure.
    pub fn is_interrupted(&self) -> bool {
        matches!(self, Self::Interrupted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_say_who_what_and_why() {
        let fit = |reason| DownstreamError::Fit {
            learner: "mean-mlp".into(),
            target: "age_years".into(),
            reason,
        };
        let predictions = |place, reason| DownstreamError::Predictions {
            target: "sex".into(),
            model: "FC + logistic".into(),
            place,
            reason,
        };
        let two_folds = PredictionError::TwoFolds {
            unit: "family 3".into(),
            first: 0,
            second: 1,
        };
        let errors = [
            DownstreamError::Config {
                field: "pca".into(),
                found: "0".into(),
                expected: "at least 1 component".into(),
            },
            fit(FitError::InTwoSets {
                unit: "family 3".into(),
            }),
            fit(FitError::EmptySet { set: "validation" }),
            fit(FitError::Diverged {
                set: "training",
                value: f64::INFINITY,
                epoch: 2,
            }),
            fit(FitError::ExampleLength {
                found: 5,
                segment_len_trs: 4,
            }),
            predictions(Some("scan a".into()), two_folds),
            predictions(None, PredictionError::OneFold),
        ];
        let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(texts.join("\n"), @r#"
        downstream config: pca is 0, expected at least 1 component
        mean-mlp cannot learn target age_years: family 3 is in two sets
        mean-mlp cannot learn target age_years: nobody in the validation set has a truth; ask for fewer folds, or a target that more subjects have
        mean-mlp cannot learn target age_years: the training loss is inf in epoch 2: lower the learning rate
        mean-mlp cannot learn target age_years: it has 5 volumes; the encoder takes whole scans and segments of 4
        predictions of sex by FC + logistic: scan a: unit family 3 is tested in folds 0 and 1; a unit is tested once
        predictions of sex by FC + logistic: one fold, where another would tell what confounds do
        "#);
    }
}
