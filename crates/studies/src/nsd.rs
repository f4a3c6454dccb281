//! Natural Scenes Dataset: preprocessed volumes in the space of each subject.
//!
//! `nsddata_timeseries/ppdata/subjAA/func<prep>/timeseries/timeseries_session<NN>_run<NN>.nii.gz`
//!
//! Names follow the NSD data manual, "Time-series data" and "Raw data". A session has 12 runs, or
//! 14 with rest, where runs 01 and 14 are rest. There are design files for all runs (3,600: 12 for
//! each of 284 sessions and 192 for rest runs), so they show the full session even if only
//! some runs were downloaded.
//! The motion estimates in `motion/` are not used, because the manual gives no verifiable unit of
//! measurement for their columns. Runs of the localisers (`timeseries_prffloc_…`) are not listed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use brainmae_files::CommonErrors as _;
use brainmae_files::id::{ScanId, SubjectId};

use crate::error::StudyError;
use crate::folder::Folder;
use crate::layout::BuiltIn;
use crate::listing::{EventFiles, FoundScan, ListOptions, Listing, Note, SignalFile};
use crate::subject_labels::SubjectLabels;

/// The two preparations, the default first: folder and seconds between volumes.
///
/// The manual gives 1.333 s for the volumes of 1.8 mm. The exact interval is 4/3 s: three volumes
/// per trial of 4 s, 226 volumes per run of 301 s.
const PREPARATIONS: [(&str, f64); 2] = [("func1pt8mm", 4.0 / 3.0), ("func1mm", 1.0)];

/// Runs of a session without rest.
const N_RUNS: u32 = 12;

/// Runs of a session with rest; the first and the last are rest.
const N_RUNS_WITH_REST: u32 = 14;

/// The release; its root is the folder of the subjects, or contains `ppdata` or
/// `nsddata_timeseries`.
pub static LAYOUT: BuiltIn = BuiltIn::new("nsd", recognise, list)
    .about("Natural Scenes Dataset: nsddata_timeseries/ppdata/subj<NN>/func*/timeseries/");

fn recognise(root: &Path) -> bool {
    let is_part = |name: &str| is_subject(name) || TOP_FOLDERS.contains(&name);
    Folder::root(root, &mut Vec::new()).is_ok_and(|top| top.folders().any(is_part))
}

/// The folders above those of the subjects.
const TOP_FOLDERS: [&str; 2] = ["nsddata_timeseries", "ppdata"];

/// Lists the runs of one preparation.
fn list(root: &Path, options: &ListOptions) -> Result<Listing, StudyError> {
    options.warn_of_atlas_label("nsd");
    let mut notes = Vec::new();
    let mut labels = SubjectLabels::new(root, options)?;
    let top = ppdata(root, &mut notes)?;
    let subjects: Vec<(&str, Folder)> = top
        .folders()
        .filter(|name| is_subject(name) && options.wants_subject(name))
        .filter_map(|name| Some((name, top.child(name, &mut notes)?)))
        .collect();
    let Some((preparation, tr_secs)) = choose_preparation(&subjects, options)? else {
        return Ok(Listing {
            scans: Vec::new(),
            notes,
        });
    };
    let mut scans = Vec::new();
    for (subject, folder) in &subjects {
        let Some(func) = folder.child(preparation, &mut notes) else {
            let why = "other subjects have it, and one preparation is used for all: choose with \
                       `variant`";
            notes.push(Note::missing(folder.show(preparation), why));
            continue;
        };
        let own_labels = match &mut labels {
            Some(labels) => match labels.of(subject, &mut notes) {
                Some(labels) => Some(labels),
                None => continue,
            },
            None => None,
        };
        let runs = Runs::read(subject, &func, &mut notes);
        for scan in runs.scans(options, &mut notes) {
            let (bold, labels) = (scan.signal.path().clone(), own_labels.clone());
            scans.push(FoundScan {
                signal: SignalFile::Nifti { bold, labels },
                tr_secs: Some(tr_secs),
                variant: preparation.to_owned(),
                ..scan
            });
        }
    }
    if labels.is_none() && !scans.is_empty() {
        let why = "NSD's volumes lie in the space of each subject and NSD has no Schaefer atlas: \
                   give the path of each subject's label volume, such as \
                   \"labels/{subject}.nii.gz\", made by warping the surface labels with nsdcode";
        notes.push(Note::missing("subject_labels", why));
    }
    Ok(Listing { scans, notes })
}

