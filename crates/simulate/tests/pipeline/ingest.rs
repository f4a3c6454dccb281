//! Simulated cohorts, from the files of a release to a prepared data set.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use brainmae_atlas::builtin;
use brainmae_data::ingest::{IngestSpec, ingest_folder, plan};
use brainmae_data::pipeline::quiet;
use brainmae_data::{
    CleaningStep, DataError, PrepareOptions, PrepareReport, PreparedDataset, ScanId, ScanStatus,
    find_duplicates,
};
use brainmae_simulate::cohort::{CohortLayout, CohortSpec, simulate_cohort};
use brainmae_studies::{LayoutName, NoteKind};

use crate::common::{OPTIONS, streams as stream};

const ATLAS: &str = "schaefer-100-7";

/// A cohort on disk and the output folder of its preparation.
struct Cohort {
    folder: tempfile::TempDir,
    layout: LayoutName,
}

impl Cohort {
    /// Four people, scans of 120 volumes.
    fn new(layout: LayoutName, change: impl FnOnce(&mut CohortSpec)) -> Self {
        let mut spec = CohortSpec {
            layout: match layout.as_str() {
                "hcp-aging" => CohortLayout::Aging,
                "nsd" => CohortLayout::Nsd,
                "xcpd" => CohortLayout::Xcpd,
                _ => CohortLayout::Hcp,
            },
            n_subjects: Some(4),
            n_volumes: Some(120),
            sessions: 1,
            runs_per_session: 2,
            ..CohortSpec::default()
        };
        change(&mut spec);
        let folder = tempfile::tempdir().unwrap();
        simulate_cohort(
            &spec,
            &builtin::atlas(ATLAS).unwrap(),
            &builtin::surface_labels(ATLAS).unwrap(),
            &folder.path().join("raw"),
            &stream,
            &mut quiet,
        )
        .unwrap();
        Self { folder, layout }
    }

    fn raw(&self) -> PathBuf {
        self.folder.path().join("raw")
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("prepared")
    }

    fn spec(&self) -> IngestSpec {
        let mut spec = IngestSpec::of_layout(self.layout, "cohort", ATLAS);
        spec.min_coverage = 0.0;
        if self.layout == LayoutName::NSD {
            spec.list.subject_labels = Some("labels/{subject}.nii.gz".into());
        }
        spec
    }

    fn ingest(&self, spec: &IngestSpec) -> Result<PrepareReport, DataError> {
        let options = PrepareOptions {
            overwrite: true,
            threads: 2,
        };
        ingest_folder(&self.raw(), &self.out(), spec, &options, &mut quiet)
    }

    fn prepared(&self) -> PreparedDataset {
        PreparedDataset::open(&self.out()).unwrap()
    }
}

#[test]
fn every_layout_is_prepared_and_only_the_planted_faults_are_left_out() {
    for (layout, dt_secs, failed, excluded) in [
        (LayoutName::HCP_YA, 0.72, 1, 0),
        // A truncated concatenation means four failed scans.
        (LayoutName::HCP_AGING, 0.8, 4, 0),
        (LayoutName::NSD, 4.0 / 3.0, 1, 0),
        // A missing ROI, and a scan with very few uncensored volumes.
        (LayoutName::XCPD, 2.0, 0, 2),
    ] {
        let cohort = Cohort::new(layout, |_| {});
        let report = cohort.ingest(&cohort.spec()).unwrap();
        assert_eq!(report.failures.len(), failed, "{layout}");
        assert_eq!(report.exclusions.len(), excluded, "{layout}");
        assert!(report.included > failed, "{layout}: {}", report.included);
        let dataset = cohort.prepared();
        assert!((dataset.dt_secs() - dt_secs).abs() < 1e-9, "{layout}");
        assert_eq!(dataset.atlas(), &builtin::atlas(ATLAS).unwrap(), "{layout}");
        assert!(dataset.header().atlas_source.contains("BSD"), "{layout}");
        for scan in dataset.included() {
            let series = dataset.bold(&scan.scan).unwrap();
            assert_eq!(series.n_kept(), scan.kept_volumes, "{}", scan.scan);
            assert!(series.values().iter().all(|value| value.is_finite()));
        }
    }
}

