//! Gate `browser`: headless Chromium opens the reports of the tests, must draw every figure, and
//! must log no error.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::cargo::BuiltIn;
use crate::unavailable::unavailable;
use brainmae_machine::probe::probe;

/// Names under which Chromium is installed.
const BROWSERS: &[&str] = &["chromium", "chromium-browser", "google-chrome"];

/// Reports that tests leave in the target folder: one of the command line, and those of few and of
/// many synthetic predictions.
const REPORTS: &[&str] = &["report.html", "downstream.html", "downstream-large.html"];

/// Checks every report.
pub fn gate() -> Result<()> {
    let browser = find(BROWSERS)?;
    for name in REPORTS {
        open(browser, &report_page(name)?)?;
    }
    Ok(())
}

/// First browser that can draw a page with one figure.
fn find<'a>(names: &[&'a str]) -> Result<&'a str> {
    let mut why = "no Chromium here".to_string();
    for name in names {
        match probe(headless(name).arg("data:text/html,<svg></svg>")) {
            Ok(dom) if dom.contains("<svg") => return Ok(name),
            Ok(_) => why = format!("{name} draws no figure"),
            Err(error) if !error.is::<std::io::Error>() => why = error.to_string(),
            Err(_not_installed) => {}
        }
    }
    Err(unavailable(why))
}

fn headless(browser: &str) -> Command {
    let mut command = Command::new(browser);
    command.args(["--headless", "--no-sandbox", "--disable-gpu"]);
    command.args(["--enable-logging=stderr", "--log-level=0", "--dump-dom"]);
    command
}

/// Opens a page and checks that the browser draws it as written.
fn open(browser: &str, page: &Path) -> Result<()> {
    let text = std::fs::read_to_string(page).with_context(|| format!("cannot read {page:?}"))?;
    let output = headless(browser)
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

/// Path of the newest report of this name.
fn report_page(name: &str) -> Result<PathBuf> {
    let page = BuiltIn::this_program()?.target.join("tmp").join(name);
    let written = page.metadata().and_then(|m| m.modified()).ok();
    match written.and_then(|time| time.elapsed().ok()) {
        Some(age) if age < Duration::from_secs(24 * 3600) => Ok(page),
        _ => bail!("no report of today in {page:?}: run the gate `tests` first"),
    }
}