/// The folder of the subjects: the root, its folder `ppdata`, or `nsddata_timeseries/ppdata`.
fn ppdata(root: &Path, notes: &mut Vec<Note>) -> Result<Folder, StudyError> {
    let top = Folder::root(root, notes)?;
    if top.folders().any(is_subject) {
        return Ok(top);
    }
    let inner = top.child("ppdata", notes).or_else(|| {
        top.child("nsddata_timeseries", notes)?
            .child("ppdata", notes)
    });
    Ok(inner.unwrap_or(top))
}

/// Whether a folder name is that of a subject: `subj01`.
fn is_subject(name: &str) -> bool {
    name.strip_prefix("subj")
        .is_some_and(|number| number.len() == 2 && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The requested preparation, or the first one that any subject has.
fn choose_preparation(
    subjects: &[(&str, Folder)],
    options: &ListOptions,
) -> Result<Option<(&'static str, f64)>, StudyError> {
    let mut asked = PREPARATIONS.iter().filter(|(name, _)| {
        let variant = options.variant.as_deref().unwrap_or_default();
        name.contains(variant)
    });
    if asked.clone().next().is_none() {
        let found = options.variant.as_deref().unwrap_or_default();
        return Err(StudyError::config(
            "variant",
            found,
            "func1pt8mm or func1mm",
        ));
    }
    let is_there = |wanted: &str| {
        let mut folders = subjects.iter().flat_map(|(_, folder)| folder.folders());
        folders.any(|name| name == wanted)
    };
    Ok(asked.find(|(name, _)| is_there(name)).copied())
}

/// The runs of one subject.
struct Runs<'a> {
    subject: &'a str,
    timeseries: Option<Folder>,
    design: Option<Folder>,
    /// By session: run number and file.
    sessions: BTreeMap<u32, BTreeMap<u32, String>>,
    /// Sessions with rest.
    with_rest: BTreeSet<u32>,
}

impl<'a> Runs<'a> {
    fn read(subject: &'a str, func: &Folder, notes: &mut Vec<Note>) -> Self {
        let timeseries = func.child("timeseries", notes);
        let design = func.child("design", notes);
        let mut sessions: BTreeMap<u32, BTreeMap<u32, String>> = BTreeMap::new();
        let mut with_rest = BTreeSet::new();
        let mut n_other = 0;
        for file in timeseries.iter().flat_map(Folder::files) {
            match numbers(file, "timeseries", &[".nii.gz", ".nii"]) {
                Some((session, run)) if (1..=N_RUNS_WITH_REST).contains(&run) => {
                    let runs = sessions.entry(session).or_default();
                    // A `.nii` sorts before its `.nii.gz`, so it is used.
                    runs.entry(run).or_insert_with(|| file.to_owned());
                    if run > N_RUNS {
                        with_rest.insert(session);
                    }
                }
                _ => n_other += 1,
            }
        }
        let designs = design.iter().flat_map(Folder::files);
        for (session, run) in designs.filter_map(|file| numbers(file, "design", &[".tsv"])) {
            if run > N_RUNS {
                with_rest.insert(session);
            }
        }
        if n_other > 0 {
            let why = format!(
                "{n_other} files are not named as runs of the main experiment, \
                 timeseries_session<NN>_run<NN>.nii.gz"
            );
            notes.push(Note::skipped(func.show("timeseries"), why));
        }
        Self {
            subject,
            timeseries,
            design,
            sessions,
            with_rest,
        }
    }

    /// The scans; missing runs of a session are noted.
    fn scans(&self, options: &ListOptions, notes: &mut Vec<Note>) -> Vec<FoundScan> {
        let mut scans = Vec::new();
        for (session, runs) in &self.sessions {
            let n_runs = match self.with_rest.contains(session) {
                true => N_RUNS_WITH_REST,
                false => N_RUNS,
            };
            let missing: Vec<String> = (1..=n_runs)
                .filter(|run| !runs.contains_key(run))
                .map(|run| format!("{run:02}"))
                .collect();
            if !missing.is_empty() {
                notes.push(Note::missing(
                    format!("{} session {session:02}", self.subject),
                    format!(
                        "of {n_runs} runs these are not there: {}",
                        missing.join(", ")
                    ),
                ));
            }
            for (run, file) in runs {
                let at_rest = n_runs == N_RUNS_WITH_REST && [1, n_runs].contains(run);
                let task = if at_rest { "rest" } else { "nsdcore" };
                if options.wants_task(task) {
                    scans.extend(self.scan(*session, *run, task, file, notes));
                }
            }
        }
        scans
    }

    fn scan(
        &self,
        session: u32,
        run: u32,
        task: &str,
        file: &str,
        notes: &mut Vec<Note>,
    ) -> Option<FoundScan> {
        let bold = self.timeseries.as_ref()?.file(file, notes)?;
        let design = self.design.as_ref().filter(|_| task != "rest");
        let design = design.and_then(|folder| {
            let name = format!("design_session{session:02}_run{run:02}.tsv");
            folder.file(&name, notes)
        });
        let subject = self.subject;
        let scan = format!("sub-{subject}_ses-{session:02}_task-{task}_run-{run:02}");
        let signal = SignalFile::Nifti { bold, labels: None };
        Some(FoundScan {
            session: Some(format!("{session:02}")),
            task: Some(task.to_owned()),
            events: design.map_or(EventFiles::None, EventFiles::Design),
            ..FoundScan::new(ScanId::new(scan), SubjectId::new(subject), signal)
        })
    }
}

/// Session and run numbers in `<start>_session<NN>_run<NN><ending>`.
fn numbers(file: &str, start: &str, endings: &[&str]) -> Option<(u32, u32)> {
    let stem = endings
        .iter()
        .find_map(|ending| file.strip_suffix(ending))?;
    let rest = stem.strip_prefix(start)?.strip_prefix("_session")?;
    let (session, run) = rest.split_once("_run")?;
    let number = |digits: &str| {
        let is_number = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse().ok().filter(|_| is_number)
    };
    Some((number(session)?, number(run)?))
}

#[cfg(test)]
mod tests {
    use brainmae_files::InvalidField;

    use super::*;
    use crate::tests::tree::tree;
    use proptest::prelude::*;

    fn session(prefix: &str, runs: &[u32], designs: &[u32]) -> Vec<String> {
        let file = |kind: &str, run: &u32, ending: &str| {
            format!("{prefix}/{kind}/{kind}_session02_run{run:02}{ending}")
        };
        let series = runs.iter().map(|run| file("timeseries", run, ".nii.gz"));
        let design = designs.iter().map(|run| file("design", run, ".tsv"));
        series.chain(design).collect()
    }

    const RUNS_12: [u32; 12] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    const RUNS_14: [u32; 14] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14];

    fn tasks(listing: &Listing) -> String {
        let letter = |scan: &FoundScan| match scan.task.as_deref() {
            Some("rest") => 'r',
            _ => 'n',
        };
        listing.scans.iter().map(letter).collect()
    }

    #[test]
    fn the_subjects_are_found_at_every_depth() {
        for top in ["nsddata_timeseries/ppdata/", "ppdata/", ""] {
            let root = tree(&session(
                &format!("{top}subj01/func1pt8mm"),
                &RUNS_12,
                &RUNS_12,
            ));
            let listing = list(root.path(), &ListOptions::default()).unwrap();
            assert_eq!(tasks(&listing), "nnnnnnnnnnnn", "{top}");
            let scan = &listing.scans[4];
            assert_eq!(scan.scan, "sub-subj01_ses-02_task-nsdcore_run-05".into());
            assert_eq!(scan.subject, "subj01".into());
            assert_eq!(scan.session.as_deref(), Some("02"));
            assert_eq!(scan.tr_secs, Some(4.0 / 3.0));
            let design = format!("{top}subj01/func1pt8mm/design/design_session02_run05.tsv");
            assert_eq!(scan.events, EventFiles::Design(root.path().join(design)));
            assert_eq!(listing.notes.len(), 1, "{:?}", listing.notes);
            assert_eq!(listing.notes[0].what, "subject_labels");
        }
    }

    #[test]
    fn the_first_and_the_last_of_14_runs_are_rest() {
        let root = tree(&session("subj01/func1mm", &RUNS_14, &[]));
        let mut options = ListOptions::default();
        let listing = list(root.path(), &options).unwrap();
        assert_eq!(tasks(&listing), "rnnnnnnnnnnnnr");
        assert_eq!(listing.scans[0].tr_secs, Some(1.0));
        options.tasks = vec!["rest".into()];
        assert_eq!(tasks(&list(root.path(), &options).unwrap()), "rr");
    }

    #[test]
    fn a_session_fetched_in_part_is_told_by_its_designs() {
        let root = tree(&session("subj01/func1mm", &[1, 2], &RUNS_14));
        let listing = list(root.path(), &ListOptions::default()).unwrap();
        assert_eq!(tasks(&listing), "rn");
        assert_eq!(listing.scans[0].events, EventFiles::None);
        let why = &listing.notes[0].why;
        assert!(
            why.starts_with("of 14 runs these are not there: 03, 04"),
            "{why}"
        );
    }

    #[test]
    fn the_preparation_of_1_8_mm_is_taken_unless_the_other_is_asked_for() {
        let mut files = session("subj01/func1pt8mm", &RUNS_12, &[]);
        files.extend(session("subj01/func1mm", &RUNS_12, &[]));
        files.extend(session("subj02/func1mm", &RUNS_12, &[]));
        let root = tree(&files);
        let mut options = ListOptions::default();
        let listing = list(root.path(), &options).unwrap();
        assert_eq!(listing.scans.len(), 12);
        assert_eq!(listing.scans[0].variant, "func1pt8mm");
        assert_eq!(listing.notes[0].what, "subj02/func1pt8mm");
        options.variant = Some("func1mm".into());
        let listing = list(root.path(), &options).unwrap();
        assert_eq!(listing.scans.len(), 24);
        options.variant = Some("func2mm".into());
        let error = list(root.path(), &options).unwrap_err();
        let is_of_field = matches!(
            &error,
            StudyError::Config(InvalidField { field: "variant", found, expected })
                if found == "func2mm" && expected == "func1pt8mm or func1mm"
        );
        assert!(is_of_field, "{error:?}");
    }

    #[test]
    fn a_subject_without_its_label_volume_is_left_out() {
        let mut files = session("subj01/func1mm", &RUNS_12, &[]);
        files.extend(session("subj02/func1mm", &RUNS_12, &[]));
        files.push("labels/subj02.nii.gz".into());
        let root = tree(&files);
        let options = ListOptions {
            subject_labels: Some("labels/{subject}.nii.gz".into()),
            ..Default::default()
        };
        let listing = list(root.path(), &options).unwrap();
        assert_eq!(listing.scans.len(), 12);
        let SignalFile::Nifti { labels, .. } = &listing.scans[0].signal else {
            panic!("{:?}", listing.scans[0])
        };
        assert_eq!(labels, &Some(root.path().join("labels/subj02.nii.gz")));
        assert_eq!(listing.notes.len(), 1);
        assert_eq!(listing.notes[0].what, "labels/subj01.nii.gz");
    }

    #[test]
    fn localisers_are_skipped() {
        let mut files = session("subj01/func1mm", &RUNS_12, &[]);
        files.push("subj01/func1mm/timeseries/timeseries_prffloc_run01.nii.gz".into());
        let root = tree(&files);
        let listing = list(root.path(), &ListOptions::default()).unwrap();
        assert_eq!(listing.scans.len(), 12);
        assert!(listing.notes[0].why.starts_with("1 files are not named"));
    }

    proptest! {
        #[test]
        fn any_name_has_numbers_or_none(
            file in "(timeseries_session)?\\PC{0,6}(_run)?\\PC{0,6}([.]nii)?"
        ) {
            if let Some((session, run)) = numbers(&file, "timeseries", &[".nii"]) {
                prop_assert!(session < 100 && run < 100);
            }
        }
    }
}
