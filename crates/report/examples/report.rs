//! Report of a small experiment: made-up errors and losses, written as one HTML page.

use brainmae_report::reconstruction::{
    Curve, MeanInterval, NetworkSimilarity, ReportData, RoiSimilarity, Score, TrainingError, render,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let score = |predictor: &str, mask_ratio: f64, mean: f64| Score {
        predictor: predictor.to_string(),
        mask_ratio,
        mse: MeanInterval {
            mean,
            low: mean - 0.03,
            high: mean + 0.03,
        },
        n_units: 24,
        training: Some(TrainingError {
            mse: mean - 0.05,
            n_scans: 20,
        }),
    };
    let loss = |name: &str, n: u32, floor: f64| Curve {
        variant: "sg".to_string(),
        name: name.to_string(),
        points: (0..n)
            .map(|i| f64::from(i) / f64::from(n))
            .map(|x| (1000.0 * x, floor + (-5.0 * x).exp()))
            .collect(),
    };
    let rois: Vec<String> = (1..=6).map(|i| format!("roi {i}")).collect();
    // The first three ROIs are one network, the others a second one.
    let same = |i: usize, j: usize| i / 3 == j / 3;
    let cosine = |i: usize, j: usize| match i == j {
        true => 1.0,
        false => 0.4 * f32::from(u8::from(same(i, j))) - 0.1,
    };
    let data = ReportData {
        title: "example".to_string(),
        lead: "How well is a hidden ROI predicted from the others?".to_string(),
        unit: "24 held-out subjects".to_string(),
        scores: [0.3, 0.5, 0.7]
            .into_iter()
            .flat_map(|ratio| {
                [
                    score("BrainMAE sg", ratio, 0.3 + 0.4 * ratio),
                    score("linear", ratio, 0.32 + 0.4 * ratio),
                    score("zero", ratio, 1.0),
                ]
            })
            .collect(),
        curves: vec![
            loss("train/loss", 200, 0.45),
            loss("validation/loss_hidden", 10, 0.5),
        ],
        similarity: vec![NetworkSimilarity {
            similarity: RoiSimilarity {
                variant: "sg".to_string(),
                cosine: (0..36).map(|pair| cosine(pair / 6, pair % 6)).collect(),
                rois,
            },
            networks: (0..6).map(|i| Some(format!("network {}", i / 3))).collect(),
            auroc: Some(1.0),
        }],
        ..ReportData::default()
    };
    let page = render(&data)?;

    let folder = std::env::temp_dir().join("brainmae-report-example");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join("report.html");
    std::fs::write(&path, &page)?;
    println!("{}: {} kB", path.display(), page.len() / 1000);
    Ok(())
}
