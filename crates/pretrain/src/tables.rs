//! Tables of reconstruction: scores, example traces and the similarity of ROI vectors, with writing
//! and reading.

use brainmae_statistics::MeanInterval;
use brainmae_table::{Column, Table};

use crate::PretrainError;
use crate::reconstruction::{ScanScore, Score, TrainingError};
use crate::roi_similarity::RoiSimilarity;
use crate::traces::Trace;

fn texts<T>(name: &str, rows: &[T], of: fn(&T) -> &String) -> Column {
    Column::new(name, rows.iter().map(of))
}

fn numbers<T>(name: &str, rows: &[T], of: fn(&T) -> f64) -> Column {
    Column::new(name, rows.iter().map(of))
}

impl ScanScore {
    /// One row per predictor, mask ratio and scan.
    ///
    /// # Errors
    /// [`PretrainError::Table`].
    pub fn to_table(scores: &[Self]) -> Result<Table, PretrainError> {
        let columns = vec![
            texts("predictor", scores, |s| &s.predictor),
            numbers("mask_ratio", scores, |s| s.mask_ratio),
            texts("subject", scores, |s| &s.subject),
            texts("scan", scores, |s| &s.scan),
            numbers("mse", scores, |s| s.mse),
        ];
        Ok(Table::new(scores.len(), columns)?)
    }

    /// Reads the output of [`to_table`](Self::to_table).
    ///
    /// # Errors
    /// [`PretrainError::Table`] if a column is missing, has another type, or has nulls.
    pub fn from_table(table: &Table) -> Result<Vec<Self>, PretrainError> {
        let predictor = table.texts("predictor")?;
        let mask_ratio = table.numbers("mask_ratio")?;
        let (subject, scan) = (table.texts("subject")?, table.texts("scan")?);
        let mse = table.numbers("mse")?;
        let row = |i: usize| Self {
            predictor: predictor[i].clone(),
            mask_ratio: mask_ratio[i],
            scan: scan[i].clone(),
            subject: subject[i].clone(),
            mse: mse[i],
        };
        Ok((0..table.height()).map(row).collect())
    }
}

impl Score {
    /// One row per predictor and mask ratio, with the interval over units.
    ///
    /// # Errors
    /// [`PretrainError::Table`].
    pub fn to_table(scores: &[Self]) -> Result<Table, PretrainError> {
        let columns = vec![
            texts("predictor", scores, |s| &s.predictor),
            numbers("mask_ratio", scores, |s| s.mask_ratio),
            numbers("mse", scores, |s| s.mse.mean),
            numbers("mse_low", scores, |s| s.mse.low),
            numbers("mse_high", scores, |s| s.mse.high),
            Column::new("n_units", scores.iter().map(|s| s.n_units as u32)),
            Column::new(
                "train_mse",
                scores.iter().map(|s| s.training.map(|t| t.mse)),
            ),
            Column::new(
                "n_train_scans",
                scores
                    .iter()
                    .map(|s| s.training.map_or(0, |t| t.n_scans) as u32),
            ),
        ];
        Ok(Table::new(scores.len(), columns)?)
    }

