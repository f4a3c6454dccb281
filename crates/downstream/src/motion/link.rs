//! How truth, predictions and errors follow confounds.

use brainmae_run::Seeds;
use polars::prelude::{Column, DataFrame};
use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::predictions::{Prediction, Predictions, Sample};
use crate::scores::regression::correlation;
use crate::statistics::{Interval, bootstrap};
use crate::{DownstreamError, Kind};

/// What may follow a confound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Quantity {
    /// The truth: what a perfect prediction would have.
    Truth,
    /// The predicted value, or the probability of the last class.
    Prediction,
    /// Prediction less truth: whether those who move are taken for older.
    Error,
    /// Its size: whether those who move are predicted worse.
    ErrorSize,
}

impl Quantity {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// How a quantity of one model's predictions follows a confound.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfoundLink {
    /// What is predicted.
    pub target: String,
    /// By whom.
    pub model: String,
    /// Learned from which share of the training side.
    pub train_share: f64,
    /// Name of the confound: `mean_fd_mm`.
    pub confound: String,
    /// What follows it.
    pub quantity: Quantity,
    /// Which class is predicted or not; nothing for numbers. With two classes, the second alone.
    pub class: Option<usize>,
    /// Pearson correlation within folds; nothing if either is constant.
    pub r: Option<f64>,
    /// Over units.
    pub interval: Option<Interval>,
    /// Units whose confound is known.
    pub n_units: usize,
}

/// Correlations of truth, predictions and errors with every confound, for every target, model and
/// share; rows whose confound is missing are left out. For a class the truth is 0 or 1 and the
/// prediction its probability.
///
/// A prediction that follows motion as closely as the truth does says nothing; one that does more
/// closely, or whose error does, says that motion was read.
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
/// [`DownstreamError::Table`] from polars.
pub fn to_frame(links: &[ConfoundLink]) -> Result<DataFrame, DownstreamError> {
    fn column<'a, T>(
        links: &'a [ConfoundLink],
        name: &str,
        of: impl Fn(&'a ConfoundLink) -> T,
    ) -> Column
    where
        polars::prelude::Series: polars::prelude::NamedFrom<Vec<T>, [T]>,
    {
        let values: Vec<T> = links.iter().map(of).collect();
        Column::new(name.into(), values)
    }
    let columns = vec![
        column(links, "target", |link| link.target.as_str()),
        column(links, "model", |link| link.model.as_str()),
        column(links, "train_share", |link| link.train_share),
        column(links, "confound", |link| link.confound.as_str()),
        column(links, "quantity", |link| link.quantity.name()),
        column(links, "class", |link| link.class.map(|class| class as u32)),
        column(links, "r", |link| link.r),
        column(links, "low", |link| link.interval.map(|i| i.low)),
        column(links, "high", |link| link.interval.map(|i| i.high)),
        column(links, "n_units", |link| link.n_units as u32),
    ];
    Ok(DataFrame::new(links.len(), columns)?)
}
