//! Encoders of a checkpoint, one for each thread, beside the prepared data set that they encode.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use brainmae_data::{PreparedDataset, ScanRecord};
use brainmae_encoder::{Checkpoint, Encoder, EncoderKinds, SampleEmbedding};
use brainmae_machine::devices::Devices;
use brainmae_machine::progress::Steps;
use brainmae_machine::{interrupt, workspace};

/// The encoders, all with the same weights.
pub struct Encoders {
    checkpoint: Checkpoint,
    dataset: Arc<PreparedDataset>,
    all: Vec<Encoder>,
    /// By ROI: whether it is hidden in all scans.
    hidden: Vec<bool>,
}

impl Encoders {
    /// Opens the checkpoint `ckpt` of one of `kinds` and the prepared data set `data`.
    ///
    /// # Errors
    /// If one of them cannot be read, if the checkpoint has another atlas, dt or cleaning than the
    /// data, or if there is no such device.
    pub fn open(
        ckpt: &Path,
        data: &Path,
        device: &Devices,
        threads: usize,
        kinds: &EncoderKinds,
    ) -> Result<Self> {
        let checkpoint = Checkpoint::open(ckpt)?;
        let dataset = PreparedDataset::open(data)
            .with_context(|| format!("opening the prepared data set {}", workspace::shown(data)))?;
        checkpoint.check_data(&dataset, &checkpoint.data().layout())?;
        let opened = device.open()?;
        device.share_threads(threads);
        let all = (0..threads.max(1))
            .map(|_| Ok(checkpoint.encoder_of(kinds, &opened)?))
            .collect::<Result<Vec<_>>>()?;
        Ok(Self {
            checkpoint,
            hidden: vec![false; dataset.atlas().n_rois()],
            dataset: Arc::new(dataset),
            all,
        })
    }

    /// Hides these ROIs in all scans.
    ///
    /// # Errors
    /// If the atlas has no ROI of such a name.
    pub fn hide(&mut self, rois: &[String]) -> Result<()> {
        let atlas = self.dataset.atlas();
        for name in rois {
            let found = atlas.rois.iter().position(|roi| roi.name == *name);
            let Some(index) = found else {
                bail!(
                    "the atlas {} has no ROI `{name}`\nhint: the names are in {}",
                    atlas.name,
                    workspace::shown(&self.dataset.path().join("rois.parquet"))
                );
            };
            self.hidden[index] = true;
        }
        Ok(())
    }

    /// Number of hidden ROIs.
    pub fn n_hidden(&self) -> usize {
        self.hidden.iter().filter(|hidden| **hidden).count()
    }

    /// The checkpoint.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The data set.
    pub fn dataset(&self) -> &Arc<PreparedDataset> {
        &self.dataset
    }

    /// The encoder of the first thread.
    pub fn first(&self) -> &Encoder {
        &self.all[0]
    }

    /// Encodes the scans of `records`, one on each thread at a time, and gives each with its
    /// samples to `then`, in the order of `records`; a scan shorter than a segment has no samples.
    /// The result does not depend on the threads. `title` names the progress on stderr.
    ///
    /// # Errors
    /// If a scan cannot be read, if the user stops the work, or an error of `then`.
    pub fn embed(
        &mut self,
        title: &str,
        records: &[&ScanRecord],
        mut then: impl FnMut(&ScanRecord, Vec<SampleEmbedding>) -> Result<()>,
    ) -> Result<()> {
        let mut steps = Steps::new(title, records.len() as u64);
        for records in records.chunks(SCANS_OF_A_THREAD * self.all.len()) {
            let embedded = encode(&mut self.all, &self.dataset, &self.hidden, records)?;
            for (record, embeddings) in records.iter().zip(embedded) {
                then(record, embeddings)?;
                steps.tick(String::new());
            }
            interrupt::check()?;
        }
        Ok(())
    }
}

/// Scans that a thread encodes before their embeddings are used.
const SCANS_OF_A_THREAD: usize = 8;

/// Embeddings of scans, in their order; each encoder has a thread of its own.
fn encode(
    encoders: &mut [Encoder],
    dataset: &PreparedDataset,
    hidden: &[bool],
    records: &[&ScanRecord],
) -> Result<Vec<Vec<SampleEmbedding>>> {
    let share = records.len().div_ceil(encoders.len());
    let all: Vec<Result<Vec<_>>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (encoders.iter_mut().zip(records.chunks(share)))
            .map(|(encoder, records)| {
                scope.spawn(move || {
                    let one = |record: &&ScanRecord| {
                        Ok(encoder.embed_without(dataset, &record.scan, hidden)?)
                    };
                    records.iter().map(one).collect()
                })
            })
            .collect();
        let join = |thread: std::thread::ScopedJoinHandle<_>| match thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        threads.into_iter().map(join).collect()
    });
    let all = all.into_iter().collect::<Result<Vec<_>>>()?;
    Ok(all.into_iter().flatten().collect())
}
