//! Memory budget of scan stores.

use brainmae_files::CommonErrors as _;

use crate::error::DataError;

/// Bytes in a GiB.
const GIB: f64 = (1_u64 << 30) as f64;

/// Default share of the machine's memory for scans, as a divisor; the rest is for the model, its
/// gradients and other programs.
const SHARE_OF_MEMORY: u64 = 4;

/// Minimum default budget, bytes.
const LEAST_BYTES: u64 = 1 << 30;

/// Remaining memory for scans; several stores can share one budget.
#[derive(Debug, PartialEq, Eq)]
pub struct StoreBudget {
    bytes: u64,
}

impl StoreBudget {
    /// A budget of this many bytes; with 0, every scan stays on disk.
    pub fn new(bytes: u64) -> Self {
        Self { bytes }
    }

    /// A budget in GiB.
    ///
    /// # Errors
    /// [`DataError::Config`] for a negative value or NaN.
    pub fn gib(gib: f64) -> Result<Self, DataError> {
        if !(gib.is_finite() && gib >= 0.0) {
            return Err(DataError::config(
                "memory_gib",
                gib,
                "a number of GiB, 0 or more",
            ));
        }
        Ok(Self::new((gib * GIB) as u64))
    }

    /// Remaining bytes.
    pub fn left(&self) -> u64 {
        self.bytes
    }

    /// Takes `bytes` from the budget, if enough are left.
    pub(super) fn take(&mut self, bytes: u64) -> bool {
        match self.bytes.checked_sub(bytes) {
            Some(left) => {
                self.bytes = left;
                true
            }
            None => false,
        }
    }
}

impl Default for StoreBudget {
    /// A quarter of the machine's memory, at least 1 GiB; 1 GiB if the memory is not known.
    fn default() -> Self {
        let memory = memory_bytes().unwrap_or(0);
        Self::new((memory / SHARE_OF_MEMORY).max(LEAST_BYTES))
    }
}

/// The memory of the machine in bytes, on Linux.
fn memory_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use brainmae_files::InvalidField;

    use super::*;

    #[test]
    fn what_is_taken_is_gone() {
        let mut budget = StoreBudget::new(10);
        assert!(budget.take(6));
        assert!(!budget.take(5));
        assert!(budget.take(4));
        assert_eq!(budget.left(), 0);
    }

    #[test]
    fn a_budget_is_given_in_gib_or_found_out() {
        assert_eq!(StoreBudget::gib(0.5).unwrap(), StoreBudget::new(1 << 29));
        for wrong in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(
                matches!(
                    StoreBudget::gib(wrong),
                    Err(DataError::Config(InvalidField { .. }))
                ),
                "{wrong}"
            );
        }
        assert!(StoreBudget::default().left() >= 1 << 30);
    }
}
