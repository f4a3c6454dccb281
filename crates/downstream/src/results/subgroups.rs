//! Scores of subgroups of people: by sex, thirds of age and motion, and site.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use brainmae_data::SubjectRecord;
use brainmae_data::studies::SITE;
use brainmae_run::Seeds;
use brainmae_table::{Column, Table};

use super::ResultsSpec;
use super::markdown::{line, number};
use super::table::{interval, score_of, unknown};
use crate::DownstreamError;
use crate::confounds::{AGE, MEAN_FD, SEX};
use crate::predictions::{Prediction, Predictions, Sample};
use crate::scores::{Score, Scorer};
use crate::statistics::{Interval, bootstrap};

/// Fewest people of a group.
pub const LEAST_PEOPLE: usize = 10;

/// Names of thirds, from low to high.
const THIRDS: [&str; 3] = ["lowest third", "middle third", "highest third"];

/// A group of tested people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// Column that tells the group: `sex`, `age_years`, `mean_fd_mm`, `site`.
    pub by: &'static str,
    /// Number of the group among those of its column.
    order: usize,
    /// The value, or the third with its limits.
    pub name: String,
}

impl Group {
    /// The group of a row of a table.
    fn named(by: &str, name: &str) -> Result<Self, DownstreamError> {
        let known = [SEX, AGE, MEAN_FD, SITE].into_iter().find(|one| *one == by);
        let third = THIRDS.iter().position(|third| name.starts_with(third));
        Ok(Self {
            by: known.ok_or_else(|| unknown("by", by))?,
            order: match by == AGE || by == MEAN_FD {
                true => third.unwrap_or(0),
                false => 0,
            },
            name: name.to_owned(),
        })
    }
}

/// A score of one model for one target, of one group.
#[derive(Clone, Debug, PartialEq)]
pub struct SubgroupRow {
    /// Name of the target.
    pub target: String,
    /// Name of the model.
    pub model: String,
    /// Share of the training set that the model learned from.
    pub train_share: f64,
    /// The group.
    pub group: Group,
    /// Number of its people.
    pub n_people: usize,
    /// Kind of the score: the primary one, and the mean absolute error of numbers.
    pub score: Score,
    /// Value of the score; `None` if it is undefined.
    pub value: Option<f64>,
    /// Interval over units.
    pub interval: Option<Interval>,
}

/// Scores of all groups, for all folds together, in order of target, model and share. They describe
/// a model: they have no p value.
///
/// A third has a third of the people of the target whose value is known; the motion of a person is
/// the mean over the predictions. R² compares with the mean of the whole training set, so it is
/// low in a group whose truths are close to that mean, such as the middle third of age for age;
/// the mean absolute error can be compared between groups.
#[derive(Clone, Debug, PartialEq)]
pub struct Subgroups {
    rows: Vec<SubgroupRow>,
    /// Groups that are too small, by target, with their number of people.
    left_out: BTreeSet<(String, Group, usize)>,
}

impl Subgroups {
    /// Computes the scores of all groups. The same predictions, subjects, spec and seeds give the
    /// same scores.
    pub fn new(
        predictions: &Predictions,
        subjects: &[SubjectRecord],
        spec: &ResultsSpec,
        seeds: &Seeds,
    ) -> Self {
        let records = subjects
            .iter()
            .map(|record| (record.subject.as_str(), record));
        let records: BTreeMap<&str, &SubjectRecord> = records.collect();
        let fd = predictions
            .confounds()
            .iter()
            .position(|name| name == MEAN_FD);
        let mut found = Self {
            rows: Vec::new(),
            left_out: BTreeSet::new(),
        };
        for sample in predictions.samples() {
            let mut people_of: BTreeMap<Group, BTreeSet<&str>> = BTreeMap::new();
            for (person, group) in groups(&sample, &records, fd) {
                people_of.entry(group).or_default().insert(person);
            }
            for (group, people) in people_of {
                if people.len() < LEAST_PEOPLE {
                    let target = sample.target().to_owned();
                    found.left_out.insert((target, group, people.len()));
                    continue;
                }
                let rows = sample.rows().iter().copied();
                let rows = rows.filter(|row| people.contains(row.subject.as_str()));
                let own = Sample::new(rows.collect());
                found.add(&own, &group, people.len(), spec, seeds);
            }
        }
        found
    }