#[test]
fn what_is_not_there_is_told_before_any_signal_is_read() {
    let cohort = Cohort::new(LayoutName::HCP_YA, |spec| spec.tasks = vec!["rest".into()]);
    let listing = plan(&cohort.raw(), &cohort.spec()).unwrap().listing;
    // Four scans of four people; one scan is missing.
    assert_eq!(listing.scans.len(), 15);
    let missing = |note: &&brainmae_studies::Note| note.kind == NoteKind::Missing;
    let note = listing.notes.iter().find(missing).unwrap();
    assert!(note.what.contains("rfMRI_REST2_RL"), "{note:?}");
}

#[test]
fn scans_of_a_task_are_of_one_variant_which_is_a_column() {
    let cohort = Cohort::new(LayoutName::HCP_YA, |spec| {
        spec.tasks = vec!["rest".into(), "wm".into()];
        spec.defects = false;
    });
    let report = cohort.ingest(&cohort.spec()).unwrap();
    // The release has cleaned rest scans and plain tasks, which a model could tell apart.
    let warned = |text: &str| text.contains("the cleaning tells the task");
    assert!(
        report.warnings.iter().any(|text| warned(text)),
        "{:?}",
        report.warnings
    );
    let table = brainmae_table::Table::read(&cohort.out().join("scans.parquet")).unwrap();
    let tasks = table.texts("task").unwrap();
    let variants = table.texts("variant").unwrap();
    assert_eq!(tasks.len(), 4 * 6);
    for (task, variant) in tasks.iter().zip(&variants) {
        let expected = match &**task {
            "rest" => "_Atlas_MSMAll_hp2000_clean",
            _ => "_Atlas_MSMAll",
        };
        assert_eq!(variant, expected);
    }

    // The cleaned file of one scan is lost, and a plain one is left.
    let lost = "990001/MNINonLinear/Results/rfMRI_REST1_LR/\
                rfMRI_REST1_LR_Atlas_MSMAll_hp2000_clean.dtseries.nii";
    std::fs::remove_file(cohort.raw().join(lost)).unwrap();
    let error = cohort.ingest(&cohort.spec()).unwrap_err().to_string();
    let expected = "\"_Atlas_MSMAll_hp2000_clean\", is missing in 1 of 16 scans \
                    (sub-990001_task-rest_acq-REST1_dir-LR)";
    assert!(error.contains(expected), "{error}");
    let mut spec = cohort.spec();
    spec.list.common_variant = true;
    let error = cohort.ingest(&spec).unwrap_err().to_string();
    assert!(error.contains("is missing in 1 of 16"), "{error}");
    // The other scans of rest get a plain file, too.
    let plain = |path: &Path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        path.with_file_name(name.replace("_hp2000_clean", ""))
    };
    for scan in plan_of_rest(&cohort) {
        std::fs::copy(&scan, plain(&scan)).unwrap();
    }
    cohort.ingest(&spec).unwrap();
    let dataset = cohort.prepared();
    let mut variants = dataset.included().map(|scan| scan.variant.as_deref());
    assert!(variants.all(|variant| variant == Some("_Atlas_MSMAll")));
}

/// Signal files of the cleaned rest scans.
fn plan_of_rest(cohort: &Cohort) -> Vec<PathBuf> {
    let mut spec = cohort.spec();
    spec.list.tasks = vec!["rest".into()];
    spec.list.variant = Some("hp2000_clean".into());
    let listing = plan(&cohort.raw(), &spec).unwrap().listing;
    listing
        .scans
        .iter()
        .map(|scan| scan.signal.path().clone())
        .collect()
}

