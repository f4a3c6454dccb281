//! Tests of small cohorts of each layout.

mod block_order;
mod left_behind;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::brain::tests::{atlas, correlation, stream};
use super::rows::tests::labels;
use super::*;
use brainmae_data::pipeline::quiet;
use brainmae_files::checksum::sha256_file;
use brainmae_formats::nifti::NiftiReader;
use brainmae_table::Table;

const LAYOUTS: [CohortLayout; 4] = [
    CohortLayout::Hcp,
    CohortLayout::Aging,
    CohortLayout::Nsd,
    CohortLayout::Xcpd,
];

fn small(layout: CohortLayout) -> CohortSpec {
    CohortSpec {
        layout,
        n_subjects: Some(5),
        tasks: match layout {
            CohortLayout::Hcp => vec!["rest".into(), "wm".into()],
            CohortLayout::Aging => vec!["rest".into(), "carit".into()],
            CohortLayout::Nsd => Vec::new(),
            CohortLayout::Xcpd => vec!["rest".into(), "nback".into()],
        },
        n_volumes: Some(200),
        sparse_every: 2000,
        sessions: 1,
        runs_per_session: 2,
        ..CohortSpec::default()
    }
}

fn simulate(spec: &CohortSpec, out: &Path) -> Result<CohortReport, SimulateError> {
    let atlas = atlas(2);
    simulate_cohort(spec, &atlas, &labels(&atlas), out, &stream, &mut quiet)
}

/// Every file below `dir`, relative to it.
fn files(dir: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut left = vec![dir.to_owned()];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap();
                found.insert(name.to_str().unwrap().to_owned());
            }
        }
    }
    found
}

fn hashes(dir: &Path) -> BTreeMap<String, String> {
    files(dir)
        .into_iter()
        .map(|name| (name.clone(), sha256_file(&dir.join(name)).unwrap()))
        .collect()
}

/// The rows of a CIFTI file.
fn cifti(path: &Path) -> Vec<Vec<f64>> {
    let bytes = fs::read(path).unwrap();
    let number = |at: usize| i64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
    let (n_volumes, n_rows, offset) = (number(56), number(64), number(168));
    let values: Vec<f64> = bytes[offset..]
        .chunks_exact(4)
        .map(|value| f64::from(f32::from_le_bytes(value.try_into().unwrap())))
        .collect();
    assert_eq!(values.len(), n_volumes * n_rows);
    values.chunks(n_volumes).map(<[f64]>::to_vec).collect()
}

/// A text table: its header and its cells.
fn table(path: &Path, separator: char) -> (Vec<String>, Vec<Vec<String>>) {
    let text = fs::read_to_string(path).unwrap();
    let cells = |line: &str| line.split(separator).map(str::to_owned).collect();
    let mut lines = text.lines().map(cells);
    (lines.next().unwrap(), lines.collect())
}

const REST: &str =
    "MNINonLinear/Results/rfMRI_REST1_LR/rfMRI_REST1_LR_Atlas_MSMAll_hp2000_clean.dtseries.nii";

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    for layout in LAYOUTS {
        let mut spec = small(layout);
        spec.n_volumes = Some(20);
        let out = |name: &str| folder.path().join(format!("{}-{name}", layout.as_str()));
        let report = simulate(&spec, &out("a")).unwrap();
        simulate(&spec, &out("b")).unwrap();
        assert_eq!(hashes(&out("a")), hashes(&out("b")), "{layout:?}");
        assert_eq!(report.n_subjects, 5);

        spec.seed = 1;
        simulate(&spec, &out("c")).unwrap();
        let (first, other) = (hashes(&out("a")), hashes(&out("c")));
        let is_signal = |name: &str| {
            let endings = [
                "series.nii",
                "run01.nii.gz",
                "run02.nii.gz",
                "timeseries.tsv",
            ];
            endings.iter().any(|ending| name.ends_with(ending))
        };
        let signals = || first.iter().filter(|(name, _)| is_signal(name));
        assert!(signals().count() >= 9, "{layout:?}");
        let same = signals().filter(|(name, hash)| other.get(*name) == Some(*hash));
        assert_eq!(same.count(), 0, "{layout:?}");
    }
}

