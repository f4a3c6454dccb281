//! What the operators are tested on.

use burn::tensor::{Device, FloatDType};

/// A device, and the precision in which an operator takes another way there.
pub type Place = (Device, FloatDType);

/// Every device of this build. On LibTorch, 64 bits are what our own kernels leave to its autograd.
pub fn places() -> Vec<Place> {
    let mut places = vec![(Device::flex(), FloatDType::F32)];
    places.extend(libtorch());
    places
}

#[cfg(feature = "libtorch")]
#[allow(deprecated)] // docs: decisions
fn libtorch() -> Vec<Place> {
    let device = Device::libtorch();
    vec![(device.clone(), FloatDType::F32), (device, FloatDType::F64)]
}

#[cfg(not(feature = "libtorch"))]
fn libtorch() -> Vec<Place> {
    Vec::new()
}
