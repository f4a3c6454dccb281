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
