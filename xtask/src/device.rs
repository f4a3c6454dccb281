//! The only place that names a backend.

use anyhow::{Result, bail};
use burn::tensor::Device;

/// What `--device` accepts.
pub const NAMES: &[&str] = &["cpu"];

/// The device called `name`.
///
/// # Errors
/// For a name that this build does not know.
pub fn device(name: &str) -> Result<Device> {
    match name {
        "cpu" => Ok(Device::flex()),
        other => bail!(
            "unknown device {other:?}, expected one of {NAMES:?}\nhint: LibTorch devices are not part of this version yet"
        ),
    }
}
