//! Command `bench scale`: how time grows with ROIs, volumes and scans.

mod slope;
mod work;

use std::time::Instant;

use anyhow::Result;
use clap::Args;

use slope::Slope;
use work::{Growth, Sizes};

/// Scans of UK Biobank with resting-state fMRI, and their volumes.
const BIOBANK: (f64, usize) = (50_000.0, 490);

/// Passes over the scans of a pretraining that is extrapolated.
const PASSES: f64 = 100.0;

/// Growth of time: a training step, functional connectivity, preparation, and a fold of FC + ridge,
/// against ROIs, volumes and scans; data are random.
#[derive(Args)]
pub struct ScaleBench {
    /// Rounds; the sizes take turns, and every round counts for the exponent.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(2..))]
    rounds: u32,
    /// Threads.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Largest number of ROIs; sizes are halved from there three times.
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(16..))]
    rois: u32,
    /// Largest number of scans; sizes are halved from there three times.
    #[arg(long, default_value_t = 800, value_parser = clap::value_parser!(u32).range(80..))]
    scans: u32,
}

/// Times of one kind of work along one axis.
struct Row {
    growth: Growth,
    /// Sizes, with the seconds of every round.
    times: Vec<(usize, Vec<f64>)>,
}

impl ScaleBench {
    /// Measures, and prints the table and what it means for UK Biobank.
    ///
    /// # Errors
    /// Errors of the work.
    pub fn run(self) -> Result<()> {
        brainmae_ops::set_threads(self.threads);
        let mut rows = Vec::new();
        for growth in Growth::ALL {
            let largest = growth.largest(self.rois as usize, self.scans as usize);
            let sizes = [8, 4, 2, 1].map(|part| largest / part);
            let mut times: Vec<(usize, Vec<f64>)> = Vec::new();
            for size in sizes {
                // Warm-up: threads start, and memory is allocated.
                growth.prepare(size, self.threads)?()?;
                times.push((size, Vec::new()));
            }
            for round in 0..self.rounds {
                for (size, seconds) in &mut times {
                    eprintln!("{growth}: {size}, round {}", round + 1);
                    let mut work = growth.prepare(*size, self.threads)?;
                    let started = Instant::now();
                    work()?;
                    seconds.push(started.elapsed().as_secs_f64());
                }
            }
            rows.push(Row { growth, times });
        }
        print!("{}", table(&rows));
        let sizes = Sizes {
            volumes: BIOBANK.1,
            ..Sizes::default()
        };
        let mut step = Growth::StepRois.prepare_at(sizes, self.threads)?;
        step()?;
        let started = Instant::now();
        step()?;
        let seconds = started.elapsed().as_secs_f64();
        print!("{}", biobank(seconds, self.threads, sizes));
        Ok(())
    }
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn table(rows: &[Row]) -> String {
    let mut text = format!("{:<34} {:<40} exponent [95 %]\n", "", "seconds at size");
    for row in rows {
        let seconds = row.times.iter();
        let seconds = seconds.map(|(size, all)| format!("{size}: {:.3}", median(all)));
        let seconds: Vec<String> = seconds.collect();
        let points = row.times.iter();
        let points = points.flat_map(|(size, all)| all.iter().map(|s| (*size as f64, *s)));
        let slope = Slope::of(&points.collect::<Vec<_>>());
        let (name, seconds) = (row.growth.to_string(), seconds.join("  "));
        text += &format!("{name:<34} {seconds:<40} {slope}\n");
    }
    text
}

/// What a pretraining on UK Biobank costs at the measured rate.
fn biobank(step_secs: f64, threads: usize, sizes: Sizes) -> String {
    let steps = BIOBANK.0 * PASSES / sizes.batch as f64;
    let hours = steps * step_secs / 3600.0;
    let cores = 64.0;
    format!(
        "UK Biobank, {} scans of {} volumes, {} ROIs, {PASSES} passes, quick size: {hours:.0} h with {threads} threads of this machine ({:.0} ms for a step of {} samples); on a node of {cores} such cores not below {:.0} h. Measured by one step, not by the whole run; GPUs are not measured.\n",
        BIOBANK.0,
        sizes.volumes,
        sizes.rois,
        step_secs * 1e3,
        sizes.batch,
        hours * threads as f64 / cores,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_medians_and_the_exponent() {
        let times = [10, 20, 40, 80].map(|size| {
            let seconds = (size * size) as f64 / 1e3;
            (size, vec![seconds, seconds * 1.01, seconds * 0.99])
        });
        let row = Row {
            growth: Growth::FcRois,
            times: times.to_vec(),
        };
        let text = table(&[row]);
        assert!(text.contains("10: 0.100  20: 0.400"), "{text}");
        assert!(text.contains("2.00 [1.99, 2.01]"), "{text}");
    }

    #[test]
    fn a_pretraining_on_many_scans_is_passes_times_scans_over_batch() {
        let text = biobank(0.576, 2, Sizes::default());
        // 50,000 scans x 100 passes / 8 samples x 0.576 s; 2 of 64 cores.
        assert!(text.contains(": 100 h with 2 threads"), "{text}");
        assert!(text.contains("not below 3 h"), "{text}");
    }
}
