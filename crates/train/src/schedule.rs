//! Learning rate over the steps of a training.

/// Learning rate over the steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Schedule {
    /// Linear warm-up from 0, then half a cosine down to `end`.
    WarmupCosine {
        /// Largest learning rate.
        peak: f64,
        /// Share of the steps for the warm-up.
        warmup: f64,
        /// Learning rate at the end.
        end: f64,
    },
    /// Half a cosine from `start` up to the peak, then half a cosine down to `end`.
    OneCycle {
        /// Learning rate at the start.
        start: f64,
        /// Largest learning rate.
        peak: f64,
        /// Share of the steps for the rise.
        rise: f64,
        /// Learning rate at the end.
        end: f64,
    },
}

impl Schedule {
    /// The same learning rate at all steps.
    pub fn constant(lr: f64) -> Self {
        Self::cosine(lr, lr)
    }

    /// Half a cosine from `peak` down to `end`.
    pub fn cosine(peak: f64, end: f64) -> Self {
        Self::WarmupCosine {
            peak,
            warmup: 0.0,
            end,
        }
    }

    /// The learning rate of `step` (the first is 0) out of `steps`.
    pub fn at(&self, step: u64, steps: u64) -> f64 {
        let step = step as f64;
        match *self {
            Self::WarmupCosine { peak, warmup, end } => {
                let warmup = (warmup * steps as f64).round();
                if step < warmup {
                    return peak * (step + 1.0) / warmup;
                }
                let left = (steps as f64 - warmup).max(1.0);
                let cosine = (std::f64::consts::PI * (step - warmup) / left).cos();
                end + (peak - end).max(0.0) * 0.5 * (1.0 + cosine)
            }
            Self::OneCycle {
                start,
                peak,
                rise,
                end,
            } => {
                let share = step / steps.max(1) as f64;
                match share < rise {
                    true => half_cosine(start, peak, share / rise),
                    false => half_cosine(peak, end, (share - rise) / (1.0 - rise)),
                }
            }
        }
    }
}

/// Half a cosine between two values.
fn half_cosine(from: f64, to: f64, share: f64) -> f64 {
    to + (from - to) * 0.5 * (1.0 + (std::f64::consts::PI * share.clamp(0.0, 1.0)).cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_climbs_in_a_line_and_falls_in_a_cosine() {
        let schedule = Schedule::WarmupCosine {
            peak: 1.0,
            warmup: 0.1,
            end: 0.0,
        };
        let at = |step| schedule.at(step, 100);
        assert_eq!(at(0), 0.1);
        assert_eq!(at(9), 1.0);
        assert_eq!(at(10), 1.0);
        assert!((at(55) - 0.5).abs() < 1e-12);
        assert!(at(99) < 0.001);
    }

    #[test]
    fn one_cycle_climbs_and_falls() {
        let cycle = Schedule::OneCycle {
            start: 1.0,
            peak: 3.0,
            rise: 0.2,
            end: 0.0,
        };
        for (step, lr) in [(0, 1.0), (10, 2.0), (20, 3.0), (60, 1.5)] {
            assert!((cycle.at(step, 100) - lr).abs() < 1e-12, "{step}");
        }
    }

    #[test]
    fn a_constant_stays_the_same() {
        assert!([0, 7, 99].map(|step| Schedule::constant(0.3).at(step, 100)) == [0.3; 3]);
    }
}
