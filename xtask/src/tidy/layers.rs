//! Layers of the workspace: which crate may import which, and how large the largest one is.

use anyhow::{Context, Result};

/// A crate, by the name of its folder, and which it may import: rows above it. Some rows are plans.
const LAYERS: &str = include_str!("layers.txt");

/// The program, which imports whatever it likes.
const PROGRAM: &str = "cli";

/// From this many crates on, the largest library may hold this many percent of the lines.
const ENOUGH_CRATES: usize = 12;
const LARGEST_SHARE: f64 = 20.0;

fn rows() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    let rows = LAYERS.lines().filter_map(|row| row.split_once(':'));
    rows.map(|(name, allowed)| (name, allowed.split_whitespace().collect()))
}

/// What is wrong with the dependencies of the crate in the folder `name`. Those of tests are free.
pub fn check_dependencies(name: &str, manifest: &str) -> Result<Vec<String>> {
    let manifest: toml::Table = manifest.parse().context("no TOML")?;
    if name == PROGRAM {
        return Ok(Vec::new());
    }
    let Some((_, allowed)) = rows().find(|row| row.0 == name) else {
        return Ok(vec![format!(
            "no row for {name} in xtask/src/tidy/layers.txt"
        )]);
    };
    let targets = manifest.get("target").and_then(|all| all.as_table());
    let targets = targets.into_iter().flat_map(|all| all.values());
    let tables = targets.filter_map(|one| one.as_table());
    let kinds = tables.chain([&manifest]).flat_map(|table| {
        let kinds = ["dependencies", "build-dependencies"].map(|kind| table.get(kind));
        kinds.into_iter().filter_map(|kind| kind?.as_table())
    });
    let names = kinds.flat_map(|table| table.keys());
    let ours = names.filter_map(|name| name.strip_prefix("brainmae-"));
    let upward = ours.filter(|other| !allowed.contains(other));
    let told = upward.map(|other| format!("{name} may not import {other}, only {allowed:?}"));
    Ok(told.collect())
}

/// Which library is the largest, from names and lines; an error if it is too large.
pub fn check_largest(sizes: &[(String, usize)]) -> Result<String> {
    let total: usize = sizes.iter().map(|size| size.1).sum();
    let libraries = sizes.iter().filter(|size| size.0 != PROGRAM);
    let (name, lines) = libraries.max_by_key(|size| size.1).context("no library")?;
    let share = 100.0 * *lines as f64 / total.max(1) as f64;
    let told = format!("the largest library, {name}, has {share:.1} % of {total} lines");
    let is_too_large = sizes.len() >= ENOUGH_CRATES && share > LARGEST_SHARE;
    anyhow::ensure!(!is_too_large, "{told}: expected {LARGEST_SHARE} % at most");
    Ok(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_import_rows_above_them() {
        let rows: Vec<_> = rows().collect();
        for (i, (name, allowed)) in rows.iter().enumerate() {
            let above = |other| rows[..i].iter().any(|row| row.0 == other);
            assert!(allowed.iter().all(|other| above(*other)), "{name}");
        }
    }

    #[test]
    fn an_import_upwards_is_found() {
        let problems = |name, kind| {
            let manifest = format!("[{kind}]\nbrainmae-data.workspace = true\nserde = \"1\"");
            check_dependencies(name, &manifest).expect("TOML").len()
        };
        assert_eq!(problems("pretrain", "dependencies"), 0);
        assert_eq!(problems("formats", "dependencies"), 1);
        assert_eq!(problems("model", "target.'cfg(unix)'.dependencies"), 1);
        assert_eq!(problems("model", "dev-dependencies"), 0);
        assert_eq!(problems("cli", "dependencies"), 0);
        assert_eq!(problems("surprise", "dev-dependencies"), 1);
    }

    #[test]
    fn a_library_may_hold_a_fifth_of_twelve_crates() {
        let data = |largest| {
            let others = vec![("other".to_string(), 10); 11];
            [vec![("data".to_string(), largest)], others].concat()
        };
        assert!(check_largest(&data(27)).is_ok());
        let error = check_largest(&data(28)).expect_err("28 of 138").to_string();
        assert!(error.contains("data, has 20.3 % of 138 lines"), "{error}");
        assert!(check_largest(&data(28)[..11]).is_ok(), "eleven crates");
    }
}
