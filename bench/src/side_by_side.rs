//! Times of methods that take turns, and peers that run in Python.

use std::ffi::OsStr;
use std::fmt::{self, Display};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Times of every method in milliseconds, in order of their first run; ours come first.
#[derive(Default)]
pub struct Times(Vec<(String, Vec<f64>)>);

impl Times {
    /// Adds one time of the method `name`.
    pub fn note(&mut self, name: &str, ms: f64) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, times)) => times.push(ms),
            None => self.0.push((name.to_string(), vec![ms])),
        }
    }
}

impl Display for Times {
    /// One line for each method: median, shortest time, and the ratio of our median to its median.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let ours = self.0.first().map(|(_, times)| median(times));
        for (name, times) in &self.0 {
            let ms = median(times);
            let least = times.iter().copied().fold(f64::INFINITY, f64::min);
            let ratio = ours.map_or(f64::NAN, |ours| ours / ms);
            writeln!(
                f,
                "{name:<26}{ms:>8.0} ms, at best {least:>6.0} ms; ours takes {ratio:.2} x"
            )?;
        }
        Ok(())
    }
}

/// Runs `program`, the text of a Python program, with `arguments`, and returns the JSON line that
/// it prints.
///
/// # Errors
/// If Python cannot be started, the program fails, or it prints no JSON.
pub fn run_peer(python: &Path, program: &str, arguments: &[&OsStr]) -> Result<serde_json::Value> {
    let output = Command::new(python)
        .args(["-c", program])
        .args(arguments)
        // This variable is for our program only: the peer's threads use their own default.
        .env_remove("OMP_WAIT_POLICY")
        .output()
        .with_context(|| format!("cannot start {python:?}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("the peer failed: {said}");
    }
    serde_json::from_slice(&output.stdout).context("the peer printed no JSON line")
}

/// The number `field` of a peer's line.
///
/// # Errors
/// If there is no such number.
pub fn number(line: &serde_json::Value, field: &str) -> Result<f64> {
    let number = line[field].as_f64();
    number.with_context(|| format!("no {field} from the peer"))
}

fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() % 2 {
        1 => sorted[middle],
        _ => (sorted[middle - 1] + sorted[middle]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_counts() {
        assert_eq!(median(&[9.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[9.0, 1.0, 2.0, 4.0]), 3.0);
    }

    #[test]
    fn ours_are_compared_with_each_peer() {
        let mut times = Times::default();
        for (name, ms) in [("ours", 2.0), ("peer", 8.0), ("ours", 4.0), ("peer", 16.0)] {
            times.note(name, ms);
        }
        let text = times.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("ours") && lines[0].ends_with("ours takes 1.00 x"));
        assert!(lines[1].starts_with("peer") && lines[1].ends_with("ours takes 0.25 x"));
    }
}
