//! What the machine can do at most, measured beside the steps.

use std::time::Instant;

use anyhow::Result;
use burn::tensor::{Device, Tensor};

use crate::device::DeviceName;

/// Side of the square matrices that are multiplied.
const SIDE: usize = 1536;
/// Numbers that are copied: 256 MiB, more than any cache.
const NUMBERS: usize = 1 << 26;
const REPEATS: usize = 3;

/// The most that was measured of a device.
pub struct Ceiling {
    /// Arithmetic of a large product of matrices, GFLOP/s.
    pub gflop_per_s: f64,
    /// Bytes read and written by a scaling of a large tensor, GB/s.
    pub gb_per_s: f64,
}

impl Ceiling {
    /// # Errors
    /// From the device.
    pub fn measure(name: DeviceName, threads: usize) -> Result<Self> {
        let device = name.open()?;
        // Flex multiplies on the thread that asks, the others on threads of their own.
        let at_once = if name == DeviceName::Cpu { threads } else { 1 };
        let flop = 2.0 * (SIDE as f64).powi(3) * at_once as f64;
        let bytes = 8.0 * NUMBERS as f64;
        Ok(Self {
            gflop_per_s: flop / best_secs(at_once, &device, product) / 1e9,
            gb_per_s: bytes / best_secs(at_once, &device, scaling) / 1e9,
        })
    }
}

/// Seconds of the best of some repeats of `what` on every thread at once.
fn best_secs(at_once: usize, device: &Device, what: fn(&Device, usize) -> f32) -> f64 {
    let once = || {
        let started = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..at_once {
                scope.spawn(|| std::hint::black_box(what(device, at_once)));
            }
        });
        started.elapsed().as_secs_f64()
    };
    once();
    (0..REPEATS).map(|_| once()).fold(f64::INFINITY, f64::min)
}

fn product(device: &Device, _at_once: usize) -> f32 {
    let a = Tensor::<2>::ones([SIDE, SIDE], device);
    let product = a.clone().matmul(a);
    product.slice([0..1, 0..1]).into_scalar::<f32>()
}

fn scaling(device: &Device, at_once: usize) -> f32 {
    let a = Tensor::<1>::ones([NUMBERS / at_once], device);
    (a * 1.5).narrow(0, 0, 1).into_scalar::<f32>()
}
