//! Layout of a study: the folder and file names of a release, and the scans they belong to.

use std::path::Path;

use crate::error::StudyError;
use crate::listing::{ListOptions, Listing};

/// The folder and file names of one study, or of the outputs of one program.
///
/// A layout opens no signals: it reads names and, where needed, small text files. A layout from
/// outside this crate works in the same way: `brainmae_studies::list` takes any layout.
pub trait StudyLayout: Sync {
    /// Its name in configurations: lower case, with `-` between words.
    fn name(&self) -> &'static str;

    /// One line that describes the files it looks for.
    fn about(&self) -> &'static str;

    /// Whether `root` looks like this layout, after a search of a few folders. The default is
    /// `false`; then the layout must be named.
    fn recognise(&self, _root: &Path) -> bool {
        false
    }

    /// The requested scans in `root`, in any order, and notes on missing or unused files.
    /// `brainmae_studies::list` sorts them and checks that their ids are unique.
    ///
    /// # Errors
    /// An error when `root` cannot be read, or when `options` are ambiguous.
    fn list(&self, root: &Path, options: &ListOptions) -> Result<Listing, StudyError>;
}

/// A layout of this crate, whose file holds its two functions.
pub struct BuiltIn {
    name: &'static str,
    about: &'static str,
    recognise: fn(&Path) -> bool,
    list: fn(&Path, &ListOptions) -> Result<Listing, StudyError>,
}

impl BuiltIn {
    /// A layout by its name and functions.
    pub(crate) const fn new(
        name: &'static str,
        recognise: fn(&Path) -> bool,
        list: fn(&Path, &ListOptions) -> Result<Listing, StudyError>,
    ) -> Self {
        Self {
            name,
            about: "",
            recognise,
            list,
        }
    }

    /// The layout with one line that describes the files it looks for.
    pub(crate) const fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }
}

impl StudyLayout for BuiltIn {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn recognise(&self, root: &Path) -> bool {
        (self.recognise)(root)
    }

    fn list(&self, root: &Path, options: &ListOptions) -> Result<Listing, StudyError> {
        (self.list)(root, options)
    }
}