    /// Reads the output of [`to_table`](Self::to_table), or of an earlier version without errors on
    /// training scans.
    ///
    /// # Errors
    /// [`PretrainError::Table`] if a column is missing, has another type, or has nulls.
    pub fn from_table(table: &Table) -> Result<Vec<Self>, PretrainError> {
        let (train_mse, n_train_scans) = match table.names().any(|name| name == "train_mse") {
            true => (
                table.optional_numbers("train_mse")?,
                table.numbers("n_train_scans")?,
            ),
            false => (vec![None; table.height()], vec![0.0; table.height()]),
        };
        let predictor = table.texts("predictor")?;
        let mask_ratio = table.numbers("mask_ratio")?;
        let mean = table.numbers("mse")?;
        let (low, high) = (table.numbers("mse_low")?, table.numbers("mse_high")?);
        let n_units = table.numbers("n_units")?;
        let row = |i: usize| Self {
            predictor: predictor[i].clone(),
            mask_ratio: mask_ratio[i],
            mse: MeanInterval {
                mean: mean[i],
                low: low[i],
                high: high[i],
            },
            n_units: n_units[i] as usize,
            training: train_mse[i].map(|mse| TrainingError {
                mse,
                n_scans: n_train_scans[i] as usize,
            }),
        };
        Ok((0..table.height()).map(row).collect())
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
    /// [`PretrainError::Table`], for example if traces have different predictors.
    pub fn to_table(traces: &[Self]) -> Result<Table, PretrainError> {
        let per_volume = |of: &dyn Fn(&Trace) -> String| -> Vec<String> {
            let of_trace = |trace: &Trace| vec![of(trace); trace.measured.len()];
            traces.iter().flat_map(of_trace).collect()
        };
        let segment_secs: Vec<f64> = (traces.iter())
            .flat_map(|trace| vec![trace.segment_secs; trace.measured.len()])
            .collect();
        let measured: Vec<f32> = traces.iter().flat_map(|t| t.measured.clone()).collect();
        let mut columns = vec![
            Column::new("scan", per_volume(&|trace| trace.scan.clone())),
            Column::new("roi", per_volume(&|trace| trace.roi.clone())),
            Column::new("segment_secs", segment_secs),
            Column::new("time_secs", traces.iter().flat_map(|t| t.time_secs.clone())),
            Column::new("measured", measured.iter().copied()),
            Column::new("hidden", traces.iter().flat_map(|t| t.hidden.clone())),
        ];
        for (i, (name, _)) in traces
            .first()
            .map_or(&[][..], |t| &t.drawn)
            .iter()
            .enumerate()
        {
            let drawn = traces.iter().filter_map(|trace| trace.drawn.get(i));
            let drawn = drawn.flat_map(|(_, values)| values.iter().copied());
            columns.push(Column::new(name, drawn));
        }
        Ok(Table::new(measured.len(), columns)?)
    }

    /// Reads the output of [`to_table`](Self::to_table).
    ///
    /// # Errors
    /// [`PretrainError::Table`] if a column is missing, has another type, or has nulls.
    pub fn from_table(table: &Table) -> Result<Vec<Self>, PretrainError> {
        let (scan, roi) = (table.texts("scan")?, table.texts("roi")?);
        let segment_secs = table.numbers("segment_secs")?;
        let time_secs = table.numbers("time_secs")?;
        let measured = table.numbers("measured")?;
        let hidden = table.flags("hidden")?;
        let mut drawn = Vec::new();
        for name in table.names() {
            if !TRACE_COLUMNS.contains(&name) {
                drawn.push((name.to_string(), table.numbers(name)?));
            }
        }
        let mut traces: Vec<Trace> = Vec::new();
        for i in 0..table.height() {
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
    /// [`PretrainError::Table`].
    pub fn to_table(all: &[Self]) -> Result<Table, PretrainError> {
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
        let columns = vec![
            Column::new("variant", variant),
            Column::new("roi_a", roi_a),
            Column::new("roi_b", roi_b),
            Column::new("cosine", cosine.iter().copied()),
        ];
        Ok(Table::new(cosine.len(), columns)?)
    }

    /// Reads the output of [`to_table`](Self::to_table).
    ///
    /// # Errors
    /// [`PretrainError::Table`] if a column is missing, has another type, or has nulls.
    pub fn from_table(table: &Table) -> Result<Vec<Self>, PretrainError> {
        let (variant, roi) = (table.texts("variant")?, table.texts("roi_b")?);
        let cosine = table.numbers("cosine")?;
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
    fn scores_come_back_from_their_tables() {
        let of_scan = |scan: &str, mse| ScanScore {
            predictor: "linear".into(),
            mask_ratio: 0.3,
            scan: scan.into(),
            subject: "a".into(),
            mse,
        };
        let of_scans = [of_scan("a1", 0.1 + 0.2), of_scan("a2", 1.0)];
        let table = ScanScore::to_table(&of_scans).expect("columns of one length");
        assert_eq!(ScanScore::from_table(&table).expect("as written"), of_scans);
        let score = |training| Score {
            predictor: "BrainMAE sg".into(),
            mask_ratio: 0.5,
            mse: MeanInterval {
                mean: 0.5,
                low: 0.25,
                high: 0.75,
            },
            n_units: 12,
            training,
        };
        let seen = TrainingError {
            mse: 0.375,
            n_scans: 20,
        };
        let scores = [score(Some(seen)), score(None)];
        let table = Score::to_table(&scores).expect("columns of one length");
        assert_eq!(Score::from_table(&table).expect("as written"), scores);
        // Runs of earlier versions have no errors on training scans.
        let without = table.without("train_mse").expect("a column");
        let without = without.without("n_train_scans").expect("a column");
        let earlier = [score(None), score(None)];
        assert_eq!(Score::from_table(&without).expect("as written"), earlier);
        let without = table.without("mse_low").expect("a column");
        let error = Score::from_table(&without).expect_err("a column is missing");
        assert!(matches!(error, PretrainError::Table(_)), "{error}");
    }

    #[test]
    fn traces_come_back_from_their_table() {
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
        let table = Trace::to_table(&traces).expect("columns of one length");
        assert_eq!(Trace::from_table(&table).expect("as written"), traces);
        let none = Trace::to_table(&[]).expect("columns of one length");
        assert_eq!(none.height(), 0);
    }

    #[test]
    fn similarities_come_back_from_their_table() {
        let similarity = |variant: &str| RoiSimilarity {
            variant: variant.into(),
            rois: vec!["vis".into(), "mot".into()],
            cosine: vec![1.0, 0.1, 0.1, 1.0],
        };
        let all = [similarity("sg"), similarity("ag")];
        let table = RoiSimilarity::to_table(&all).expect("columns of one length");
        assert_eq!(RoiSimilarity::from_table(&table).expect("as written"), all);
    }
}
