//! Data of the report over seeds, read from the folder with the table.

use std::path::Path;

use brainmae_downstream::{Score, SeedsResults};
use brainmae_pretrain::reconstruction::seeds::SeedsScore;
use brainmae_run::Manifest;
use brainmae_run::table::read_table;

use super::{Group, ReportData, Row};
use crate::downstream::{Setting, title};
use crate::palette::distinct;
use crate::{Result, number};

impl ReportData {
    /// Reads the table `seeds` of a run.
    ///
    /// # Errors
    /// If it is missing or damaged.
    pub fn read(run: &Path, manifest: &Manifest) -> Result<Self> {
        let setting = Setting::of_run(run, manifest);
        let seeds: Vec<u64> = (manifest.config.get("seeds"))
            .and_then(|seeds| serde_json::from_value(seeds.clone()).ok())
            .unwrap_or_default();
        let table = read_table(run, "seeds")?;
        let groups = match manifest.config.get("reconstruction") {
            Some(_) => reconstructed(&SeedsScore::from_table(&table, &seeds)?),
            None => predicted(&SeedsResults::from_table(&table, &seeds)?),
        };
        Ok(Self {
            title: format!("{}, {} seeds", setting.title, seeds.len()),
            lead: setting.lead,
            seeds,
            groups,
            facts: setting.facts,
        })
    }
}

/// One group for each target and share of the training set, of its primary score.
fn predicted(results: &SeedsResults) -> Vec<Group> {
    let rows = results.rows().iter().filter(|row| row.score.is_primary());
    let mut groups: Vec<Group> = Vec::new();
    for row in rows {
        let name = match row.train_share {
            1.0 => row.target.clone(),
            share => format!("{}, training share {}", row.target, number::short(share)),
        };
        let limits = if row.score == Score::R2 {
            -1.0..1.0
        } else {
            0.0..1.0
        };
        let shown = Row {
            model: row.model.clone(),
            of: row.of.clone(),
            linear: row.linear.clone(),
        };
        match groups.iter_mut().find(|group| group.name == name) {
            Some(group) => group.rows.push(shown),
            None => groups.push(Group {
                name,
                score: title(row.score).to_string(),
                higher_is_better: true,
                limits,
                rows: vec![shown],
            }),
        }
    }
    groups
}

/// One group for each share of hidden ROIs.
fn reconstructed(scores: &[SeedsScore]) -> Vec<Group> {
    let name = |score: &SeedsScore| {
        let percent = number::short(100.0 * score.mask_ratio);
        format!("{percent} % of the ROIs hidden")
    };
    let names: Vec<String> = scores.iter().map(name).collect();
    let group = |of: &String| Group {
        name: of.clone(),
        score: "mean squared error".to_string(),
        higher_is_better: false,
        limits: 0.0..2.0,
        rows: (scores.iter().filter(|score| name(score) == *of))
            .map(|score| Row {
                model: score.predictor.clone(),
                of: score.mse.clone(),
                linear: None,
            })
            .collect(),
    };
    distinct(names.iter()).iter().map(group).collect()
}
