//! The mechanical invariants of ARCHITECTURE.md, checked by reading the sources.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::workspace;

/// One rule broken in one place.
#[derive(Debug, PartialEq)]
struct Finding {
    file: PathBuf,
    line: usize,
    rule: &'static str,
}

/// Which files a rule is for, what it forbids, and why.
struct Rule {
    applies: fn(&str) -> bool,
    forbidden: &'static [&'static str],
    rule: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        applies: |file| {
            file.starts_with("crates/") && !file.starts_with("crates/ops/") && !is_test(file)
        },
        forbidden: &[
            "Device::flex",
            "Device::libtorch",
            "Device::ndarray",
            "Device::cuda",
            "burn_tch",
            "burn::backend",
        ],
        rule: "library crates but the one of the operators name no backend: they take a Device",
    },
    Rule {
        applies: |file| file.starts_with("xtask/") && file != "xtask/src/device.rs" && file != TIDY,
        forbidden: &["Device::flex", "Device::libtorch", "Device::cuda"],
        rule: "xtask names backends in device.rs alone",
    },
    Rule {
        applies: |file| file != "xtask/src/mpi.rs" && file != TIDY,
        forbidden: &["use ::mpi", "use mpi::", "mpi_sys"],
        rule: "MPI is named in xtask/src/mpi.rs alone",
    },
    Rule {
        applies: |file| file.starts_with("tests/") && file != "tests/device.rs",
        forbidden: &["Device::flex", "Device::libtorch", "Device::cuda"],
        rule: "tests across crates name backends in device.rs alone",
    },
    Rule {
        applies: |file| file.starts_with("crates/"),
        forbidden: &["println!", "eprintln!", "print!(", "eprint!(", "dbg!("],
        rule: "library crates do not print: they return or trace",
    },
    Rule {
        applies: |file| file.starts_with("crates/model/") && !is_test(file),
        forbidden: &[
            "std::fs",
            "std::time",
            "std::env",
            "Instant::now",
            "SystemTime",
        ],
        rule: "the model does no I/O and has no clock",
    },
    Rule {
        applies: |file| file.starts_with("crates/pretrain/") && !is_test(file),
        forbidden: &["std::fs", "File::open", "File::create"],
        rule: "only data opens data files, only run writes run folders",
    },
    Rule {
        applies: |file| !file.starts_with("crates/run/src/seeds.rs") && file != TIDY,
        forbidden: &[
            "thread_rng",
            "rand::rng()",
            "from_entropy",
            "from_os_rng",
            "SysRng",
            "Distribution::",
        ],
        rule: "randomness comes from named streams of one seed",
    },
    Rule {
        applies: |file| file != TIDY,
        forbidden: &["todo!(", "unimplemented!(", "FIXME", "#[ignore"],
        rule: "nothing is left half done",
    },
];

const TIDY: &str = "xtask/src/tidy.rs";
/// A file longer than this usually holds a second noun.
const LONGEST: usize = 500;

fn is_test(file: &str) -> bool {
    file.ends_with("/tests.rs") || file.contains("/tests/")
}

/// Checks every source file of the workspace.
///
/// # Errors
/// With every finding, if there is one.
pub fn check() -> Result<()> {
    let root = workspace::root();
    let mut findings = Vec::new();
    for folder in ["crates", "xtask/src", "xtask/tests", "tests"] {
        for path in sources(&root.join(folder))? {
            let text =
                std::fs::read_to_string(&path).with_context(|| format!("cannot read {path:?}"))?;
            let file = path.strip_prefix(&root).unwrap_or(&path);
            findings.extend(check_file(file, &text));
        }
    }
    for finding in &findings {
        eprintln!(
            "{}:{}: {}",
            finding.file.display(),
            finding.line,
            finding.rule
        );
    }
    anyhow::ensure!(findings.is_empty(), "{} invariants broken", findings.len());
    Ok(())
}

fn check_file(file: &Path, text: &str) -> Vec<Finding> {
    let name = file.to_string_lossy().replace('\\', "/");
    let finding = |line, rule| Finding {
        file: file.to_path_buf(),
        line,
        rule,
    };
    // Tests stand at the end of a file.
    let tests = text.find("#[cfg(test)]").unwrap_or(text.len());
    let code = &text[..tests];
    let mut findings = Vec::new();
    for (i, line) in code.lines().enumerate() {
        let statement = line.split("//").next().unwrap_or_default();
        for rule in RULES.iter().filter(|rule| (rule.applies)(&name)) {
            if rule.forbidden.iter().any(|word| statement.contains(word)) {
                findings.push(finding(i + 1, rule.rule));
            }
        }
        let tested = is_test(&name) || name.starts_with("tests/") || name == TIDY;
        if !tested && statement.contains(".unwrap()") {
            findings.push(finding(
                i + 1,
                "unwrap outside a test: return an error that says what was wrong",
            ));
        }
    }
    let lines = text.lines().count();
    if lines > LONGEST {
        findings.push(finding(
            lines,
            "longer than 500 lines: a second noun has moved in",
        ));
    }
    findings
}

fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if !folder.exists() {
        return Ok(found);
    }
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {folder:?}"))? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(file: &str, text: &str) -> Vec<&'static str> {
        check_file(Path::new(file), text)
            .iter()
            .map(|f| f.rule)
            .collect()
    }

    #[test]
    fn a_backend_in_a_library_is_found_and_in_its_tests_is_not() {
        let text = "fn f() { Device::flex(); }";
        assert_eq!(rules("crates/model/src/a.rs", text).len(), 1);
        let tested = format!("#[cfg(test)]\nmod tests {{ {text} }}");
        assert!(rules("crates/model/src/a.rs", &tested).is_empty());
        assert!(rules("xtask/src/device.rs", text).is_empty());
        assert!(rules("crates/ops/src/flex.rs", text).is_empty());
    }

    #[test]
    fn comments_do_not_count() {
        assert!(rules("crates/model/src/a.rs", "// std::fs is not used here").is_empty());
    }

    #[test]
    fn unwrap_and_printing_are_found() {
        assert_eq!(rules("crates/run/src/a.rs", "x.unwrap();").len(), 1);
        assert_eq!(rules("crates/run/src/a.rs", "println!();").len(), 1);
    }
}
