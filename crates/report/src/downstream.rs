//! Report of predictions: how well each model predicts each target, and whether a prediction only
//! reflects motion.
//!
//! [`ReportData`] holds the tables of a run, its notes, and a [`Setting`] with everything else.

mod calibration_plot;
mod confusion_plot;
mod design;
mod efficiency;
mod forest_plot;
mod method;
mod motion;
mod onset_plot;
mod repeated_table;
mod run;
mod scatter_plot;
mod score_table;
mod scores;
mod subgroup_plot;
mod summary;
mod target;

use std::collections::BTreeMap;

use brainmae_downstream::{Predictions, Repeated, Results, ResultsSpec, Subgroups, TargetNotes};
use brainmae_run::Seeds;
use serde::Serialize;

use crate::figure::Figure;
use crate::page;
use crate::palette::{Palette, distinct};
use crate::plain_table::PlainTable;
use crate::{FactGroup, ReportError, Result};
use design::LeftOut;
use score_table::ScoreTable;
pub(crate) use scores::title;
use subgroup_plot::Groups;
use target::Target;

/// Number of resamples for the intervals of figures; the intervals of scores are already in their
/// table.
const RESAMPLES: usize = 1000;

/// Contents of a report.
#[derive(Debug, Clone)]
pub struct ReportData {
    /// Values that are in no table.
    pub setting: Setting,
    /// Predictions of all models.
    pub predictions: Predictions,
    /// Scores of the predictions, as [`Setting::spec`] defines them.
    pub results: Results,
    /// Notes on each target, by its name.
    pub notes: BTreeMap<String, TargetNotes>,
    /// Scores of subgroups, if the run has any.
    pub subgroups: Option<Subgroups>,
    /// Scores of linear models on further partitions, if the run has any.
    pub repeated: Option<Repeated>,
}

/// Values of a report that are in no table.
#[derive(Debug, Clone, Default)]
pub struct Setting {
    /// Name of the experiment.
    pub title: String,
    /// One paragraph about the experiment.
    pub lead: String,
    /// Settings of the table of results.
    pub spec: ResultsSpec,
    /// Seed of the run; the resamples of the figures depend on it too.
    pub seed: u64,
    /// Facts about the origin of the numbers: data, checkpoint, machine, identities.
    pub facts: Vec<FactGroup>,
}

impl Setting {
    fn seeds(&self) -> Seeds {
        Seeds::new(self.seed)
    }

    /// Number of resamples of the figures, at most that of the experiment.
    fn resamples(&self) -> usize {
        self.spec.resamples.min(RESAMPLES)
    }
}

/// Input of the template.
#[derive(Serialize)]
struct Page<'a> {
    title: &'a str,
    lead: &'a str,
    warnings: Vec<String>,
    targets: Vec<Section>,
    methods: Vec<(&'static str, String)>,
    tables: Vec<(&'static str, &'static str)>,
    facts: &'a [FactGroup],
}

/// Section of one target.
#[derive(Serialize)]
struct Section {
    id: String,
    name: String,
    predicted: String,
    finding: String,
    design: Vec<(String, String)>,
    scores: Figure,
    table: ScoreTable,
    figures: Vec<Figure>,
    subgroups: Option<PlainTable>,
    repeated: Option<PlainTable>,
    left_out: Vec<LeftOut>,
    n_mixed: usize,
}

/// Renders the page.
///
/// # Errors
/// [`ReportError::NoPredictions`], or [`ReportError::Target`] if a figure cannot be drawn.
pub fn render(data: &ReportData) -> Result<String> {
    let (setting, predictions, rows) = (&data.setting, &data.predictions, data.results.rows());
    let mut targets = Vec::new();
    for name in distinct(rows.iter().map(|row| &row.target)) {
        let notes = data.notes.get(&name).cloned().unwrap_or_default();
        targets.push(Target::new(&name, notes, predictions, rows)?);
    }
    // BrainMAE and the linear model have the first colours.
    let models = rows.iter().map(|row| &row.model);
    let ours = targets.iter().filter_map(|target| target.brainmae.as_ref());
    let linear = targets.iter().filter_map(|target| target.linear.as_ref());
    let palette = Palette::of(ours.chain(linear).chain(models));
    let sections = targets.iter().enumerate().map(|(i, target)| {
        section(i, target, data, &palette).map_err(|error| ReportError::Target {
            target: target.name.clone(),
            source: Box::new(error),
        })
    });
    let page = Page {
        title: &setting.title,
        lead: &setting.lead,
        warnings: (targets.iter())
            .flat_map(|target| {
                warning(target)
                    .into_iter()
                    .chain(target.notes.warnings.clone())
            })
            .collect(),
        targets: sections.collect::<Result<_>>()?,
        methods: method::lines(&setting.spec),
        tables: method::tables(),
        facts: &setting.facts,
    };
    page::render("downstream.html", page)
}

fn section(i: usize, target: &Target, data: &ReportData, palette: &Palette) -> Result<Section> {
    let setting = &data.setting;
    let subgroups = data.subgroups.as_ref().map(|all| Groups::new(target, all));
    let subgroups = subgroups.filter(|groups| !groups.is_empty());
    let repeated = data.repeated.as_ref();
    let figures = [
        scatter_plot::figure(target, palette)?,
        confusion_plot::figure(target),
        calibration_plot::figure(target, palette)?,
        onset_plot::figure(target, setting, palette)?,
        efficiency::figure(target, palette)?,
        Some(motion::links(target, setting)?),
        Some(motion::removal(target, setting, palette)?),
        subgroups.as_ref().map(|groups| groups.figure(palette)),
    ];
    Ok(Section {
        id: format!("target-{}", i + 1),
        name: target.name.clone(),
        predicted: design::kind(target),
        finding: summary::finding(target),
        design: design::facts(target),
        scores: forest_plot::figure(target, palette),
        table: ScoreTable::new(target),
        figures: figures.into_iter().flatten().collect(),
        subgroups: subgroups.map(|groups| groups.table()),
        repeated: repeated.and_then(|all| repeated_table::table(target, all)),
        left_out: design::left_out(target),
        n_mixed: target.notes.n_mixed,
    })
}

/// Warning if there are few units, which makes every interval uncertain.
fn warning(target: &Target) -> Option<String> {
    let n_units = target.primary().iter().map(|row| row.n_units).max()?;
    (n_units < 10).then(|| {
        format!(
            "{} rests on {n_units} units: its intervals show how far these differ, and not how other data would.",
            target.name
        )
    })
}
