//! Names in the form of messages.

/// Maximum length of a name in a message, in characters.
pub(crate) const LONGEST_SHOWN: usize = 60;

/// A name in the form of messages: quoted, and shortened when it is long.
pub(crate) fn shown(name: &str) -> String {
    match name.char_indices().nth(LONGEST_SHOWN) {
        Some((end, _)) => format!("{:?}…", &name[..end]),
        None => format!("{name:?}"),
    }
}
