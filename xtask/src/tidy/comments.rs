//! Comments of a source file: their width, their words, and the head of the module.

use proc_macro2::{TokenStream, TokenTree};

/// Columns of the widest line that holds a comment.
const WIDTH: usize = 100;

/// Words that the glossary replaces, and what to say.
const WORDS: &str = include_str!("words.txt");

/// First words of a riddle, where a module's head should begin with the noun that it holds.
const RIDDLES: &str = "What|Who|Whose|Whom|How|Which|Where|When|Why|Whether|From what";

/// What is wrong with the comments of a file: line and message.
pub fn check(text: &str, tokens: TokenStream) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let is_riddle = |head| {
        RIDDLES
            .split('|')
            .any(|word| word_at(head, word) == Some(0))
    };
    if text.strip_prefix("//! ").is_some_and(is_riddle) {
        let rule = "the head of a module begins with the noun that it holds";
        found.push((1, rule.to_string()));
    }
    let comments = comments(text, tokens);
    for (i, (line, comment)) in comments.iter().enumerate() {
        let columns = text.lines().nth(line - 1).unwrap_or_default();
        let columns = columns.chars().count();
        if columns > WIDTH && !is_unbreakable(comment) {
            found.push((*line, format!("a comment of {columns} columns, of {WIDTH}")));
        }
        // A phrase may go on in the next line.
        let here = prose(comment);
        let next = comments.get(i + 1).filter(|next| next.0 == line + 1);
        let next = next.map_or(String::new(), |next| prose(&next.1));
        let both = format!("{here} {next}");
        for (word, instead) in WORDS.lines().filter_map(|row| row.split_once(": ")) {
            if word_at(&both, word).is_some_and(|at| at < here.len()) {
                found.push((*line, format!("{word:?} in a comment: say {instead}")));
            }
        }
    }
    found
}

/// Addresses, rows of tables, and one long word.
fn is_unbreakable(comment: &str) -> bool {
    comment.contains("://") || comment.starts_with('|') || !comment.contains(' ')
}

/// A comment's words in small letters, without what is quoted from code.
fn prose(comment: &str) -> String {
    let outside: Vec<&str> = comment.split('`').step_by(2).collect();
    outside.join("`").to_lowercase()
}

/// Where `word` stands in `text`, not as part of a longer word.
fn word_at(text: &str, word: &str) -> Option<usize> {
    let goes_on = |c: char| c.is_alphanumeric() || c == '_';
    let mut places = text.match_indices(word).map(|(at, _)| at);
    places.find(|at| {
        let (before, after) = (&text[..*at], &text[at + word.len()..]);
        !before.ends_with(goes_on) && !after.starts_with(goes_on)
    })
}

/// Comments by line: what is left of the text without its tokens and white space.
fn comments(text: &str, tokens: TokenStream) -> Vec<(usize, String)> {
    let mut is_code = vec![false; text.len()];
    cover(text, tokens, &mut is_code);
    let mut lines = vec![String::new()];
    for (at, c) in text.char_indices() {
        match lines.last_mut() {
            _ if c == '\n' => lines.push(String::new()),
            Some(line) if !is_code[at] => line.push(c),
            _ => {}
        }
    }
    let bare = |line: &str| line.trim_start_matches(['/', '!', '*']).trim().to_string();
    let lines = (1..).zip(lines).filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(i, line)| (i, bare(line.trim()))).collect()
}

/// Marks the bytes of all tokens, except those that are made of doc comments.
fn cover(text: &str, tokens: TokenStream, is_code: &mut [bool]) {
    for token in tokens {
        let source = text.get(token.span().byte_range()).unwrap_or_default();
        if source.starts_with("//") || source.starts_with("/*") {
            continue;
        }
        match token {
            TokenTree::Group(group) => {
                is_code[group.span_open().byte_range()].fill(true);
                is_code[group.span_close().byte_range()].fill(true);
                cover(text, group.stream(), is_code);
            }
            other => is_code[other.span().byte_range()].fill(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<usize> {
        let found = check(text, text.parse().expect("Rust"));
        found.into_iter().map(|(line, _)| line).collect()
    }

    #[test]
    fn wide_comments_are_found_and_wide_strings_and_tables_are_not() {
        let long = "word ".repeat(20);
        let text = format!("//! A\n/// {long}\nfn f() {{\n    // {long}\n    /* {long} */\n}}");
        assert_eq!(lines(&text), [2, 4, 5]);
        assert_eq!(
            lines(&format!("#[cfg(test)]\nmod a {{\n    // {long}\n}}")),
            [3]
        );
        assert!(lines(&format!("const A: &str = r#\"\n// {long}\"#;")).is_empty());
        for text in [
            format!("| {long} |"),
            format!("https://{long}"),
            "/path".repeat(30),
        ] {
            assert!(lines(&format!("//! {text}")).is_empty(), "{text}");
        }
    }

    #[test]
    fn words_are_found_across_lines_and_not_in_code() {
        assert_eq!(
            lines("/// Pearson Connectivity\n/// matrix.\nfn f() {}"),
            [1]
        );
        let text = "/// `data type`, metadata types.\nfn data_type() { f(\"data type\") }";
        assert!(lines(text).is_empty());
    }

    #[test]
    fn a_riddle_is_no_head() {
        let heads = [
            "What is hidden.",
            "From what it is made.",
            "Whatever.\n//! What follows.",
        ];
        let found = heads.map(|head| lines(&format!("//! {head}")).len());
        assert_eq!(found, [1, 1, 0]);
    }
}
