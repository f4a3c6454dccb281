//! Tests of the whole page.

use super::*;

fn score(predictor: &str, mask_ratio: f64, mse: f64) -> Score {
    Score {
        predictor: predictor.to_string(),
        mask_ratio,
        mse: MeanInterval {
            mean: mse,
            low: mse - 0.02,
            high: mse + 0.02,
        },
        n_units: 3,
        training: Some(TrainingError {
            mse: 0.9 * mse,
            n_scans: 5,
        }),
    }
}

fn curve(name: &str, n: u32) -> Curve {
    Curve {
        variant: "sg".to_string(),
        name: name.to_string(),
        points: (0..n)
            .map(|i| (f64::from(i), 1.0 / f64::from(i + 1)))
            .collect(),
    }
}

/// A small page with all of its sections; every word contains characters to be escaped.
fn full() -> ReportData {
    let evil = "<b>&\"x\"</b>".to_string();
    let n = 6;
    ReportData {
        title: evil.clone(),
        lead: evil.clone(),
        facts: vec![FactGroup {
            name: evil.clone(),
            rows: vec![(evil.clone(), evil.clone())],
        }],
        unit: evil.clone(),
        scores: vec![
            score("BrainMAE <sg>", 0.5, 0.6),
            score("BrainMAE <sg>", 0.7, f64::NAN),
            score("linear & co", 0.5, 0.4),
        ],
        curves: vec![curve("train/loss", 300), curve("validation/<loss>", 5)],
        traces: vec![Trace {
            scan: evil.clone(),
            roi: evil.clone(),
            segment_secs: 4.0,
            time_secs: (0..20).map(|i| f64::from(i) * 2.0).collect(),
            measured: (0..20).map(|i| (i as f32).sin()).collect(),
            hidden: (0..20).map(|i| i / 5 == 1).collect(),
            drawn: vec![(evil.clone(), vec![0.5; 20])],
        }],
        similarity: vec![NetworkSimilarity {
            similarity: RoiSimilarity {
                variant: evil.clone(),
                rois: vec![evil.clone(); n],
                cosine: (0..n * n).map(|i| (i as f32 / 10.0).sin()).collect(),
            },
            networks: vec![Some(evil.clone()); n],
            auroc: Some(0.7),
        }],
        excluded: vec![(evil.clone(), evil.clone())],
        warnings: vec![evil],
    }
}

#[test]
fn the_page_loads_nothing_from_elsewhere() {
    let page = render(&full()).unwrap();
    for word in ["src=", "http", "@import", "url(", "<script"] {
        assert!(!page.contains(word), "{word}");
    }
    let links = page.matches("href=").count();
    let own = page.matches("href=\"#").count() + page.matches("href=\"data:,\"").count();
    assert_eq!(links, own);
}

#[test]
fn words_of_the_data_are_escaped_everywhere() {
    let page = render(&full()).unwrap();
    assert!(!page.contains("<b>"));
    assert!(!page.contains("<sg>"));
    assert!(!page.contains("<loss>"));
    assert!(!page.contains("linear & co"));
    assert!(page.contains("BrainMAE &lt;sg&gt;"));
}

#[test]
fn every_figure_is_drawn() {
    let page = render(&full()).unwrap();
    assert_eq!(page.matches("<figure>").count(), 4);
    assert_eq!(page.matches("role=\"img\"").count(), 4);
    assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
}

#[test]
fn a_loss_is_told_and_the_best_is_bold() {
    let page = render(&full()).unwrap();
    assert!(page.contains("It loses to linear &amp; co (0.400; intervals do not overlap)."));
    assert!(page.contains("<td><strong>0.400</strong>"));
    assert!(!page.contains("<strong>0.600"));
}

#[test]
fn nothing_to_show_is_said() {
    let page = render(&ReportData::default()).unwrap();
    for words in [
        "There are no scores of BrainMAE to sum up.",
        "There are no scores.",
        "There are no finite scores to plot.",
        "There are no losses to plot.",
        "There are no time courses to plot.",
        "There are no ROI vectors to compare.",
        "No scan was left out.",
        "No facts were recorded.",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("<svg"));
}

#[test]
fn numbers_that_are_not_finite_are_dashes_and_in_no_plot() {
    let mut data = full();
    for row in &mut data.scores {
        (row.mse.low, row.mse.high) = (f64::NAN, f64::INFINITY);
    }
    data.scores.push(score("zero", f64::NAN, 1.0));
    data.scores.push(score("zero", 0.5, f64::INFINITY));
    data.curves[0].points[3].1 = f64::NAN;
    data.curves[0].points[4].0 = f64::INFINITY;
    data.traces[0].measured[2] = f32::NAN;
    data.traces[0].time_secs[9] = f64::NAN;
    data.traces[0].drawn[0].1[6] = f32::INFINITY;
    data.similarity[0].similarity.cosine[1] = f32::NAN;
    data.similarity[0].auroc = Some(f64::NAN);
    let page = render(&data).unwrap();
    assert!(!page.contains("NaN") && !page.contains("inf"));
    assert!(page.contains("<td>–</td>"));
    // Non-finite coordinates would become these whole numbers, far beyond any plot.
    assert!(!page.contains("2147483647") && !page.contains("-2147483648"));

    data.scores
        .iter_mut()
        .for_each(|row| row.mse.mean = f64::NAN);
    data.curves
        .iter_mut()
        .for_each(|c| c.points.iter_mut().for_each(|p| p.1 = f64::NAN));
    data.traces[0].time_secs.fill(f64::NAN);
    data.similarity[0].similarity.cosine.fill(f32::NAN);
    assert!(!render(&data).unwrap().contains("<figure>"));
}

#[test]
fn lengths_that_do_not_agree_are_an_error_with_their_values() {
    let mut data = full();
    data.traces[0].hidden.pop();
    assert!(matches!(
        render(&data),
        Err(ReportError::TraceLength {
            found: 19,
            expected: 20,
            ..
        })
    ));
    let mut data = full();
    data.similarity[0].similarity.cosine.pop();
    assert!(matches!(
        render(&data),
        Err(ReportError::SimilaritySize {
            rois: 6,
            networks: 6,
            similarities: 35,
            ..
        })
    ));
}
