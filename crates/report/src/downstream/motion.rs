//! Motion: how predictions correlate with the subjects' motion, and scores without confounds.

use brainmae_downstream::confounds::MEAN_FD;
use brainmae_downstream::motion::{ConfoundLink, Quantity, confound_links, without_confounds};
use brainmae_downstream::scores::Scorer;
use brainmae_downstream::statistics::bootstrap;
use brainmae_downstream::{Kind, Prediction, Predictions, Sample};
use plotters::style::RGBColor;

use super::Setting;
use super::forest_plot::limits;
use super::scores::{ends, title};
use super::target::{Target, with_known};
use crate::Result;
use crate::dot_plot::{Dot, DotPlot, DotRow, Upright};
use crate::figure::{Figure, LegendEntry, Panel};
use crate::number;
use crate::palette::{GREY, Ink, Marker, Palette};

/// Quantities of a model, with label and marker.
const DRAWN: [(Quantity, &str, Ink); 3] = [
    (
        Quantity::Prediction,
        "prediction",
        ink(RGBColor(0, 114, 178), Marker::Circle),
    ),
    (
        Quantity::Error,
        "error (prediction less truth)",
        ink(RGBColor(213, 94, 0), Marker::Square),
    ),
    (
        Quantity::ErrorSize,
        "size of the error",
        ink(RGBColor(0, 158, 115), Marker::Diamond),
    ),
];
const TRUTH: Ink = ink(GREY, Marker::Triangle);

const fn ink(colour: RGBColor, marker: Marker) -> Ink {
    Ink { colour, marker }
}

/// Figure of the correlations with mean FD.
///
/// # Errors
/// As `Predictions::new`.
pub fn links(target: &Target, setting: &Setting) -> Result<Figure> {
    let mut figure = Figure {
        id: "motion",
        heading: "Is it motion?",
        empty: "How much subjects moved is not known: there is no mean FD.".into(),
        legend: Vec::new(),
        panels: Vec::new(),
        caption: "Pearson correlation with mean framewise displacement, within folds, with 95 % intervals from \
                  resampling units. A prediction that follows motion as closely as the truth does says nothing; \
                  one that follows it more closely, or whose error follows it, says that motion was read."
            .to_string(),
        paired: false,
    };
    // With many classes, each has a panel, so only the most important models are shown.
    let shown = match target.kind {
        Kind::Classification { n_classes } if n_classes > 2 => target.spotlight(),
        _ => target.ranking.clone(),
    };
    if shown.len() < target.ranking.len() {
        figure.caption += &format!(" Shown are {} alone.", shown.join(", "));
    }
    let rows = target.predictions.rows().iter();
    let rows: Vec<Prediction> = rows
        .filter(|row| shown.contains(&row.model))
        .cloned()
        .collect();
    let known = with_known(target.predictions.confounds(), rows, |name| name == MEAN_FD)?;
    let links = confound_links(&known, setting.resamples(), &setting.seeds());
    let mut classes: Vec<Option<usize>> = links.iter().map(|link| link.class).collect();
    classes.sort_unstable();
    classes.dedup();
    for class in classes {
        let of_class: Vec<&ConfoundLink> = links.iter().filter(|l| l.class == class).collect();
        let what = match class {
            Some(class) => format!("probability of {}", target.class(class)),
            None => target.with_unit(&target.name),
        };
        let plot = DotPlot {
            width: 900.0,
            x_label: "Correlation with mean FD".to_string(),
            limits: -1.0..1.0,
            lines: vec![Upright {
                at: 0.0,
                colour: GREY,
            }],
            rows: link_rows(target, &shown, &of_class),
        };
        let described = format!("Correlation of motion with {what}");
        if let Some(svg) = plot.draw(&described) {
            let title = format!("Correlation of mean FD with the {what}");
            figure.panels.push(Panel { title, svg });
        }
    }
    figure.legend = vec![LegendEntry::marker("truth", TRUTH)];
    for (_, words, ink) in DRAWN {
        figure.legend.push(LegendEntry::marker(words, ink));
    }
    Ok(figure)
}

