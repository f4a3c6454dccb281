//! Names as messages show them.

/// Longest part of a name that a message repeats, in characters.
pub(crate) const LONGEST_SHOWN: usize = 60;

/// A name as a message shows it: quoted, and cut when it is long.
pub(crate) fn shown(name: &str) -> String {
    match name.char_indices().nth(LONGEST_SHOWN) {
        Some((end, _)) => format!("{:?}…", &name[..end]),
        None => format!("{name:?}"),
    }
}
