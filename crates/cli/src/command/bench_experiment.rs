//! Cost of an experiment, stage by stage.

use anyhow::{Context, Result};
use brainmae_machine::interrupt;
use brainmae_machine::usage::Usage;

use crate::experiment::{Options, Resolved};
use crate::stage::Graph;

/// Runs an experiment anew in a temporary folder, and prints what each stage has used: wall time,
/// processor time, the share of the threads' time in which they had nothing to do, and the peak of
/// resident memory. An experiment with several seeds has a table for each.
///
/// # Errors
/// Errors of the stages.
pub fn run(experiment: &Resolved, options: Options) -> Result<()> {
    interrupt::listen()?;
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let options = Options {
        runs: folder.path().join("runs"),
        data: folder.path().join("data"),
        ..options
    };
    for one in experiment.repetitions() {
        let desk = Graph::of(&one)?.run(&options)?;
        print!("{}", table(desk.usage(), options.threads));
    }
    Ok(())
}

fn table(usage: &[(String, Usage)], threads: usize) -> String {
    let width = usage.iter().map(|(stage, _)| stage.len()).max();
    let width = width.unwrap_or(0).max("stage".len());
    let mut text = format!("{:<width$}   wall s    CPU s   idle  peak MiB\n", "stage");
    for (stage, used) in usage {
        let available = used.wall_secs * threads as f64;
        let idle = 100.0 * (1.0 - used.cpu_secs / available.max(f64::MIN_POSITIVE)).max(0.0);
        let peak = (used.peak_mib).map_or("unknown".to_string(), |mib| format!("{mib:.0}"));
        text += &format!(
            "{stage:<width$} {:>8.1} {:>8.1} {idle:>5.0}% {peak:>9}\n",
            used.wall_secs, used.cpu_secs
        );
    }
    let total = |of: fn(&Usage) -> f64| usage.iter().map(|(_, used)| of(used)).sum::<f64>();
    text += &format!(
        "{:<width$} {:>8.1} {:>8.1}\n",
        "all",
        total(|used| used.wall_secs),
        total(|used| used.cpu_secs)
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_that_keeps_one_of_two_threads_busy_is_idle_for_half_of_its_time() {
        let used = Usage {
            wall_secs: 10.0,
            cpu_secs: 10.0,
            peak_mib: Some(99.6),
        };
        let text = table(&[("data".to_string(), used)], 2);
        let rows: Vec<Vec<&str>> = (text.lines())
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(rows[1], ["data", "10.0", "10.0", "50%", "100"]);
        assert_eq!(rows[2], ["all", "10.0", "10.0"]);
    }
}
