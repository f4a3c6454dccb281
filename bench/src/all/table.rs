//! Table of all cases, in readable markdown.

use brainmae_model::Precision;

use super::{Outcome, Record};
use crate::step::{Case, Measurement, OURS, PEER, Tse, Work};

const HEADS: [&str; 11] = [
    "case",
    "ms",
    "PyTorch, ms",
    "ratio",
    "GFLOP/s",
    "of product",
    "GB/s",
    "of copy",
    "of roofline",
    "peak MiB",
    "PyTorch, MiB",
];

/// Size, encoder, batch, work, device: `quick SG, 32, training on cpu`.
pub fn name(case: &Case) -> String {
    let tse = match case.tse {
        Tse::Static => "SG",
        Tse::Adaptive => "AG",
    };
    let work = match case.work {
        Work::Training => "training",
        Work::Inference => "inference",
    };
    let size = crate::step::word(&case.size);
    let precision = match case.precision {
        Precision::F32 => String::new(),
        other => format!(", {other}"),
    };
    format!(
        "{size} {tse}, {}, {work} on {}{precision}",
        case.batch(),
        case.device
    )
}

/// Machine, table, and failed cases.
pub fn markdown(record: &Record) -> String {
    let mut rows = vec![HEADS.map(String::from).to_vec()];
    let mut failures = String::new();
    for outcome in &record.measurements {
        rows.push(match outcome {
            Outcome::Measured(measured) => cells(measured),
            Outcome::Failed { case, failed } => {
                failures += &format!("- {}: {failed}\n", name(case));
                let nothing = HEADS.len() - 2;
                let mut row = vec![name(case), "FAILED".to_string()];
                row.extend(vec!["–".to_string(); nothing]);
                row
            }
        });
    }
    let mut text = format!("{}\n\n{}", record.machine.line(), aligned(&rows));
    if !failures.is_empty() {
        text += &format!("\nFailed:\n{failures}");
    }
    text
}

fn cells(m: &Measurement) -> Vec<String> {
    let or_dash = |value: Option<String>| value.unwrap_or_else(|| "–".to_string());
    let ms = |who| or_dash(m.best(who).map(|row| time(row.ms_per_step)));
    let mib = |who| or_dash(m.peak_mib(who).map(|mib| format!("{mib:.0}")));
    let percent = |fraction: f64| format!("{:.0} %", 100.0 * fraction);
    vec![
        name(&m.case),
        ms(OURS),
        ms(PEER),
        or_dash(m.ratio.map(|ratio| format!("{ratio:.2}"))),
        format!("{:.0}", m.gflop_per_s),
        percent(m.fraction_of_product),
        format!("{:.1}", m.gb_per_s),
        percent(m.fraction_of_copy),
        format!("{} ({})", percent(m.fraction_of_roofline), m.limited_by),
        mib(OURS),
        mib(PEER),
    ]
}

/// Milliseconds with three digits, or with all digits before the decimal point if these are more.
fn time(ms: f64) -> String {
    let decimals = match ms {
        ms if ms < 10.0 => 2,
        ms if ms < 100.0 => 1,
        _ => 0,
    };
    format!("{ms:.decimals$}")
}

/// Markdown table with the first column aligned left and numbers aligned right.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns)
        .map(|i| rows.iter().map(|row| row[i].chars().count()).max())
        .map(|width| width.unwrap_or(0).max(3))
        .collect();
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        for (i, (cell, width)) in row.iter().zip(&widths).enumerate() {
            text += &match i {
                0 => format!("| {cell:<width$} "),
                _ => format!("| {cell:>width$} "),
            };
        }
        text += "|\n";
        if number == 0 {
            for (i, width) in widths.iter().enumerate() {
                let end = if i == 0 { "-" } else { ":" };
                text += &format!("|-{}{end}", "-".repeat(*width));
            }
            text += "|\n";
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::all::machine::Machine;
    use crate::step::example;

    #[test]
    fn measured_and_failed_cases_share_a_table() {
        let measured = example();
        let failed = Outcome::Failed {
            case: Case {
                work: Work::Inference,
                ..measured.case
            },
            failed: "signal: 9 (SIGKILL)".to_string(),
        };
        let machine = Machine {
            cpu: Some("Some CPU".to_string()),
            cores: 2,
            memory_gib: Some(24.0),
            gpus: Vec::new(),
            rust: "rustc 1.95.0",
            burn: "0.22.1",
            libtorch: None,
            torch: Some("2.11.0".to_string()),
            code: None,
            date: None,
        };
        let record = Record {
            machine,
            measurements: vec![Outcome::Measured(Box::new(measured)), failed],
        };
        insta::assert_snapshot!(markdown(&record));
        let json = serde_json::to_value(&record).expect("JSON");
        assert_eq!(json["measurements"][0]["work"], "training");
        assert_eq!(json["measurements"][1]["failed"], "signal: 9 (SIGKILL)");
    }
}
