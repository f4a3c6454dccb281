//! Ceiling of the hardware's performance, measured beside the steps.

use std::time::Instant;

use anyhow::Result;
use brainmae_machine::device::DeviceName;
use brainmae_model::Precision;
use burn::tensor::Tensor;

use super::work::StepWork;

const REPEATS: usize = 10;

/// Highest measured performance of a device.
#[derive(Clone, Copy, Debug)]
pub struct Ceiling {
    /// Arithmetic of a large matrix product, in GFLOP/s.
    pub gflop_per_s: f64,
    /// Bytes read and written by a large copy, in GB/s.
    pub gb_per_s: f64,
}

/// Lower bound of a step's time from the roofline model: the larger of the times for its arithmetic
/// and for its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// Bound in milliseconds.
    pub ms: f64,
    /// Which of the two times is the larger one.
    pub limit: Limit,
}

/// Resources that limit a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Arithmetic.
    Product,
    /// Bytes moved.
    Copy,
}

impl Limit {
    /// Word in the tables.
    pub fn word(self) -> &'static str {
        match self {
            Limit::Product => "product",
            Limit::Copy => "copy",
        }
    }
}

impl Ceiling {
    /// Measures the hardware behind a device, for products of this precision. On the CPU, this is
    /// the faster of the products in this program, and a plain copy.
    ///
    /// # Errors
    /// Errors of the device.
    pub fn measure(name: DeviceName, precision: Precision, threads: usize) -> Result<Self> {
        let own = product_gflop_per_s(name, precision, threads)?;
        Ok(match name {
            DeviceName::Cpu => Self {
                gflop_per_s: own,
                gb_per_s: copy_gb_per_s(threads),
            },
            DeviceName::LibTorchCpu => Self {
                gflop_per_s: own.max(product_gflop_per_s(
                    DeviceName::Cpu,
                    Precision::F32,
                    threads,
                )?),
                gb_per_s: copy_gb_per_s(threads),
            },
            DeviceName::LibTorchCuda(_) => Self {
                gflop_per_s: own,
                gb_per_s: scaling_gb_per_s(name)?,
            },
        })
    }

    /// Lower bound of the time of a step.
    pub fn bound(self, work: StepWork) -> Bound {
        let arithmetic = work.flop / self.gflop_per_s / 1e6;
        let memory = work.bytes / self.gb_per_s / 1e6;
        if arithmetic >= memory {
            Bound {
                ms: arithmetic,
                limit: Limit::Product,
            }
        } else {
            Bound {
                ms: memory,
                limit: Limit::Copy,
            }
        }
    }
}

/// A product of square matrices, large enough to occupy a device for some milliseconds.
fn product_gflop_per_s(name: DeviceName, precision: Precision, threads: usize) -> Result<f64> {
    let device = name.open()?;
    // Flex multiplies on the calling thread, the other backends on their own threads.
    let (side, at_once) = match name {
        DeviceName::Cpu => (1536, threads),
        DeviceName::LibTorchCpu => (1536, 1),
        DeviceName::LibTorchCuda(_) => (8192, 1),
    };
    let matrix = || precision.activation(Tensor::<2>::ones([side, side], &device));
    let mut matrices: Vec<_> = (0..at_once).map(|_| matrix()).collect();
    let secs = best_secs(&mut matrices, |a| {
        // The read of one number waits for the device.
        let product = a.clone().matmul(a.clone());
        std::hint::black_box(product.slice([0..1, 0..1]).into_scalar::<f32>());
    });
    Ok(2.0 * (side as f64).powi(3) * at_once as f64 / secs / 1e9)
}

/// A copy in main memory, on all threads at once: 256 MiB in all, more than any cache, between
/// buffers whose memory pages are already mapped.
fn copy_gb_per_s(threads: usize) -> f64 {
    let numbers = (1 << 26) / threads.max(1);
    let place = || (vec![1.0_f32; numbers], vec![2.0_f32; numbers]);
    let mut places: Vec<_> = (0..threads.max(1)).map(|_| place()).collect();
    let secs = best_secs(&mut places, |(from, to)| {
        to.copy_from_slice(from);
        std::hint::black_box(to);
    });
    8.0 * (numbers * places.len()) as f64 / secs / 1e9
}

/// A scaling of 2 GiB on a GPU, with as many reads and writes as a copy.
fn scaling_gb_per_s(name: DeviceName) -> Result<f64> {
    let numbers = 1 << 29;
    let device = name.open()?;
    let secs = best_secs(&mut [Tensor::<1>::ones([numbers], &device)], |a| {
        let scaled = a.clone() * 1.5;
        std::hint::black_box(scaled.narrow(0, 0, 1).into_scalar::<f32>());
    });
    Ok(8.0 * numbers as f64 / secs / 1e9)
}

/// Seconds of the best of some repeats of `what`, on one thread per operand at the same time.
fn best_secs<T: Send>(operands: &mut [T], what: impl Fn(&mut T) + Sync) -> f64 {
    let mut once = || {
        let started = Instant::now();
        std::thread::scope(|scope| {
            for operand in operands.iter_mut() {
                scope.spawn(|| what(operand));
            }
        });
        started.elapsed().as_secs_f64()
    };
    once();
    (0..REPEATS).map(|_| once()).fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slower_of_arithmetic_and_bytes_bounds_a_step() {
        let ceiling = Ceiling {
            gflop_per_s: 100.0,
            gb_per_s: 10.0,
        };
        let bound = |flop, bytes| ceiling.bound(StepWork { flop, bytes });
        // 2 GFLOP take 20 ms, 0.1 GB take 10 ms.
        let arithmetic = bound(2e9, 1e8);
        assert!((arithmetic.ms - 20.0).abs() < 1e-9 && arithmetic.limit == Limit::Product);
        let memory = bound(1e9, 2e8);
        assert!((memory.ms - 20.0).abs() < 1e-9 && memory.limit == Limit::Copy);
    }
}
