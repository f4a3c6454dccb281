//! Rows of the tables of reliability, and their text for people.

use std::fmt::Write;

use anyhow::Result;
use brainmae_data::PreparedDataset;
use brainmae_statistics::reliability::{Measure, Reliability, Repeated};
use brainmae_table::{Column, Table};

/// Vectors of scans with their reliability.
pub struct Vectors {
    /// Name in tables.
    pub title: String,
    /// Whether their elements belong to pairs of ROIs.
    pub of_pairs: bool,
    /// The vectors.
    pub scans: Repeated,
    /// Their reliability.
    pub found: Reliability,
}

/// Numbers of what was compared.
pub struct Counts {
    /// Subjects.
    pub n_subjects: usize,
    /// Families, or subjects of unknown family.
    pub n_units: usize,
    /// Scans of each subject.
    pub n_scans: usize,
    /// Subjects whose scans the encoder was trained on.
    pub n_seen: usize,
}

/// One row for each kind of vectors and measure.
///
/// # Errors
/// None: all columns have the same length.
pub fn measures(all: &[Vectors], counts: &Counts) -> Result<Table> {
    let rows = || {
        all.iter().flat_map(|vectors| {
            let found = Measure::ALL.into_iter().zip(vectors.found.measures);
            found.map(move |(measure, found)| (vectors, measure, found))
        })
    };
    let n = rows().count();
    let same = |value: usize| vec![value as u32; n];
    let columns = vec![
        Column::new("vectors", rows().map(|(of, ..)| of.title.as_str())),
        Column::new("measure", rows().map(|(_, measure, _)| measure.name())),
        Column::new("value", rows().map(|(.., found)| found.0)),
        Column::new("low", rows().map(|(.., found)| found.1.map(|of| of.low))),
        Column::new("high", rows().map(|(.., found)| found.1.map(|of| of.high))),
        Column::new(
            "chance",
            rows().map(|(of, measure, _)| measure.chance(&of.scans)),
        ),
        Column::new(
            "n_features",
            rows().map(|(of, ..)| of.scans.n_features() as u32),
        ),
        Column::new("n_subjects", same(counts.n_subjects)),
        Column::new("n_units", same(counts.n_units)),
        Column::new("scans_per_subject", same(counts.n_scans)),
        Column::new("n_training_subjects", same(counts.n_seen)),
    ];
    Ok(Table::new(n, columns)?)
}

/// One row for each feature: its number from 0, its ROIs if it is a correlation of two, and its
/// ICC.
///
/// # Errors
/// None: all columns have the same length.
pub fn features(all: &[Vectors], dataset: &PreparedDataset) -> Result<Table> {
    let names: Vec<&str> = (dataset.atlas().rois.iter())
        .map(|roi| roi.name.as_str())
        .collect();
    let pairs: Vec<(&str, &str)> = (names.iter().enumerate())
        .flat_map(|(i, first)| names[i + 1..].iter().map(|second| (*first, *second)))
        .collect();
    let rows = || {
        all.iter().flat_map(|vectors| {
            let icc = vectors.found.icc.iter().enumerate();
            let of_pair = |of: &Vectors, i| pairs.get(i).filter(|_| of.of_pairs);
            icc.map(move |(i, icc)| (vectors, i, of_pair(vectors, i), *icc))
        })
    };
    let columns = vec![
        Column::new("vectors", rows().map(|(of, ..)| of.title.as_str())),
        Column::new("feature", rows().map(|(_, i, ..)| i as u32)),
        Column::new("first_roi", rows().map(|(_, _, pair, _)| pair.map(|p| p.0))),
        Column::new(
            "second_roi",
            rows().map(|(_, _, pair, _)| pair.map(|p| p.1)),
        ),
        Column::new("icc", rows().map(|(.., icc)| icc)),
    ];
    Ok(Table::new(rows().count(), columns)?)
}

/// The measures as text: one line for each, the kinds of vectors beside one another.
pub fn text(all: &[Vectors], counts: &Counts) -> String {
    let mut text = format!(
        "{} scans of each of {} subjects in {} families or alone\n",
        counts.n_scans, counts.n_subjects, counts.n_units
    );
    // Writing to a string cannot fail.
    let _ = write!(text, "{:<22}", "");
    for vectors in all {
        let head = format!("{}, {} numbers", vectors.title, vectors.scans.n_features());
        let _ = write!(text, "{head:<28}");
    }
    text.push_str("by chance\n");
    for (i, measure) in Measure::ALL.into_iter().enumerate() {
        let _ = write!(text, "{:<22}", measure.name());
        for vectors in all {
            let (value, interval) = vectors.found.measures[i];
            let interval = interval.map_or(String::new(), |of| {
                format!(" [{:.3}, {:.3}]", of.low, of.high)
            });
            let cell = format!("{}{interval}", number(value));
            let _ = write!(text, "{cell:<28}");
        }
        let chance = all.first().and_then(|of| measure.chance(&of.scans));
        let _ = writeln!(text, "{}", number(chance));
    }
    if counts.n_seen > 0 {
        let _ = writeln!(
            text,
            "the encoder was trained on scans of {} of these subjects",
            counts.n_seen
        );
    }
    text
}

fn number(value: Option<f64>) -> String {
    value.map_or("–".to_string(), |value| format!("{value:.3}"))
}
