//! Device that tests run on; the only test code that names backends.

use burn::tensor::Device;

/// Device that `BRAINMAE_TEST_DEVICE` names, as for `--device`; by default the CPU without
/// LibTorch.
pub fn device() -> Device {
    match std::env::var("BRAINMAE_TEST_DEVICE").as_deref() {
        Err(_) | Ok("cpu") => flex(),
        Ok(name) => libtorch(name),
    }
}

/// Reference device of comparisons.
pub fn flex() -> Device {
    Device::flex()
}

#[cfg(feature = "libtorch")]
#[allow(deprecated)] // docs: decisions
fn libtorch(name: &str) -> Device {
    match name.strip_prefix("libtorch:cuda:") {
        Some(index) => Device::libtorch_cuda(index.parse::<usize>().expect("the number of a GPU")),
        None => {
            assert_eq!(name, "libtorch:cpu", "BRAINMAE_TEST_DEVICE");
            Device::libtorch()
        }
    }
}

#[cfg(not(feature = "libtorch"))]
fn libtorch(name: &str) -> Device {
    panic!(
        "BRAINMAE_TEST_DEVICE is {name}, which needs the feature `libtorch`: see the gate of that name"
    )
}
