//! Tables of reconstruction: scores, example traces and the similarity of ROI vectors, with writing
//! and reading.

use brainmae_run::table::Columns;
use brainmae_statistics::MeanInterval;
use polars::df;
use polars::prelude::{Column, DataFrame};

use crate::PretrainError;
use crate::reconstruction::{ScanScore, Score};
use crate::roi_similarity::RoiSimilarity;
use crate::traces::Trace;

fn texts<T>(rows: &[T], of: impl Fn(&T) -> &String) -> Vec<&str> {
    rows.iter().map(|row| of(row).as_str()).collect()
}

fn numbers<T>(rows: &[T], of: impl Fn(&T) -> f64) -> Vec<f64> {
    rows.iter().map(of).collect()
}

impl ScanScore {
    /// One row per predictor, mask ratio and scan.
    ///
    /// # Errors
    /// [`PretrainError::Table`] from polars.
    pub fn to_frame(scores: &[Self]) -> Result<DataFrame, PretrainError> {
        Ok(df!(
            "predictor" => texts(scores, |s| &s.predictor),
            "mask_ratio" => numbers(scores, |s| s.mask_ratio),
            "subject" => texts(scores, |s| &s.subject),
            "scan" => texts(scores, |s| &s.scan),
            "mse" => numbers(scores, |s| s.mse),
        )?)
    }

    /// Reads the output of [`to_frame`](Self::to_frame).
    ///
    /// # Errors
    /// [`PretrainError::Table`] if a column is missing, has another type, or has nulls.
    pub fn from_frame(frame: &DataFrame) -> Result<Vec<Self>, PretrainError> {
        let columns = Columns(frame);
        let predictor = columns.texts("predictor")?;
        let mask_ratio = columns.numbers("mask_ratio")?;
        let (subject, scan) = (columns.texts("subject")?, columns.texts("scan")?);
        let mse = columns.numbers("mse")?;
        let row = |i: usize| Self {
            predictor: predictor[i].clone(),
            mask_ratio: mask_ratio[i],
            scan: scan[i].clone(),
            subject: subject[i].clone(),
            mse: mse[i],
        };
        Ok((0..frame.height()).map(row).collect())
    }
}

impl Score {
    /// One row per predictor and mask ratio, with the interval over units.
    ///
    /// # Errors
    /// [`PretrainError::Table`] from polars.
    pub fn to_frame(scores: &[Self]) -> Result<DataFrame, PretrainError> {
        Ok(df!(
            "predictor" => texts(scores, |s| &s.predictor),
            "mask_ratio" => numbers(scores, |s| s.mask_ratio),
            "mse" => numbers(scores, |s| s.mse.mean),
            "mse_low" => numbers(scores, |s| s.mse.low),
            "mse_high" => numbers(scores, |s| s.mse.high),
            "n_units" => scores.iter().map(|s| s.n_units as u32).collect::<Vec<_>>(),
        )?)
    }

    /// Reads the output of [`to_frame`](Self::to_frame).
    ///
    /// # Errors
    /// [`PretrainError::Table`] if a column is missing, has another type, or has nulls.
    pub fn from_frame(frame: &DataFrame) -> Result<Vec<Self>, PretrainError> {
        let columns = Columns(frame);
        let predictor = columns.texts("predictor")?;
        let mask_ratio = columns.numbers("mask_ratio")?;
        let mean = columns.numbers("mse")?;
        let (low, high) = (columns.numbers("mse_low")?, columns.numbers("mse_high")?);
        let n_units = columns.numbers("n_units")?;
        let row = |i: usize| Self {
            predictor: predictor[i].clone(),
            mask_ratio: mask_ratio[i],
            mse: MeanInterval {
                mean: mean[i],
                low: low[i],
                high: high[i],
            },
            n_units: n_units[i] as usize,
        };
        Ok((0..frame.height()).map(row).collect())
    }
}

/// Columns of a table of traces that are not predictors.
const TRACE_COLUMNS: [&str; 6] = [
    "scan",
    "roi",
    "segment_secs",
    "time_secs",
    "measured",
    "hidden",
];

