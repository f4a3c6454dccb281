//! Walk through the folders of a release: subjects, runs, scans.

use std::collections::btree_map::Entry as Place;
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::Protocol;
use super::folder_name::{FolderName, Person, Run};
use super::remarks::Remarks;
use super::run_folder::{Chosen, RunFolder};
use super::signal_name::Rank;
use crate::error::{ListingProblem, StudyError};
use crate::folder::{Folder, NOT_UTF8};
use crate::listing::{
    ConfoundFile, EventFiles, FoundScan, ListOptions, Listing, NoteKind, SignalFile,
};
use crate::one_variant::{self, Offer};
use brainmae_files::CommonErrors as _;
use brainmae_files::id::{ScanId, SubjectId};

/// Optional folder between that of a subject and `MNINonLinear`; some downloads add one.
const LEVELS: [&str; 3] = ["", "files", "func"];

/// The folder of one subject, or of one visit.
pub(crate) struct Visit {
    person: Person,
    /// Path relative to the root, for remarks.
    pub folder: String,
    path: PathBuf,
}

impl Visit {
    /// Whether the name `name` given by a user means this folder.
    fn answers_to(&self, name: &str) -> bool {
        self.person.subject == name || self.path.file_name().is_some_and(|folder| folder == name)
    }

    fn is_wanted(&self, options: &ListOptions) -> bool {
        options.subjects.is_empty() || options.subjects.iter().any(|name| self.answers_to(name))
    }
}

/// A walk through the folders of a release.
pub(crate) struct Walk<'a> {
    protocol: &'a Protocol,
    root: &'a Path,
    options: &'a ListOptions,
    /// The variant of each task, once it is known.
    variants: BTreeMap<String, String>,
    scans: BTreeMap<(SubjectId, ScanId), FoundScan>,
    /// The variants of each scan in `scans`.
    offers: Vec<Offer<Rank>>,
    pub remarks: Remarks,
}

impl<'a> Walk<'a> {
    fn new(protocol: &'a Protocol, root: &'a Path, options: &'a ListOptions) -> Self {
        Self {
            protocol,
            root,
            options,
            variants: BTreeMap::new(),
            scans: BTreeMap::new(),
            offers: Vec::new(),
            remarks: Remarks::default(),
        }
    }

    /// Lists a release with the walk `list`, so that all scans of a task are of one variant. If the
    /// cleanest file of some scan is of another variant, the folders are read a second time.
    ///
    /// # Errors
    /// Errors of `list`, and [`ListingProblem::MixedVariants`].
    pub fn in_one_variant(
        protocol: &'a Protocol,
        root: &'a Path,
        options: &'a ListOptions,
        list: impl Fn(&mut Self) -> Result<(), StudyError>,
    ) -> Result<Listing, StudyError> {
        let mut walk = Self::new(protocol, root, options);
        list(&mut walk)?;
        let variants = one_variant::of_tasks(&walk.offers, options.common_variant);
        let variants = variants.map_err(|mixed| StudyError::Listing {
            path: root.to_owned(),
            problem: ListingProblem::MixedVariants(mixed),
        })?;
        let other = walk.other_variants(&variants);
        if !other.is_empty() {
            walk = Self::new(protocol, root, options);
            walk.variants = variants;
            list(&mut walk)?;
            for (task, n) in other {
                let why = format!(
                    "{:?} is used, which all its scans have; {n} of them have another file that is as \
                     clean or cleaner",
                    walk.variants[&task]
                );
                let what = format!("task {task}");
                walk.remarks.add(NoteKind::Skipped, "", &what, why);
            }
        }
        Ok(walk.finish())
    }

    /// By task, the number of scans whose file is not of the variant of their task.
    fn other_variants(&self, variants: &BTreeMap<String, String>) -> BTreeMap<String, usize> {
        let mut other = BTreeMap::new();
        for scan in self.scans.values() {
            let task = scan.task.as_deref().unwrap_or_default();
            if variants
                .get(task)
                .is_some_and(|variant| *variant != scan.variant)
            {
                *other.entry(task.to_owned()).or_default() += 1;
            }
        }
        other
    }

    /// Whether the variant of this task is known.
    pub fn knows_variant(&self, task: &str) -> bool {
        self.variants.contains_key(task)
    }