#[test]
fn the_same_files_are_read_once_and_an_interrupted_run_goes_on() {
    let cohort = Cohort::new(LayoutName::XCPD, |_| {});
    let spec = cohort.spec();
    let first = cohort.ingest(&spec).unwrap();
    assert!(!first.up_to_date);
    assert!(cohort.ingest(&spec).unwrap().up_to_date);

    // The call is stopped after one scan; finished scans are used again.
    std::fs::remove_dir_all(cohort.out()).unwrap();
    let mut seen = 0;
    let stopped = ingest_folder(&cohort.raw(), &cohort.out(), &spec, &OPTIONS, &mut |_| {
        seen += 1;
        match seen {
            2 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    });
    assert!(matches!(stopped, Err(DataError::Interrupted)));
    assert!(!cohort.out().exists());
    let again = cohort.ingest(&spec).unwrap();
    assert_eq!((seen, again.resumed), (2, 2));
    assert_eq!(again.content_hash, first.content_hash);
}

#[test]
fn another_recipe_or_file_is_another_data_set() {
    let cohort = Cohort::new(LayoutName::XCPD, |_| {});
    let spec = cohort.spec();
    cohort.ingest(&spec).unwrap();
    let again =
        |spec: &IngestSpec| ingest_folder(&cohort.raw(), &cohort.out(), spec, &OPTIONS, &mut quiet);
    let mut other = spec.clone();
    other.cleaning = vec![CleaningStep::ZScore];
    assert!(matches!(again(&other), Err(DataError::Occupied { .. })));
    assert!(again(&spec).unwrap().up_to_date);
    // A blank line is added to a file.
    let table = first_file(&cohort.raw(), "_timeseries.tsv");
    let mut text = std::fs::read_to_string(&table).unwrap();
    text.push('\n');
    std::fs::write(&table, text).unwrap();
    assert!(matches!(again(&spec), Err(DataError::Occupied { .. })));
}

#[test]
fn a_file_of_another_tr_fails_alone_and_says_what_to_do() {
    let cohort = Cohort::new(LayoutName::HCP_YA, |spec| {
        spec.tasks = vec!["rest".into()];
        spec.defects = false;
    });
    let listing = plan(&cohort.raw(), &cohort.spec()).unwrap().listing;
    let path = listing.scans[0].signal.path().clone();
    let bytes = std::fs::read(&path).unwrap();
    let at = bytes
        .windows(15)
        .position(|w| w == b"SeriesStep=\"0.7")
        .unwrap();
    let mut wrong = bytes.clone();
    wrong[at + 14] = b'8';
    std::fs::write(&path, wrong).unwrap();
    let report = cohort.ingest(&cohort.spec()).unwrap();
    assert_eq!((report.included, report.failures.len()), (15, 1));
    let reason = &report.failures[0].reason;
    assert!(reason.contains("0.82 s, expected 0.72 s"), "{reason}");
    assert!(reason.contains("set tr_secs"), "{reason}");
}

#[test]
fn nan_laden_empty_and_foreign_files_fail_alone() {
    let cohort = Cohort::new(LayoutName::NSD, |spec| spec.defects = false);
    let images: Vec<PathBuf> = files(&cohort.raw(), ".nii.gz")
        .into_iter()
        .filter(|path| path.to_string_lossy().contains("timeseries"))
        .collect();
    std::fs::write(&images[0], b"").unwrap();
    std::fs::write(&images[1], b"\x1f\x8b\x08\x00not gzip").unwrap();
    std::fs::write(&images[2], b"a text file").unwrap();
    let report = cohort.ingest(&cohort.spec()).unwrap();
    assert_eq!((report.included, report.failures.len()), (5, 3));
    for failure in &report.failures {
        assert!(failure.reason.contains(".nii.gz"), "{}", failure.reason);
    }
    let statuses = cohort.prepared();
    let failed = |status| status == ScanStatus::Failed;
    assert_eq!(
        statuses.scans().iter().filter(|s| failed(s.status)).count(),
        3
    );
}

#[test]
fn tables_of_subjects_give_families_and_targets() {
    let cohort = Cohort::new(LayoutName::HCP_YA, |spec| spec.tasks = vec!["rest".into()]);
    let mut spec = cohort.spec();
    spec.phenotypes = vec![cohort.raw().join("unrestricted.csv")];
    let report = cohort.ingest(&spec).unwrap();
    let unsafe_warning = |w: &String| w.contains("not family-safe");
    assert!(
        report.warnings.iter().any(unsafe_warning),
        "{:?}",
        report.warnings
    );

    spec.phenotypes.push(cohort.raw().join("restricted.csv"));
    let report = cohort.ingest(&spec).unwrap();
    assert!(
        !report.warnings.iter().any(unsafe_warning),
        "{:?}",
        report.warnings
    );
    for subject in cohort.prepared().subjects() {
        assert!(subject.family.is_some());
        assert!(subject.targets.contains_key("age_years"));
        assert!(subject.categories.contains_key("sex"));
    }
}

#[test]
fn cleaning_with_confounds_and_resampling_gives_one_interval() {
    let cohort = Cohort::new(LayoutName::HCP_YA, |spec| {
        spec.tasks = vec!["wm".into()];
        spec.defects = false;
        spec.n_volumes = None;
    });
    let mut spec = cohort.spec();
    spec.cleaning = toml_steps(
        r#"[{ drop-dummies = { volumes = 4 } }, { regress-confounds = { model = "motion-24" } },
            { censor = { fd_mm = 0.3 } }, "detrend-linear", { band-pass = { high_pass_hz = 0.008, order = 2 } },
            { resample = { dt_secs = 0.8 } }, "z-score"]"#,
    );
    cohort.ingest(&spec).unwrap();
    let dataset = cohort.prepared();
    assert_eq!(dataset.dt_secs(), 0.8);
    for scan in dataset.included() {
        assert_eq!((scan.n_volumes, scan.tr_secs), (405, 0.72));
        assert!(scan.mean_fd_mm.is_some());
        // 401 volumes of 0.72 s: the last sample is at 288.0 s.
        assert_eq!(dataset.bold(&scan.scan).unwrap().n_volumes(), 361);
        assert!(scan.kept_volumes <= 361);
    }
    let first = dataset.events().iter().map(|event| event.onset_secs);
    assert!(first.fold(f64::INFINITY, f64::min) >= 0.0);
}

