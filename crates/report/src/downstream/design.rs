//! Design of a target's test: folds, numbers of subjects, and scans left out.

use std::collections::{BTreeMap, BTreeSet};

use brainmae_downstream::{Kind, Prediction};
use serde::Serialize;

use super::target::Target;
use crate::number;

/// Largest number of scans that are listed by name.
const MOST_NAMES: usize = 200;

/// Scans that were left out for one reason.
#[derive(Debug, Serialize)]
pub struct LeftOut {
    pub reason: String,
    pub n_scans: usize,
    pub n_subjects: usize,
    /// Names of the scans, and the count of further ones.
    pub names: String,
}

/// Kind of target in words: "a number, in years" or "one of 3 classes: face, place, rest".
pub fn kind(target: &Target) -> String {
    match target.kind {
        Kind::Regression => match &target.notes.unit {
            Some(unit) => format!("a number, in {unit}"),
            None => "a number".to_string(),
        },
        Kind::Classification { n_classes } => {
            let names: Vec<String> = (0..n_classes).map(|class| target.class(class)).collect();
            format!("one of {n_classes} classes: {}", names.join(", "))
        }
    }
}

/// Folds and numbers of subjects.
pub fn facts(target: &Target) -> Vec<(String, String)> {
    let rows = target.predictions.rows();
    let n = |of: fn(&Prediction) -> &String| {
        let different: BTreeSet<&String> = rows.iter().map(of).collect();
        different.len().to_string()
    };
    let examples: BTreeSet<_> = rows
        .iter()
        .map(|row| (&row.scan, row.start_secs.map(f64::to_bits)))
        .collect();
    let of_segments = rows.iter().any(|row| row.start_secs.is_some());
    let mut units: BTreeMap<u32, BTreeSet<&String>> = BTreeMap::new();
    for row in rows {
        units.entry(row.fold).or_default().insert(&row.unit);
    }
    let tested = units.values().map(|units| units.len() as f64);
    let learned = rows.iter().map(|row| f64::from(row.n_train_units));
    let mut facts = vec![
        ("models".to_string(), target.ranking.len().to_string()),
        ("subjects".to_string(), n(|row| &row.subject)),
        ("units (never in two sets)".to_string(), n(|row| &row.unit)),
    ];
    let scans: BTreeSet<&String> = rows.iter().filter_map(|row| row.scan.as_ref()).collect();
    facts.push(match scans.len() {
        0 => (
            "one prediction is of".into(),
            "all scans of a subject".into(),
        ),
        n => ("scans".to_string(), n.to_string()),
    });
    if of_segments {
        facts.push(("segments".to_string(), examples.len().to_string()));
    }
    facts.push(("folds".to_string(), units.len().to_string()));
    facts.push(("units tested in a fold".to_string(), ends(tested)));
    facts.push(("units learned from in a fold".to_string(), ends(learned)));
    let confounds = target.predictions.confounds();
    if !confounds.is_empty() {
        facts.push(("known confounds".to_string(), confounds.join(", ")));
    }
    facts
}

/// Range of the values in words: "12" or "11 to 13".
fn ends(values: impl Iterator<Item = f64> + Clone) -> String {
    let low = values.clone().fold(f64::INFINITY, f64::min);
    let high = values.fold(f64::NEG_INFINITY, f64::max);
    if low == high {
        return number::short(low);
    }
    format!("{} to {}", number::short(low), number::short(high))
}

/// Reasons for scans left out, the most frequent first.
pub fn left_out(target: &Target) -> Vec<LeftOut> {
    let mut reasons: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for left in &target.notes.left_out {
        reasons.entry(&left.reason).or_default().push(left);
    }
    let mut found: Vec<LeftOut> = (reasons.into_iter())
        .map(|(reason, scans)| {
            let subjects: BTreeSet<&str> = scans.iter().map(|s| s.subject.as_str()).collect();
            let names = scans.iter().take(MOST_NAMES).map(|s| s.scan.as_str());
            let mut names = names.collect::<Vec<_>>().join(", ");
            if scans.len() > MOST_NAMES {
                names += &format!(" and {} more", scans.len() - MOST_NAMES);
            }
            LeftOut {
                reason: reason.to_string(),
                n_scans: scans.len(),
                n_subjects: subjects.len(),
                names,
            }
        })
        .collect();
    found.sort_by_key(|left| std::cmp::Reverse(left.n_scans));
    found
}
