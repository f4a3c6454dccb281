//! Gates of `cargo ci`, fast ones first.

mod browser;
mod features;
mod libtorch;
mod mpi;
mod package;

use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use crate::cargo::BuiltIn;
use crate::tool::{self, succeed};
use crate::unavailable::reason;
use crate::{tidy, workspace};

/// One gate. It is skipped with an [`Unavailable`](crate::unavailable::Unavailable) if this machine
/// lacks what the gate needs; any other error is a failure.
struct Gate {
    name: &'static str,
    run: fn() -> Result<()>,
}

const GATES: &[Gate] = &[
    Gate {
        name: "fmt",
        run: || {
            tool::require_component("fmt", "rustfmt")?;
            cargo(&["fmt", "--all", "--check"], &[])
        },
    },
    Gate {
        name: "tidy",
        run: tidy::check,
    },
    Gate {
        name: "typos",
        run: tool::typos,
    },
    Gate {
        name: "deny",
        run: tool::deny,
    },
    Gate {
        name: "features",
        run: features::gate,
    },
    Gate {
        name: "clippy",
        run: || {
            tool::require_component("clippy", "clippy")?;
            let what = ["clippy", "--workspace", "--all-targets", "--quiet"];
            cargo(&[&what[..], &["--", "-D", "warnings"]].concat(), &[])
        },
    },
    Gate {
        name: "docs",
        run: || {
            let what = ["doc", "--workspace", "--no-deps", "--quiet"];
            cargo(&what, &[("RUSTDOCFLAGS", "-D warnings")])
        },
    },
    Gate {
        name: "tests",
        run: || cargo(&["test", "--workspace"], &[]),
    },
    Gate {
        name: "examples",
        run: examples,
    },
    Gate {
        name: "package",
        run: package::gate,
    },
    Gate {
        name: "libtorch",
        run: libtorch::gate,
    },
    Gate {
        name: "mpi",
        run: mpi::gate,
    },
    Gate {
        name: "browser",
        run: browser::gate,
    },
];

/// Runs all gates or those in `only`, and prints the result of each.
///
/// # Errors
/// If the name of a gate is unknown.
pub fn run(only: &[String]) -> Result<ExitCode> {
    if let Some(unknown) = only
        .iter()
        .find(|name| GATES.iter().all(|g| g.name != name.as_str()))
    {
        let names: Vec<&str> = GATES.iter().map(|g| g.name).collect();
        bail!("no gate {unknown:?}\nhint: the gates are {names:?}");
    }
    let mut failed = Vec::new();
    let mut rows = Vec::new();
    for gate in GATES {
        if !only.is_empty() && !only.iter().any(|name| name == gate.name) {
            continue;
        }
        eprintln!("── {} ──", gate.name);
        let started = Instant::now();
        let word = match (gate.run)().map_err(reason) {
            Ok(()) => "passed".to_string(),
            Err(Ok(why)) => format!("skipped: {why}"),
            Err(Err(error)) => {
                failed.push(gate.name);
                format!("FAILED: {error:#}")
            }
        };
        rows.push((gate.name, started.elapsed(), word));
    }
    println!("gate      seconds  result");
    for (name, took, word) in rows {
        println!("{name:<8}{:>9.1}  {word}", took.as_secs_f64());
    }
    Ok(if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn cargo(arguments: &[&str], variables: &[(&str, &str)]) -> Result<()> {
    succeed(crate::cargo::cargo(arguments).envs(variables.iter().copied()))
}

/// Runs every example of the libraries as the tests have built it: it must end well.
fn examples() -> Result<()> {
    let programs = BuiltIn::this_program()?.programs().join("examples");
    let mut n_examples = 0;
    let crates = workspace::root().join("crates");
    let crates = std::fs::read_dir(&crates).with_context(|| format!("cannot read {crates:?}"))?;
    for folder in crates {
        let Ok(sources) = std::fs::read_dir(folder?.path().join("examples")) else {
            continue;
        };
        for source in sources {
            let source = source?.path();
            let is_file = source.extension().is_some_and(|ending| ending == "rs");
            if is_file || source.join("main.rs").exists() {
                let name = source.file_stem().unwrap_or_default();
                eprintln!("example {}", name.display());
                succeed(Command::new(programs.join(name)).stdout(std::process::Stdio::null()))?;
                n_examples += 1;
            }
        }
    }
    ensure!(n_examples > 0, "no example was found");
    Ok(())
}
