//! Parallel reading of independent scans.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::Wanted;
use crate::error::DataError;

/// Calls `work` for each of the wanted scans, on up to as many threads as wanted.
///
/// # Errors
/// The first error of `work`, such as that of a full disk. Scans in progress are finished, and no
/// further scan starts.
pub fn in_parallel(
    Wanted { numbers, threads }: Wanted<'_>,
    work: &(dyn Fn(usize) -> Result<(), DataError> + Sync),
) -> Result<(), DataError> {
    let threads = threads.min(numbers.len());
    if threads <= 1 {
        return numbers.iter().try_for_each(|number| work(*number));
    }
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let first_error = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let Some(&number) = numbers.get(next.fetch_add(1, Ordering::Relaxed)) else {
                        break;
                    };
                    if let Err(error) = work(number) {
                        stop.store(true, Ordering::Relaxed);
                        first_error
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .get_or_insert(error);
                    }
                }
            });
        }
    });
    match first_error
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
    {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_worked_on_once() {
        for threads in [0, 1, 3, 100] {
            let seen = Mutex::new(Vec::new());
            let numbers = [4, 7, 1, 9, 2];
            let numbers = &numbers;
            in_parallel(Wanted { numbers, threads }, &|number| {
                seen.lock().unwrap().push(number);
                Ok(())
            })
            .unwrap();
            let mut seen = seen.into_inner().unwrap();
            seen.sort_unstable();
            assert_eq!(seen, [1, 2, 4, 7, 9], "{threads}");
        }
    }

    #[test]
    fn an_error_stops_all_threads() {
        let started = AtomicUsize::new(0);
        let numbers: Vec<usize> = (0..1000).collect();
        let wanted = Wanted {
            numbers: &numbers,
            threads: 4,
        };
        let outcome = in_parallel(wanted, &|number| {
            started.fetch_add(1, Ordering::Relaxed);
            if number == 3 {
                return Err(DataError::Interrupted);
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
            Ok(())
        });
        assert!(matches!(outcome, Err(DataError::Interrupted)));
        assert!(started.into_inner() < 1000);
    }
}