#[test]
fn an_roi_that_is_hardly_covered_excludes_its_scan_by_the_least_coverage_asked_for() {
    let cohort = Cohort::new(LayoutName::XCPD, |spec| spec.tasks = vec!["rest".into()]);
    let reasons = |min_coverage| {
        let mut spec = cohort.spec();
        spec.min_coverage = min_coverage;
        let report = cohort.ingest(&spec).unwrap();
        assert_eq!(report.failures.len(), 0);
        let mut reasons = report.exclusions.into_iter().map(|one| one.reason);
        reasons.find(|reason| reason.contains("% covered"))
    };
    let reason = reasons(0.5).unwrap();
    assert!(reason.contains("less than 50 % covered"), "{reason}");
    assert!(reason.contains(": ROI 1 ("), "{reason}");
    assert!(reason.contains("30.0 %"), "{reason}");
    assert_eq!(reasons(0.25), None);
}

#[test]
fn volumes_that_a_prepared_data_set_does_not_keep_stay_censored() {
    let cohort = Cohort::new(LayoutName::XCPD, |spec| spec.defects = false);
    cohort.ingest(&cohort.spec()).unwrap();
    let first = cohort.prepared();
    let raw = cohort.folder.path().join("again");
    std::fs::create_dir_all(&raw).unwrap();
    std::fs::copy(cohort.out().join("bold.parquet"), raw.join("bold.parquet")).unwrap();
    // A part of one scan: 80 volumes, starting at the eleventh.
    let one = &first.included().next().unwrap().scan;
    let head = "subject\tpath\tscan\tscan_key\tfirst_volume\tlast_volume\n";
    let mut manifest = head.to_owned();
    for scan in first.included() {
        let (subject, scan) = (&scan.subject, &scan.scan);
        let part = if scan == one { "10\t89" } else { "\t" };
        manifest.push_str(&format!(
            "{subject}\tbold.parquet\t{scan}\t{scan}\t{part}\n"
        ));
    }
    std::fs::write(raw.join("manifest.tsv"), manifest).unwrap();

    let spec = IngestSpec::of_layout(LayoutName::MANIFEST, "again", ATLAS);
    let out = cohort.folder.path().join("out");
    ingest_folder(&raw, &out, &spec, &OPTIONS, &mut quiet).unwrap();
    let again = PreparedDataset::open(&out).unwrap();
    let mut n_censored = 0;
    for scan in first.included() {
        let before = first.bold(&scan.scan).unwrap();
        let after = again.bold(&scan.scan).unwrap();
        let (first, n_volumes) = match scan.scan == *one {
            true => (10, 80),
            false => (0, before.n_volumes()),
        };
        assert_eq!(after.n_volumes(), n_volumes, "{}", scan.scan);
        let same = |volume| after.is_kept(volume) == before.is_kept(first + volume);
        assert!((0..n_volumes).all(same), "{}", scan.scan);
        n_censored += n_volumes - after.n_kept();
    }
    assert!(n_censored > 0);
}

