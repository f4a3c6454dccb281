//! Calls of the system's allocator: large blocks, and blocks that are free.
#![allow(unsafe_code)]

/// Keeps large freed blocks in the process instead of returning them to the kernel.
///
/// A training step allocates and frees hundreds of blocks of many MiB. glibc maps each block again,
/// and the kernel clears its pages every time: about a third of a step on the CPU. This function
/// does nothing on other systems.
pub fn keep_large_blocks() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: mallopt takes two integers and changes the allocator's settings. It is the first call
    // in main, before any other thread exists. If it is refused (return value 0), the defaults
    // stay, which are correct and slower.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, i32::MAX);
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
    }
}

/// Returns freed blocks to the kernel, so that resident memory is what is in use. Does nothing on
/// other systems.
pub fn return_free_blocks() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim takes a number of bytes to keep. It may be called at any time, by any
    // thread, and touches no block that is in use.
    unsafe {
        libc::malloc_trim(0);
    }
}
