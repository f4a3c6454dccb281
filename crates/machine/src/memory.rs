//! Memory that this process can still take, and how much it holds.

use std::path::Path;

use brainmae_train::memory::Memory;

use crate::allocator::return_free_blocks;
use crate::local::Local;
use crate::usage::{forget_peak, number, status_kib};

/// Memory of this process, on Linux; elsewhere nothing is known.
#[derive(Clone, Copy, Debug)]
pub struct ProcessMemory;

impl Memory for ProcessMemory {
    /// The smaller of what the machine has and what the control groups of this process leave; an
    /// equal share of it if several processes of this machine work together.
    fn available(&self) -> Option<u64> {
        return_free_blocks();
        let read = |path: &Path| std::fs::read_to_string(path).ok();
        Some(available(read)? / Local::this().size as u64)
    }

    fn resident(&self) -> Option<u64> {
        return_free_blocks();
        Some(1024 * status_kib("VmRSS:")?)
    }

    fn peak_of(&self, work: &mut dyn FnMut()) -> Option<u64> {
        let is_counted = forget_peak();
        work();
        let peak = status_kib("VmHWM:").filter(|_| is_counted)?;
        Some(1024 * peak)
    }
}

/// Available bytes; `read` returns the text of a file, `None` if there is none.
fn available(read: impl Fn(&Path) -> Option<String>) -> Option<u64> {
    let machine = 1024 * number(&read(Path::new("/proc/meminfo"))?, "MemAvailable:")?;
    let groups = read(Path::new("/proc/self/cgroup")).unwrap_or_default();
    let limits = groups.lines().filter_map(|group| group_left(group, &read));
    Some(limits.fold(machine, u64::min))
}

/// What a control group and those above it leave; `None` without a limit. `group` is a line of
/// `/proc/self/cgroup`: number, controllers, path.
fn group_left(group: &str, read: &impl Fn(&Path) -> Option<String>) -> Option<u64> {
    let (_, group) = group.split_once(':')?;
    let (controllers, path) = group.split_once(':')?;
    // Version 2 names no controllers; version 1 has a tree for memory.
    let (root, limit, used) = match controllers {
        "" => ("/sys/fs/cgroup", "memory.max", "memory.current"),
        "memory" => (
            "/sys/fs/cgroup/memory",
            "memory.limit_in_bytes",
            "memory.usage_in_bytes",
        ),
        _ => return None,
    };
    let folder = Path::new(root).join(path.trim_start_matches('/'));
    let folders = folder.ancestors().filter(|folder| folder.starts_with(root));
    let left = folders.filter_map(|folder| {
        let number_in = |name| read(&folder.join(name))?.trim().parse::<u64>().ok();
        // Without a limit it is the word max.
        let (limit, used) = (number_in(limit)?, number_in(used)?);
        // Files that were read are counted as used, and the kernel drops them when it needs room.
        let files = read(&folder.join("memory.stat"))
            .and_then(|stat| number(&stat, "inactive_file "))
            .unwrap_or(0);
        Some(limit.saturating_sub(used.saturating_sub(files)))
    });
    left.min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[(&str, &str)]) -> Option<u64> {
        available(|path| {
            let found = files.iter().find(|(name, _)| Path::new(name) == path);
            found.map(|(_, text)| text.to_string())
        })
    }

    const MACHINE: (&str, &str) = (
        "/proc/meminfo",
        "MemTotal: 16 kB\nMemAvailable:       8 kB\n",
    );

    #[test]
    fn the_smallest_limit_counts() {
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[MACHINE]), Some(8192));
        let limited = [
            MACHINE,
            ("/proc/self/cgroup", "0::/job/task\n"),
            ("/sys/fs/cgroup/job/task/memory.max", "max\n"),
            ("/sys/fs/cgroup/job/task/memory.current", "100\n"),
            ("/sys/fs/cgroup/job/memory.max", "5000\n"),
            ("/sys/fs/cgroup/job/memory.current", "3000\n"),
            (
                "/sys/fs/cgroup/job/memory.stat",
                "anon 1\ninactive_file 500\n",
            ),
        ];
        assert_eq!(of(&limited), Some(2500));
        let old = [
            MACHINE,
            ("/proc/self/cgroup", "4:memory:/job\n0::/\n"),
            ("/sys/fs/cgroup/memory/job/memory.limit_in_bytes", "700"),
            ("/sys/fs/cgroup/memory/job/memory.usage_in_bytes", "900"),
        ];
        assert_eq!(of(&old), Some(0));
    }

    #[test]
    fn a_block_is_seen_while_it_is_held() {
        let memory = ProcessMemory;
        let (Some(before), Some(_)) = (memory.resident(), memory.available()) else {
            return; // Not Linux.
        };
        let peak = memory.peak_of(&mut || {
            let block = vec![1_u8; 256 << 20];
            assert!(std::hint::black_box(&block)[1 << 20] == 1);
        });
        // Other tests of this process take and return memory meanwhile.
        let grown = peak.map(|peak| peak.saturating_sub(before));
        assert!(grown.is_none_or(|grown| grown > 100 << 20), "{grown:?}");
    }
}
