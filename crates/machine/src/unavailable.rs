//! Errors of things that this machine does not have.

use std::fmt;

/// Reason why something is not available on this machine; the workspace itself is fine.
#[derive(Debug)]
pub struct Unavailable(String);

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unavailable {}

/// Creates an error with a reason and a hint of what to do about it.
pub fn unavailable(reason: impl Into<String>) -> anyhow::Error {
    Unavailable(reason.into()).into()
}

/// First line of the reason, if the error is [`Unavailable`].
///
/// # Errors
/// The error itself, if it is another one.
pub fn reason(error: anyhow::Error) -> anyhow::Result<String> {
    if !error.is::<Unavailable>() {
        return Err(error);
    }
    let reason = error.to_string();
    Ok(reason.lines().next().unwrap_or_default().to_string())
}
