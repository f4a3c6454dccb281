//! Command `bench fc`: functional connectivity of a cohort, in comparison with numpy.

use std::ffi::OsStr;
use std::fmt::{self, Display};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use brainmae_data::BoldSeries;
use brainmae_downstream::features::fc_of_examples;
use brainmae_downstream::{Computed, Example, Examples, Scan};
use brainmae_run::Seeds;
use clap::Args;
use rand::RngExt;

use super::peak_rss_mib;
use super::side_by_side::{Times, number, run_peer};

/// Source code of the peer, numpy.
const PEER: &str = include_str!("fc.py");

/// Methods in numpy, with their names in the table.
const PEERS: [(&str, &str); 3] = [
    ("blas", "numpy, x.T @ x"),
    ("threads", "numpy, a scan per thread"),
    ("corrcoef", "numpy.corrcoef"),
];

/// Largest allowed difference of two single-precision correlations.
const TOLERANCE: f32 = 1e-5;

/// Functional connectivity of scans that lie in memory; data are random.
#[derive(Args)]
pub struct FcBench {
    /// Scans.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    scans: u32,
    /// Volumes of each.
    #[arg(long, default_value_t = 1200, value_parser = clap::value_parser!(u32).range(2..))]
    volumes: u32,
    /// ROIs.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    rois: u32,
    /// Rounds; ours and the peer's take turns, and the median of each counts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Threads of both.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// A Python with numpy to measure against.
    #[arg(long, value_name = "PROGRAM")]
    python: Option<PathBuf>,
    /// Folder for what the peer reads, 480 MB, which is removed at the end; that of the system when
    /// nothing is said.
    #[arg(long)]
    dir: Option<PathBuf>,
}

impl FcBench {
    /// Measures, and prints the table.
    ///
    /// # Errors
    /// If files cannot be written, the peer fails, or its correlations differ from ours.
    pub fn run(self) -> Result<()> {
        brainmae_ops::set_threads(self.threads);
        let parent = self.dir.clone().unwrap_or_else(std::env::temp_dir);
        let dir = parent.join(format!("brainmae-bench-{}", std::process::id()));
        std::fs::create_dir_all(&dir).with_context(|| format!("cannot make {dir:?}"))?;
        let done = self.measure(&dir);
        std::fs::remove_dir_all(&dir).with_context(|| format!("cannot remove {dir:?}"))?;
        print!("{}", done?);
        Ok(())
    }

    fn measure(&self, dir: &Path) -> Result<Measured> {
        let scans = self.scans()?;
        let signals = dir.join("signals.f32");
        if self.python.is_some() {
            write(&signals, &scans)?;
        }
        let whole = |scan| Example {
            scan,
            start_volume: 0,
            n_volumes: self.volumes as usize,
        };
        let examples = Examples {
            list: (0..scans.len()).map(whole).collect(),
            scans: &scans,
        };
        // Warm-up: threads start, and memory is allocated.
        let mut ours = fc_of_examples(&examples);
        let mut measured = Measured::new(self);
        for _ in 0..self.rounds {
            drop(ours);
            let started = Instant::now();
            ours = fc_of_examples(&examples);
            measured
                .times
                .note("ours", started.elapsed().as_secs_f64() * 1e3);
            for (how, name) in PEERS {
                if let Some(python) = &self.python {
                    let out = dir.join("peer.f32");
                    let (ms, mib) = self.peer(python, &signals, how, &out)?;
                    measured.times.note(name, ms);
                    measured.peer_mib = measured.peer_mib.max(mib);
                    let theirs = std::fs::read(&out)?;
                    let mine = ours.iter().flat_map(|fc| fc.as_slice());
                    let apart = largest_difference(mine, &theirs)?;
                    ensure!(apart < TOLERANCE, "ours and {name} differ by {apart}");
                    measured.apart = measured.apart.max(apart);
                }
            }
        }
        Ok(measured)
    }

