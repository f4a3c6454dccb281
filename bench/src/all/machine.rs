//! The machine and the versions that numbers come from.

use std::path::Path;
use std::process::Command;

use brainmae_machine::workspace;
use serde::Serialize;

use super::Outcome;
use crate::gpu;

/// Names the version of the code where there is no git to ask, see `scripts/bench.sh`.
const CODE_VERSION: &str = "BRAINMAE_CODE_VERSION";

/// Prints its version without importing torch, which would take seconds.
const ASK_PYTHON: &str = "import importlib.metadata as m; print(m.version('torch'))";

/// Where measurements were made.
#[derive(Debug, Serialize)]
pub struct Machine {
    /// Model of the processor.
    pub cpu: Option<String>,
    /// Cores that this process may use.
    pub cores: usize,
    /// Main memory.
    pub memory_gib: Option<f64>,
    /// Names and drivers of NVIDIA's GPUs.
    pub gpus: Vec<String>,
    /// The compiler that built this program.
    pub rust: &'static str,
    /// burn, linked.
    pub burn: &'static str,
    /// LibTorch, under devices `libtorch:*`.
    pub libtorch: Option<String>,
    /// PyTorch, of the peer.
    pub torch: Option<String>,
    /// This code.
    pub code: Option<String>,
    /// When they were finished, in UTC.
    pub date: Option<String>,
}

impl Machine {
    /// This machine; `peer` is the Python of the peer.
    pub fn here(peer: Option<&Path>, measurements: &[Outcome]) -> Self {
        let libtorch = measurements.iter().find_map(|outcome| match outcome {
            Outcome::Measured(measured) => measured.libtorch.clone(),
            Outcome::Failed { .. } => None,
        });
        Self {
            cpu: field("/proc/cpuinfo", "model name"),
            cores: std::thread::available_parallelism().map_or(1, |n| n.get()),
            memory_gib: memory_gib(),
            gpus: gpu::names(),
            rust: env!("BRAINMAE_RUST_VERSION"),
            burn: env!("BRAINMAE_BURN_VERSION"),
            libtorch,
            torch: peer.and_then(|python| said(Command::new(python).args(["-c", ASK_PYTHON]))),
            code: std::env::var(CODE_VERSION)
                .ok()
                .or_else(workspace::code_version),
            date: said(Command::new("date").args(["-u", "+%Y-%m-%d %H:%M UTC"])),
        }
    }

    /// One line, for a table's head.
    pub fn line(&self) -> String {
        let mut parts = vec![format!(
            "{}, {} cores",
            self.cpu.as_deref().unwrap_or("unknown processor"),
            self.cores
        )];
        parts.extend(self.memory_gib.map(|gib| format!("{gib:.0} GiB")));
        parts.extend(self.gpus.iter().cloned());
        parts.push(self.rust.to_string());
        parts.push(format!("burn {}", self.burn));
        parts.extend(self.libtorch.iter().map(|v| format!("LibTorch {v}")));
        parts.extend(self.torch.iter().map(|v| format!("PyTorch {v}")));
        parts.extend(self.code.iter().map(|v| format!("code {v}")));
        parts.extend(self.date.clone());
        parts.join("; ")
    }
}

fn memory_gib() -> Option<f64> {
    let total = field("/proc/meminfo", "MemTotal")?;
    let kib: f64 = total.split_whitespace().next()?.parse().ok()?;
    Some(kib / f64::from(1 << 20))
}

/// The value behind `name:` in a file of the system's.
fn field(file: &str, name: &str) -> Option<String> {
    value(&std::fs::read_to_string(file).ok()?, name)
}

fn value(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_string())
    })
}

fn said(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_its_name() {
        let text = "processor\t: 0\nmodel name\t: Some CPU: fast\nMemTotal:  8 kB\n";
        assert_eq!(value(text, "model name").as_deref(), Some("Some CPU: fast"));
        assert_eq!(value(text, "MemTotal").as_deref(), Some("8 kB"));
        assert_eq!(value(text, "MemFree"), None);
    }

    #[test]
    fn the_versions_built_in_look_like_versions() {
        let machine = Machine::here(None, &[]);
        assert!(machine.rust.starts_with("rustc 1."), "{machine:?}");
        assert!(machine.burn.split('.').count() == 3, "{machine:?}");
        assert!(machine.line().contains(" cores; "), "{machine:?}");
    }
}