    /// The folders of the requested subjects, in the root or one level below it.
    ///
    /// # Errors
    /// An error when the root cannot be read.
    pub fn visits(&mut self) -> Result<Vec<Visit>, StudyError> {
        let root = self.root;
        let top = self
            .read_folder(root)
            .map_err(StudyError::io("read", root))?;
        let mut visits = self.visits_among(&top);
        if visits.is_empty() {
            for name in top.folders().filter(|name| !name.starts_with('.')) {
                match self.read_folder(&root.join(name)) {
                    Ok(inner) => visits.extend(self.visits_among(&inner)),
                    // A link to a file or to nothing.
                    Err(_) if top.is_link(name) => {}
                    Err(error) => {
                        let why = format!("it cannot be read: {error}");
                        self.remarks.add(NoteKind::Skipped, name, "", why);
                    }
                }
            }
        }
        if visits.is_empty() {
            let why = format!(
                "there is no folder of a subject, named {}, here or one level below",
                self.protocol.subject_form
            );
            self.remarks.add(NoteKind::Missing, ".", "", why);
        }

        let options = self.options;
        for wanted in &options.subjects {
            if !visits.iter().any(|visit| visit.answers_to(wanted)) {
                let why = "the subject is asked for and has no folder";
                self.remarks.add(NoteKind::Missing, wanted, "", why);
            }
        }
        visits.retain(|visit| visit.is_wanted(options));
        Ok(visits)
    }

    fn visits_among(&self, parent: &Folder) -> Vec<Visit> {
        parent
            .folders()
            .filter_map(|name| {
                Some(Visit {
                    person: (self.protocol.parse_subject)(name)?,
                    folder: parent.show(name),
                    path: parent.path.join(name),
                })
            })
            .collect()
    }

    /// The requested runs of a subject; `None` when it has no folder of results.
    pub fn runs(&mut self, visit: &Visit) -> Option<Vec<RunFolder>> {
        let results = self.results(visit)?;
        let mut runs = Vec::new();
        for name in results.folders() {
            match (self.protocol.parse_run)(name) {
                Some(FolderName::Run(run)) if self.options.wants_task(&run.task) => {
                    let entries = self
                        .read_folder(&results.path.join(name))
                        .map_err(|error| format!("its folder cannot be read: {error}"));
                    runs.push(RunFolder {
                        name: name.to_owned(),
                        run,
                        entries,
                    });
                }
                Some(FolderName::Other(what, why)) => {
                    self.remarks
                        .add(NoteKind::Skipped, &visit.folder, &what, why);
                }
                Some(FolderName::Run(_)) | None => {}
            }
        }
        Some(runs)
    }

    fn results(&mut self, visit: &Visit) -> Option<Folder> {
        for level in LEVELS {
            let path = visit.path.join(level).join("MNINonLinear/Results");
            match self.read_folder(&path) {
                Ok(results) => return Some(results),
                Err(error) => match error.kind() {
                    ErrorKind::NotFound | ErrorKind::NotADirectory => {}
                    _ => {
                        let why = format!("it cannot be read: {error}");
                        let what = path.strip_prefix(&visit.path).unwrap_or(&path);
                        let what = what.to_string_lossy();
                        self.remarks
                            .add(NoteKind::Skipped, &visit.folder, &what, why);
                        return None;
                    }
                },
            }
        }
        let why = "there is no folder MNINonLinear/Results";
        self.remarks.add(NoteKind::Missing, &visit.folder, "", why);
        None
    }

    /// The signal file of a run, or the reason why there is none.
    pub fn choose(&mut self, visit: &Visit, run: &RunFolder) -> Result<Chosen, String> {
        let only = self.variants.get(&run.run.task).map(String::as_str);
        run.choose(&visit.folder, self.options, only, &mut self.remarks)
    }