impl Trace {
    /// One row per ROI and volume; columns `scan, roi, segment_secs, time_secs, measured, hidden`
    /// and one per predictor.
    ///
    /// # Errors
    /// [`PretrainError::Table`] from polars, for example if traces have different predictors.
    pub fn to_frame(traces: &[Self]) -> Result<DataFrame, PretrainError> {
        let per_volume = |of: &dyn Fn(&Trace) -> String| -> Vec<String> {
            let of_trace = |trace: &Trace| vec![of(trace); trace.measured.len()];
            traces.iter().flat_map(of_trace).collect()
        };
        let segment_secs: Vec<f64> = (traces.iter())
            .flat_map(|trace| vec![trace.segment_secs; trace.measured.len()])
            .collect();
        let measured: Vec<f32> = traces.iter().flat_map(|t| t.measured.clone()).collect();
        let mut columns = vec![
            Column::new("scan".into(), per_volume(&|trace| trace.scan.clone())),
            Column::new("roi".into(), per_volume(&|trace| trace.roi.clone())),
            Column::new("segment_secs".into(), segment_secs),
            Column::new(
                "time_secs".into(),
                (traces.iter().flat_map(|t| t.time_secs.clone())).collect::<Vec<f64>>(),
            ),
            Column::new("measured".into(), &measured),
            Column::new(
                "hidden".into(),
                (traces.iter().flat_map(|t| t.hidden.clone())).collect::<Vec<bool>>(),
            ),
        ];
        for (i, (name, _)) in traces
            .first()
            .map_or(&[][..], |t| &t.drawn)
            .iter()
            .enumerate()
        {
            let drawn = traces.iter().filter_map(|trace| trace.drawn.get(i));
            let drawn: Vec<f32> = drawn.flat_map(|(_, values)| values.clone()).collect();
            columns.push(Column::new(name.into(), drawn));
        }
        Ok(DataFrame::new(measured.len(), columns)?)
    }

    /// Reads the output of [`to_frame`](Self::to_frame).
    ///
    /// # Errors
    /// [`PretrainError::Table`] if a column is missing, has another type, or has nulls.
    pub fn from_frame(frame: &DataFrame) -> Result<Vec<Self>, PretrainError> {
        let columns = Columns(frame);
        let (scan, roi) = (columns.texts("scan")?, columns.texts("roi")?);
        let segment_secs = columns.numbers("segment_secs")?;
        let time_secs = columns.numbers("time_secs")?;
        let measured = columns.numbers("measured")?;
        let hidden = columns.flags("hidden")?;
        let mut drawn = Vec::new();
        for column in frame.columns() {
            let name = column.name().as_str();
            if !TRACE_COLUMNS.contains(&name) {
                drawn.push((name.to_string(), columns.numbers(name)?));
            }
        }
        let mut traces: Vec<Trace> = Vec::new();
        for i in 0..frame.height() {
            let same = |trace: &Trace| trace.roi == roi[i] && trace.scan == scan[i];
            if !traces.last().is_some_and(same) {
                traces.push(Trace {
                    scan: scan[i].clone(),
                    roi: roi[i].clone(),
                    segment_secs: segment_secs[i],
                    time_secs: Vec::new(),
                    measured: Vec::new(),
                    hidden: Vec::new(),
                    drawn: (drawn.iter())
                        .map(|(name, _)| (name.clone(), Vec::new()))
                        .collect(),
                });
            }
            let Some(trace) = traces.last_mut() else {
                continue;
            };
            trace.time_secs.push(time_secs[i]);
            trace.measured.push(measured[i] as f32);
            trace.hidden.push(hidden[i]);
            for ((_, values), (_, column)) in trace.drawn.iter_mut().zip(&drawn) {
                values.push(column[i] as f32);
            }
        }
        Ok(traces)
    }
}

