//! GPU queries with `nvidia-smi`.

use std::process::Command;

/// Name and driver of every GPU; empty without `nvidia-smi`.
pub fn names() -> Vec<String> {
    ask("name,driver_version", &[])
        .into_iter()
        .map(|line| line.replace(", ", ", driver "))
        .collect()
}

/// Used memory of GPU number `index` in MiB, over all processes.
pub fn used_mib(index: usize) -> Option<f64> {
    let lines = ask("memory.used", &["-i", &index.to_string()]);
    lines.first()?.parse().ok()
}

/// Output of `nvidia-smi`, one line for each GPU.
fn ask(what: &str, which: &[&str]) -> Vec<String> {
    let output = Command::new("nvidia-smi")
        .arg(format!("--query-gpu={what}"))
        .arg("--format=csv,noheader,nounits")
        .args(which)
        .output();
    match output {
        Ok(output) if output.status.success() => lines(&String::from_utf8_lossy(&output.stdout)),
        _ => Vec::new(),
    }
}

fn lines(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(String::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_gpu() {
        assert_eq!(lines("1234\n 567 \n\n"), ["1234", "567"]);
    }
}
