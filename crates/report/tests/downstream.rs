//! Tests of the report of predictions, from synthetic predictions in a run folder.

use std::collections::BTreeMap;
use std::path::Path;

use brainmae_data::{SubjectId, SubjectRecord};
use brainmae_downstream::notes::{self, LeftOutScan, SegmentOnset, TargetNotes};
use brainmae_downstream::{
    DownstreamError, Prediction, Predictions, Repeated, Results, ResultsSpec, Subgroups,
};
use brainmae_files::FileError;
use brainmae_report::ReportError;
use brainmae_report::downstream::{ReportData, Setting, render};
use brainmae_run::table::write_table;
use brainmae_run::{RunError, Seeds};
use brainmae_table::{Column, Table};
use rand::RngExt;
use tempfile::TempDir;

const AGE: &str = "<i>age</i>_years";
const STATE: &str = "state & \"mood\"";
const EVIL: &str = "<b>&\"x\"</b>";

/// Approximately normal noise: the sum of twelve uniform numbers.
fn noise(rng: &mut impl RngExt) -> f64 {
    (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0
}

/// A prediction by `model` for subject `i` of 40, in one of five folds.
fn blank(target: &str, model: &str, share: f64, i: usize) -> Prediction {
    Prediction {
        target: target.into(),
        model: model.into(),
        train_share: share,
        fold: i as u32 / 8,
        scan: Some(format!("sub-{i:02}_rest")),
        subject: format!("sub-{i:02}"),
        unit: format!("subject sub-{i:02}"),
        start_secs: None,
        truth: 0.0,
        output: vec![],
        blind: vec![],
        n_train_units: (32.0 * share) as u32,
        confounds: vec![],
    }
}

/// Predicted ages of 40 subjects: signal in proportion to skill, and some motion.
fn ages(model: &str, share: f64, skill: f64) -> Vec<Prediction> {
    let truths = &mut Seeds::new(1).stream("ages");
    let noises = &mut Seeds::new(1).stream(&format!("{model} {share}"));
    let of = |i| {
        let (z, fd) = (noise(truths), noise(truths));
        let skill = skill * share.powf(0.3);
        let predicted = 35.0 + 8.0 * (skill * z + (1.0 - skill) * 0.7 * noise(noises) + 0.2 * fd);
        Prediction {
            truth: 35.0 + 8.0 * z,
            output: vec![predicted],
            blind: vec![35.0],
            confounds: vec![
                Some(0.2 + 0.04 * fd),
                (i != 3).then_some(f64::from(i as u8 % 2)),
            ],
            ..blank(AGE, model, share, i)
        }
    };
    (0..40).map(of).collect()
}

/// Predictions of six segments of each of 40 subjects, 4 s apart: classes are most distinct 8 s
/// after the onset.
fn states(model: &str, share: f64, skill: f64, n_classes: usize) -> Vec<Prediction> {
    let truths = &mut Seeds::new(2).stream("states");
    let noises = &mut Seeds::new(2).stream(&format!("{model} {share}"));
    let mut rows = Vec::new();
    for i in 0..40 {
        for segment in 0..6 * n_classes {
            let truth = segment / 6;
            let since = 4.0 * (segment % 6) as f64 - 4.0;
            let seen = skill * (-((since - 8.0) / 6.0).powi(2)).exp() * share.sqrt();
            let mut p: Vec<f64> = (0..n_classes).map(|_| noise(noises).exp()).collect();
            p[truth] *= (3.0 * seen).exp();
            let sum: f64 = p.iter().sum();
            p.iter_mut().for_each(|p| *p /= sum);
            rows.push(Prediction {
                start_secs: Some(4.0 * segment as f64),
                truth: truth as f64,
                output: p,
                blind: vec![1.0 / n_classes as f64; n_classes],
                confounds: vec![Some(0.2 + 0.04 * noise(truths)), None],
                ..blank(STATE, model, share, i)
            });
        }
    }
    rows
}

fn notes_of(n_classes: usize) -> BTreeMap<String, TargetNotes> {
    let age = TargetNotes {
        unit: Some("<u>years</u>".into()),
        left_out: vec![LeftOutScan {
            scan: EVIL.into(),
            subject: "sub-99".into(),
            reason: "age <missing>".into(),
        }],
        ..TargetNotes::default()
    };
    let onset = |i: usize, segment: usize| SegmentOnset {
        scan: format!("sub-{i:02}_rest"),
        start_secs: 4.0 * segment as f64,
        since_onset_secs: 4.0 * (segment % 6) as f64 - 4.0,
    };
    let segments = (0..40).flat_map(|i| (0..6 * n_classes).map(move |segment| onset(i, segment)));
    let classes = ["<u>face</u>", "place", "a rather long name of a condition"];
    let classes = (0..n_classes).map(|k| match classes.get(k) {
        Some(name) => name.to_string(),
        None => format!("condition {k}"),
    });
    let state = TargetNotes {
        classes: classes.collect(),
        n_mixed: 17,
        onsets: segments.collect(),
        ..TargetNotes::default()
    };
    BTreeMap::from([(AGE.to_string(), age), (STATE.to_string(), state)])
}

/// Writes tables and notes to a new folder; `change` may damage the results.
fn run(
    rows: Vec<Prediction>,
    n_classes: usize,
    permutations: usize,
    change: impl Fn(Table) -> Table,
) -> (TempDir, Setting) {
    let setting = Setting {
        title: EVIL.into(),
        lead: "Synthetic predictions <u>of nobody</u>.".into(),
        spec: ResultsSpec {
            resamples: 100,
            permutations,
            ..ResultsSpec::default()
        },
        seed: 3,
        facts: vec![],
    };
    let confounds = vec!["mean_fd_mm".to_string(), "<u>sex</u>".to_string()];
    let predictions = Predictions::new(confounds, rows).unwrap();
    let results = Results::new(&predictions, &setting.spec, &Seeds::new(setting.seed));
    let folder = tempfile::tempdir().unwrap();
    write_table(
        folder.path(),
        "predictions",
        &predictions.to_table().unwrap(),
    )
    .unwrap();
    let results = change(results.to_table().unwrap());
    write_table(folder.path(), "results", &results).unwrap();
    notes::write(folder.path(), &notes_of(n_classes)).unwrap();
    (folder, setting)
}

fn page(rows: Vec<Prediction>, n_classes: usize, permutations: usize) -> String {
    let (folder, setting) = run(rows, n_classes, permutations, |table| table);
    render(&ReportData::read(folder.path(), setting).unwrap()).unwrap()
}

/// People of two sexes, twenty of each, at two sites, of which the second has four people.
fn people() -> Vec<SubjectRecord> {
    let person = |i: usize| {
        let sex = if i.is_multiple_of(2) { "F" } else { "M" };
        let site = if i < 36 { EVIL } else { "small" };
        let categories = [("sex", sex), ("site", site)];
        let categories = categories.map(|(key, value)| (key.to_string(), value.to_string()));
        SubjectRecord {
            subject: SubjectId::new(format!("sub-{i:02}")),
            family: None,
            targets: [("age_years".to_string(), 20.0 + i as f64)].into(),
            categories: categories.into(),
        }
    };
    (0..40).map(person).collect()
}

/// The rows of the named section of the first target.
fn section<'a>(page: &'a str, name: &str) -> &'a str {
    let id = format!("<section id=\"target-1-{name}\">");
    let (_, text) = page.split_once(&id).unwrap_or_else(|| panic!("no {id}"));
    text.split_once("</section>").unwrap().0
}

