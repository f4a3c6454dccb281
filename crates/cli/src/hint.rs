//! What to do about an error, where more can be said than the error says.

/// The closest known word to an unknown one, from an error that lists what was expected.
///
/// TOML errors read: unknown field `maks`, expected one of `model`, `mask`.
pub fn hint(error: &anyhow::Error) -> Option<String> {
    error
        .chain()
        .find_map(|cause| suggestion(&cause.to_string()))
}

fn suggestion(message: &str) -> Option<String> {
    let start = message
        .find("unknown field")
        .or_else(|| message.find("unknown variant"))?;
    let mut words = message[start..].split('`').skip(1).step_by(2);
    let unknown = words.next()?;
    let (distance, known) = words
        .map(|known| (strsim::damerau_levenshtein(unknown, known), known))
        .min()?;
    let near = distance <= 1 + known.len() / 3;
    near.then(|| format!("did you mean `{known}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_known_word_is_suggested() {
        let message = "unknown field `maks`, expected one of `model`, `mask`, `train`";
        assert_eq!(suggestion(message).as_deref(), Some("did you mean `mask`?"));
    }

    #[test]
    fn nothing_is_suggested_for_a_word_like_no_other() {
        let message = "unknown field `zzzzzzzz`, expected one of `model`, `mask`";
        assert_eq!(suggestion(message), None);
        assert_eq!(suggestion("no such file"), None);
    }
}
