//! What can go wrong while predicting targets.

use brainmae_data::DataError;
use brainmae_encoder::EncoderError;
use brainmae_model::ModelError;
use brainmae_run::RunError;

use crate::fit_error::FitError;
use crate::predictions::PredictionError;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownstreamError {
    /// A config value that makes no sense.
    #[error("downstream config: {field} is {found}, expected {expected}")]
    Config {
        /// The field.
        field: String,
        /// Its value.
        found: String,
        /// What would be right.
        expected: String,
    },
    /// A learner that cannot learn from what it is given.
    #[error("{learner} cannot learn target {target}: {reason}")]
    Fit {
        /// Who.
        learner: String,
        /// What was to be learned.
        target: String,
        /// Why not, and what to do.
        reason: FitError,
    },
    /// Predictions of which no score can be computed.
    #[error("predictions of {target} by {model}: {}{reason}", place.as_ref().map_or(String::new(), |place| format!("{place}: ")))]
    Predictions {
        /// What was predicted.
        target: String,
        /// By whom.
        model: String,
        /// Scan or subject of the row, where it is one row.
        place: Option<String>,
        /// What is wrong with them.
        reason: PredictionError,
    },
    /// A word in a table that stands for nothing.
    #[error("column {column} has {found:?}: the table is damaged, or of a later version")]
    UnknownWord {
        /// The column.
        column: &'static str,
        /// The word.
        found: String,
    },
    /// A table that is not what it should be.
    #[error("table of predictions or results")]
    Table(#[from] polars::error::PolarsError),
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
            fit(FitError::OnTwoSides {
                unit: "family 3".into(),
            }),
            fit(FitError::EmptySide { side: "validation" }),
            fit(FitError::Diverged {
                side: "training",
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
        mean-mlp cannot learn target age_years: family 3 is on two sides
        mean-mlp cannot learn target age_years: nobody on the validation side has a truth; ask for fewer folds, or a target that more subjects have
        mean-mlp cannot learn target age_years: the training loss is inf in epoch 2: lower the learning rate
        mean-mlp cannot learn target age_years: it has 5 volumes; the encoder takes whole scans and segments of 4
        predictions of sex by FC + logistic: scan a: unit family 3 is tested in folds 0 and 1; a unit is tested once
        predictions of sex by FC + logistic: one fold, where another would tell what confounds do
        "#);
    }
}
