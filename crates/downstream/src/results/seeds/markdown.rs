//! Scores over seeds as markdown: one table per target, the best model first.

use std::fmt::Write;

use brainmae_statistics::OverSeeds;

use super::{SeedsResults, SeedsRow};
use crate::results::markdown::{line, number};

impl SeedsResults {
    /// One markdown table per target with the primary score of every model, the best mean first.
    pub fn to_markdown(&self) -> String {
        let mut text = String::new();
        let primary: Vec<&SeedsRow> = (self.rows.iter())
            .filter(|row| row.score.is_primary())
            .collect();
        for rows in primary.chunk_by(|a, b| a.target == b.target) {
            let mut rows = rows.to_vec();
            let rank = |row: &SeedsRow| row.of.mean.unwrap_or(f64::NEG_INFINITY);
            rows.sort_by(|a, b| rank(b).total_cmp(&rank(a)));
            let name = |row: &&SeedsRow| Some(row.linear.as_ref()?.0.clone());
            let linear = rows.iter().find_map(name).unwrap_or("–".into());
            // Writing to a string cannot fail.
            let _ = write!(
                text,
                "### {}, {} seeds\n\n",
                rows[0].target,
                self.seeds.len()
            );
            let head = [
                "model".to_string(),
                "training share".into(),
                rows[0].score.name().into(),
                format!("less that of {linear}"),
            ];
            line(&mut text, &head);
            line(&mut text, &["---"; 4].map(String::from));
            for row in rows {
                let against = row.linear.as_ref().map(|(_, difference)| cell(difference));
                let cells = [
                    row.model.clone(),
                    row.train_share.to_string(),
                    cell(&row.of),
                    against.unwrap_or_default(),
                ];
                line(&mut text, &cells);
            }
            text.push('\n');
        }
        text.push_str(
            "Mean ± standard deviation over seeds; in brackets: 95 % interval of the mean from \
             resampling units, models as trained. Folds are the same for all seeds.\n",
        );
        text
    }
}

fn cell(of: &OverSeeds) -> String {
    let Some(mean) = of.mean else {
        return "–".into();
    };
    let mut text = number(mean);
    if let Some(std) = of.std {
        let _ = write!(text, " ± {}", number(std));
    }
    if let Some(interval) = of.interval {
        let (low, high) = (number(interval.low), number(interval.high));
        let _ = write!(text, " [{low}, {high}]");
    }
    text
}
