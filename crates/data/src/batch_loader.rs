//! Batches by number, read in advance when scans are on disk.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::error::{DataError, LoaderProblem};
use crate::sample_batch::{Crop, SampleBatch, fill};
use crate::segment::SegmentLayout;
use crate::store::ScanStore;

/// The crops of each batch number, the same on every call. Crops are drawn before scans are read,
/// so that a batch does not depend on where its scans are.
type Plan = dyn Fn(u64) -> Vec<Crop> + Send + Sync;

/// Loader of numbered batches from a store.
///
/// If the whole store is in memory, a batch is cut on request. Otherwise a thread reads in advance:
/// after a request for number `n` it makes the next batches up to `n + ahead`, so that requests in
/// order do not wait. Any number can be requested at any time, from several threads; a request far
/// from the last one moves the thread to it.
///
/// When the loader is dropped, its thread stops after the current batch.
pub struct BatchLoader {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    store: Arc<ScanStore>,
    layout: SegmentLayout,
    plan: Box<Plan>,
    ahead: u64,
    state: Mutex<State>,
    /// Signals every change of the state.
    changed: Condvar,
}

/// State of the thread; its numbers are valid after the first request.
#[derive(Default)]
struct State {
    /// The next number for the thread.
    next: u64,
    /// The thread makes numbers below this one.
    end: u64,
    /// The number that the thread is making now.
    making: Option<u64>,
    /// Batches that no caller has taken yet.
    ready: VecDeque<(u64, Result<SampleBatch, DataError>)>,
    /// Batches whose memory can be used again.
    spare: Vec<SampleBatch>,
    waited: Duration,
    stop: bool,
}

impl BatchLoader {
    /// A loader of batches of `store` with the crops given by `plan`. If scans are on disk, `ahead`
    /// batches are made in advance.
    ///
    /// # Errors
    /// [`DataError::Loader`] when the system cannot start a thread.
    pub fn new(
        store: Arc<ScanStore>,
        layout: SegmentLayout,
        ahead: usize,
        plan: impl Fn(u64) -> Vec<Crop> + Send + Sync + 'static,
    ) -> Result<Self, DataError> {
        let on_disk = store.n_on_disk() > 0;
        let shared = Arc::new(Shared {
            store,
            layout,
            plan: Box::new(plan),
            ahead: ahead.max(1) as u64,
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let thread = if on_disk {
            let shared = Arc::clone(&shared);
            let thread = std::thread::Builder::new().name("batch loader".into());
            let thread = thread.spawn(move || shared.read_ahead());
            Some(thread.map_err(|error| DataError::Loader(LoaderProblem::Thread(error)))?)
        } else {
            None
        };
        Ok(Self { shared, thread })
    }

    /// The batch with this number.
    ///
    /// # Errors
    /// The errors of [`fill`], or [`DataError::Loader`] when the plan panicked.
    pub fn batch(&self, number: u64) -> Result<SampleBatch, DataError> {
        let asked = Instant::now();
        let made = match self.thread {
            Some(_) => self.shared.take(number),
            None => None,
        };
        let batch = made.unwrap_or_else(|| {
            let spare = self.shared.lock().spare.pop();
            self.shared.make(number, spare)
        });
        self.shared.lock().waited += asked.elapsed();
        batch
    }

    /// Returns a batch to this loader, so that its memory is used for another batch.
    pub fn recycle(&self, batch: SampleBatch) {
        let layout = &self.shared.layout;
        let ours = (layout.n_segments, layout.segment_len_trs);
        let mut state = self.shared.lock();
        let room = (state.spare.len() as u64) < self.shared.ahead;
        if room && (batch.segments, batch.time) == ours {
            state.spare.push(batch);
        }
    }

    /// Time that callers have waited in [`batch`](Self::batch), summed over threads.
    pub fn waited(&self) -> Duration {
        self.shared.lock().waited
    }

    /// The store of the scans.
    pub fn store(&self) -> &ScanStore {
        &self.shared.store
    }
}

impl Drop for BatchLoader {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // The thread catches its own panics, so the result has no information.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed
            .wait(state)
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The batch made by the thread; `None` when the caller must make it.
    fn take(&self, number: u64) -> Option<Result<SampleBatch, DataError>> {
        let mut state = self.lock();
        state.move_to(number, self.ahead);
        self.changed.notify_all();
        loop {
            if let Some(at) = state.ready.iter().position(|(ready, _)| *ready == number) {
                return state.ready.remove(at).map(|(_, batch)| batch);
            }
            // A number before the thread's position was taken earlier, and the thread will not make
            // it again.
            let to_come = state.making == Some(number) || (state.next..state.end).contains(&number);
            if !to_come {
                return None;
            }
            state = self.wait(state);
        }
    }

    fn read_ahead(&self) {
        let mut state = self.lock();
        while !state.stop {
            if state.next >= state.end {
                state = self.wait(state);
                continue;
            }
            let number = state.next;
            state.next += 1;
            state.making = Some(number);
            let spare = state.spare.pop();
            drop(state);
            let batch = self.make(number, spare);
            state = self.lock();
            state.making = None;
            state.ready.push_back((number, batch));
            self.changed.notify_all();
        }
    }

    /// Makes a batch; a panic becomes an error, so that no caller waits for ever.
    fn make(&self, number: u64, spare: Option<SampleBatch>) -> Result<SampleBatch, DataError> {
        let work = || {
            let crops = (self.plan)(number);
            let mut batch = spare.unwrap_or_else(|| {
                SampleBatch::new(crops.len(), &self.layout, self.store.n_rois())
            });
            fill(&self.store, &crops, &mut batch)?;
            Ok(batch)
        };
        catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
            Err(DataError::Loader(LoaderProblem::Panicked {
                number,
                message: message(&*panic).to_owned(),
            }))
        })
    }
}

impl State {
    /// Moves the thread to `number` and the following ones, unless it has made them already.
    fn move_to(&mut self, number: u64, ahead: u64) {
        let near = self.next.saturating_sub(2 * ahead)..self.next.saturating_add(ahead);
        if self.end == 0 || !near.contains(&number) {
            self.next = number;
            self.end = 0;
        }
        self.end = self.end.max(number.saturating_add(ahead).saturating_add(1));
        // Batches outside this range will not be requested.
        let useful = self.end.saturating_sub(2 * ahead + 1)..self.end;
        self.ready.retain(|(ready, _)| useful.contains(ready));
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic")
}

#[cfg(test)]
mod tests;