#[test]
fn subgroups_and_repeated_folds_are_shown_where_the_run_has_them() {
    let rows = [("BrainMAE", 0.7), ("FC + ridge", 0.8), ("constant", 0.1)];
    let rows = || {
        rows.into_iter()
            .flat_map(|(model, skill)| ages(model, 1.0, skill))
    };
    let (folder, setting) = run(rows().collect(), 3, 19, |table| table);
    let without = ReportData::read(folder.path(), setting.clone()).unwrap();
    let without = render(&without).unwrap();
    for name in ["subgroups", "repeated"] {
        assert!(!without.contains(&format!("target-1-{name}")), "{name}");
    }

    let read = ReportData::read(folder.path(), setting.clone()).unwrap();
    let seeds = Seeds::new(setting.seed);
    let subgroups = Subgroups::new(&read.predictions, &people(), &setting.spec, &seeds);
    let women = subgroups.rows().iter().find(|row| {
        let is_score = row.score.is_primary() && row.model == "FC + ridge";
        row.group.name == "F" && is_score
    });
    let women = format!("{:.3}", women.unwrap().value.unwrap()).replace('-', "−");
    write_table(folder.path(), "subgroups", &subgroups.to_table().unwrap()).unwrap();
    let linear = |rows: Vec<Prediction>| {
        let linear = rows.into_iter().filter(|row| row.model != "BrainMAE");
        Predictions::new(read.predictions.confounds().to_vec(), linear.collect()).unwrap()
    };
    let moved = rows().map(|row| Prediction {
        fold: (row.fold + u32::from(row.subject.as_str() > "sub-20")) % 5,
        ..row
    });
    let repeats = [linear(rows().collect()), linear(moved.collect())];
    let repeated = Repeated::new(&repeats, &setting.spec);
    write_table(folder.path(), "repeated", &repeated.to_table().unwrap()).unwrap();

    let page = render(&ReportData::read(folder.path(), setting).unwrap()).unwrap();
    leave("downstream-subgroups.html", &page);
    let figure = section(&page, "subgroups");
    assert_eq!(figure.matches("role=\"img\"").count(), 1);
    // Two sexes, three thirds of age and of motion, one site of 36 people: a row of the table each.
    assert_eq!(figure.matches("<th scope=\"row\">").count(), 9);
    // Both models have a mark with a rim for each group, beside the two of the legend.
    assert_eq!(figure.matches("<polygon").count(), 2 * 2 * 9 + 2);
    assert!(figure.contains(&women), "{women}");
    for words in [
        "sex: F",
        "age: lowest third",
        "motion: highest third",
        "FC + ridge, R²",
    ] {
        assert!(figure.contains(words), "{words}");
    }
    assert!(!figure.contains("small") && !figure.contains("constant"));
    let table = section(&page, "repeated");
    for words in [
        "on 2 more partitions into 5 folds",
        "Difference to FC + ridge",
        "itself",
    ] {
        assert!(table.contains(words), "{words}");
    }
    for markup in ["<b>", "<i>", "<u>", "<script", "src=", "http", "url("] {
        assert!(!page.contains(markup), "{markup}");
    }
}

