//! Hints on how to resolve an error, if there is more to say than the error does.

use brainmae_atlas::AtlasError;
use brainmae_data::DataError;
use brainmae_downstream::{DownstreamError, FitError};
use brainmae_files::InvalidField;
use brainmae_machine::front::command;
use brainmae_pretrain::PretrainError;
use brainmae_studies::StudyError;
use brainmae_train::TrainError;

/// Returns what to do at the command line or in the experiment file, as the error of a library does
/// not know them. For an error with an unknown word and a list of expected ones, returns the
/// closest of these.
///
/// TOML errors read: unknown field `maks`, expected one of `model`, `mask`.
pub fn hint(error: &anyhow::Error) -> Option<String> {
    let known = error.chain().find_map(|cause| {
        let training = cause.downcast_ref().and_then(training);
        let downstream = || cause.downcast_ref().and_then(downstream);
        training.or_else(downstream).map(String::from).or_else(|| {
            let option = option(cause.downcast_ref()?)?;
            Some(format!(
                "the option of `{}` is {option}",
                command("data prepare")
            ))
        })
    });
    known.or_else(|| {
        error
            .chain()
            .find_map(|cause| suggestion(&cause.to_string()))
    })
}

fn training(error: &PretrainError) -> Option<&'static str> {
    match error {
        PretrainError::Train(TrainError::NonFinite { .. }) => {
            Some("`data check` looks at scans; the learning rate is train.schedule.base_lr")
        }
        PretrainError::Train(TrainError::OptimizerState { .. }) => {
            Some("start anew with --restart")
        }
        PretrainError::Train(TrainError::Memory(_)) => Some(
            "lower train.batch_size; or raise train.parts, or lower --threads, so that fewer samples are computed at once",
        ),
        PretrainError::NoScans { .. } => Some("see [split] in the experiment file"),
        _ => None,
    }
}

fn downstream(error: &DownstreamError) -> Option<&'static str> {
    let DownstreamError::Fit { reason, .. } = error else {
        return None;
    };
    match reason {
        FitError::NoValidation => Some("raise downstream.folds.validation_fraction"),
        FitError::Diverged { .. } => {
            Some("the learning rate of BrainMAE is downstream.finetune.lr")
        }
        FitError::Memory(_) => Some(
            "the batch of fine-tuning is downstream.finetune.batch_size; that of a neural baseline is its paper's: with --threads 1 its parts are computed one after another, or leave it out of downstream.models",
        ),
        FitError::NoEpochs => Some("raise downstream.finetune.max_epochs"),
        _ => None,
    }
}

/// Option of `data prepare` for the field that an error is about.
fn option(error: &DataError) -> Option<&'static str> {
    let field = match error {
        DataError::Config(InvalidField { field, .. })
        | DataError::Studies(StudyError::Config(InvalidField { field, .. }))
        | DataError::Atlas(AtlasError::Config(InvalidField { field, .. })) => *field,
        _ => return None,
    };
    Some(match field {
        "atlas" => "--atlas",
        "atlas.labels" => "--atlas-labels",
        "atlas.without" => "--drop-roi",
        "atlas_label" => "--atlas-label",
        "layout" => "--layout",
        "min_coverage" => "--min-coverage",
        "phenotype.columns" => "--target",
        "subject_labels" => "--subject-labels",
        "tr_secs" => "--tr",
        "variant" => "--variant",
        _ => return None,
    })
}

fn suggestion(message: &str) -> Option<String> {
    let start = message.find("unknown ")?;
    let mut words = message[start..].split('`').skip(1).step_by(2);
    let unknown = words.next()?;
    let (distance, known) = words
        .map(|known| (strsim::damerau_levenshtein(unknown, known), known))
        .min()?;
    let near = distance <= 1 + known.len() / 3;
    near.then(|| format!("did you mean `{known}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_known_word_is_suggested() {
        let message = "unknown field `maks`, expected one of `model`, `mask`, `train`";
        assert_eq!(suggestion(message).as_deref(), Some("did you mean `mask`?"));
    }

    #[test]
    fn refusals_of_libraries_are_told_in_words_of_the_experiment_file() {
        let error = anyhow::Error::from(PretrainError::NoScans { set: "test" }).context("stage");
        let told = hint(&error);
        assert_eq!(told.as_deref(), Some("see [split] in the experiment file"));
        let error = DownstreamError::Fit {
            learner: "BrainMAE".into(),
            target: "age_years".into(),
            reason: FitError::NoEpochs,
        };
        let told = hint(&error.into());
        assert_eq!(
            told.as_deref(),
            Some("raise downstream.finetune.max_epochs")
        );
    }

    #[test]
    fn a_field_is_told_with_its_option() {
        let error = DataError::Studies(StudyError::Config(InvalidField {
            field: "variant",
            found: "hp2000".into(),
            expected: "one of those there are".into(),
        }));
        let told = hint(&anyhow::Error::from(error).context("preparing"));
        assert_eq!(
            told.as_deref(),
            Some("the option of `brainmae data prepare` is --variant")
        );
    }

    #[test]
    fn nothing_is_suggested_for_a_word_like_no_other() {
        let message = "unknown field `zzzzzzzz`, expected one of `model`, `mask`";
        assert_eq!(suggestion(message), None);
        assert_eq!(suggestion("no such file"), None);
    }
}
