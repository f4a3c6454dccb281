//! Probes of a machine: short commands, whose failure skips a gate.

use std::fs::File;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Time limit of a probe; all take less.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs a command that must succeed within the limit, and returns its output.
///
/// # Errors
/// The last line of its log, or the fact that it cannot be started or does not end.
pub fn probe(command: &mut Command) -> Result<String> {
    probe_for(command, LIMIT)
}

fn probe_for(command: &mut Command, limit: Duration) -> Result<String> {
    let name = command.get_program().display().to_string();
    // Files instead of pipes: a full pipe would block the command.
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let (out, log) = (folder.path().join("out"), folder.path().join("log"));
    let file = |path| File::create(path).context("cannot write a temporary file");
    let command = command.stdout(file(&out)?).stderr(file(&log)?);
    let mut child = command
        .spawn()
        .with_context(|| format!("{name} does not start"))?;
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if started.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            anyhow::bail!("{name} does not end within {} s", limit.as_secs());
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let read = |path| std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).to_string());
    let log = read(&log)?;
    let last = log.lines().rfind(|line| !line.trim().is_empty());
    anyhow::ensure!(
        status.success(),
        "{name} ended with {status}: {}",
        last.unwrap_or("it says nothing")
    );
    Ok(read(&out)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_probe_returns_what_is_printed_or_the_last_line_of_the_log() {
        assert_eq!(
            probe(&mut shell("echo yes")).expect("it ends well"),
            "yes\n"
        );
        let error = probe(&mut shell("echo a >&2; echo b >&2; exit 3")).expect_err("it fails");
        assert!(error.to_string().ends_with("3: b"), "{error}");
        let error = probe(&mut Command::new("/nowhere/mpicc")).expect_err("it does not exist");
        assert!(
            error.to_string().contains("mpicc does not start"),
            "{error}"
        );
    }

    #[test]
    fn a_probe_that_hangs_is_ended() {
        let hanging = probe_for(&mut shell("exec sleep 60"), Duration::from_millis(50));
        let error = hanging.expect_err("it does not end");
        assert!(error.to_string().contains("does not end"), "{error}");
    }
}
