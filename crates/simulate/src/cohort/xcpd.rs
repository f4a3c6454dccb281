//! Files of XCP-D: three generations of names, with censored volumes removed or interpolated.

use std::fmt::Write as _;
use std::path::Path;

use rand::Rng;

use super::brain::DrawnScan;
use super::person::{Person, normal, subject_id};
use super::place::write_text;
use super::plan::{Defect, PlannedScan, volumes};
use super::spec::{CohortSpec, SeriesFile};
use crate::error::SimulateError;
use brainmae_atlas::Atlas;
use brainmae_formats::cifti::writer::{CiftiRows, CiftiWriter};

/// Volumes above this framewise displacement are censored.
pub(super) const CENSOR_FD_MM: f64 = 0.3;

/// The ROI without values, in scans with a missing ROI.
pub(super) const MISSING_ROI: usize = 1;

/// The coverage of [`MISSING_ROI`] in these scans.
const MISSING_COVERAGE: f64 = 0.3;

/// Every scan of every subject; the generation of names depends on the subject.
pub(super) fn plan(spec: &CohortSpec) -> Vec<PlannedScan> {
    let mut scans = Vec::new();
    for person in 0..spec.subjects() {
        let subject = subject_id(spec.layout, person);
        for task in spec.task_list() {
            let stem = format!("sub-{subject}_task-{task}_space-fsLR");
            let label = &spec.atlas_label;
            let is_cifti = spec.series_file() == SeriesFile::Ptseries;
            let den = if is_cifti { "_den-91k" } else { "" };
            let entities = match person % 3 {
                0 => format!("_atlas-{label}{den}"),
                1 => format!("_seg-{label}{den}_stat-mean"),
                _ => format!("_atlas-{label}{den}_stat-mean"),
            };
            let ending = if is_cifti { "ptseries.nii" } else { "tsv" };
            scans.push(PlannedScan {
                person,
                session: None,
                run: format!("task-{task}"),
                part_volumes: vec![volumes(spec, &task)],
                files: vec![format!(
                    "sub-{subject}/func/{stem}{entities}_timeseries.{ending}"
                )],
                defect: None,
                task,
            });
        }
    }
    scans
}

/// Whether the scans of a subject omit their censored volumes (`linc` mode); in the others they are
/// interpolated (`abcd` mode).
pub(super) fn takes_out_censored(person: usize) -> bool {
    person.is_multiple_of(2)
}

/// Names of the subcortical columns of `4S` atlases.
pub(super) fn extra_columns(spec: &CohortSpec) -> Vec<String> {
    if !spec.atlas_label.starts_with("4S") {
        return Vec::new();
    }
    let mut names = Vec::new();
    for side in ["LH", "RH"] {
        names.extend(["Hippocampus", "Amygdala"].map(|name| format!("{side}-{name}")));
        names.extend((1..=21).map(|number| format!("{side}-Subcortical-{number:02}")));
    }
    names.extend((1..=10).map(|number| format!("Cerebellar_Region{number}")));
    names
}

/// Writes signals, sidecar, head movement and censoring of a scan; returns the number of volumes in
/// the file.
pub(super) fn write_scan(
    path: &Path,
    spec: &CohortSpec,
    atlas: &Atlas,
    scan: &PlannedScan,
    rows: Option<&CiftiRows>,
    drawn: &DrawnScan,
    rng: &mut dyn Rng,
) -> Result<usize, SimulateError> {
    let censored: Vec<bool> = (drawn.motion.fd_mm.iter())
        .map(|fd_mm| *fd_mm > CENSOR_FD_MM)
        .collect();
    let mut signals: Vec<Vec<f64>> = drawn.written[1..].to_vec();
    let extra = extra_columns(spec);
    if rows.is_none() {
        for _ in &extra {
            signals.push(censored.iter().map(|_| normal(rng)).collect());
        }
    }
    for signal in &mut signals {
        if takes_out_censored(scan.person) {
            let mut marks = censored.iter();
            signal.retain(|_| marks.next() == Some(&false));
        } else {
            fill_in(signal, &censored);
        }
    }
    if scan.defect == Some(Defect::MissingRoi) {
        signals[MISSING_ROI].fill(f64::NAN);
    }
    let tr_secs = spec.layout.tr_secs();
    let n_volumes = signals[0].len();
    let names: Vec<&str> = (atlas.rois.iter().map(|roi| roi.name.as_str()))
        .chain(extra.iter().map(String::as_str))
        .collect();
    match rows {
        // The first volume has displacement 0 and is never censored, so at least one volume
        // remains.
        Some(rows) => {
            let mut writer = CiftiWriter::create(path, rows, n_volumes, tr_secs)?;
            let mut row = Vec::with_capacity(n_volumes);
            for signal in &signals {
                row.clear();
                row.extend(signal.iter().map(|value| *value as f32));
                writer.write_row(&row)?;
            }
            writer.finish()?;
        }
        None => write_text(path, &table(&names, &signals))?,
    }
    let name = path.file_name().map(|name| name.to_string_lossy());
    let name = name.unwrap_or_default();
    let stem = name
        .trim_end_matches(".tsv")
        .trim_end_matches(".ptseries.nii");
    let sidecar = serde_json::json!({ "RepetitionTime": tr_secs, "Units": "percent" });
    write_text(
        &path.with_file_name(format!("{stem}.json")),
        &format!("{sidecar}\n"),
    )?;
    // The newer generations have a coverage table.
    if let Some(start) = stem.strip_suffix("_stat-mean_timeseries") {
        let mut shares = vec![vec![1.0]; signals.len()];
        if scan.defect == Some(Defect::MissingRoi) {
            shares[MISSING_ROI] = vec![MISSING_COVERAGE];
        }
        let name = format!("{}_stat-coverage_bold.tsv", start.replace("_den-91k", ""));
        let text = table(&names[..shares.len()], &shares);
        write_text(&path.with_file_name(name), &text)?;
    }
    // The names of companion files contain only the scan.
    let scan_name = name.split("_space-").next().unwrap_or(&name);
    let companion = |ending: &str| path.with_file_name(format!("{scan_name}_{ending}.tsv"));
    write_text(&companion("motion"), &motion(drawn))?;
    let mut outliers = String::from("framewise_displacement\n");
    for censored in &censored {
        outliers.push_str(if *censored { "1\n" } else { "0\n" });
    }
    write_text(&companion("outliers"), &outliers)?;
    Ok(n_volumes)
}