/// Leaves the page where the gate `browser` of `cargo ci` looks for it.
fn leave(name: &str, page: &str) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(folder.join(name), page).unwrap();
}

const MODELS: [(&str, f64, f64); 4] = [
    ("BrainMAE", 0.7, 0.9),
    ("FC + ridge", 0.8, 0.6),
    ("FC + logistic", 0.5, 0.7),
    (EVIL, 0.1, 0.0),
];

fn both_targets() -> Vec<Prediction> {
    let mut rows = Vec::new();
    for share in [0.25, 1.0] {
        for (model, of_age, of_state) in MODELS {
            rows.extend(ages(model, share, of_age));
            rows.extend(states(model, share, of_state, 3));
        }
    }
    rows
}

#[test]
fn everything_is_on_the_page_and_nothing_is_taken_for_markup() {
    let page = page(both_targets(), 3, 499);
    leave("downstream.html", &page);
    for (target, sections) in [
        (
            "target-1",
            "scores table truth efficiency motion removal design left-out",
        ),
        (
            "target-2",
            "scores table confusion calibration onset efficiency motion removal design left-out",
        ),
    ] {
        for section in sections.split(' ') {
            let id = format!("<section id=\"{target}-{section}\">");
            let (_, text) = page.split_once(&id).unwrap_or_else(|| panic!("no {id}"));
            let (text, _) = text.split_once("</section>").unwrap();
            let plotted = !["table", "design", "left-out"].contains(&section);
            assert_eq!(plotted, text.contains("role=\"img\""), "{id}");
        }
    }
    for words in [
        "In short",
        "How numbers are computed",
        "results.parquet",
        "Calibration slope</th>",
        "Calibration in the large</th>",
        "predictions are shrunk",
        "age &lt;missing&gt;",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(page.contains("loses to FC + ridge") && page.contains("Mixed segments"));
    for markup in ["<b>", "<i>", "<u>", "<script", "src=", "http", "url("] {
        assert!(!page.contains(markup), "{markup}");
    }
    assert!(!page.contains("NaN") && !page.contains(">inf"));
    for drawn in page.split("<svg").skip(1) {
        let (drawn, _) = drawn.split_once("</svg>").unwrap();
        assert!(
            drawn.contains("<polygon")
                || drawn.contains("<path")
                || drawn.contains("<rect")
                || drawn.contains("<text")
        );
    }
    assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
}

#[test]
fn twenty_models_and_ten_classes_have_room() {
    let mut rows = Vec::new();
    for i in 0..20 {
        let model = match i {
            0 => "BrainMAE".to_string(),
            1 => "FC + logistic".to_string(),
            _ => format!("supervised encoder from scratch, variant {i}"),
        };
        let own = states(&model, 1.0, 0.1 * f64::from(i % 10), 10);
        rows.extend(own.into_iter().filter(|row| row.fold < 3));
    }
    let page = page(rows, 10, 19);
    leave("downstream-large.html", &page);
    assert_eq!(
        page.matches("<th scope=\"row\" class=\"model\">").count(),
        20
    );
    assert!(!page.contains("Label efficiency"), "there is one share");
}

#[test]
fn scores_that_are_all_undefined_are_dashes() {
    let empty = |table: Table| {
        let is_score = |name: &str| {
            name != "train_share" && !name.ends_with("n_units") && !table.is_text(name).unwrap()
        };
        let scores = table.names().filter(|name| is_score(name));
        scores.fold(table.clone(), |changed, name| {
            let nulls = vec![None::<f64>; table.height()];
            changed.with_column(Column::new(name, nulls)).unwrap()
        })
    };
    let (folder, setting) = run(both_targets(), 3, 19, empty);
    let page = render(&ReportData::read(folder.path(), setting).unwrap()).unwrap();
    assert_eq!(
        page.matches("No model has a score that is defined").count(),
        6
    );
    assert!(page.contains("<td>–") && !page.contains("NaN"));
}

#[test]
fn what_is_missing_is_named() {
    let (folder, setting) = run(ages("BrainMAE", 1.0, 0.5), 3, 19, |table| table);
    std::fs::remove_file(folder.path().join("classes.json")).unwrap();
    let error = ReportData::read(folder.path(), setting).unwrap_err();
    let ReportError::Downstream(error) = error else {
        panic!("not an error of predictions: {error}");
    };
    let DownstreamError::Run(RunError::Files(FileError::Io { path, .. })) = *error else {
        panic!("not a file that cannot be read: {error}");
    };
    assert!(path.ends_with("classes.json"), "{path:?}");
}
