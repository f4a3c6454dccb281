//! What a pretrained encoder says of a prepared data set, as tables.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use brainmae_data::{PreparedDataset, ScanRecord, SegmentLayout};
use brainmae_downstream::brainmae::embedding::{SampleEmbedding, embed};
use brainmae_downstream::{Example, Examples, Scan};
use brainmae_machine::devices::Devices;
use brainmae_machine::progress::Steps;
use brainmae_machine::{interrupt, workspace};
use brainmae_model::{BrainMae, BrainMaeConfig, DataShape, Precision};
use brainmae_pretrain::engine::load_weights;
use brainmae_run::table::{TableStream, write_table};
use brainmae_run::{Checkpoint, Seeds};
use polars::prelude::{Column, DataFrame, NamedFrom, Series};

use crate::stage::Scans;

/// What to encode, with what, where to.
pub struct Embed {
    /// Folder of a checkpoint.
    pub ckpt: PathBuf,
    /// Folder of a prepared data set.
    pub data: PathBuf,
    /// Folder for the tables; must not be there.
    pub out: PathBuf,
    /// Where tensors live.
    pub device: Devices,
    /// Threads to encode with.
    pub threads: usize,
}

impl Embed {
    /// Encodes scan after scan; a scan at a time is in memory. Tables are there when all scans are.
    ///
    /// # Errors
    /// If the checkpoint is of another atlas, time base or cleaning, or `out` is there already.
    pub fn run(&self) -> Result<()> {
        self.device.require(Precision::F32)?;
        interrupt::listen()?;
        ensure!(
            !self.out.exists(),
            "{:?} is there already\nhint: name another folder, or remove it",
            self.out
        );
        let checkpoint = Checkpoint::open(&self.ckpt)?;
        let card = checkpoint.card();
        let dataset = PreparedDataset::open(&self.data).with_context(|| {
            format!(
                "opening the prepared data set {}",
                workspace::shown(&self.data)
            )
        })?;
        let layout = SegmentLayout {
            segment_len_trs: card.data.segment_len_trs,
            n_segments: card.data.n_segments,
        };
        let scans = Scans::whole(dataset, layout);
        card.data.check(&scans.card())?;
        let model = self.model(&checkpoint, &scans)?;
        std::fs::create_dir_all(&self.out)
            .with_context(|| format!("cannot make {:?}", self.out))?;

        let mut roi_vectors = roi_vectors(&model, &scans.dataset)?;
        write_table(&self.out, "roi_vectors", &mut roi_vectors)?;
        let mut samples = TableStream::new(&self.out, "samples");
        let mut segments = TableStream::new(&self.out, "segments");
        let mut left_out = 0;
        let mut steps = Steps::new("embed", scans.dataset.included().count() as u64);
        for record in scans.dataset.included() {
            let embeddings = embed_scan(&model, &scans, record)?;
            left_out += usize::from(embeddings.is_empty());
            if !embeddings.is_empty() {
                samples.append(&samples_frame(record, &embeddings, &scans)?)?;
                segments.append(&segments_frame(record, &embeddings, &scans)?)?;
            }
            steps.tick(String::new());
            interrupt::check()?;
        }
        drop(steps);
        samples.finish()?;
        segments.finish()?;
        if left_out > 0 {
            tracing::warn!("{left_out} scans are shorter than a segment and left out");
        }
        println!("{}", workspace::shown(&self.out));
        Ok(())
    }

    fn model(&self, checkpoint: &Checkpoint, scans: &Scans) -> Result<BrainMae> {
        let config: BrainMaeConfig = serde_json::from_value(checkpoint.card().model_config.clone())
            .context("the checkpoint's card has no config of BrainMAE")?;
        let device = self.device.open()?;
        self.device.share_threads(self.threads);
        let data = DataShape {
            n_rois: scans.dataset.atlas().n_rois(),
            segment_len_trs: scans.layout.segment_len_trs,
        };
        // Every weight is about to be replaced.
        let model = config.init(data, &mut Seeds::new(0).stream("weights"), &device)?;
        Ok(load_weights(model, checkpoint.path())?)
    }
}

fn embed_scan(
    model: &BrainMae,
    scans: &Scans,
    record: &ScanRecord,
) -> Result<Vec<SampleEmbedding>> {
    let series = Arc::new(scans.dataset.bold(&record.scan)?);
    let example = Example {
        scan: 0,
        start_volume: 0,
        n_volumes: series.n_volumes(),
    };
    let scan = [Scan {
        scan: record.scan.clone(),
        subject: record.subject.clone(),
        unit: String::new(),
        series,
        confounds: Vec::new(),
    }];
    let examples = Examples {
        scans: &scan,
        list: vec![example],
    };
    Ok(embed(model, scans.layout, &examples)?)
}

/// One row for each sample: where it starts, and its representation.
fn samples_frame(record: &ScanRecord, all: &[SampleEmbedding], scans: &Scans) -> Result<DataFrame> {
    let starts: Vec<usize> = all.iter().map(|sample| sample.start_volume).collect();
    let vectors = all.iter().map(|sample| &sample.cls[..]).collect();
    frame(record, &starts, "cls", vectors, scans)
}

/// One row for each segment that is no padding: where it starts, and its state in context.
fn segments_frame(
    record: &ScanRecord,
    all: &[SampleEmbedding],
    scans: &Scans,
) -> Result<DataFrame> {
    let (mut starts, mut vectors) = (Vec::new(), Vec::new());
    for sample in all {
        let tokens = sample.tokens.chunks_exact(sample.cls.len());
        for (k, (token, valid)) in tokens.zip(&sample.valid).enumerate() {
            if *valid {
                starts.push(sample.start_volume + k * scans.layout.segment_len_trs);
                vectors.push(token);
            }
        }
    }
    frame(record, &starts, "state", vectors, scans)
}

fn frame(
    record: &ScanRecord,
    start_volumes: &[usize],
    name: &str,
    vectors: Vec<&[f32]>,
    scans: &Scans,
) -> Result<DataFrame> {
    let n = start_volumes.len();
    let start_secs = start_volumes
        .iter()
        .map(|v| *v as f64 * scans.dataset.dt_secs());
    let columns = vec![
        Column::new("scan".into(), vec![record.scan.as_str(); n]),
        Column::new("subject".into(), vec![record.subject.as_str(); n]),
        Column::new("start_secs".into(), start_secs.collect::<Vec<f64>>()),
        lists(name, vectors),
    ];
    Ok(DataFrame::new(n, columns)?)
}

fn roi_vectors(model: &BrainMae, dataset: &PreparedDataset) -> Result<DataFrame> {
    let vectors = model.roi_vectors();
    let [n, d_model] = vectors.dims();
    let vectors: Vec<f32> = vectors.into_data().iter::<f32>().collect();
    let rois = &dataset.atlas().rois;
    let names: Vec<&str> = rois.iter().map(|roi| roi.name.as_str()).collect();
    let networks: Vec<Option<&str>> = rois.iter().map(|roi| roi.network.as_deref()).collect();
    let columns = vec![
        Column::new("roi".into(), names),
        Column::new("network".into(), networks),
        lists("vector", vectors.chunks_exact(d_model).collect()),
    ];
    Ok(DataFrame::new(n, columns)?)
}

fn lists(name: &str, rows: Vec<&[f32]>) -> Column {
    let rows: Vec<Series> = rows
        .into_iter()
        .map(|row| Series::new("".into(), row))
        .collect();
    Column::new(name.into(), rows)
}
