//! Measurement of one network in this process.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, ensure};
use brainmae_data::BoldSeries;
use brainmae_downstream::{Example, Examples, Fits, Kind, Labelled, Problem, Scan};
use brainmae_machine::device::DeviceName;
use brainmae_run::Seeds;
use rand::RngExt;

use super::Sizes;
use super::measured::Round;
use super::network::{DT_SECS, Network};
use crate::peak_rss_mib;

/// Median milliseconds of training steps and of predictions of all scans.
///
/// # Errors
/// If the network cannot be trained, or a gradient is not finite.
pub fn measure(network: Network, sizes: &Sizes) -> Result<Round> {
    brainmae_ops::set_threads(sizes.threads);
    let batch = network.batch(sizes) as usize;
    let n_volumes = network.volumes(sizes) as usize;
    let scans = scans(
        batch.max(sizes.scans as usize),
        n_volumes,
        sizes.rois as usize,
    )?;
    let first = |n: usize| Examples {
        scans: &scans,
        list: (0..n)
            .map(|scan| Example {
                scan,
                start_volume: 0,
                n_volumes,
            })
            .collect(),
    };
    let training = Labelled {
        examples: first(batch),
        truth: (0..batch).map(|i| (i % 2) as f64).collect(),
    };
    let problem = problem(sizes)?;
    let mut steps = network.steps(&problem, &training)?;
    let train_ms = median_ms(sizes.steps, || {
        let norm = steps.train()?;
        ensure!(norm.is_finite(), "the gradient is not finite");
        Ok(())
    })?;
    let fitted = steps.fitted();
    let predicted = first(sizes.scans as usize);
    let infer_ms = median_ms(sizes.steps, || Ok(fitted.predict(&predicted).map(drop)?))?;
    Ok(Round {
        train_ms,
        infer_ms,
        peak_rss_mib: peak_rss_mib().unwrap_or(f64::NAN),
    })
}

/// Median milliseconds of `n` calls after one to warm up.
fn median_ms(n: u32, mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    work()?;
    let mut times = Vec::new();
    for _ in 0..n {
        let started = Instant::now();
        work()?;
        times.push(started.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

fn problem(sizes: &Sizes) -> Result<Problem> {
    Ok(Problem {
        target: "random".to_string(),
        kind: Kind::Classification { n_classes: 2 },
        of_subjects: false,
        n_rois: sizes.rois as usize,
        dt_secs: DT_SECS,
        segment_len_trs: 20,
        confounds: vec![],
        seeds: Seeds::new(0),
        device: DeviceName::Cpu.open()?,
        fits: Fits {
            threads: sizes.threads,
            ..Fits::default()
        },
    })
}

/// Random signals.
fn scans(n: usize, n_volumes: usize, n_rois: usize) -> Result<Vec<Scan>> {
    let scan = |number: usize| {
        let mut rng = Seeds::new(0).stream_at("bench/baselines", &[number as u64]);
        let values = (0..n_volumes * n_rois)
            .map(|_| rng.random_range(-1.7f32..1.7))
            .collect();
        let name = format!("scan-{number}");
        Ok(Scan {
            scan: name.as_str().into(),
            subject: name.as_str().into(),
            unit: name.clone(),
            series: Arc::new(BoldSeries::new(values, n_rois, DT_SECS)?),
            confounds: vec![],
            site: None,
            computed: Default::default(),
        })
    };
    (0..n).map(scan).collect()
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn every_network_can_be_measured() {
        let sizes = Sizes {
            batch: Some(4),
            scans: 2,
            volumes: 60,
            rois: 8,
            steps: 1,
            threads: 2,
        };
        for network in Network::value_variants() {
            let round = measure(*network, &sizes).expect("it trains");
            assert!(round.train_ms > 0.0 && round.infer_ms > 0.0, "{network:?}");
        }
    }
}
