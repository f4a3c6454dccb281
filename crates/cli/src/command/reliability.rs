//! Reliability of the vectors that a pretrained encoder makes of scans, beside that of functional
//! connectivity: command `reliability`.

mod choice;
mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use brainmae_data::{PreparedDataset, ScanId, ScanRecord};
use brainmae_downstream::encoders::Readout;
use brainmae_encoder::{EncoderKinds, SampleEmbedding};
use brainmae_machine::devices::Devices;
use brainmae_machine::local::Local;
use brainmae_machine::{interrupt, workspace};
use brainmae_model::Precision;
use brainmae_run::Seeds;
use brainmae_run::table::write_table;
use brainmae_signals::fc::{fisher_z, of_series};
use brainmae_statistics::reliability::{Reliability as Found, Repeated};
use clap::Args;

use super::encoders::Encoders;
use choice::Choice;
use rows::Vectors;

/// Seed of the resamples.
const SEED: u64 = 0;

/// Which encoder, which scans, and where to.
#[derive(Args)]
pub struct Reliability {
    /// Folder of the checkpoint.
    #[arg(long, value_name = "DIR")]
    ckpt: PathBuf,
    /// Folder of a prepared data set in which subjects have several scans.
    data: PathBuf,
    /// Task of the scans, such as rest; scans of all tasks when nothing is said.
    #[arg(long)]
    task: Option<String>,
    /// Scans of each subject. Subjects with fewer are left out, those with more give the first
    /// ones.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(2..))]
    scans: u16,
    /// Resamples of the intervals.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    resamples: usize,
    /// Folder for the tables; that of the data with `.reliability` when nothing is said.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Where tensors live.
    #[arg(long, default_value = "cpu")]
    device: Devices,
    /// Threads to encode with.
    #[arg(long)]
    threads: Option<usize>,
}

impl Reliability {
    /// Compares the scans of subjects with a model of one of `kinds`: prints the measures, and
    /// writes the tables `reliability`, `icc` and `scans`.
    ///
    /// # Errors
    /// If the checkpoint has another atlas, dt or cleaning than the data, if fewer than two
    /// subjects have enough scans, or if the folder for the tables exists.
    pub fn run(self, kinds: &EncoderKinds) -> Result<()> {
        self.device.require(Precision::F32)?;
        interrupt::listen()?;
        let default = || self.data.with_extension("reliability");
        let out = self.out.clone().unwrap_or_else(default);
        ensure!(
            !out.exists(),
            "{out:?} is there already\nhint: name another folder with --out, or remove it"
        );
        let threads = self.threads.unwrap_or_else(|| Local::this().threads());
        let threads = threads.max(1);
        let mut encoders = Encoders::open(&self.ckpt, &self.data, &self.device, threads, kinds)?;
        let dataset = Arc::clone(encoders.dataset());
        let n_scans = usize::from(self.scans);
        let scans = choice::of_task(&dataset, self.task.as_deref())?;
        let choice = Choice::new(&dataset, scans, n_scans)?;

        let mut vectors = BTreeMap::new();
        let mut short = BTreeSet::new();
        encoders.embed("embed", &choice.all(), |record, samples| {
            match scan_vector(&samples) {
                Some(vector) => vectors.insert(record.scan.clone(), vector).is_none(),
                None => short.insert(record.scan.clone()),
            };
            Ok(())
        })?;
        let long_enough = |record: &&ScanRecord| !short.contains(&record.scan);
        let scans = choice.every.into_iter().filter(long_enough).collect();
        let choice = Choice::new(&dataset, scans, n_scans)?;

        let kind = kinds.find(&encoders.checkpoint().model().kind)?;
        let of_encoder = |record: &ScanRecord| {
            let vector = vectors.remove(&record.scan);
            vector.with_context(|| format!("scan {} was not encoded", record.scan))
        };
        let of_encoder =
            repeated(&choice, of_encoder).with_context(|| format!("vectors of {}", kind.title))?;
        let fc = repeated(&choice, |record| connectivity(&dataset, &record.scan))
            .context("functional connectivity")?;
        let seen = &encoders.checkpoint().card().pretraining_subjects;
        let counts = rows::Counts {
            n_subjects: choice.subjects.len(),
            n_units: choice.units.len(),
            n_scans,
            n_seen: choice.n_of(seen),
        };
        let all =
            [(kind.title, of_encoder, false), ("FC", fc, true)].map(|(title, scans, of_pairs)| {
                let found = Found::new(&scans, &choice.units, self.resamples, &Seeds::new(SEED));
                Vectors {
                    title: title.to_string(),
                    of_pairs,
                    scans,
                    found,
                }
            });

        std::fs::create_dir_all(&out).with_context(|| format!("cannot make {out:?}"))?;
        write_table(&out, "reliability", &rows::measures(&all, &counts)?)?;
        write_table(&out, "icc", &rows::features(&all, &dataset)?)?;
        write_table(&out, "scans", &choice.table()?)?;
        print!("{}", rows::text(&all, &counts));
        print!("{}", choice.left_out(short.len()));
        println!("tables: {}", workspace::shown(&out));
        Ok(())
    }
}

