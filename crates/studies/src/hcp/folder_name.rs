//! Names of folders of subjects and runs.

/// The subject of a folder.
pub(crate) struct Person {
    pub subject: String,
    pub session: String,
    /// Prefix of the names of all scans in the folder: `sub-1_ses-7T`.
    pub scan_prefix: String,
}

/// The meaning of a folder name in `Results`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum FolderName {
    /// One run, or a concatenation of distinguishable runs.
    Run(Run),
    /// Another folder: its description, and why it is not used.
    Other(String, &'static str),
}

/// One run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Run {
    pub task: String,
    pub acquisition: Option<String>,
    pub direction: Option<String>,
    /// Run number from 1, if the run has no other distinguishing name.
    pub number: Option<usize>,
}

impl Run {
    /// Parses `REST1` as the task `rest` with acquisition `REST1`, and `WM` as the task `wm`.
    pub fn new(name: &str, direction: &str) -> Self {
        let task = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
        Self {
            task: task.to_ascii_lowercase(),
            acquisition: (task != name).then(|| name.to_owned()),
            direction: Some(direction.to_owned()),
            number: None,
        }
    }

    /// The name of its scan by the rules of BIDS.
    pub fn scan_name(&self, prefix: &str) -> String {
        let mut name = format!("{prefix}_task-{}", self.task);
        for (entity, value) in [("acq", &self.acquisition), ("dir", &self.direction)] {
            if let Some(value) = value {
                name += &format!("_{entity}-{value}");
            }
        }
        if let Some(number) = self.number {
            name += &format!("_run-{number:02}");
        }
        name
    }
}

/// The part `REST1_LR` of `rfMRI_REST1_LR`.
pub(crate) fn after_modality(folder: &str) -> Option<&str> {
    folder
        .strip_prefix("rfMRI_")
        .or_else(|| folder.strip_prefix("tfMRI_"))
}

/// Whether a part of a name consists of letters and digits and begins with a letter.
pub(crate) fn is_word(part: &str) -> bool {
    part.starts_with(|first: char| first.is_ascii_alphabetic())
        && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The subject and visit of `HCA6000030_V1` and `HCA6000030_V1_MR`.
pub(crate) fn parse_aging_visit(name: &str) -> Option<(&str, &str)> {
    let (subject, rest) = name.split_once('_')?;
    let visit = rest.strip_suffix("_MR").unwrap_or(rest);
    (has_digits(subject, "HCA", 7) && has_digits(visit, "V", 1)).then_some((subject, visit))
}

/// Whether `name` consists of `start` and `n` digits.
pub(crate) fn has_digits(name: &str, start: &str, n: usize) -> bool {
    name.strip_prefix(start)
        .is_some_and(|digits| digits.len() == n && digits.bytes().all(|byte| byte.is_ascii_digit()))
}
