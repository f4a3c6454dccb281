//! Methods: how every number of the page is computed, one line for each.

use brainmae_downstream::ResultsSpec;

/// Names and explanations of the methods.
pub fn lines(spec: &ResultsSpec) -> Vec<(&'static str, String)> {
    let text = |text: &str| text.to_string();
    vec![
        (
            "Folds",
            text(
                "Every unit (a family, or a subject where families are not known) is tested once, by a model that never saw it or its truth.",
            ),
        ),
        (
            "R²",
            text(
                "1 − Σ (truth − prediction)² / Σ (truth − training mean)², over all folds; 0 is always answering the mean of the training set, below 0 is worse than that.",
            ),
        ),
        (
            "Mean absolute error, root mean squared error",
            text("Over all predictions, in the target's unit."),
        ),
        (
            "Pearson r",
            text("Correlation of truth and prediction, both centred in each fold."),
        ),
        (
            "Calibration slope, calibration in the large",
            text(
                "Slope of the least-squares line of truth on prediction, both centred in each fold: 1 is right, above 1 predictions are shrunk towards their mean, below 1 they are spread too far; – if they are constant. Mean truth less mean prediction, in the target's unit: 0 is right. Both describe a model; neither ranks models.",
            ),
        ),
        (
            "Balanced accuracy",
            text(
                "Mean over the true classes of the share of their predictions that is right. A prediction counts for the class whose probability is the largest multiple of its share in the training set, and for all classes in equal parts if they tie. So rare classes are predicted too, and always answering the shares of the training set scores 1 / number of classes.",
            ),
        ),
        (
            "Accuracy, macro F1",
            text(
                "Share of predictions whose most probable class is right; mean over classes of 2 · hits / (true + predicted), decided as for balanced accuracy.",
            ),
        ),
        (
            "AUROC",
            text(
                "Within folds; with more than two classes the mean of each class against the rest.",
            ),
        ),
        (
            "Brier score, calibration error",
            text(
                "Half the squared error of probabilities; mean distance of the calibration curve from the diagonal. Lower is better.",
            ),
        ),
        (
            "95 % intervals",
            format!(
                "2.5th and 97.5th percentile of {} resamples of units with replacement, models as trained.",
                spec.resamples
            ),
        ),
        (
            "Chance",
            format!(
                "Mean score when truth is exchanged at random between units of a fold (within a scan: shifted in time), {} times; its p value, one-sided, is the share of exchanges that score as well, widened for folds that depend on one another.",
                spec.permutations
            ),
        ),
        (
            "Chance line",
            text(
                "The score of always answering the training set's mean, or its shares of classes.",
            ),
        ),
        (
            "p over folds",
            text(
                "Nadeau and Bengio's corrected resampled t-test of the folds' differences, two-sided: would other training sets tell the same?",
            ),
        ),
        (
            "p over units",
            text(
                "Random flips of signs of the units' differences in loss, two-sided: would other test subjects tell the same?",
            ),
        ),
        (
            "Holm",
            text(
                "p values are adjusted over all targets, models and shares of the experiment, each question apart; primary scores (R², balanced accuracy) are one family.",
            ),
        ),
        (
            "Without confounds",
            text(
                "What a linear regression on the confounds, fitted on predictions of the other folds, explains is subtracted from predictions (from log-probabilities of classes); then scored as before.",
            ),
        ),
    ]
}

/// Files of the run folder with their content.
pub fn tables() -> Vec<(&'static str, &'static str)> {
    vec![
        (
            "predictions.parquet, predictions.csv",
            "every prediction of every model, with its truth, fold, scan and confounds: all else is computed from it",
        ),
        (
            "results.parquet, results.csv",
            "every score of every model, for each fold and for all together, with intervals and tests",
        ),
        (
            "repeated.parquet, repeated.csv",
            "scores of linear models on further partitions into folds, with differences to the linear model, if the experiment asks for them",
        ),
        (
            "subgroups.parquet, subgroups.csv",
            "the primary score of every model by sex, age third, motion third and site, of groups of at least 10 people",
        ),
        (
            "classes.json",
            "names of classes, units, scans left out, and onsets of events",
        ),
    ]
}