#[test]
fn a_scan_under_two_names_is_found() {
    let cohort = Cohort::new(LayoutName::XCPD, |spec| spec.defects = false);
    let tables = files(&cohort.raw(), "_timeseries.tsv");
    let mut spec = IngestSpec::of_layout(LayoutName::MANIFEST, "plain", "columns");
    spec.tr_secs = Some(2.0);
    let raw = cohort.folder.path().join("plain");
    std::fs::create_dir_all(&raw).unwrap();
    let mut manifest = String::from("subject\tpath\n");
    for (at, table) in [&tables[0], &tables[1], &tables[0]].into_iter().enumerate() {
        let copy = raw.join(format!("{at}.tsv"));
        std::fs::copy(table, &copy).unwrap();
        manifest.push_str(&format!("{at}\t{at}.tsv\n"));
    }
    std::fs::write(raw.join("manifest.tsv"), manifest).unwrap();
    ingest_folder(&raw, &cohort.out(), &spec, &OPTIONS, &mut quiet).unwrap();
    let found = find_duplicates(&cohort.prepared(), |_, _| ControlFlow::Continue(())).unwrap();
    assert_eq!(found.len(), 1);
    let names: [&ScanId; 2] = [&found[0].first, &found[0].second];
    assert_eq!(names.map(ScanId::as_str), ["sub-0", "sub-2"]);
}

fn toml_steps(text: &str) -> Vec<CleaningStep> {
    #[derive(serde::Deserialize)]
    struct Steps {
        cleaning: Vec<CleaningStep>,
    }
    let text = text.replace('\n', " ");
    toml::from_str::<Steps>(&format!("cleaning = {text}"))
        .unwrap()
        .cleaning
}

fn first_file(root: &Path, ending: &str) -> PathBuf {
    files(root, ending).into_iter().next().unwrap()
}

/// Every file below `root` with this ending, sorted.
fn files(root: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn scans_have_their_quality_and_data_sets_of_earlier_versions_open_without_it() {
    let cohort = Cohort::new(LayoutName::HCP_YA, |spec| {
        spec.tasks = vec!["rest".into()];
        spec.defects = false;
    });
    let mut spec = cohort.spec();
    spec.cleaning.insert(
        0,
        CleaningStep::Censor(brainmae_data::signals::cleaning::Censoring {
            fd_mm: 0.2,
            before: 0,
            after: 0,
            min_run: 0,
        }),
    );
    cohort.ingest(&spec).unwrap();
    let dataset = cohort.prepared();
    for scan in dataset.included() {
        let quality = scan.quality;
        let (fd, filtered) = (
            scan.mean_fd_mm.unwrap(),
            quality.mean_filtered_fd_mm.unwrap(),
        );
        assert!(0.0 < filtered && filtered < fd, "{filtered} {fd}");
        let share = 1.0 - scan.kept_volumes as f64 / 120.0;
        assert!((quality.censored_share.unwrap() - share).abs() < 1e-12);
        let minutes = scan.kept_volumes as f64 * 0.72 / 60.0;
        assert!((quality.kept_minutes.unwrap() - minutes).abs() < 1e-12);
        let dvars = quality.mean_dvars_percent.unwrap();
        assert!((0.1..10.0).contains(&dvars), "{dvars}");
    }
    assert!(dataset.included().any(|scan| scan.kept_volumes < 120));

    let path = cohort.out().join("scans.parquet");
    let mut table = brainmae_table::Table::read(&path).unwrap();
    let new = [
        "mean_filtered_fd_mm",
        "censored_share",
        "kept_minutes",
        "mean_dvars_percent",
    ];
    for name in new.into_iter().chain(["variant"]) {
        table = table.without(name).unwrap();
    }
    table.write(&path).unwrap();
    let old = cohort.prepared();
    assert_eq!(old.scans().len(), dataset.scans().len());
    for (old, new) in old.scans().iter().zip(dataset.scans()) {
        assert_eq!(
            (old.variant.as_deref(), old.mean_fd_mm),
            (None, new.mean_fd_mm)
        );
        assert_eq!(old.quality, Default::default());
    }
}
