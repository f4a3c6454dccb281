//! Correlations of confounds with truth, predictions and errors.

use brainmae_run::Seeds;
use brainmae_table::{Column, Table};
use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::predictions::{Prediction, Predictions, Sample};
use crate::scores::regression::correlation;
use crate::statistics::{Interval, bootstrap};
use crate::{DownstreamError, Kind};

/// Quantity that is correlated with a confound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Quantity {
    /// The truth; a perfect prediction has the same correlation.
    Truth,
    /// The predicted value, or the probability of the last class.
    Prediction,
    /// Prediction minus truth: positive if subjects who move are predicted too old, for example.
    Error,
    /// Absolute error: positive if subjects who move are predicted worse.
    ErrorSize,
}

impl Quantity {
    /// Name in tables.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// Correlation of one quantity of a model's predictions with one confound.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfoundLink {
    /// Name of the target.
    pub target: String,
    /// Name of the model.
    pub model: String,
    /// Share of the training set that the model learned from.
    pub train_share: f64,
    /// Name of the confound: `mean_fd_mm`.
    pub confound: String,
    /// The quantity.
    pub quantity: Quantity,
    /// Class of the prediction; `None` for regression. With two classes, the second alone.
    pub class: Option<usize>,
    /// Pearson correlation within folds; `None` if either is constant.
    pub r: Option<f64>,
    /// Interval over units.
    pub interval: Option<Interval>,
    /// Number of units with a known confound.
    pub n_units: usize,
}

/// Correlations of truth, predictions and errors with each confound, for each target, model and
/// share. Rows with a missing confound are left out. For a class the truth is 0 or 1, and the
/// prediction is its probability.
///
/// The prediction may correlate with motion as much as the truth does. A higher correlation, or a
/// correlation of the error, is evidence that the model uses motion.
pub fn confound_links(
    predictions: &Predictions,
    resamples: usize,
    seeds: &Seeds,
) -> Vec<ConfoundLink> {
    let mut links = Vec::new();
    for sample in predictions.samples() {
        for (i, confound) in predictions.confounds().iter().enumerate() {
            let known = |row: &&&Prediction| row.confounds[i].is_some();
            let rows: Vec<&Prediction> = sample.rows().iter().filter(known).copied().collect();
            if rows.is_empty() {
                continue;
            }
            let sample = Sample::new(rows);
            let values = sample.rows().iter().filter_map(|row| row.confounds[i]);
            let values: Vec<f64> = values.collect();
            for class in classes(sample.kind()) {
                let quantities = quantities(&sample, class);
                let links_of = |weights: &[f64]| -> Vec<Option<f64>> {
                    let r = |of: &Vec<f64>| correlation(sample.folds(), &values, of, weights);
                    quantities.iter().map(r).collect()
                };
                let intervals = bootstrap(sample.units(), resamples, seeds, links_of);
                let r = links_of(&vec![1.0; sample.len()]);
                for (q, quantity) in Quantity::VARIANTS.iter().enumerate() {
                    links.push(ConfoundLink {
                        target: sample.target().to_owned(),
                        model: sample.model().to_owned(),
                        train_share: sample.train_share(),
                        confound: confound.clone(),
                        quantity: *quantity,
                        class,
                        r: r[q],
                        interval: intervals[q],
                        n_units: sample.units().len(),
                    });
                }
            }
        }
    }
    links
}

fn classes(kind: Kind) -> Vec<Option<usize>> {
    match kind {
        Kind::Regression => vec![None],
        Kind::Classification { n_classes: 2 } => vec![Some(1)],
        Kind::Classification { n_classes } => (0..n_classes).map(Some).collect(),
    }
}

fn quantities(sample: &Sample, class: Option<usize>) -> [Vec<f64>; 4] {
    let output = sample.output().chunks_exact(sample.kind().n_outputs());
    let prediction: Vec<f64> = output.map(|row| row[class.unwrap_or(0)]).collect();
    let truth = sample.truth().iter();
    let truth: Vec<f64> = match class {
        None => truth.copied().collect(),
        Some(class) => truth.map(|t| f64::from(*t == class as f64)).collect(),
    };
    let pairs = prediction.iter().zip(&truth);
    let error: Vec<f64> = pairs
        .map(|(prediction, truth)| prediction - truth)
        .collect();
    let size = error.iter().map(|error| error.abs()).collect();
    [truth, prediction, error, size]
}

/// One row per link, for `confounds.parquet`.
///
/// # Errors
/// [`DownstreamError::Table`].
pub fn to_table(links: &[ConfoundLink]) -> Result<Table, DownstreamError> {
    let rows = || links.iter();
    let columns = vec![
        Column::new("target", rows().map(|link| link.target.as_str())),
        Column::new("model", rows().map(|link| link.model.as_str())),
        Column::new("train_share", rows().map(|link| link.train_share)),
        Column::new("confound", rows().map(|link| link.confound.as_str())),
        Column::new("quantity", rows().map(|link| link.quantity.name())),
        Column::new(
            "class",
            rows().map(|link| link.class.map(|class| class as u32)),
        ),
        Column::new("r", rows().map(|link| link.r)),
        Column::new("low", rows().map(|link| link.interval.map(|i| i.low))),
        Column::new("high", rows().map(|link| link.interval.map(|i| i.high))),
        Column::new("n_units", rows().map(|link| link.n_units as u32)),
    ];
    Ok(Table::new(links.len(), columns)?)
}
