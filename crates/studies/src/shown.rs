//! Texts and file names in the form of messages.

/// Maximum number of characters of a text in a message.
const SHOWN: usize = 40;

/// Default number of names in a note.
const FEW: usize = 3;

/// The start of a text, in quotes.
pub(crate) fn shown(text: &str) -> String {
    let start: String = text.chars().take(SHOWN).collect();
    format!("{start:?}")
}

/// The first three names, and the number of further names.
pub(crate) fn few<S: AsRef<str>>(names: &[S]) -> String {
    first_of(names, FEW)
}

/// The first `most` names, and the number of further names.
pub(crate) fn first_of<S: AsRef<str>>(names: &[S], most: usize) -> String {
    let first: Vec<&str> = names.iter().take(most).map(AsRef::as_ref).collect();
    match names.len().saturating_sub(most) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}