    /// Adds a scan to the listing. `part` is its range of volumes in the file; `None` means all.
    /// `own` is the folder of this run alone, with its head movement and events.
    pub fn add(
        &mut self,
        visit: &Visit,
        run: &Run,
        chosen: Chosen,
        part: Option<Range<usize>>,
        own: Option<&RunFolder>,
    ) {
        let signal = match self.signal(visit, &chosen) {
            Ok(signal) => signal,
            Err(why) => {
                self.remarks.add(NoteKind::Missing, &visit.folder, "", why);
                return;
            }
        };
        let confounds = own.and_then(|own| own.file("Movement_Regressors.txt"));
        let events = own.and_then(|own| own.folder("EVs"));
        let scan = FoundScan {
            scan: ScanId::new(run.scan_name(&visit.person.scan_prefix)),
            subject: SubjectId::new(&visit.person.subject),
            session: Some(visit.person.session.clone()),
            task: Some(run.task.clone()),
            signal,
            part,
            tr_secs: Some(self.protocol.tr_secs),
            variant: chosen.variant,
            confounds: confounds.map(ConfoundFile::Hcp),
            outliers: None,
            coverage: None,
            events: events.map_or(EventFiles::None, EventFiles::Evs),
        };
        match self.scans.entry((scan.subject.clone(), scan.scan.clone())) {
            Place::Vacant(place) => {
                self.offers.push(Offer {
                    scan: scan.scan.clone(),
                    task: run.task.clone(),
                    variants: chosen.variants,
                });
                place.insert(scan);
            }
            Place::Occupied(_) => {
                let why = "another folder has scans of the same names: list the two apart";
                self.remarks.add(NoteKind::Skipped, &visit.folder, "", why);
            }
        }
    }

    fn signal(&self, visit: &Visit, chosen: &Chosen) -> Result<SignalFile, String> {
        let path = chosen.path.clone();
        if chosen.is_cifti() {
            return Ok(SignalFile::Cifti(path));
        }
        let labels = self.options.subject_labels.as_ref().map(|pattern| {
            let path = pattern.replace("{subject}", &visit.person.subject);
            self.root.join(path)
        });
        if labels.as_ref().is_some_and(|labels| !labels.exists()) {
            return Err("the subject's own label volume, `subject_labels`, is not there".into());
        }
        Ok(SignalFile::Nifti { bold: path, labels })
    }

    /// Adds remarks on missing runs, compared with a complete subject.
    pub fn remark_missing(&mut self, visit: &Visit, is_there: impl Fn(&str) -> bool) {
        let (protocol, options) = (self.protocol, self.options);
        let wanted: Vec<&str> = protocol
            .runs
            .iter()
            .copied()
            .filter(|name| match (protocol.parse_run)(name) {
                Some(FolderName::Run(run)) => options.wants_task(&run.task),
                _ => false,
            })
            .collect();
        let missing: Vec<&str> = wanted
            .iter()
            .copied()
            .filter(|name| !is_there(name))
            .collect();
        if missing.len() == wanted.len() && !wanted.is_empty() {
            let why = "the subject has none of the runs of this release that are asked for";
            self.remarks.add(NoteKind::Missing, &visit.folder, "", why);
            return;
        }
        for name in missing {
            let why = "the run is not there";
            self.remarks
                .add(NoteKind::Missing, &visit.folder, name, why);
        }
    }

    /// The listing, sorted, with a remark if tasks are of different variants.
    fn finish(mut self) -> Listing {
        let mut variants: BTreeMap<&str, &str> = BTreeMap::new();
        for scan in self.scans.values() {
            let task = scan.task.as_deref().unwrap_or_default();
            variants.insert(task, &scan.variant);
        }
        let distinct: BTreeSet<&&str> = variants.values().collect();
        if distinct.len() > 1 {
            let variants: Vec<String> = variants
                .iter()
                .map(|(task, variant)| format!("{task} {variant:?}"))
                .collect();
            let why = format!(
                "they are not of one variant, so that the cleaning tells the task: {}",
                variants.join(", ")
            );
            self.remarks.add(NoteKind::Mixed, "", "tasks", why);
        }
        Listing {
            scans: self.scans.into_values().collect(),
            notes: self.remarks.into_notes(),
        }
    }

    /// Reads a folder and adds remarks on names that are not UTF-8.
    fn read_folder(&mut self, path: &Path) -> std::io::Result<Folder> {
        let shown = path.strip_prefix(self.root).unwrap_or(path);
        let folder = Folder::read(path, shown.to_string_lossy().into_owned())?;
        for name in &folder.not_utf8 {
            let what = folder.show(&name.to_string_lossy());
            self.remarks.add(NoteKind::Skipped, "", &what, NOT_UTF8);
        }
        Ok(folder)
    }
}
