//! The tables of the reconstruction stage.

use anyhow::{Context, Result};
use brainmae_data::{Atlas, Crop, PreparedDataset, ScanStore, SegmentLayout};
use brainmae_pretrain::bootstrap::Interval;
use brainmae_pretrain::brainmae::single_masked_sample;
use brainmae_pretrain::predictor::Predictor;
use brainmae_pretrain::reconstruction::{ScanScore, Score};
use brainmae_pretrain::roi_similarity::{cosine_similarity, network_auroc};
use brainmae_run::Seeds;
use burn::tensor::Tensor;
use polars::df;
use polars::prelude::{Column, DataFrame, IntoColumn, NamedFrom, Series};

/// Share of ROIs hidden in the example traces.
const TRACE_RATIO: f64 = 0.5;
/// ROIs shown in the example traces.
const TRACE_ROIS: usize = 4;

/// One row per predictor, mask ratio and scan.
///
/// # Errors
/// Never: the columns have one length.
pub fn by_scan(scores: &[ScanScore]) -> Result<DataFrame> {
    Ok(df!(
        "predictor" => strings(scores, |s| &s.predictor),
        "mask_ratio" => scores.iter().map(|s| s.mask_ratio).collect::<Vec<_>>(),
        "subject" => strings(scores, |s| &s.subject),
        "scan" => strings(scores, |s| &s.scan),
        "mse" => scores.iter().map(|s| s.mse).collect::<Vec<_>>(),
    )?)
}

fn strings<T>(rows: &[T], of: impl Fn(&T) -> &String) -> Vec<String> {
    rows.iter().map(|row| of(row).clone()).collect()
}

/// One row per predictor and mask ratio, with the bootstrap interval over units.
///
/// # Errors
/// Never: the columns have one length.
pub fn summary(scores: &[Score]) -> Result<DataFrame> {
    let numbers = |of: fn(&Score) -> f64| scores.iter().map(of).collect::<Vec<_>>();
    Ok(df!(
        "predictor" => strings(scores, |s| &s.predictor),
        "mask_ratio" => numbers(|s| s.mask_ratio),
        "mse" => numbers(|s| s.mse.mean),
        "mse_low" => numbers(|s| s.mse.low),
        "mse_high" => numbers(|s| s.mse.high),
        "n_units" => scores.iter().map(|s| s.n_units as u32).collect::<Vec<_>>(),
    )?)
}

/// Reads what [`summary`] made.
///
/// # Errors
/// If a column is missing or of another type.
pub fn read_summary(table: &DataFrame) -> Result<Vec<Score>> {
    let text = table.column("predictor")?.str()?;
    let number = |name| -> Result<_> { Ok(table.column(name)?.f64()?) };
    let (ratio, mean) = (number("mask_ratio")?, number("mse")?);
    let (low, high) = (number("mse_low")?, number("mse_high")?);
    let units = table.column("n_units")?.u32()?;
    (0..table.height())
        .map(|i| {
            Some(Score {
                predictor: text.get(i)?.to_string(),
                mask_ratio: ratio.get(i)?,
                mse: Interval {
                    mean: mean.get(i)?,
                    low: low.get(i)?,
                    high: high.get(i)?,
                },
                n_units: units.get(i)? as usize,
            })
        })
        .collect::<Option<Vec<_>>>()
        .context("the table reconstruction has missing values")
}

/// The first sample of the first test scan under one mask: measured signal, and what each predictor draws of it.
///
/// One row per ROI and volume; columns `scan, roi, segment_secs, time_secs, measured, hidden` and one per predictor.
///
/// # Errors
/// If the sample cannot be cut.
pub fn traces(
    store: &ScanStore,
    layout: &SegmentLayout,
    predictors: &[&dyn Predictor],
    seeds: &Seeds,
    dataset: &PreparedDataset,
) -> Result<DataFrame> {
    let crop = Crop {
        scan: 0,
        start_volume: 0,
    };
    let rng = &mut seeds.stream("trace-masks");
    let batch = single_masked_sample(store, crop, layout, TRACE_RATIO, rng)?;
    let [_, segments, n_rois, time] = batch.dims();
    let dt = store.dt_secs();
    let rois: Vec<usize> = (0..TRACE_ROIS.min(n_rois))
        .map(|i| (2 * i + 1) * n_rois / (2 * TRACE_ROIS.min(n_rois)))
        .collect();
    let valid: Vec<usize> = (0..segments).filter(|&s| batch.samples.valid[s]).collect();
    // Index of (roi, segment, volume) in [segments, rois, time], in the order of the rows.
    let mut index = Vec::new();
    for &roi in &rois {
        for &segment in &valid {
            index.extend((0..time).map(|t| (roi, segment, t)));
        }
    }
    let at = |&(roi, segment, t): &(usize, usize, usize)| (segment * n_rois + roi) * time + t;
    let pick = |values: &[f32]| index.iter().map(|i| values[at(i)]).collect::<Vec<f32>>();
    let scan = store.scans()[0].scan.to_string();
    let names = &dataset.atlas().rois;
    let mut columns: Vec<Column> = vec![
        Series::new("scan".into(), vec![scan; index.len()]).into_column(),
        Series::new(
            "roi".into(),
            index
                .iter()
                .map(|(r, ..)| names[*r].name.clone())
                .collect::<Vec<_>>(),
        )
        .into_column(),
        Series::new("segment_secs".into(), vec![time as f64 * dt; index.len()]).into_column(),
        Series::new(
            "time_secs".into(),
            index
                .iter()
                .map(|(_, s, t)| (s * time + t) as f64 * dt)
                .collect::<Vec<_>>(),
        )
        .into_column(),
        Series::new("measured".into(), pick(&batch.samples.bold)).into_column(),
        Series::new(
            "hidden".into(),
            index
                .iter()
                .map(|(r, s, _)| batch.hidden[s * n_rois + r])
                .collect::<Vec<_>>(),
        )
        .into_column(),
    ];
    for predictor in predictors {
        let drawn = pick(&predictor.predict(&batch));
        columns.push(Series::new(predictor.name().into(), drawn).into_column());
    }
    Ok(DataFrame::new(index.len(), columns)?)
}

/// Cosine similarity of every pair of ROI vectors of every variant, and how well it separates the atlas's networks where it
/// has some.
///
/// # Errors
/// Never: the columns have one length.
pub fn roi_similarity(
    vectors: &[(&str, Tensor<2>)],
    atlas: &Atlas,
) -> Result<(DataFrame, Vec<(String, f64)>)> {
    let names: Vec<&str> = atlas.rois.iter().map(|roi| roi.name.as_str()).collect();
    let networks: Vec<Option<&str>> = atlas
        .rois
        .iter()
        .map(|roi| roi.network.as_deref())
        .collect();
    let n = names.len();
    let (mut variant, mut roi_a, mut roi_b, mut cosine) = (vec![], vec![], vec![], vec![]);
    let mut aurocs = Vec::new();
    for (name, vectors) in vectors {
        let [_, d_model] = vectors.dims();
        let values: Vec<f32> = vectors.clone().into_data().iter::<f32>().collect();
        let similarity = cosine_similarity(&values, d_model);
        for i in 0..n * n {
            variant.push(name.to_string());
            roi_a.push(names[i / n]);
            roi_b.push(names[i % n]);
        }
        if let Some(auroc) = network_auroc(&similarity, &networks) {
            aurocs.push((name.to_string(), auroc));
        }
        cosine.extend(similarity);
    }
    let table = df!("variant" => variant, "roi_a" => roi_a, "roi_b" => roi_b, "cosine" => cosine)?;
    Ok((table, aurocs))
}
