//! Order of the examples in each epoch.

use std::sync::Mutex;

/// Function that draws the order of an epoch.
type DrawOrder = Box<dyn Fn(u64) -> Vec<usize> + Send + Sync>;

/// Order of the examples in each epoch, a pure function of the number of the epoch. The last one
/// that was asked for is kept.
pub struct EpochOrder {
    draw: DrawOrder,
    last: Mutex<(u64, Vec<usize>)>,
}

impl EpochOrder {
    /// `draw` returns the order of an epoch, always the same for the same epoch.
    pub fn new(draw: impl Fn(u64) -> Vec<usize> + Send + Sync + 'static) -> Self {
        Self {
            draw: Box::new(draw),
            last: Mutex::new((u64::MAX, Vec::new())),
        }
    }

    /// What `read` takes from the order of `epoch`.
    pub fn at<T>(&self, epoch: u64, read: impl FnOnce(&[usize]) -> T) -> T {
        let mut last = self.last.lock().unwrap_or_else(|e| e.into_inner());
        if last.0 != epoch {
            *last = (epoch, (self.draw)(epoch));
        }
        read(&last.1)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn an_order_is_drawn_once_until_another_epoch_is_asked_for() {
        let drawn = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&drawn);
        let order = EpochOrder::new(move |epoch| {
            count.fetch_add(1, Ordering::Relaxed);
            vec![epoch as usize, 7]
        });
        let asked = [0, 0, 1, 1, 0].map(|epoch| order.at(epoch, <[usize]>::to_vec));
        assert_eq!(
            asked,
            [[0, 7], [0, 7], [1, 7], [1, 7], [0, 7]].map(Vec::from)
        );
        assert_eq!(drawn.load(Ordering::Relaxed), 3);
    }
}