    fn add(
        &mut self,
        sample: &Sample,
        group: &Group,
        n_people: usize,
        spec: &ResultsSpec,
        seeds: &Seeds,
    ) {
        let all = Score::of(sample.kind());
        let shown = all.iter().filter(|score| is_shown(**score)).count();
        let scorer = Scorer::new(sample);
        let values = scorer.scores();
        let intervals = bootstrap(sample.units(), spec.resamples, seeds, |weights| {
            let mut scores = scorer.scores_of(sample.truth(), weights);
            scores.truncate(shown);
            scores
        });
        // The primary score is the first, and the mean absolute error follows it.
        for (i, score) in all.iter().take(shown).enumerate() {
            self.rows.push(SubgroupRow {
                target: sample.target().to_owned(),
                model: sample.model().to_owned(),
                train_share: sample.train_share(),
                group: group.clone(),
                n_people,
                score: *score,
                value: values[i],
                interval: values[i].and(intervals[i]),
            });
        }
    }

    /// One row per score.
    pub fn rows(&self) -> &[SubgroupRow] {
        &self.rows
    }

    /// One row per score, for `subgroups.parquet`.
    ///
    /// # Errors
    /// [`DownstreamError::Table`].
    pub fn to_table(&self) -> Result<Table, DownstreamError> {
        let rows = || self.rows.iter();
        let columns = vec![
            Column::new("target", rows().map(|row| row.target.as_str())),
            Column::new("model", rows().map(|row| row.model.as_str())),
            Column::new("train_share", rows().map(|row| row.train_share)),
            Column::new("by", rows().map(|row| row.group.by)),
            Column::new("group", rows().map(|row| row.group.name.as_str())),
            Column::new("n_people", rows().map(|row| row.n_people as u32)),
            Column::new("score", rows().map(|row| row.score.name())),
            Column::new("value", rows().map(|row| row.value)),
            Column::new("low", rows().map(|row| row.interval.map(|i| i.low))),
            Column::new("high", rows().map(|row| row.interval.map(|i| i.high))),
        ];
        Ok(Table::new(self.rows.len(), columns)?)
    }

    /// Reads the output of [`to_table`](Self::to_table). Groups that are too small are not in the
    /// table.
    ///
    /// # Errors
    /// [`DownstreamError::Table`] if a column is missing, has another type, or has forbidden nulls;
    /// [`DownstreamError::UnknownWord`] for an unknown score or column of groups.
    pub fn from_table(table: &Table) -> Result<Self, DownstreamError> {
        let [target, model] = ["target", "model"].map(|name| table.texts(name));
        let [by, group, score] = ["by", "group", "score"].map(|name| table.texts(name));
        let (target, model, by, group, score) = (target?, model?, by?, group?, score?);
        let (train_share, n_people) = (table.numbers("train_share")?, table.numbers("n_people")?);
        let [value, low, high] = ["value", "low", "high"].map(|c| table.optional_numbers(c));
        let (value, low, high) = (value?, low?, high?);
        let rows = (0..table.height())
            .map(|i| {
                Ok(SubgroupRow {
                    target: target[i].clone(),
                    model: model[i].clone(),
                    train_share: train_share[i],
                    group: Group::named(&by[i], &group[i])?,
                    n_people: n_people[i] as usize,
                    score: score_of(&score[i])?,
                    value: value[i],
                    interval: interval(low[i], high[i]),
                })
            })
            .collect::<Result<_, DownstreamError>>()?;
        Ok(Self {
            rows,
            left_out: BTreeSet::new(),
        })
    }

    /// One markdown table per target, of BrainMAE and the linear model, or of the first model if
    /// neither is there, with the largest share of the training set. Empty if no group is large
    /// enough.
    pub fn to_markdown(&self, spec: &ResultsSpec) -> String {
        let mut text = String::new();
        for rows in self.rows.chunk_by(|a, b| a.target == b.target) {
            let share = rows.iter().map(|row| row.train_share).fold(0.0, f64::max);
            let rows: Vec<&SubgroupRow> =
                rows.iter().filter(|row| row.train_share == share).collect();
            let has = |name: &&String| rows.iter().any(|row| row.model == **name);
            let ours = Some(&spec.brainmae).filter(has);
            let linear = spec.linear.iter().find(|name| has(name));
            let mut models: Vec<&String> = ours.into_iter().chain(linear).collect();
            if models.is_empty() {
                models.push(&rows[0].model);
            }
            self.write_table(&mut text, &rows, &models);
        }
        if !text.is_empty() {
            text.push_str(FOOT);
        }
        text
    }

