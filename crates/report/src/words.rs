//! Words cut to the room that a drawing has.

/// Width of a letter at the font size of drawings, in page pixels.
pub const LETTER: f64 = 6.8;

/// `words`, with an ellipsis after the first `longest` letters.
pub fn cut(words: &str, longest: usize) -> String {
    if words.chars().count() <= longest {
        return words.to_string();
    }
    let start: String = words.chars().take(longest - 1).collect();
    start + "…"
}

/// `words`, with an ellipsis in place of their middle, because names often differ at their end.
pub fn cut_inside(words: &str, longest: usize) -> String {
    let n = words.chars().count();
    if n <= longest {
        return words.to_string();
    }
    let (start, end) = (longest / 2, longest - longest / 2 - 1);
    let kept = words.chars().enumerate();
    let kept = kept.filter(|(i, _)| *i < start || *i + end >= n);
    let mut text: String = kept.map(|(_, letter)| letter).collect();
    let at = words.chars().take(start).map(char::len_utf8).sum();
    text.insert(at, '…');
    text
}

/// Width of the longest of some words, in page pixels.
pub fn width<'a>(words: impl Iterator<Item = &'a str>) -> f64 {
    words.map(|w| w.chars().count()).max().unwrap_or(0) as f64 * LETTER
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_counted_and_not_bytes() {
        assert_eq!(cut("Köln", 4), "Köln");
        assert_eq!(cut("Kölner Dom", 4), "Köl…");
        assert_eq!(cut_inside("Kölner Dom", 5), "Kö…om");
        assert_eq!(cut_inside("Köln", 4), "Köln");
        assert_eq!(width(["ö", "ab"].into_iter()), 2.0 * LETTER);
    }
}