fn link_rows(target: &Target, models: &[String], links: &[&ConfoundLink]) -> Vec<DotRow> {
    let dot = |link: &ConfoundLink, ink, layer| {
        Some(Dot {
            value: link.r?,
            interval: ends(link.interval),
            ink,
            faint: false,
            layer,
        })
    };
    let find = |model: &str, quantity: Quantity| {
        let mut links = links.iter();
        links.find(|link| link.model == model && link.quantity == quantity)
    };
    let truth = models.iter().find_map(|model| find(model, Quantity::Truth));
    let truth = DotRow {
        name: "truth".to_string(),
        bold: false,
        dots: truth
            .and_then(|link| dot(link, TRUTH, 0))
            .into_iter()
            .collect(),
        note: String::new(),
    };
    let of_models = models.iter().map(|model| DotRow {
        name: model.clone(),
        bold: target.brainmae.as_ref() == Some(model),
        dots: DRAWN
            .iter()
            .enumerate()
            .filter_map(|(layer, (quantity, _, ink))| dot(find(model, *quantity)?, *ink, layer))
            .collect(),
        note: String::new(),
    });
    [truth].into_iter().chain(of_models).collect()
}

/// Figure of the primary scores before and after confounds are regressed out of predictions, on the
/// same rows.
///
/// # Errors
/// As `Predictions::new`.
pub fn removal(target: &Target, setting: &Setting, palette: &Palette) -> Result<Figure> {
    let mut figure = Figure {
        id: "removal",
        heading: "Scores without confounds",
        empty: "".into(),
        legend: Vec::new(),
        panels: Vec::new(),
        caption: String::new(),
        paired: false,
    };
    let names = target.predictions.confounds();
    if names.is_empty() {
        figure.empty = "No confound is known, so none can be taken out.".into();
        return Ok(figure);
    }
    let known = target.predictions.rows().iter();
    let known = known.filter(|row| row.confounds.iter().all(Option::is_some));
    let before = Predictions::new(names.to_vec(), known.cloned().collect())?;
    let after = match without_confounds(&before) {
        Ok(after) => after,
        Err(why) => {
            figure.empty = format!("Confounds could not be taken out: {why}.").into();
            return Ok(figure);
        }
    };
    if before.rows().is_empty() {
        figure.empty = "No prediction has every confound, so they could not be taken out.".into();
        return Ok(figure);
    }
    let (before_samples, after_samples) = (before.samples(), after.samples());
    let rows = target.ranking.iter().map(|model| {
        let of = |samples: &[Sample], ink, layer| {
            let sample = samples.iter().find(|sample| sample.model() == model)?;
            primary(sample, ink, layer, setting)
        };
        let pale = ink(RGBColor(160, 160, 160), palette.ink(model).marker);
        let old = of(&before_samples, pale, 0);
        let new = of(&after_samples, palette.ink(model), 1);
        let value = |dot: &Option<Dot>| number::score(dot.as_ref().map_or(f64::NAN, |d| d.value));
        DotRow {
            name: model.clone(),
            bold: target.brainmae.as_ref() == Some(model),
            note: format!("{} → {}", value(&old), value(&new)),
            dots: old.into_iter().chain(new).collect(),
        }
    });
    let score = target
        .primary()
        .first()
        .map_or("score", |row| title(row.score));
    let plot = DotPlot {
        width: 900.0,
        x_label: score.to_string(),
        limits: limits(target.kind),
        lines: Vec::new(),
        rows: rows.collect(),
    };
    match plot.draw(&format!(
        "{score} of {} with and without confounds",
        target.name
    )) {
        None => figure.empty = "No model has a score that is defined.".into(),
        Some(svg) => figure.panels.push(Panel {
            title: format!("{score} with confounds (grey, above) and without (below)"),
            svg,
        }),
    }
    let left = target.predictions.rows().len() - before.rows().len();
    figure.caption = format!(
        "Taken out of the predictions: {}. What they explain is learned from the other folds. Both scores are of \
         the predictions whose confounds are all known{}.",
        names.join(", "),
        match left {
            0 => ", here all".to_string(),
            n => format!("; {n} of {} lack one", target.predictions.rows().len()),
        }
    );
    Ok(figure)
}

/// Primary score of a sample, with its interval.
fn primary(sample: &Sample, ink: Ink, layer: usize, setting: &Setting) -> Option<Dot> {
    let scorer = Scorer::new(sample);
    let value = scorer.scores()[0]?;
    let interval = bootstrap(
        sample.units(),
        setting.resamples(),
        &setting.seeds(),
        |weights| scorer.scores_of(sample.truth(), weights)[..1].to_vec(),
    );
    Some(Dot {
        value,
        interval: ends(interval[0]),
        ink,
        faint: false,
        layer,
    })
}
