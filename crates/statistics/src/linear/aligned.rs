//! Numbers in memory that begin at a cache line, so that no wide register crosses two lines.

/// Bytes of a cache line.
const LINE: usize = 64;

/// Numbers, at first 0, of which the first one begins a cache line.
pub struct Aligned {
    values: Vec<f64>,
    first: usize,
    len: usize,
}

impl Aligned {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Self {
        let values = vec![0.0; len + LINE / size_of::<f64>()];
        // An offset that cannot be computed costs time, and is no error.
        let offset = values.as_ptr().align_offset(LINE);
        let first = if offset <= values.len() - len {
            offset
        } else {
            0
        };
        Self { values, first, len }
    }

    /// The numbers.
    pub fn get(&self) -> &[f64] {
        &self.values[self.first..self.first + self.len]
    }

    /// The numbers, to be changed.
    pub fn get_mut(&mut self) -> &mut [f64] {
        &mut self.values[self.first..self.first + self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_begin_at_a_line() {
        for len in [1, 7, 1000] {
            let mut zeros = Aligned::zeros(len);
            zeros.get_mut()[len - 1] = 2.0;
            assert_eq!(zeros.get().len(), len);
            assert_eq!(zeros.get().iter().sum::<f64>(), 2.0);
            assert!(
                zeros
                    .get()
                    .as_ptr()
                    .cast::<[u8; LINE]>()
                    .addr()
                    .is_multiple_of(LINE)
            );
        }
    }
}
