//! Layout of a study: how the files of a release are named, and which scans they are.

use std::path::Path;

use crate::error::StudyError;
use crate::listing::{ListOptions, Listing};

/// How the files of one study, or of one program's outputs, lie in a folder.
///
/// A layout opens no signal: it looks at names and, where it must, at small text files. One from
/// outside of this crate is used as those in it: `brainmae_studies::list` takes any of them.
pub trait StudyLayout: Sync {
    /// Its name in configurations: lower case, `-` between words.
    fn name(&self) -> &'static str;

    /// One line on which files it looks for.
    fn about(&self) -> &'static str;

    /// Whether `root` looks like this layout, after a look into a few folders; by default it never
    /// does, and the layout must be named.
    fn recognise(&self, _root: &Path) -> bool {
        false
    }

    /// The scans in `root` that `options` ask for, in any order, and remarks on what is missing or
    /// not used. `brainmae_studies::list` sorts them and checks that their ids are unique.
    ///
    /// # Errors
    /// When `root` cannot be read, or when `options` leave open which files are meant.
    fn list(&self, root: &Path, options: &ListOptions) -> Result<Listing, StudyError>;
}
