//! Subgroups: the primary score of BrainMAE and of the linear model by sex, age, motion and site.

use brainmae_downstream::Subgroups;
use brainmae_downstream::results::subgroups::{LEAST_PEOPLE, SubgroupRow};

use super::forest_plot::limits;
use super::scores::{ends, in_text, title};
use super::target::Target;
use crate::dot_plot::{Dot, DotPlot, DotRow};
use crate::figure::{Figure, LegendEntry, Panel};
use crate::number;
use crate::palette::{Palette, distinct};
use crate::plain_table::PlainTable;

/// Columns that tell groups, with words for readers, in the order of the figure.
const COLUMNS: [(&str, &str); 4] = [
    ("sex", "sex"),
    ("age_years", "age"),
    ("mean_fd_mm", "motion"),
    ("site", "site"),
];

/// Groups of one target, with the scores of the models that are shown.
pub struct Groups<'a> {
    target: &'a Target<'a>,
    /// BrainMAE and the linear model, or the best model without either.
    models: Vec<String>,
    /// Groups in the order of the figure, with their rows.
    groups: Vec<(String, Vec<&'a SubgroupRow>)>,
}

impl<'a> Groups<'a> {
    /// Collects the groups of a target, at the largest share of training data.
    pub fn new(target: &'a Target, subgroups: &'a Subgroups) -> Self {
        let rows = subgroups.rows().iter();
        let rows: Vec<&SubgroupRow> = rows
            .filter(|row| row.target == target.name && row.train_share == target.share)
            .collect();
        let mut models = distinct(target.brainmae.iter().chain(&target.linear));
        if models.is_empty() {
            models.extend(target.ranking.first().cloned());
        }
        let mut groups: Vec<(String, Vec<&SubgroupRow>)> = Vec::new();
        for (by, words) in COLUMNS {
            let mut own: Vec<&SubgroupRow> = rows
                .iter()
                .filter(|row| row.group.by == by)
                .copied()
                .collect();
            own.sort_by(|a, b| a.group.cmp(&b.group));
            for of_group in own.chunk_by(|a, b| a.group == b.group) {
                let name = format!("{words}: {}", of_group[0].group.name);
                groups.push((name, of_group.to_vec()));
            }
        }
        Self {
            target,
            models,
            groups,
        }
    }

    /// True if no group is large enough.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Figure with a panel of the primary score.
    pub fn figure(&self, palette: &Palette) -> Figure {
        let primary = self.target.primary();
        let score = primary.first().map_or("score", |row| title(row.score));
        let plot = DotPlot {
            width: 900.0,
            x_label: score.to_string(),
            limits: limits(self.target.kind),
            lines: Vec::new(),
            rows: self
                .groups
                .iter()
                .map(|(name, rows)| self.row(name, rows, palette))
                .collect(),
        };
        let described = format!("{score} of {} by subgroup", self.target.name);
        let panel = plot.draw(&described).map(|svg| Panel {
            title: format!("{score} by subgroup, 95 % intervals"),
            svg,
        });
        let mut caption = format!(
            "People of all folds together, in groups of at least {LEAST_PEOPLE}; on the right their number. Intervals resample \
             units. Thirds are of the people of this target. There are no tests between groups."
        );
        if plot.is_cut() {
            caption += " Arrows: scores beyond the axis.";
        }
        let legend = self.models.iter();
        Figure {
            id: "subgroups",
            heading: "Subgroups",
            empty: "No group has a score that is defined.".into(),
            legend: legend
                .map(|model| LegendEntry::marked(model, palette.ink(model)))
                .collect(),
            panels: panel.into_iter().collect(),
            caption,
            paired: false,
        }
    }

    fn row(&self, name: &str, rows: &[&SubgroupRow], palette: &Palette) -> DotRow {
        let of_models = self.models.iter().enumerate();
        let dots = of_models.filter_map(|(layer, model)| {
            let row = rows
                .iter()
                .find(|row| row.model == *model && row.score.is_primary())?;
            Some(Dot {
                value: row.value?,
                interval: ends(row.interval),
                ink: palette.ink(model),
                faint: false,
                layer,
            })
        });
        DotRow {
            name: name.to_string(),
            bold: false,
            dots: dots.collect(),
            note: rows
                .first()
                .map_or(String::new(), |row| row.n_people.to_string()),
        }
    }

    /// Table of all scores of the figure's models, one row per group.
    pub fn table(&self) -> PlainTable {
        let all = self.groups.iter().flat_map(|(_, rows)| rows);
        let mut scores: Vec<_> = all.map(|row| row.score).collect();
        // The primary score comes first.
        scores.sort_by_key(|score| (!score.is_primary(), *score));
        scores.dedup();
        let mut head = vec!["Group".to_string(), "People".to_string()];
        for model in &self.models {
            let names = scores.iter().map(|score| in_text(*score));
            head.extend(names.map(|score| format!("{model}, {score}")));
        }
        let cell = |row: Option<&&SubgroupRow>| {
            let Some(value) = row.and_then(|row| row.value) else {
                return number::NONE.to_string();
            };
            let interval = row.and_then(|row| row.interval);
            let interval = interval.and_then(|ends| number::interval(ends.low, ends.high));
            let interval = interval.map_or(String::new(), |ends| format!(" ({ends})"));
            number::score(value) + &interval
        };
        let rows = self.groups.iter().map(|(name, rows)| {
            let mut cells = vec![rows.first().map_or(0, |row| row.n_people).to_string()];
            for model in &self.models {
                cells.extend(scores.iter().map(|score| {
                    let mut own = rows.iter();
                    cell(own.find(|row| row.model == *model && row.score == *score))
                }));
            }
            (name.clone(), cells)
        });
        let is_number = scores.len() > 1;
        Self::plain(head, rows.collect(), is_number)
    }

    fn plain(head: Vec<String>, rows: Vec<(String, Vec<String>)>, is_number: bool) -> PlainTable {
        let caption = match is_number {
            true => {
                "R² compares with the mean of the whole training set, so it is low where truths are close to that \
                 mean; the mean absolute error can be compared between groups."
            }
            false => "The numbers of the figure.",
        };
        PlainTable {
            head,
            rows,
            caption: caption.to_string(),
        }
    }
}
