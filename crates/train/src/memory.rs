//! Memory of a training: what its batches need, measured on a few examples before the first step,
//! and the largest batch that fits.

use crate::Workers;

/// Growth of resident memory that is far above the uncertainty of its measurement, in bytes.
const VISIBLE: u64 = 32 << 20;

/// Bytes of a weight, and of every number that the optimiser keeps of it.
const NUMBER: u64 = 4;

/// Divisor of a need: this share more is taken than what was measured, for gaps between blocks.
const GAPS: u64 = 8;

/// Bytes in a GiB.
const GIB: f64 = (1_u64 << 30) as f64;

/// Memory of this process, as the program that trains sees it.
pub trait Memory: Sync {
    /// Bytes that this process can still take; `None` if the system does not tell.
    fn available(&self) -> Option<u64>;

    /// Resident bytes, without blocks that were freed; `None` if the system does not tell.
    fn resident(&self) -> Option<u64>;

    /// Most resident bytes during `work`; `None` if the system does not tell.
    fn peak_of(&self, work: &mut dyn FnMut()) -> Option<u64>;
}

/// A batch, as workers compute it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Division {
    /// Number of examples in a batch.
    pub batch_size: usize,
    /// Number of parts of a batch.
    pub parts: usize,
    /// Number of parts that this process computes at once.
    pub at_once: usize,
}

/// Memory that a training needs beyond what is resident before it, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// Once: weights, gradients, state of the optimiser, data.
    pub once: u64,
    /// For each part that is computed at once, whatever its examples.
    pub part: u64,
    /// For each example of a part that is computed at once: its signals, and what the backward
    /// pass needs of the forward pass.
    pub example: u64,
    /// For each example of a batch that is read in advance.
    pub ahead: u64,
}

/// A batch that does not fit into memory.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error(
    "a batch of {} in {} parts, {} at once, needs about {:.1} GiB of memory, and {:.1} GiB are available; {}",
    division.batch_size, division.parts, division.at_once, *needed as f64 / GIB,
    *available as f64 / GIB, fitting(*fits)
)]
pub struct TooLittleMemory {
    /// The batch.
    pub division: Division,
    /// Bytes that its training needs.
    pub needed: u64,
    /// Bytes that are available.
    pub available: u64,
    /// Size of the largest batch that fits, with as many parts; 0 if none fits.
    pub fits: usize,
}

fn fitting(fits: usize) -> String {
    match fits {
        0 => "not even one example for each part fits".to_string(),
        fits => format!("a batch of {fits} fits"),
    }
}

impl Need {
    /// What the weights of a model need once, for `n_weights` of them: the gradient, two moments of
    /// the optimiser, the weights while they are changed, the best ones, their average if there is
    /// one, and a copy for each further device.
    pub fn of_weights(n_weights: usize, has_average: bool, workers: &Workers) -> u64 {
        let copies = 5 + usize::from(has_average) + workers.others.len();
        NUMBER * (copies * n_weights) as u64
    }

    /// Bytes for a batch, with room for gaps between blocks: an eighth.
    pub fn bytes(&self, of: Division) -> u64 {
        let in_part = of.batch_size.div_ceil(of.parts.max(1)) as u64;
        let part = (self.example.saturating_mul(in_part)).saturating_add(self.part);
        let ahead = self.ahead.saturating_mul(of.batch_size as u64);
        let at_once = part.saturating_mul(of.at_once as u64);
        let all = self.once.saturating_add(at_once).saturating_add(ahead);
        all.saturating_add(all / GAPS)
    }

    /// Checks that a batch fits into `available` bytes.
    ///
    /// # Errors
    /// [`TooLittleMemory`] with the largest batch that fits.
    pub fn check(&self, division: Division, available: u64) -> Result<(), TooLittleMemory> {
        let needed = self.bytes(division);
        if needed <= available {
            return Ok(());
        }
        Err(TooLittleMemory {
            division,
            needed,
            available,
            fits: self.largest(division, available),
        })
    }

