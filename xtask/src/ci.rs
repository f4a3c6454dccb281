//! `cargo ci`: every gate, cheap ones first.

mod mpi;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::cargo::BuiltIn;
use crate::libtorch::{self, Half};
use crate::program::{Program, environment};
use crate::unavailable::reason;
use crate::{tidy, workspace};

/// One thing that must hold.
struct Gate {
    name: &'static str,
    run: fn() -> Result<Outcome>,
}

enum Outcome {
    Passed,
    Skipped(String),
}

const GATES: &[Gate] = &[
    Gate {
        name: "fmt",
        run: || cargo(&["fmt", "--all", "--check"], &[]),
    },
    Gate {
        name: "tidy",
        run: || tidy::check().map(|()| Outcome::Passed),
    },
    Gate {
        name: "typos",
        run: || tool("typos-cli", "typos", TYPOS, &[]),
    },
    Gate {
        name: "deny",
        run: || {
            tool(
                "cargo-deny",
                "cargo-deny",
                DENY,
                &["check", "bans", "licenses", "sources"],
            )
        },
    },
    Gate {
        name: "clippy",
        run: || {
            cargo(
                &[
                    "clippy",
                    "--workspace",
                    "--all-targets",
                    "--quiet",
                    "--",
                    "-D",
                    "warnings",
                ],
                &[],
            )
        },
    },
    Gate {
        name: "docs",
        run: || {
            cargo(
                &["doc", "--workspace", "--no-deps", "--quiet"],
                &[("RUSTDOCFLAGS", "-D warnings")],
            )
        },
    },
    Gate {
        name: "tests",
        run: || cargo(&["test", "--workspace"], &[]),
    },
    Gate {
        name: "libtorch",
        run: libtorch,
    },
    Gate {
        name: "mpi",
        run: mpi::gate,
    },
    Gate {
        name: "browser",
        run: browser,
    },
];

const TYPOS: &str = "1.52.0";
const DENY: &str = "0.20.2";

/// Runs the gates, all or those named in `only`, and prints how each went.
///
/// # Errors
/// If a gate's name is not known.
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
        let word = match (gate.run)() {
            Ok(Outcome::Passed) => "passed".to_string(),
            Ok(Outcome::Skipped(why)) => format!("skipped: {why}"),
            Err(error) => {
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

fn succeed(command: &mut Command) -> Result<Outcome> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {command:?}"))?;
    if !status.success() {
        bail!("{:?} ended with {status}", command.get_program());
    }
    Ok(Outcome::Passed)
}

fn cargo(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Outcome> {
    succeed(crate::cargo::cargo(arguments).envs(variables.iter().copied()))
}

/// Runs a tool, built from the registry on first use into a folder beside the target folder.
fn tool(package: &str, binary: &str, version: &str, arguments: &[&str]) -> Result<Outcome> {
    let home =
        workspace::cache_folder("BRAINMAE_TOOLS", "tools")?.join(format!("{package}-{version}"));
    let path = home.join("bin").join(binary);
    if !path.exists() {
        eprintln!("installing {package} {version} (once)");
        // Unoptimised: it is built once and runs for a second.
        let root = home.to_string_lossy().to_string();
        cargo(
            &[
                "install",
                package,
                "--version",
                version,
                "--locked",
                "--debug",
                "--root",
                &root,
            ],
            &[("CARGO_PROFILE_DEV_DEBUG", "false")],
        )
        .with_context(|| format!("installing {package}"))?;
    }
    succeed(
        Command::new(path)
            .args(arguments)
            .current_dir(workspace::root()),
    )
}

/// The device `libtorch:cpu` gives the golden arrays and the committed loss curve, too; it is what `--device` would build.
fn libtorch() -> Result<Outcome> {
    let folder = match libtorch::folder(Half::Cpu) {
        Ok(folder) => folder,
        Err(error) => return Ok(Outcome::Skipped(reason(error)?)),
    };
    let program = Program {
        libtorch: Some(folder.clone()),
        mpi: false,
        ..Program::default()
    };
    let program = program.build()?;
    succeed(Command::new(program).args(["loss-curve", "--device", "libtorch:cpu"]))?;
    // Both packages are named so that their dependencies are those of the program just built.
    let mut tests = crate::cargo::cargo(&["test", "--package", "xtask"]);
    tests
        .args(["--package", "brainmae-tests", "--test", "pipeline"])
        .args(["--package", "brainmae-ops", "--lib"])
        .args(["--features", "xtask/libtorch,brainmae-tests/libtorch"])
        .args([
            "--",
            "golden",
            "invariance",
            "larger_than_memory",
            "parity",
            "bf16",
        ])
        .args(["of_the_definition"])
        .envs(environment(&folder))
        .env("BRAINMAE_TEST_DEVICE", "libtorch:cpu");
    succeed(&mut tests)
}

/// Names under which Chromium is installed.
const BROWSERS: &[&str] = &["chromium", "chromium-browser", "google-chrome"];

/// Opens the reports that the tests wrote in headless Chromium: it must draw every figure and log no error.
fn browser() -> Result<Outcome> {
    let found = BROWSERS.iter().find(|name| {
        let probe = Command::new(name).arg("--version").output();
        probe.is_ok_and(|output| output.status.success())
    });
    let Some(browser) = found else {
        return Ok(Outcome::Skipped(
            "no Chromium here; install it to have the report checked".to_string(),
        ));
    };
    for name in REPORTS {
        open(browser, &report_page(name)?)?;
    }
    Ok(Outcome::Passed)
}

/// The page must be drawn as it was written.
fn open(browser: &str, page: &Path) -> Result<()> {
    let text = std::fs::read_to_string(page).with_context(|| format!("cannot read {page:?}"))?;
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--enable-logging=stderr",
            "--log-level=0",
            "--dump-dom",
        ])
        .arg(format!("file://{}", page.display()))
        .output()
        .with_context(|| format!("cannot start {browser}"))?;
    let log = String::from_utf8_lossy(&output.stderr);
    if let Some(line) = log.lines().find(|line| line.contains("CONSOLE")) {
        bail!("the report logs to the console: {line}");
    }
    let dom = String::from_utf8_lossy(&output.stdout);
    let (drawn, written) = (dom.matches("<svg").count(), text.matches("<svg").count());
    anyhow::ensure!(
        output.status.success() && drawn == written && written >= 4,
        "{browser} shows {drawn} figures of {written} in {}",
        page.display()
    );
    Ok(())
}

/// Reports that tests leave in the target folder: that of the command line, and those of few and many synthetic predictions.
const REPORTS: &[&str] = &["report.html", "downstream.html", "downstream-large.html"];

/// The newest report of this name.
fn report_page(name: &str) -> Result<PathBuf> {
    let page = BuiltIn::this_program()?.target.join("tmp").join(name);
    let fresh = page
        .metadata()
        .and_then(|m| m.modified())
        .ok()
        .and_then(|t| t.elapsed().ok());
    match fresh {
        Some(age) if age < Duration::from_secs(24 * 3600) => Ok(page),
        _ => bail!("no report of today in {page:?}: run the gate `tests` first"),
    }
}
