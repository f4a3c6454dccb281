//! Table of linear models on further partitions into folds.

use brainmae_downstream::Repeated;
use brainmae_downstream::results::repeated::RepeatedRow;

use super::score_table::probability;
use super::scores::title;
use super::target::Target;
use crate::number;
use crate::plain_table::PlainTable;

/// Primary scores of one target, the best model first; `None` if the target has none.
pub fn table(target: &Target, repeated: &Repeated) -> Option<PlainTable> {
    let rows = repeated.rows().iter();
    let mut rows: Vec<&RepeatedRow> = rows
        .filter(|row| row.target == target.name && row.score.is_primary())
        .collect();
    let mean = |row: &RepeatedRow| row.mean.unwrap_or(f64::NEG_INFINITY);
    rows.sort_by(|a, b| mean(b).total_cmp(&mean(a)));
    let first = rows.first()?;
    let reference = rows.iter().find_map(|row| row.reference.as_ref());
    let reference = reference.map_or(number::NONE, |name| name);
    let score = |value: Option<f64>| number::score(value.unwrap_or(f64::NAN));
    let cells = |row: &&RepeatedRow| {
        let mut cells = vec![score(row.mean), score(row.sd_of_repeats)];
        cells.extend(match row.reference {
            None => ["itself".to_string(), String::new()],
            Some(_) => [score(row.difference), probability(row.p_holm)],
        });
        (row.model.clone(), cells)
    };
    Some(PlainTable {
        head: vec![
            "Model".to_string(),
            format!("{}, mean over folds", title(first.score)),
            "Standard deviation over repeats".to_string(),
            format!("Difference to {reference}"),
            "p".to_string(),
        ],
        rows: rows.iter().map(cells).collect(),
        caption: format!(
            "Linear models are fitted again on {} more partitions into {} folds. Standard deviation: of the score of \
             all folds together. p: corrected resampled t-test over all folds of all repeats, after Holm.",
            first.n_repeats, first.n_folds
        ),
    })
}
