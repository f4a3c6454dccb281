//! Machine and software versions of the measurements.

use std::path::Path;
use std::process::Command;

use brainmae_machine::code_version;
use serde::Serialize;

use super::Outcome;
use crate::gpu;

/// Environment variable with the version of the code, for machines without git; see
/// `scripts/bench.sh`.
const CODE_VERSION: &str = "BRAINMAE_CODE_VERSION";

/// Prints the version of torch without an import, which would take seconds.
const ASK_PYTHON: &str = "import importlib.metadata as m; print(m.version('torch'))";

/// Machine, versions and date of the measurements.
#[derive(Debug, Serialize)]
pub struct Machine {
    /// Model of the CPU.
    pub cpu: Option<String>,
    /// Cores that this process may use.
    pub cores: usize,
    /// Main memory, in GiB.
    pub memory_gib: Option<f64>,
    /// Names and drivers of NVIDIA GPUs.
    pub gpus: Vec<String>,
    /// Version of the compiler that built this program.
    pub rust: &'static str,
    /// Version of burn.
    pub burn: &'static str,
    /// Version of LibTorch, for devices `libtorch:*`.
    pub libtorch: Option<String>,
    /// Version of PyTorch in the peer's Python.
    pub torch: Option<String>,
    /// Version of this code.
    pub code: Option<String>,
    /// End of the measurements, in UTC.
    pub date: Option<String>,
}

impl Machine {
    /// Describes this machine; `peer` is the Python of the peer.
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
            code: std::env::var(CODE_VERSION).ok().or_else(code_version::this),
            date: said(Command::new("date").args(["-u", "+%Y-%m-%d %H:%M UTC"])),
        }
    }

    /// Description in one line, for the head of a table.
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

/// Value after `name:` in a file of the operating system.
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