    /// Size of the largest batch that fits, a multiple of its parts; 0 if none fits.
    fn largest(&self, of: Division, available: u64) -> usize {
        let fixed = (self.once).saturating_add(self.part.saturating_mul(of.at_once as u64));
        let (at_once, parts) = (of.at_once as u64, of.parts as u64);
        // One more example in each part.
        let each = at_once * self.example + parts * self.ahead;
        let without_gaps = available - available.div_ceil(GAPS + 1);
        let in_part = without_gaps.saturating_sub(fixed) / each.max(1);
        (in_part.saturating_mul(parts) as usize).min(of.batch_size)
    }

    /// Measures a part: `compute` computes loss and gradients of a number of examples, and keeps
    /// nothing. Its numbers are doubled until two of them make the memory grow visibly, or up to
    /// `most`, the examples in a part. So they are few, and nothing is computed that needs more
    /// than `available` bytes, if one example does not. `None` if the memory cannot be measured.
    ///
    /// # Errors
    /// From `compute`.
    pub fn measure<E>(
        memory: &dyn Memory,
        available: u64,
        most: usize,
        mut compute: impl FnMut(usize) -> Result<(), E>,
    ) -> Result<Option<Self>, E> {
        let Some(before) = memory.resident() else {
            return Ok(None);
        };
        let mut last = Growth::default();
        loop {
            let examples = (2 * last.examples).clamp(1, most.max(1));
            let mut computed = Ok(());
            let peak = memory.peak_of(&mut || computed = compute(examples));
            computed?;
            let Some(peak) = peak else {
                return Ok(None);
            };
            let grown = Growth {
                examples,
                bytes: peak.saturating_sub(before),
            };
            let is_known = last.bytes >= VISIBLE && grown.bytes > last.bytes;
            if is_known || examples >= most || grown.bytes.saturating_mul(2) > available {
                return Ok(Some(Self::between(last, grown)));
            }
            last = grown;
        }
    }

    /// The line through both measurements. If memory has hardly grown in the first one, it is that
    /// from nothing to the second one.
    fn between(first: Growth, second: Growth) -> Self {
        let line = first.bytes >= VISIBLE && second.bytes > first.bytes;
        let from = if line { first } else { Growth::default() };
        let n = (second.examples - from.examples).max(1) as u64;
        let example = (second.bytes - from.bytes).div_ceil(n);
        let of_examples = example * second.examples as u64;
        Self {
            part: second.bytes.saturating_sub(of_examples),
            example,
            ..Self::default()
        }
    }
}

/// Growth of memory with a number of examples.
#[derive(Clone, Copy, Default)]
struct Growth {
    examples: usize,
    bytes: u64,
}