#[test]
fn young_adults_have_the_names_of_the_release() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("hcp");
    let report = simulate(&small(CohortLayout::Hcp), &out).unwrap();
    let found = files(&out);
    let results = "MNINonLinear/Results";
    for name in [
        "unrestricted.csv",
        "restricted.csv",
        "truth/truth.toml",
        &format!("990002/{REST}"),
        &format!("990001/{REST}"),
        &format!("990001/{}", REST.replace("_hp2000_clean", "")),
        &format!("990003/{REST}"),
        &format!("990001/{results}/tfMRI_WM_RL/tfMRI_WM_RL_Atlas_MSMAll.dtseries.nii"),
        &format!("990001/{results}/tfMRI_WM_RL/EVs/2bk_tools.txt"),
        &format!("990001/{results}/tfMRI_WM_RL/EVs/Sync.txt"),
        &format!("990001/{results}/rfMRI_REST1_LR/Movement_RelativeRMS.txt"),
    ] {
        assert!(found.contains(name), "{name}");
    }
    assert_eq!(
        report.defects,
        [
            "990002/tfMRI_WM_RL: missing",
            "990003/rfMRI_REST1_LR: cut-short",
            "990004/rfMRI_REST1_LR: high-motion"
        ]
    );
    assert!(
        !found
            .iter()
            .any(|name| name.starts_with(&format!("990002/{results}/tfMRI_WM_RL")))
    );
    assert_eq!(report.n_scans, 5 * 6 - 1);
    assert!(!folder.path().join("hcp.partial").exists());
}

#[test]
fn planted_defects_are_there() {
    let folder = tempfile::tempdir().unwrap();
    simulate(&small(CohortLayout::Hcp), folder.path()).unwrap();
    let run = |subject: usize| {
        let path = folder.path().join(format!("990{subject:03}/{REST}"));
        path.parent().unwrap().to_owned()
    };
    // A complete file and a truncated one, of the same shape.
    let whole = fs::metadata(folder.path().join(format!("990002/{REST}")))
        .unwrap()
        .len();
    let cut = fs::metadata(folder.path().join(format!("990003/{REST}")))
        .unwrap()
        .len();
    assert_eq!(cut, whole / 5 * 3);
    // Column 7 is the difference along x, whose size depends on the displacement.
    let movement = |subject: usize| -> f64 {
        let text = fs::read_to_string(run(subject).join("Movement_Regressors.txt")).unwrap();
        let steps = text.lines().map(|line| {
            let cells: Vec<f64> = line
                .split_whitespace()
                .map(|v| v.parse().unwrap())
                .collect();
            assert_eq!(cells.len(), 12);
            cells[6].abs()
        });
        steps.sum::<f64>() / 200.0
    };
    assert!(
        movement(4) > 2.0 * movement(5),
        "{} {}",
        movement(4),
        movement(5)
    );
}

#[test]
fn tables_and_families_agree() {
    let folder = tempfile::tempdir().unwrap();
    let mut spec = small(CohortLayout::Hcp);
    spec.n_subjects = Some(30);
    spec.n_volumes = Some(8);
    spec.tasks = vec!["rest".into()];
    simulate(&spec, folder.path()).unwrap();
    let (_, restricted) = table(&folder.path().join("restricted.csv"), ',');
    let (names, unrestricted) = table(&folder.path().join("unrestricted.csv"), ',');
    assert_eq!((restricted.len(), unrestricted.len()), (30, 30));
    let mut families: BTreeMap<&str, Vec<&Vec<String>>> = BTreeMap::new();
    for row in &restricted {
        assert_eq!(row[2], format!("{}_{}", row[3], row[4]));
        families.entry(&row[2]).or_default().push(row);
    }
    assert!(families.values().all(|family| family.len() <= 4));
    assert!(families.values().any(|family| family.len() > 1));
    for family in families.values() {
        let mz: Vec<_> = family.iter().filter(|row| row[5] == "MZ").collect();
        assert!(mz.is_empty() || (mz.len() == 2 && mz[0][1] == mz[1][1] && mz[0][6] == "MZ"));
    }
    for (row, restricted) in unrestricted.iter().zip(&restricted) {
        assert_eq!(row.len(), names.len());
        assert_eq!(row[0], restricted[0]);
        let (low, high) = match row[4].as_str() {
            "36+" => (36, 99),
            bin => {
                let (low, high) = bin.split_once('-').unwrap();
                (low.parse().unwrap(), high.parse().unwrap())
            }
        };
        let age: i32 = restricted[1].parse().unwrap();
        assert!((low..=high).contains(&age));
    }
    // The second subject has no second rest scan, the fifth no score.
    assert_eq!(unrestricted[1][5..8], ["false", "3", "75"]);
    assert_eq!(unrestricted[0][5..8], ["true", "4", "100"]);
    assert_eq!(unrestricted[4][10], "");
}

