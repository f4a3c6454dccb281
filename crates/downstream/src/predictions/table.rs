//! Predictions as a table, for `predictions.parquet` and `predictions.csv`.

use brainmae_table::{Column, Table, TableError};

use super::{Prediction, Predictions};
use crate::kind::likeliest;
use crate::{DownstreamError, Kind};

const CONFOUND: &str = "confound_";
const CLASS: &str = "p_class_";
const TRAIN_CLASS: &str = "train_share_class_";

impl Predictions {
    /// One row per prediction.
    ///
    /// | column | |
    /// |---|---|
    /// | `target`, `model`, `train_share` | target, model, share of the training set used |
    /// | `fold`, `scan`, `subject`, `unit` | the example; `scan` is null for a whole subject |
    /// | `start_secs` | start of the segment; null for a whole scan |
    /// | `truth`, `predicted` | in the target's unit of measurement; for classes, their numbers; predicted is the most probable one |
    /// | `p_class_0`, `p_class_1`, … | probabilities; null for regression and unused classes |
    /// | `train_mean` | mean truth of the fold's training set; null for classes |
    /// | `train_share_class_0`, … | class shares of the fold's training set; null for regression |
    /// | `n_train_units` | number of units that the model learned from |
    /// | `confound_<name>` | such as `confound_mean_fd_mm`; null if missing |
    ///
    /// # Errors
    /// [`DownstreamError::Table`].
    pub fn to_table(&self) -> Result<Table, DownstreamError> {
        let rows = &self.rows;
        let texts =
            |name: &str, of: fn(&Prediction) -> &String| Column::new(name, rows.iter().map(of));
        let numbers = |name: &str, of: &dyn Fn(&Prediction) -> Option<f64>| {
            Column::new(name, rows.iter().map(of))
        };
        let counts =
            |name: &str, of: fn(&Prediction) -> u32| Column::new(name, rows.iter().map(of));
        let class = |numbers: &[f64], class: usize| match numbers.len() {
            1 => None,
            _ => numbers.get(class).copied(),
        };
        let n_classes = rows.iter().map(|row| row.output.len()).max();
        let n_classes = n_classes.filter(|n| *n > 1).unwrap_or(0);

        let mut columns = vec![
            texts("target", |row| &row.target),
            texts("model", |row| &row.model),
            numbers("train_share", &|row| Some(row.train_share)),
            counts("fold", |row| row.fold),
            Column::new("scan", rows.iter().map(|row| row.scan.as_deref())),
            texts("subject", |row| &row.subject),
            texts("unit", |row| &row.unit),
            numbers("start_secs", &|row| row.start_secs),
            numbers("truth", &|row| Some(row.truth)),
            numbers("predicted", &|row| match row.kind() {
                Kind::Regression => Some(row.output[0]),
                Kind::Classification { .. } => Some(likeliest(&row.output) as f64),
            }),
        ];
        columns.extend(
            (0..n_classes).map(|k| numbers(&format!("{CLASS}{k}"), &|row| class(&row.output, k))),
        );
        columns.push(numbers("train_mean", &|row| match row.kind() {
            Kind::Regression => Some(row.blind[0]),
            Kind::Classification { .. } => None,
        }));
        columns.extend(
            (0..n_classes)
                .map(|k| numbers(&format!("{TRAIN_CLASS}{k}"), &|row| class(&row.blind, k))),
        );
        columns.push(counts("n_train_units", |row| row.n_train_units));
        columns.extend(
            self.confounds
                .iter()
                .enumerate()
                .map(|(i, name)| numbers(&format!("{CONFOUND}{name}"), &|row| row.confounds[i])),
        );
        Ok(Table::new(rows.len(), columns)?)
    }

    /// Reads the output of [`to_table`](Self::to_table).
    ///
    /// # Errors
    /// [`DownstreamError::Table`] if a column is missing, has another type, or has forbidden nulls;
    /// otherwise as [`new`](Self::new).
    pub fn from_table(table: &Table) -> Result<Self, DownstreamError> {
        let [target, model] = ["target", "model"].map(|name| table.texts(name));
        let [subject, unit] = ["subject", "unit"].map(|name| table.texts(name));
        let (target, model, subject, unit) = (target?, model?, subject?, unit?);
        let scan = table.optional_texts("scan")?;
        let train_share = table.numbers("train_share")?;
        let fold = table.numbers("fold")?;
        let start_secs = table.optional_numbers("start_secs")?;
        let truth = table.numbers("truth")?;
        let predicted = table.numbers("predicted")?;
        let train_mean = table.optional_numbers("train_mean")?;
        let n_train_units = table.numbers("n_train_units")?;
        let (_, p) = all(table, CLASS)?;
        let (_, train_p) = all(table, TRAIN_CLASS)?;
        let (confounds, confound_values) = all(table, CONFOUND)?;

        let at = |columns: &[Vec<Option<f64>>], row: usize| -> Vec<Option<f64>> {
            columns.iter().map(|column| column[row]).collect()
        };
        let rows = (0..table.height())
            .map(|row| {
                let mut output: Vec<f64> = at(&p, row).into_iter().flatten().collect();
                let mut blind: Vec<f64> = at(&train_p, row).into_iter().flatten().collect();
                if output.is_empty() {
                    output = vec![predicted[row]];
                    blind = train_mean[row].into_iter().collect();
                }
                Prediction {
                    target: target[row].clone(),
                    model: model[row].clone(),
                    train_share: train_share[row],
                    fold: fold[row] as u32,
                    scan: scan[row].clone(),
                    subject: subject[row].clone(),
                    unit: unit[row].clone(),
                    start_secs: start_secs[row],
                    truth: truth[row],
                    output,
                    blind,
                    n_train_units: n_train_units[row] as u32,
                    confounds: at(&confound_values, row),
                }
            })
            .collect();
        Self::new(confounds, rows)
    }
}

/// Columns whose names begin with this prefix, in order, with the rest of the names.
#[expect(
    clippy::type_complexity,
    reason = "names and columns, taken apart at once"
)]
fn all(table: &Table, prefix: &str) -> Result<(Vec<String>, Vec<Vec<Option<f64>>>), TableError> {
    let mut names = Vec::new();
    let mut columns = Vec::new();
    for name in table.names() {
        if let Some(rest) = name.strip_prefix(prefix) {
            names.push(rest.to_owned());
            columns.push(table.optional_numbers(name)?);
        }
    }
    Ok((names, columns))
}

#[cfg(test)]
mod tests {
    use brainmae_run::table::{read_table, write_table};

    use super::super::tests::{class, number};
    use super::*;

    #[test]
    fn predictions_come_back_from_a_run_folder() {
        let mut segment = number(1, "b", 40.0, 38.5);
        segment.start_secs = Some(14.4);
        let mut rows = vec![
            number(0, "a", 30.0, 31.0),
            segment,
            class(0, "a", 2, &[0.25, 0.25, 0.5]),
        ];
        let mut two = class(0, "a", 1, &[0.75, 0.25]);
        two.target = "handedness".into();
        rows.push(two);
        for (i, row) in rows.iter_mut().enumerate() {
            row.confounds = vec![(i > 0).then_some(0.1 * i as f64)];
        }
        let predictions = Predictions::new(vec!["mean_fd_mm".into()], rows).expect("they agree");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let table = predictions.to_table().expect("columns of one length");
        write_table(folder.path(), "predictions", &table).expect("writable");
        let read = read_table(folder.path(), "predictions").expect("readable");
        let read = Predictions::from_table(&read).expect("as written");
        assert_eq!(read, predictions);
    }
}
