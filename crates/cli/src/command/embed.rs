//! Output of a pretrained encoder for a prepared data set, as tables.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use brainmae_data::{PreparedDataset, ScanRecord, SegmentLayout};
use brainmae_encoder::{EncoderKinds, SampleEmbedding};
use brainmae_machine::devices::Devices;
use brainmae_machine::{interrupt, workspace};
use brainmae_model::Precision;
use brainmae_run::table::{TableStream, write_table};
use brainmae_table::{Column, Table};
use burn::tensor::Tensor;

use super::encoders::Encoders;

/// Settings of the command `embed`.
pub struct Embed {
    /// Folder of the checkpoint.
    pub ckpt: PathBuf,
    /// Folder of the prepared data set.
    pub data: PathBuf,
    /// Folder for the tables; it must not exist yet.
    pub out: PathBuf,
    /// Names of ROIs that are hidden in all scans.
    pub hide_rois: Vec<String>,
    /// Devices of the tensors.
    pub device: Devices,
    /// Number of threads.
    pub threads: usize,
}

impl Embed {
    /// Encodes all scans with a model of one of `kinds`, one scan on each thread at a time. The
    /// tables appear when all scans are encoded, in the order of the data set; they do not depend
    /// on the threads.
    ///
    /// # Errors
    /// If the checkpoint has another atlas, dt or cleaning than the data, if an ROI to hide is not
    /// in the atlas, or if `out` exists.
    pub fn run(&self, kinds: &EncoderKinds) -> Result<()> {
        self.device.require(Precision::F32)?;
        interrupt::listen()?;
        ensure!(
            !self.out.exists(),
            "{:?} is there already\nhint: name another folder, or remove it",
            self.out
        );
        let mut encoders =
            Encoders::open(&self.ckpt, &self.data, &self.device, self.threads, kinds)?;
        encoders.hide(&self.hide_rois)?;
        let dataset = Arc::clone(encoders.dataset());
        let facts = Facts {
            layout: encoders.first().layout(),
            dt_secs: dataset.dt_secs(),
            n_hidden: encoders.n_hidden(),
        };
        std::fs::create_dir_all(&self.out)
            .with_context(|| format!("cannot make {:?}", self.out))?;

        if let Some(vectors) = encoders.first().model().roi_vectors() {
            write_table(&self.out, "roi_vectors", &roi_vectors(vectors, &dataset)?)?;
        }
        let mut samples = TableStream::new(&self.out, "samples");
        let mut segments = TableStream::new(&self.out, "segments");
        let mut left_out = 0;
        let records: Vec<&ScanRecord> = dataset.included().collect();
        encoders.embed("embed", &records, |record, embeddings| {
            left_out += usize::from(embeddings.is_empty());
            if !embeddings.is_empty() {
                samples.append(&samples_table(record, &embeddings, facts)?)?;
                segments.append(&segments_table(record, &embeddings, facts)?)?;
            }
            Ok(())
        })?;
        samples.finish()?;
        segments.finish()?;
        if left_out > 0 {
            tracing::warn!("{left_out} scans are shorter than a segment and left out");
        }
        println!("{}", workspace::shown(&self.out));
        Ok(())
    }
}

/// Facts that all rows share.
#[derive(Clone, Copy)]
struct Facts {
    layout: SegmentLayout,
    dt_secs: f64,
    /// Number of ROIs that are hidden in all scans.
    n_hidden: usize,
}

/// One row for each sample: its start, and its CLS token.
fn samples_table(record: &ScanRecord, all: &[SampleEmbedding], facts: Facts) -> Result<Table> {
    let starts: Vec<usize> = all.iter().map(|sample| sample.start_volume).collect();
    let vectors = all.iter().map(|sample| &sample.cls[..]).collect();
    table(record, &starts, "cls", vectors, facts)
}

/// One row for each segment without padding: its start, and its state in context.
fn segments_table(record: &ScanRecord, all: &[SampleEmbedding], facts: Facts) -> Result<Table> {
    let (mut starts, mut vectors) = (Vec::new(), Vec::new());
    for sample in all {
        let tokens = sample.tokens.chunks_exact(sample.cls.len());
        for (k, (token, valid)) in tokens.zip(&sample.valid).enumerate() {
            if *valid {
                starts.push(sample.start_volume + k * facts.layout.segment_len_trs);
                vectors.push(token);
            }
        }
    }
    table(record, &starts, "state", vectors, facts)
}

fn table(
    record: &ScanRecord,
    start_volumes: &[usize],
    name: &str,
    vectors: Vec<&[f32]>,
    facts: Facts,
) -> Result<Table> {
    let n = start_volumes.len();
    let start_secs = start_volumes.iter().map(|v| *v as f64 * facts.dt_secs);
    let mut columns = vec![
        Column::new("scan", vec![record.scan.as_str(); n]),
        Column::new("subject", vec![record.subject.as_str(); n]),
        Column::new("start_secs", start_secs),
        Column::new(name, vectors),
    ];
    if facts.n_hidden > 0 {
        columns.push(Column::new("missing_rois", vec![facts.n_hidden as u32; n]));
    }
    Ok(Table::new(n, columns)?)
}

fn roi_vectors(vectors: Tensor<2>, dataset: &PreparedDataset) -> Result<Table> {
    let [n, d_model] = vectors.dims();
    let vectors: Vec<f32> = vectors.into_data().iter::<f32>().collect();
    let rois = &dataset.atlas().rois;
    let columns = vec![
        Column::new("roi", rois.iter().map(|roi| roi.name.as_str())),
        Column::new("network", rois.iter().map(|roi| roi.network.as_deref())),
        Column::new("vector", vectors.chunks_exact(d_model)),
    ];
    Ok(Table::new(n, columns)?)
}
