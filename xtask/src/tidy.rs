//! Invariants of ARCHITECTURE.md that can be checked by reading the sources.

mod comments;
mod layers;
mod rule;
mod source;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use proc_macro2::TokenStream;

use crate::workspace;

/// A file longer than this usually holds a second noun.
const LONGEST: usize = 500;

const FOLDERS: &[&str] = &["bench", "crates", "fuzz", "tests", "xtask"];

/// Checks every source file and manifest of the workspace.
///
/// # Errors
/// If anything is found; it is listed on stderr.
pub fn check() -> Result<()> {
    let root = workspace::root();
    let mut findings = Vec::new();
    let mut sizes: Vec<(String, usize)> = Vec::new();
    for (file, text) in files(&root)? {
        let found = match file.ends_with(".rs") {
            true => check_source(&file, &text),
            false => check_manifest(&file, &text),
        };
        for (line, rule) in found.with_context(|| file.clone())? {
            findings.push(format!("{file}:{line}: {rule}"));
        }
        if let Some((name, _)) = in_crate(&file).filter(|(_, path)| path.starts_with("src/")) {
            let lines = text.lines().count();
            match sizes.iter_mut().find(|size| size.0 == name) {
                Some(size) => size.1 += lines,
                None => sizes.push((name.to_string(), lines)),
            }
        }
    }
    match layers::check_largest(&sizes) {
        Ok(told) => eprintln!("{told}"),
        Err(error) => findings.push(error.to_string()),
    }
    findings.iter().for_each(|finding| eprintln!("{finding}"));
    anyhow::ensure!(findings.is_empty(), "{} invariants broken", findings.len());
    Ok(())
}

/// The name of the crate that a file is part of, and the rest of its path.
fn in_crate(file: &str) -> Option<(&str, &str)> {
    file.strip_prefix("crates/")?.split_once('/')
}

fn check_manifest(file: &str, text: &str) -> Result<Vec<(usize, String)>> {
    let Some((name, "Cargo.toml")) = in_crate(file) else {
        return Ok(Vec::new());
    };
    let found = layers::check_dependencies(name, text)?;
    Ok(found.into_iter().map(|rule| (1, rule)).collect())
}

/// What is wrong with a file of Rust: line and message.
fn check_source(file: &str, text: &str) -> Result<Vec<(usize, String)>> {
    let tokens: TokenStream = text.parse().map_err(|e| anyhow::anyhow!("no Rust: {e}"))?;
    let parsed: syn::File = syn::parse2(tokens.clone()).context("no Rust")?;
    let mut found = comments::check(text, tokens.clone());
    for used in source::uses(&parsed, tokens) {
        let broken = rule::broken(file, &used);
        found.extend(broken.map(|rule| (used.line, format!("{}: {rule}", used.name))));
    }
    let lines = text.lines().count();
    if lines > LONGEST {
        found.push((
            lines,
            format!("longer than {LONGEST} lines: a second noun has moved in"),
        ));
    }
    proc_macro2::extra::invalidate_current_thread_spans();
    Ok(found)
}

/// Sources and manifests: their paths below `root`, and their text.
fn files(root: &Path) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = FOLDERS.iter().map(|folder| root.join(folder)).collect();
    while let Some(folder) = folders.pop() {
        if !folder.exists() {
            continue;
        }
        let entries = std::fs::read_dir(&folder);
        for entry in entries.with_context(|| format!("cannot read {folder:?}"))? {
            let path = entry?.path();
            let name = path.strip_prefix(root).unwrap_or(&path);
            let name = name.to_string_lossy().replace('\\', "/");
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if name.ends_with(".rs") || name.ends_with("/Cargo.toml") {
                let text = std::fs::read_to_string(&path);
                found.push((name, text.with_context(|| format!("cannot read {path:?}"))?));
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(file: &str, text: &str) -> Vec<usize> {
        let found = check_source(file, text).expect("Rust");
        found.iter().map(|(line, _)| *line).collect()
    }

    const BACKEND: &str = "fn f() { Device::flex(); }";

    #[test]
    fn code_after_tests_is_read() {
        let text = format!("#[cfg(test)]\nmod tests {{\n    {BACKEND}\n}}\n{BACKEND}");
        assert_eq!(lines("crates/model/src/a.rs", &text), [5]);
        let text = "impl A {\n#[cfg(test)]\nfn f() { x.unwrap(); }\nfn g() { x.unwrap(); }\n}";
        assert_eq!(lines("crates/run/src/a.rs", text), [4]);
        let text = "#[cfg(test)]\nmod tests {\n#[test]\n#[ignore]\nfn f() {}\n}";
        assert_eq!(lines("crates/run/src/a.rs", text), [4]);
    }

    #[test]
    fn backends_and_printing_have_their_places() {
        let text = format!("{BACKEND}\nfn g() {{ println!(); }}");
        assert_eq!(lines("crates/model/src/a.rs", &text), [1, 2]);
        assert_eq!(lines("crates/model/src/a/tests.rs", &text), [2]);
        for program in [
            "crates/machine/src/device.rs",
            "bench/src/device.rs",
            "crates/a/examples/a.rs",
        ] {
            assert!(lines(program, &text).is_empty(), "{program}");
        }
    }

    #[test]
    fn comments_and_strings_do_not_count() {
        let text = "// std::fs is not used here\nconst A: &str = \"std::fs .unwrap() println!\";";
        assert!(lines("crates/model/src/a.rs", text).is_empty());
    }

    #[test]
    fn a_long_file_is_found() {
        assert!(lines("tests/a.rs", &"\n".repeat(500)).is_empty());
        assert_eq!(lines("tests/a.rs", &"\n".repeat(501)), [501]);
    }
}