#[test]
fn rois_of_one_network_correlate_more_than_others() {
    let folder = tempfile::tempdir().unwrap();
    let spec = CohortSpec {
        n_volumes: Some(1200),
        n_subjects: Some(1),
        tasks: vec!["rest".into()],
        ..small(CohortLayout::Hcp)
    };
    simulate(&spec, folder.path()).unwrap();
    let rows = cifti(&folder.path().join(format!("990001/{REST}")));
    // Rows: per side one without an ROI and one of each of eight ROIs, two per network.
    let roi_row = |roi: usize| &rows[1 + roi + roi / 8];
    let network = |roi: usize| roi % 8 / 2;
    let (mut within, mut between) = (Vec::new(), Vec::new());
    for a in 0..16 {
        for b in 0..a {
            let r = correlation(roi_row(a), roi_row(b));
            if network(a) == network(b) {
                within.push(r);
            } else {
                between.push(r);
            }
        }
    }
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    assert!(
        mean(&within) > mean(&between) + 0.1,
        "{within:?} {between:?}"
    );
}

#[test]
fn what_is_written_is_the_planted_signal() {
    let folder = tempfile::tempdir().unwrap();
    let spec = CohortSpec {
        file: Some(SeriesFile::Ptseries),
        ..small(CohortLayout::Hcp)
    };
    simulate(&spec, folder.path()).unwrap();
    let rows = cifti(
        &folder
            .path()
            .join(format!("990002/{}", REST.replace("dts", "pts"))),
    );
    let path = folder.path().join("truth/signals.parquet");
    let signals = Table::read(&path).unwrap();
    let scans = signals.texts("scan").unwrap();
    let rois = signals.numbers("roi").unwrap();
    let written = signals.numbers("written").unwrap();
    for roi in [0, 9] {
        let planted: Vec<f64> = (0..signals.height())
            .filter(|row| scans[*row] == "990002/rfMRI_REST1_LR" && rois[*row] == roi as f64)
            .map(|row| written[row])
            .collect();
        assert_eq!(planted.len(), 200);
        assert!(correlation(&planted, &rows[roi]) > 0.99999);
    }
}

#[test]
fn events_lie_within_their_scan_and_some_files_are_empty() {
    let folder = tempfile::tempdir().unwrap();
    simulate(&small(CohortLayout::Hcp), folder.path()).unwrap();
    let scan_secs = 200.0 * 0.72;
    let mut n_events = 0;
    for name in files(folder.path())
        .iter()
        .filter(|name| name.contains("/EVs/"))
    {
        let text = fs::read_to_string(folder.path().join(name)).unwrap();
        if name.ends_with("Sync.txt") || name.ends_with("_Stats.csv") {
            continue;
        }
        assert!(!name.ends_with("0bk_err.txt") || text.is_empty());
        for line in text.lines() {
            let row: Vec<f64> = line.split('\t').map(|v| v.parse().unwrap()).collect();
            assert!(
                row[0] >= 0.0 && row[0] + row[1] <= scan_secs && row[2] == 1.0,
                "{name}"
            );
            n_events += 1;
        }
    }
    assert!(n_events > 200, "{n_events}");
}

#[test]
fn concatenated_rest_jumps_at_its_seams() {
    let folder = tempfile::tempdir().unwrap();
    let mut spec = small(CohortLayout::Aging);
    spec.effects.seam_sd = 20.0;
    simulate(&spec, folder.path()).unwrap();
    let results = folder.path().join("HCA9900001_V1_MR/MNINonLinear/Results");
    let rest = "rfMRI_REST/rfMRI_REST_Atlas_MSMAll_hp0_clean_rclean_tclean.dtseries.nii";
    let rows = cifti(&results.join(rest));
    assert_eq!(rows[1].len(), 800);
    // Over all rows, the largest differences are at the seams.
    let step = |volume: usize| -> f64 {
        rows.iter()
            .map(|row| (row[volume] - row[volume - 1]).abs())
            .sum()
    };
    let mut steps: Vec<usize> = (1..800).collect();
    steps.sort_by(|a, b| step(*b).total_cmp(&step(*a)));
    steps.truncate(3);
    steps.sort();
    assert_eq!(steps, [200, 400, 600]);
    for run in ["rfMRI_REST1_AP", "rfMRI_REST2_PA"] {
        let text = fs::read_to_string(results.join(run).join("Movement_Regressors.txt"));
        assert_eq!(text.unwrap().lines().count(), 200);
    }
    let found = files(folder.path());
    let single = "HCA9900004_V1_MR/MNINonLinear/Results/rfMRI_REST1_PA/rfMRI_REST1_PA_Atlas";
    assert!(found.iter().any(|name| name.starts_with(single)));
    assert!(
        found
            .iter()
            .any(|name| name.starts_with("HCA9900002_V2_MR/"))
    );

    let (names, rows) = table(&folder.path().join("ndar_subject01.txt"), '\t');
    assert_eq!(names[3], "\"interview_age\"");
    // A line of descriptions, then five subjects, two of them with two visits.
    assert_eq!(rows.len(), 1 + 7);
    let months: u32 = rows[1][3].trim_matches('"').parse().unwrap();
    assert!((36 * 12..=89 * 12).contains(&months));
}