/// Writes the files in the top folder.
pub(super) fn write_tables(dir: &Path, people: &[Person]) -> Result<(), SimulateError> {
    let description = serde_json::json!({
        "Name": "Simulated cohort, no real person",
        "BIDSVersion": "1.9.0",
        "DatasetType": "derivative",
        "GeneratedBy": [{ "Name": "xcp_d" }],
    });
    write_text(
        &dir.join("dataset_description.json"),
        &format!("{description:#}\n"),
    )?;
    let mut text = String::from("participant_id\tage\tsex\tfamily_id\tpmat24_a_cr\n");
    for person in people {
        let (id, age) = (&person.id, person.age_years());
        let (sex, family, score) = (person.sex.letter(), person.family + 1, person.score);
        writeln!(text, "sub-{id}\t{age}\t{sex}\tF{family:03}\t{score}")
            .expect("a String takes all text");
    }
    write_text(&dir.join("participants.tsv"), &text)
}

/// Interpolates linearly between the nearest uncensored volumes; constant at the ends.
fn fill_in(signal: &mut [f64], censored: &[bool]) {
    let mut before: Option<usize> = None;
    let mut volume = 0;
    while volume < signal.len() {
        if !censored[volume] {
            before = Some(volume);
            volume += 1;
            continue;
        }
        let after = (volume..signal.len()).find(|at| !censored[*at]);
        let end = after.unwrap_or(signal.len());
        for at in volume..end {
            signal[at] = match (before, after) {
                (Some(before), Some(after)) => {
                    let way = (at - before) as f64 / (after - before) as f64;
                    signal[before] + way * (signal[after] - signal[before])
                }
                (Some(known), None) | (None, Some(known)) => signal[known],
                // All volumes are censored, so the values stay.
                (None, None) => signal[at],
            };
        }
        volume = end;
    }
}

/// One column per signal; missing values are `n/a`.
fn table(names: &[&str], signals: &[Vec<f64>]) -> String {
    let mut text = names.join("\t");
    text.push('\n');
    for volume in 0..signals[0].len() {
        for (column, signal) in signals.iter().enumerate() {
            if column > 0 {
                text.push('\t');
            }
            match signal[volume] {
                value if value.is_nan() => text.push_str("n/a"),
                value => write!(text, "{value:.6}").expect("a String takes all text"),
            }
        }
        text.push('\n');
    }
    text
}

/// `_motion.tsv`: displacement and the six parameters, rotations in radians.
fn motion(drawn: &DrawnScan) -> String {
    let mut text =
        String::from("framewise_displacement\ttrans_x\ttrans_y\ttrans_z\trot_x\trot_y\trot_z\n");
    for (position, fd_mm) in drawn.motion.positions.iter().zip(&drawn.motion.fd_mm) {
        let cells = position.map(|value| format!("{value:.6}"));
        writeln!(text, "{fd_mm:.6}\t{}", cells.join("\t")).expect("a String takes all text");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn censored_volumes_lie_on_the_line_between_their_neighbours() {
        let mut signal = [9.0, 1.0, 9.0, 9.0, 4.0, 9.0];
        fill_in(&mut signal, &[true, false, true, true, false, true]);
        assert_eq!(signal, [1.0, 1.0, 2.0, 3.0, 4.0, 4.0]);
        let mut none = [1.0, 2.0];
        fill_in(&mut none, &[true, true]);
        assert_eq!(none, [1.0, 2.0]);
    }

    #[test]
    fn a_4s_atlas_has_56_more_columns() {
        let spec = CohortSpec::default();
        let names = extra_columns(&spec);
        assert_eq!(names.len(), 56);
        let schaefer = CohortSpec {
            atlas_label: "Schaefer117".into(),
            ..spec
        };
        assert!(extra_columns(&schaefer).is_empty());
    }

    #[test]
    fn missing_values_are_written_as_such() {
        let text = table(&["a", "b"], &[vec![1.0, f64::NAN], vec![2.5, 3.0]]);
        assert_eq!(text, "a\tb\n1.000000\t2.500000\nn/a\t3.000000\n");
    }
}