/// Number of trainings, at most `n`, that fit into `available` bytes side by side, whichever of
/// `needs` they have; at least 1.
pub fn side_by_side(n: usize, mut needs: Vec<u64>, available: u64) -> usize {
    // The largest ones may run at the same time.
    needs.sort_unstable_by(|a, b| b.cmp(a));
    let fit = |n: &usize| {
        let largest = needs.iter().take(*n);
        largest.fold(0, |sum: u64, need| sum.saturating_add(*need)) <= available
    };
    (1..=n).rev().find(fit).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::Mutex;

    use super::*;

    const MIB: u64 = 1 << 20;

    const NEED: Need = Need {
        once: 100,
        part: 10,
        example: 5,
        ahead: 1,
    };

    fn division(batch_size: usize) -> Division {
        Division {
            batch_size,
            parts: 4,
            at_once: 2,
        }
    }

    #[test]
    fn the_need_is_that_of_the_parts_at_once() {
        // Two parts of three examples: 100 + 2 (10 + 3 · 5) + 12 · 1 = 162, and an eighth of it.
        assert_eq!(NEED.bytes(division(12)), 182);
        assert_eq!(NEED.bytes(division(10)), 180);
    }

    #[test]
    fn the_largest_batch_fits_and_a_larger_one_does_not() {
        assert!(NEED.check(division(12), 182).is_ok());
        let error = NEED
            .check(division(12), 181)
            .expect_err("one byte is missing");
        assert_eq!((error.needed, error.fits), (182, 8));
        assert!(NEED.check(division(8), 181).is_ok());
        let none = NEED
            .check(division(12), 125)
            .expect_err("too little for any");
        assert_eq!(none.fits, 0);
        let all = Need::default().check(division(usize::MAX), 0);
        assert!(all.is_ok(), "what needs nothing fits");
    }

    #[test]
    fn a_refusal_says_what_fits() {
        let need = Need {
            example: 300 * MIB,
            ..Need::default()
        };
        let refuse = |available| need.check(division(4_000_000), available);
        let texts = [8 << 30, 100 * MIB].map(|available| {
            let error = refuse(available).expect_err("it needs much more");
            error.to_string()
        });
        insta::assert_snapshot!(texts.join("\n"), @r"
        a batch of 4000000 in 4 parts, 2 at once, needs about 659179.7 GiB of memory, and 8.0 GiB are available; a batch of 48 fits
        a batch of 4000000 in 4 parts, 2 at once, needs about 659179.7 GiB of memory, and 0.1 GiB are available; not even one example for each part fits
        ");
    }

    /// A process whose memory grows with the examples that are computed.
    struct Process {
        examples: Mutex<Cell<u64>>,
        /// Bytes for any number of examples, and for each.
        grows: [u64; 2],
    }

    impl Memory for Process {
        fn available(&self) -> Option<u64> {
            None
        }

        fn resident(&self) -> Option<u64> {
            Some(1000 * MIB)
        }

        fn peak_of(&self, work: &mut dyn FnMut()) -> Option<u64> {
            work();
            let examples = self.examples.lock().expect("one thread").get();
            Some(1000 * MIB + self.grows[0] + examples * self.grows[1])
        }
    }

    /// The need of a process, and the most examples that were computed.
    fn measured(grows: [u64; 2], available: u64, most: usize) -> (Need, u64) {
        let process = Process {
            examples: Mutex::default(),
            grows,
        };
        let need = Need::measure(&process, available, most, |n| -> Result<(), ()> {
            process.examples.lock().expect("one thread").set(n as u64);
            Ok(())
        });
        let need = need.expect("no errors").expect("it is measured");
        let examples = process.examples.lock().expect("one thread").get();
        (need, examples)
    }

    #[test]
    fn a_few_examples_tell_what_each_needs() {
        let (need, computed) = measured([50 * MIB, 10 * MIB], u64::MAX, 1_000_000);
        assert_eq!((need.part, need.example), (50 * MIB, 10 * MIB));
        assert_eq!(computed, 2);
        // Small examples: the first visible number is 4096.
        let (need, computed) = measured([0, MIB / 100], u64::MAX, 1_000_000);
        assert!(need.example.abs_diff(MIB / 100) < 10, "{need:?}");
        assert_eq!(computed, 8192);
    }

    #[test]
    fn no_more_is_computed_than_a_part_has_and_memory_holds() {
        let (need, computed) = measured([0, MIB / 100], u64::MAX, 100);
        assert_eq!((need.part, computed), (0, 100));
        let (need, computed) = measured([0, 10 * MIB], 15 * MIB, 100);
        assert_eq!((need.example, computed), (10 * MIB, 1));
    }

    #[test]
    fn the_largest_trainings_decide_how_many_fit_side_by_side() {
        assert_eq!(side_by_side(4, vec![1, 5, 3, 1], 10), 4);
        assert_eq!(side_by_side(4, vec![1, 5, 3, 1], 9), 3);
        assert_eq!(side_by_side(2, vec![1, 5, 3, 1], 10), 2);
        assert_eq!(side_by_side(4, vec![1, 5, 3, 1], 4), 1);
        assert_eq!(side_by_side(4, vec![5], 10), 4);
    }
}