/// Vector of a scan as probes read it: the mean over its samples of CLS and of the mean state.
/// `None` without a valid segment.
fn scan_vector(samples: &[SampleEmbedding]) -> Option<Vec<f32>> {
    let valid = samples.iter().filter(|sample| sample.valid.contains(&true));
    let all: Vec<Vec<f32>> = valid
        .map(|sample| Readout::default().of_sample(sample))
        .collect();
    let n = all.len() as f32;
    let mut sum = vec![0.0; all.first()?.len()];
    for vector in &all {
        sum.iter_mut().zip(vector).for_each(|(sum, x)| *sum += x);
    }
    Some(sum.into_iter().map(|sum| sum / n).collect())
}

/// Fisher's z of the correlations of a scan, over its uncensored volumes.
fn connectivity(dataset: &PreparedDataset, scan: &ScanId) -> Result<Vec<f32>> {
    Ok(fisher_z(&of_series(&dataset.bold(scan)?)))
}

/// The vectors of the chosen scans, which `of` gives.
fn repeated(
    choice: &Choice,
    mut of: impl FnMut(&ScanRecord) -> Result<Vec<f32>>,
) -> Result<Repeated> {
    let scans: Vec<&ScanRecord> = choice.subjects.iter().flatten().copied().collect();
    let rows = scans.iter().map(|scan| {
        let row = of(scan)?;
        ensure!(!row.is_empty(), "scan {}: it has no numbers", scan.scan);
        let broken = row.iter().find(|x| !x.is_finite());
        ensure!(
            broken.is_none(),
            "scan {}: found {}, expected finite numbers",
            scan.scan,
            broken.unwrap_or(&0.0)
        );
        Ok(row)
    });
    let rows = rows.collect::<Result<Vec<_>>>()?;
    Repeated::new(rows, choice.n_scans).context("vectors of scans have different lengths")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_is_the_mean_of_its_samples() {
        let sample = |cls: f32, states: [f32; 2], valid: [bool; 2]| SampleEmbedding {
            scan: 0,
            start_volume: 0,
            cls: vec![cls],
            tokens: states.to_vec(),
            valid: valid.to_vec(),
        };
        let samples = [
            sample(1.0, [2.0, 4.0], [true, true]),
            sample(3.0, [5.0, 99.0], [true, false]),
            sample(99.0, [99.0, 99.0], [false, false]),
        ];
        // CLS: 1 and 3; states: 3 and 5. The last sample is padding.
        assert_eq!(scan_vector(&samples), Some(vec![2.0, 4.0]));
        assert_eq!(scan_vector(&samples[2..]), None);
        assert_eq!(scan_vector(&[]), None);
    }
}
