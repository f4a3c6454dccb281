//! Things that this machine does not have.

use std::fmt;

/// Why something cannot be had on this machine; nothing is wrong with the workspace.
#[derive(Debug)]
pub struct Unavailable(String);

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unavailable {}

/// An error with a reason, and a hint of what to do about it.
pub fn unavailable(reason: impl Into<String>) -> anyhow::Error {
    Unavailable(reason.into()).into()
}

/// The first line of the reason, where that is what an error is about.
///
/// # Errors
/// The error itself, where it is another one.
pub fn reason(error: anyhow::Error) -> anyhow::Result<String> {
    if !error.is::<Unavailable>() {
        return Err(error);
    }
    let reason = error.to_string();
    Ok(reason.lines().next().unwrap_or_default().to_string())
}