impl RoiSimilarity {
    /// One row per pair of ROIs and variant.
    ///
    /// # Errors
    /// [`PretrainError::Table`] from polars.
    pub fn to_frame(all: &[Self]) -> Result<DataFrame, PretrainError> {
        let (mut variant, mut roi_a, mut roi_b, mut cosine) = (vec![], vec![], vec![], vec![]);
        for similarity in all {
            let rois = &similarity.rois;
            for i in 0..rois.len() * rois.len() {
                variant.push(similarity.variant.as_str());
                roi_a.push(rois[i / rois.len()].as_str());
                roi_b.push(rois[i % rois.len()].as_str());
            }
            cosine.extend_from_slice(&similarity.cosine);
        }
        Ok(df!("variant" => variant, "roi_a" => roi_a, "roi_b" => roi_b, "cosine" => cosine)?)
    }

    /// Reads the output of [`to_frame`](Self::to_frame).
    ///
    /// # Errors
    /// [`PretrainError::Table`] if a column is missing, has another type, or has nulls.
    pub fn from_frame(frame: &DataFrame) -> Result<Vec<Self>, PretrainError> {
        let columns = Columns(frame);
        let (variant, roi) = (columns.texts("variant")?, columns.texts("roi_b")?);
        let cosine = columns.numbers("cosine")?;
        let mut all: Vec<Self> = Vec::new();
        for (i, variant) in variant.into_iter().enumerate() {
            if all.last().is_none_or(|last| last.variant != variant) {
                all.push(Self {
                    variant,
                    rois: Vec::new(),
                    cosine: Vec::new(),
                });
            }
            if let Some(similarity) = all.last_mut() {
                similarity.cosine.push(cosine[i] as f32);
                similarity.rois.push(roi[i].clone());
            }
        }
        for similarity in &mut all {
            // There is one row per pair, so the first row of the matrix names all ROIs.
            similarity.rois.truncate(similarity.cosine.len().isqrt());
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_come_back_from_their_frames() {
        let of_scan = |scan: &str, mse| ScanScore {
            predictor: "linear".into(),
            mask_ratio: 0.3,
            scan: scan.into(),
            subject: "a".into(),
            mse,
        };
        let of_scans = [of_scan("a1", 0.1 + 0.2), of_scan("a2", 1.0)];
        let frame = ScanScore::to_frame(&of_scans).expect("columns of one length");
        assert_eq!(ScanScore::from_frame(&frame).expect("as written"), of_scans);
        let scores = [Score {
            predictor: "BrainMAE sg".into(),
            mask_ratio: 0.5,
            mse: MeanInterval {
                mean: 0.5,
                low: 0.25,
                high: 0.75,
            },
            n_units: 12,
        }];
        let frame = Score::to_frame(&scores).expect("columns of one length");
        assert_eq!(Score::from_frame(&frame).expect("as written"), scores);
        let without = frame.drop("mse_low").expect("a column");
        let error = Score::from_frame(&without).expect_err("a column is missing");
        assert!(matches!(error, PretrainError::Table(_)), "{error}");
    }

    #[test]
    fn traces_come_back_from_their_frame() {
        let trace = |roi: &str| Trace {
            scan: "a1".into(),
            roi: roi.into(),
            segment_secs: 5.0,
            time_secs: vec![0.0, 2.5],
            measured: vec![0.5, -0.5],
            hidden: vec![true, false],
            drawn: vec![("linear".into(), vec![0.25, 0.1])],
        };
        let traces = [trace("vis"), trace("mot")];
        let frame = Trace::to_frame(&traces).expect("columns of one length");
        assert_eq!(Trace::from_frame(&frame).expect("as written"), traces);
        let none = Trace::to_frame(&[]).expect("columns of one length");
        assert_eq!(none.height(), 0);
    }

    #[test]
    fn similarities_come_back_from_their_frame() {
        let similarity = |variant: &str| RoiSimilarity {
            variant: variant.into(),
            rois: vec!["vis".into(), "mot".into()],
            cosine: vec![1.0, 0.1, 0.1, 1.0],
        };
        let all = [similarity("sg"), similarity("ag")];
        let frame = RoiSimilarity::to_frame(&all).expect("columns of one length");
        assert_eq!(RoiSimilarity::from_frame(&frame).expect("as written"), all);
    }
}