#[test]
fn nsd_volumes_lie_on_the_grid_of_their_labels() {
    let folder = tempfile::tempdir().unwrap();
    simulate(&small(CohortLayout::Nsd), folder.path()).unwrap();
    let subject = folder
        .path()
        .join("nsddata_timeseries/ppdata/subj01/func1pt8mm");
    let read = |path: PathBuf| {
        let mut reader = NiftiReader::open(&path).unwrap();
        let mut voxels = Vec::new();
        assert!(reader.read_volume(&mut voxels).unwrap());
        (reader.header().n_volumes(), voxels)
    };
    let (n_volumes, bold) = read(subject.join("timeseries/timeseries_session01_run01.nii.gz"));
    let (_, labels) = read(folder.path().join("labels/subj01.nii.gz"));
    assert_eq!((n_volumes, bold.len(), labels.len()), (200, 10_920, 10_920));
    let keys: BTreeSet<i64> = labels.iter().map(|key| *key as i64).collect();
    assert_eq!(keys, (0..=16).collect());
    // Labelled voxels are inside the brain, which is larger than the labels; outside it values are
    // 0.
    assert!(
        bold.iter()
            .zip(&labels)
            .all(|(v, key)| *key == 0.0 || *v > 500.0)
    );
    assert!(
        bold.iter()
            .zip(&labels)
            .any(|(v, key)| *key == 0.0 && *v > 500.0)
    );
    assert!(bold.contains(&0.0));
    let (first, rest) = table(&subject.join("design/design_session01_run01.tsv"), '\t');
    assert_eq!(rest.len(), 199);
    let images: Vec<usize> = (1..200)
        .filter(|volume| rest[volume - 1][0] != "0")
        .collect();
    assert_eq!(first, ["0"]);
    assert!(images.len() > 40 && images.iter().all(|volume| volume % 3 == 0));
}

#[test]
fn xcpd_has_three_generations_of_names_and_takes_out_censored_volumes() {
    let folder = tempfile::tempdir().unwrap();
    let report = simulate(&small(CohortLayout::Xcpd), folder.path()).unwrap();
    assert_eq!(report.n_scans, 9);
    let names = [
        "sub-01/func/sub-01_task-rest_space-fsLR_atlas-4S156Parcels_timeseries.tsv",
        "sub-02/func/sub-02_task-rest_space-fsLR_seg-4S156Parcels_stat-mean_timeseries.tsv",
        "sub-03/func/sub-03_task-rest_space-fsLR_atlas-4S156Parcels_stat-mean_timeseries.tsv",
    ];
    let mut n_censored = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let path = folder.path().join(name);
        let (header, rows) = table(&path, '\t');
        assert_eq!(header.len(), 16 + 56);
        assert_eq!(header[1], "LH_Vis_2");
        assert!(rows.iter().all(|row| row.len() == 72));
        assert!(rows.iter().all(|row| (row[1] == "n/a") == (number == 2)));
        let stem = format!("sub-{0:02}/func/sub-{0:02}_task-rest", number + 1);
        let (_, outliers) = table(&folder.path().join(format!("{stem}_outliers.tsv")), '\t');
        let (names, motion) = table(&folder.path().join(format!("{stem}_motion.tsv")), '\t');
        assert_eq!((outliers.len(), motion.len()), (200, 200));
        assert_eq!(names[0], "framewise_displacement");
        let kept = outliers.iter().filter(|row| row[0] == "0").count();
        assert_eq!(rows.len(), if number % 2 == 0 { kept } else { 200 });
        n_censored.push(200 - kept);
        let coverage = name.replace("_stat-mean_timeseries", "_stat-coverage_bold");
        if number > 0 {
            let (names, shares) = table(&folder.path().join(coverage), '\t');
            assert_eq!((&names, shares.len()), (&header, 1));
            let missing = ["1.000000", "0.300000"][usize::from(number == 2)];
            assert_eq!([&shares[0][0], &shares[0][1]], ["1.000000", missing]);
        }
        let sidecar = fs::read_to_string(path.with_extension("json")).unwrap();
        assert!(sidecar.contains("\"RepetitionTime\":2.0"), "{sidecar}");
    }
    assert!(
        n_censored.iter().all(|n| (1..60).contains(n)),
        "{n_censored:?}"
    );
    let (header, people) = table(&folder.path().join("participants.tsv"), '\t');
    assert_eq!(header[..3], ["participant_id", "age", "sex"]);
    assert_eq!((people.len(), people[4][0].as_str()), (5, "sub-05"));
}