    /// Random signals of ROIs with a common part.
    fn scans(&self) -> Result<Vec<Scan>> {
        let seeds = Seeds::new(0);
        let [volumes, rois] = [self.volumes, self.rois].map(|n| n as usize);
        (0..self.scans)
            .map(|number| {
                let mut rng = seeds.stream_at("bench/fc", &[u64::from(number)]);
                let mut values = Vec::with_capacity(volumes * rois);
                for _ in 0..volumes {
                    let shared: f32 = rng.random_range(-1.0..1.0);
                    values.extend((0..rois).map(|_| 100.0 + shared + rng.random_range(-1.0..1.0)));
                }
                let name = format!("scan-{number}");
                Ok(Scan {
                    scan: name.as_str().into(),
                    subject: name.as_str().into(),
                    unit: name.clone(),
                    series: Arc::new(BoldSeries::new(values, rois, 0.72)?),
                    confounds: vec![],
                    // Holds nothing: every round computes all.
                    site: None,
                    computed: Computed::default(),
                })
            })
            .collect()
    }

    /// One round of a method in numpy: milliseconds and peak memory.
    fn peer(&self, python: &Path, signals: &Path, how: &str, out: &Path) -> Result<(f64, f64)> {
        let sizes = [self.volumes as usize, self.rois as usize, self.threads];
        let sizes = sizes.map(|n| n.to_string());
        let mut arguments = vec![signals.as_os_str()];
        arguments.extend(sizes.iter().map(OsStr::new));
        arguments.extend([OsStr::new(how), out.as_os_str()]);
        let line = run_peer(python, PEER, &arguments)?;
        Ok((number(&line, "ms")?, number(&line, "peak_rss_mib")?))
    }
}

/// Writes little-endian single precision, one scan after another.
fn write(path: &Path, scans: &[Scan]) -> Result<()> {
    let file = File::create(path).with_context(|| format!("cannot make {path:?}"))?;
    let mut file = BufWriter::with_capacity(1 << 20, file);
    for value in scans.iter().flat_map(|scan| scan.series.values()) {
        file.write_all(&value.to_le_bytes())?;
    }
    file.flush()
        .with_context(|| format!("cannot write {path:?}"))
}

fn largest_difference<'a>(ours: impl Iterator<Item = &'a f32>, theirs: &[u8]) -> Result<f32> {
    let (theirs, rest) = theirs.as_chunks::<4>();
    let mut theirs = theirs.iter().map(|bytes| f32::from_le_bytes(*bytes));
    let mut most = 0.0_f32;
    for ours in ours {
        let theirs = theirs.next().context("the peer wrote too little")?;
        let apart = (ours - theirs).abs();
        // NaN also counts as a difference.
        if apart.is_nan() || apart > most {
            most = apart;
        }
    }
    ensure!(
        rest.is_empty() && theirs.next().is_none(),
        "the peer wrote too much"
    );
    Ok(most)
}

/// Times, memory and differences of all methods.
struct Measured {
    title: String,
    times: Times,
    apart: f32,
    peer_mib: f64,
}

impl Measured {
    fn new(bench: &FcBench) -> Self {
        let FcBench {
            scans,
            rois,
            volumes,
            threads,
            ..
        } = bench;
        Self {
            title: format!(
                "correlations of {scans} scans, {rois} ROIs x {volumes} volumes, {threads} threads"
            ),
            times: Times::default(),
            apart: 0.0,
            peer_mib: 0.0,
        }
    }
}

impl Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        write!(f, "{}", self.times)?;
        let mib = peak_rss_mib().map_or("unknown".into(), |mib| format!("{mib:.0} MiB"));
        writeln!(
            f,
            "peak memory: this process {mib}, the peer {:.0} MiB",
            self.peer_mib
        )?;
        writeln!(f, "largest difference from the peer: {:.1e}", self.apart)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_seen() {
        let bytes = |values: &[f32]| {
            values
                .iter()
                .flat_map(|x| x.to_le_bytes())
                .collect::<Vec<u8>>()
        };
        let apart = |theirs: &[f32]| largest_difference([1.0, 0.5].iter(), &bytes(theirs));
        assert_eq!(apart(&[1.0, 0.25]).expect("as many"), 0.25);
        assert!(apart(&[f32::NAN, 0.5]).expect("as many").is_nan());
        assert!(apart(&[1.0]).is_err() && apart(&[1.0, 0.5, 0.0]).is_err());
    }
}
