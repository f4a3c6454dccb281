//! How the system's allocator treats large blocks. The workspace's one use of `unsafe`.
#![allow(unsafe_code)]

/// Keeps large blocks with the process instead of giving them back to the kernel at every free.
///
/// A training step allocates and frees blocks of many MiB by the hundred. glibc maps each anew, and
/// the kernel clears its pages again every time: about a third of a step on the CPU. Does nothing
/// on other systems.
pub fn keep_large_blocks() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: mallopt takes two integers and changes the allocator's settings; it is called first
    // thing in main, before any other thread exists. A refusal (return value 0) leaves the
    // defaults, which are correct and slower.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, i32::MAX);
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
    }
}
