//! Child process that measures one case.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::step::{Case, Measurement, STDOUT};

/// Measures a case with this program. The stderr of the process is passed on.
///
/// # Errors
/// If the process fails, with the last line of its messages.
pub fn measure(case: &Case, more: &[String]) -> Result<Measurement> {
    let program = std::env::current_exe().context("where this program lies")?;
    let mut child = Command::new(program)
        .args(["bench", "step", "--json", STDOUT])
        .args(case.arguments())
        .args(more)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start this program anew")?;
    let mut last = String::new();
    if let Some(stderr) = child.stderr.take() {
        // Its output on stdout fits into the pipe until it is read.
        for line in BufReader::new(stderr).split(b'\n') {
            let line = String::from_utf8_lossy(&line?).trim_end().to_string();
            eprintln!("{line}");
            last = last_word(last, line);
        }
    }
    let mut json = Vec::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_end(&mut json)?;
    }
    let status = child.wait()?;
    match status.code() {
        Some(0) => serde_json::from_slice(&json).context("the process printed no measurement"),
        Some(_) if !last.is_empty() => bail!("{last}"),
        Some(code) => bail!("it ended with {code}"),
        None => bail!("{status}: out of memory?"),
    }
}

/// The line to report: the first with an error, otherwise the last that is not empty.
fn last_word(known: String, line: String) -> String {
    let tells = ["error", "Error", "out of memory"];
    if line.is_empty() || tells.iter().any(|word| known.contains(word)) {
        known
    } else {
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word_of(lines: &[&str]) -> String {
        let lines = lines.iter().map(|line| line.to_string());
        lines.fold(String::new(), last_word)
    }

    #[test]
    fn the_error_is_remembered_and_what_follows_it_is_not() {
        let said = [
            "731540 parameters",
            "error: there is no GPU",
            "hint: buy one",
            "",
        ];
        assert_eq!(word_of(&said), "error: there is no GPU");
        assert_eq!(word_of(&["731540 parameters", ""]), "731540 parameters");
    }
}