    fn write_table(&self, text: &mut String, rows: &[&SubgroupRow], models: &[&String]) {
        let target = &rows[0].target;
        let columns: BTreeSet<Score> = rows.iter().map(|row| row.score).collect();
        // The primary score comes first.
        let mut columns: Vec<Score> = columns.into_iter().collect();
        columns.sort_by_key(|score| !score.is_primary());
        let mut head = vec!["by".to_owned(), "group".into(), "people".into()];
        for model in models {
            let names = columns.iter().map(|score| score.name());
            head.extend(names.map(|score| format!("{model}, {score}")));
        }
        // Writing to a string cannot fail.
        let _ = write!(text, "\n### {target} by subgroup\n\n");
        line(text, &head);
        line(text, &vec!["---".to_owned(); head.len()]);
        let groups: BTreeSet<&Group> = rows.iter().map(|row| &row.group).collect();
        for group in groups {
            let own: Vec<&&SubgroupRow> = rows.iter().filter(|row| row.group == *group).collect();
            let mut cells = vec![
                group.by.to_owned(),
                group.name.clone(),
                own[0].n_people.to_string(),
            ];
            for model in models {
                cells.extend(columns.iter().map(|score| {
                    let row = own
                        .iter()
                        .find(|row| row.model == **model && row.score == *score);
                    row.map_or_else(String::new, |row| value(row))
                }));
            }
            line(text, &cells);
        }
        let small = self.left_out.iter().filter(|(of, ..)| of == target);
        let small: Vec<String> = small
            .map(|(_, group, n)| format!("{} {} ({n})", group.by, group.name))
            .collect();
        if !small.is_empty() {
            let _ = write!(
                text,
                "\nLeft out, with fewer than {LEAST_PEOPLE} people: {}.\n",
                small.join(", ")
            );
        }
    }
}

const FOOT: &str = "\nSubgroups: people of all folds together; intervals resample units. r2 compares with the mean of the whole \
    training set, so it is low where truths are close to that mean; mae can be compared between groups. All models are in \
    `subgroups.parquet`.\n";

/// The groups of each tested person.
fn groups<'a>(
    sample: &Sample<'a>,
    records: &BTreeMap<&str, &SubjectRecord>,
    fd: Option<usize>,
) -> Vec<(&'a str, Group)> {
    let people: BTreeSet<&str> = (sample.rows().iter())
        .map(|row| row.subject.as_str())
        .collect();
    let mut found = Vec::new();
    for by in [SEX, SITE] {
        let word = |person: &&'a str| Some((*person, records.get(*person)?.word(by)?));
        let own: Vec<(&str, String)> = people.iter().filter_map(word).collect();
        found.extend(
            own.into_iter()
                .map(|(person, name)| (person, Group { by, order: 0, name })),
        );
    }
    let age = |person: &&'a str| {
        let age = records.get(person)?.targets.get(AGE)?;
        Some((*person, *age))
    };
    found.extend(thirds(AGE, 1, people.iter().filter_map(age).collect()));
    if let Some(fd) = fd {
        let mut sums: BTreeMap<&str, [f64; 2]> = BTreeMap::new();
        let rows: &[&'a Prediction] = sample.rows();
        for row in rows {
            if let Some(value) = row.confounds[fd] {
                let [sum, n] = sums.entry(row.subject.as_str()).or_default();
                (*sum, *n) = (*sum + value, *n + 1.0);
            }
        }
        let means = sums.into_iter().map(|(person, [sum, n])| (person, sum / n));
        found.extend(thirds(MEAN_FD, 3, means.collect()));
    }
    found
}

/// Thirds of people by a value; people with the same value are in one third. Limits are written
/// with this number of digits.
fn thirds<'a>(
    by: &'static str,
    digits: usize,
    mut values: Vec<(&'a str, f64)>,
) -> Vec<(&'a str, Group)> {
    values.sort_by(|a, b| a.1.total_cmp(&b.1));
    let n = values.len();
    if n < THIRDS.len() {
        return Vec::new();
    }
    let [low, high] = [n.div_ceil(3), (2 * n).div_ceil(3)].map(|place| values[place].1);
    let name = |order: usize| {
        let limits = match order {
            0 => format!("below {low:.digits$}"),
            1 => format!("{low:.digits$} to below {high:.digits$}"),
            _ => format!("{high:.digits$} and above"),
        };
        format!("{}: {limits}", THIRDS[order])
    };
    let group = |value: f64| {
        let order = usize::from(value >= low) + usize::from(value >= high);
        Group {
            by,
            order,
            name: name(order),
        }
    };
    let of = values.into_iter();
    of.map(|(person, value)| (person, group(value))).collect()
}

fn is_shown(score: Score) -> bool {
    score.is_primary() || score == Score::Mae
}

fn value(row: &SubgroupRow) -> String {
    let Some(value) = row.value else {
        return "–".into();
    };
    match row.interval {
        None => number(value),
        Some(Interval { low, high }) => {
            format!("{} [{}, {}]", number(value), number(low), number(high))
        }
    }
}

#[cfg(test)]
mod tests;
