//! Command `cargo xtask loss-curve`: compares the losses of a short, seeded training with the
//! committed curve.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use brainmae_cli::Registry;
use brainmae_cli::experiment::{self, Options};
use brainmae_cli::stage::{Graph, pretrain};
use brainmae_machine::devices::Devices;
use brainmae_machine::processes::{self, Processes, path_of_first};
use brainmae_machine::workspace;
use brainmae_model::Precision;
use brainmae_run::{MetricLog, write_atomic};
use serde::{Deserialize, Serialize};

/// Experiment to train.
const EXPERIMENT: &str = "loss-curve";
/// Largest deviation from the committed curve, relative to the committed value.
///
/// The same program on the same kind of CPU reproduces the curve exactly. Another vector width sums
/// in another order. So does another number of parts, which changes the curve by at most 3e-6
/// (measured with 1 and 4 parts against 2), and LibTorch, which changes it by 1.2e-6 on the CPU.
/// The tolerance is thirty times larger. A relevant change, of a seed stream, a schedule or a
/// normalisation, changes the curve by 1e-3 or more.
const TOLERANCE: f64 = 1e-4;

/// Committed curves: the value at every step, per variant and metric.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Curves {
    curves: BTreeMap<String, Vec<f64>>,
}

fn committed() -> PathBuf {
    workspace::root().join("tests/golden/loss_curve_haxby2001.json")
}

/// Trains, and compares the curve with the committed one or, with `renew`, replaces that.
///
/// # Errors
/// If values differ, with a table of them.
pub fn run(renew: bool, device: Devices, processes: Processes) -> Result<()> {
    processes.provide(&device, Precision::F32)?;
    let communicator = processes.communicator()?;
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let shared = path_of_first(communicator, folder.path())?;
    let found = train(&shared, device.clone(), processes)?;
    if !communicator.is_first() {
        return Ok(());
    }
    let path = committed();
    if renew {
        let text = serde_json::to_string_pretty(&found)? + "\n";
        write_atomic(&path, text.as_bytes())?;
        println!(
            "wrote {}; commit it, and say in the message why the curve moved",
            workspace::shown(&path)
        );
        return Ok(());
    }
    let text = std::fs::read_to_string(&path).with_context(|| {
        format!("cannot read {path:?}; make it with `cargo xtask loss-curve --renew`")
    })?;
    let expected: Curves =
        serde_json::from_str(&text).with_context(|| format!("{path:?} is damaged"))?;
    if let Some(difference) = difference(&expected, &found) {
        bail!(
            "the loss curve is not the committed one\n{difference}hint: if the change is meant, run `cargo xtask loss-curve --renew` and commit the new curve with the reason"
        );
    }
    println!(
        "the loss curve on {device}{} is the committed one: {:.1e} apart at most, {TOLERANCE:e} allowed",
        match communicator.size() {
            1 => String::new(),
            n => format!(" in {n} processes"),
        },
        apart(&expected, &found)
    );
    Ok(())
}

fn train(folder: &Path, device: Devices, processes: Processes) -> Result<Curves> {
    let options = Options {
        device,
        processes,
        runs: folder.join("runs"),
        data: folder.join("prepared"),
        threads: 2,
        ckpt: None,
        resume: false,
        restart: false,
    };
    let experiment = experiment::load(EXPERIMENT, &[], &Registry::built_in())?;
    let variants = experiment
        .variants
        .iter()
        .map(|variant| variant.name.as_str());
    let variants: Vec<&str> = variants.collect();
    let trained = Graph::of_training(&experiment, &variants)?.run(&options)?;
    let mut curves = BTreeMap::new();
    if processes::follower().is_some() {
        return Ok(Curves { curves });
    }
    for variant in variants {
        let run = trained.run_of(&pretrain::name(variant))?;
        for metric in MetricLog::read(&run.path().join("metrics.jsonl"))? {
            if metric.name.contains("/loss") {
                let value = metric.value.context("a loss that is not finite")?;
                let name = format!("{variant} {}", metric.name);
                curves.entry(name).or_insert_with(Vec::new).push(value);
            }
        }
    }
    Ok(Curves { curves })
}

/// Deviation of a value from the expected one, relative to the expected one.
fn off((expected, found): (&f64, &f64)) -> f64 {
    (found - expected).abs() / expected.abs().max(f64::MIN_POSITIVE)
}

/// Largest deviation of curves with the same names and lengths.
fn apart(expected: &Curves, found: &Curves) -> f64 {
    let (expected, found) = (expected.curves.values(), found.curves.values());
    let pairs = expected.flatten().zip(found.flatten());
    pairs.map(off).fold(0.0, f64::max)
}

/// Table of the curves and steps that differ; `None` if none does.
fn difference(expected: &Curves, found: &Curves) -> Option<String> {
    let mut text = String::new();
    for (name, expected) in &expected.curves {
        let Some(found) = found.curves.get(name) else {
            let _ = writeln!(text, "{name}: missing");
            continue;
        };
        if found.len() != expected.len() {
            let _ = writeln!(
                text,
                "{name}: {} values, expected {}",
                found.len(),
                expected.len()
            );
        }
        if !expected.iter().zip(found).any(|pair| off(pair) > TOLERANCE) {
            continue;
        }
        let _ = writeln!(text, "{name}\n   at    expected       found   deviation");
        for (i, pair) in expected.iter().zip(found).enumerate() {
            let mark = if off(pair) > TOLERANCE { "  <--" } else { "" };
            let _ = writeln!(
                text,
                "{:>5}{:>12.6}{:>12.6}{:>12.1e}{mark}",
                i + 1,
                pair.0,
                pair.1,
                off(pair)
            );
        }
    }
    for name in found
        .curves
        .keys()
        .filter(|name| !expected.curves.contains_key(*name))
    {
        let _ = writeln!(text, "{name}: not in the committed file");
    }
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curves(values: &[f64]) -> Curves {
        Curves {
            curves: BTreeMap::from([("sg train/loss".to_string(), values.to_vec())]),
        }
    }

    #[test]
    fn rounding_passes_and_a_change_is_shown_where_it_begins() {
        assert_eq!(
            difference(&curves(&[1.0, 0.9]), &curves(&[1.0, 0.900_01])),
            None
        );
        let shown = difference(&curves(&[1.0, 0.9]), &curves(&[1.0, 0.8])).expect("it moved");
        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines[2].trim_start().starts_with('1') && !lines[2].contains("<--"));
        assert!(lines[3].contains("0.900000    0.800000") && lines[3].contains("<--"));
    }

    #[test]
    fn a_shorter_or_missing_curve_is_a_difference() {
        assert!(difference(&curves(&[1.0, 0.9]), &curves(&[1.0])).is_some());
        let none = Curves {
            curves: BTreeMap::new(),
        };
        assert!(difference(&curves(&[1.0]), &none).is_some());
        assert!(difference(&none, &curves(&[1.0])).is_some());
    }
}
