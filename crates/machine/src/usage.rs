//! Use of the machine by a piece of work: time, processor time, memory.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// Highest peak in KiB that the system has forgotten within the current piece of work.
static FORGOTTEN: AtomicU64 = AtomicU64::new(0);

/// What a piece of work has used, by all threads of this process.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Seconds from start to end.
    pub wall_secs: f64,
    /// Seconds of processor time.
    pub cpu_secs: f64,
    /// Most resident memory during the work in MiB; `None` where the system does not tell.
    pub peak_mib: Option<f64>,
}

/// Start of a piece of work.
pub struct Meter {
    started: Instant,
    cpu: Duration,
}

impl Meter {
    /// Begins to measure. The peak of memory is that of this work where the system can forget the
    /// one before (Linux), and that of the whole process elsewhere.
    pub fn begin() -> Self {
        // Without the right to write it, the peak of the process remains.
        forget_peak();
        FORGOTTEN.store(0, Ordering::Relaxed);
        Self {
            started: Instant::now(),
            cpu: processor_time(),
        }
    }

    /// What was used since the beginning.
    pub fn read(&self) -> Usage {
        Usage {
            wall_secs: self.started.elapsed().as_secs_f64(),
            cpu_secs: processor_time().saturating_sub(self.cpu).as_secs_f64(),
            peak_mib: peak_mib(),
        }
    }
}

/// Processor time of all threads of this process.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// Peak resident memory of this process in MiB; `None` if the system does not report it.
pub fn peak_mib() -> Option<f64> {
    let kib = status_kib("VmHWM:")?.max(FORGOTTEN.load(Ordering::Relaxed));
    Some(kib as f64 / 1024.0)
}

/// Makes the system count the peak from now on, within a piece of work that goes on; returns
/// whether it does.
pub(crate) fn forget_peak() -> bool {
    let before = status_kib("VmHWM:").unwrap_or(0);
    FORGOTTEN.fetch_max(before, Ordering::Relaxed);
    std::fs::write("/proc/self/clear_refs", "5").is_ok()
}

/// A line of the status of this process, in KiB.
pub(crate) fn status_kib(line: &str) -> Option<u64> {
    number(&std::fs::read_to_string("/proc/self/status").ok()?, line)
}

/// The number after a word that begins a line.
pub(crate) fn number(text: &str, word: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(word))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_takes_time_of_the_processor_and_memory() {
        let meter = Meter::begin();
        let mut block = vec![0_u8; 64 << 20];
        let mut sum = 0_u64;
        while meter.read().cpu_secs < 0.05 {
            for byte in block.iter_mut().step_by(4096) {
                *byte = byte.wrapping_add(3);
                sum += u64::from(*byte);
            }
        }
        assert!(sum > 0);
        let used = meter.read();
        assert!(used.wall_secs > 0.0 && used.cpu_secs >= 0.05, "{used:?}");
        assert!(used.peak_mib.is_none_or(|peak| peak > 60.0), "{used:?}");
    }
}
