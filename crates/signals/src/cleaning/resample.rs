//! Resampling of signals to another interval between volumes.

use std::f64::consts::PI;

use super::unusable::Unusable;

/// Largest denominator of a ratio of intervals: enough for any two intervals in whole milliseconds
/// up to 2 s.
const MAX_DENOMINATOR: u64 = 2000;

/// Largest ratio of intervals, in either direction.
const MAX_RATIO: f64 = 50.0;

/// Two ratios are equal if they differ by less than this share: over 1000 volumes, the error is at
/// most 0.01 volumes. A TR from a header has 7 digits.
const SAME_RATIO: f64 = 1e-5;

/// Share of a sample's weight that must lie on uncensored volumes. The others are interpolated.
const KEPT_WEIGHT: f64 = 0.8;

/// Zero crossings of the kernel on each side.
const HALF_WIDTH: usize = 10;

/// Shape parameter of the Kaiser window.
const BETA: f64 = 5.0;

/// Resampling of scans of one TR and length.
///
/// Volumes at intervals `tr_secs` = `up` · u become samples at intervals `dt_secs` = `down` · u.
/// Sample `k` lies `k · dt_secs` after the first volume, without delay. No sample lies after the
/// last volume.
///
/// # Source
/// The line through the first and the last value is subtracted before and added after, so that
/// lines stay lines and there is no ringing at the ends. Apart from this, the result matches
/// `scipy.signal.resample_poly(…, up, down)` with its default window, without the samples after the
/// last volume: a low-pass at the lower of both Nyquist frequencies, a sinc in a Kaiser window.
/// (scipy's own `padtype="line"` leaves a ripple of a thousandth of the mean.)
#[derive(Clone, Debug)]
pub(super) struct Resampler {
    up: usize,
    down: usize,
    n_samples: usize,
    /// The kernel at intervals u; its middle is at index `half`.
    taps: Vec<f64>,
    half: usize,
}

impl Resampler {
    /// Resampler for scans of `n_volumes`; `None` when the intervals are equal.
    pub fn new(tr_secs: f64, dt_secs: f64, n_volumes: usize) -> Result<Option<Self>, Unusable> {
        let (up, down) =
            whole_ratio(tr_secs / dt_secs).ok_or(Unusable::Ratio { tr_secs, dt_secs })?;
        if up == down {
            return Ok(None);
        }
        let half = HALF_WIDTH * up.max(down);
        Ok(Some(Self {
            up,
            down,
            n_samples: n_volumes.saturating_sub(1) * up / down + 1,
            taps: kernel(up, half),
            half,
        }))
    }

    /// Writes the samples to `out`; the content of `signal` is undefined afterwards.
    pub fn run(&self, signal: &mut [f64], out: &mut Vec<f64>) {
        let steps = signal.len().saturating_sub(1);
        let (start, end) = (signal[0], signal[steps]);
        let slope = (end - start) / steps.max(1) as f64;
        for (volume, value) in signal.iter_mut().enumerate() {
            *value -= start + slope * volume as f64;
        }
        out.clear();
        out.extend((0..self.n_samples).map(|sample| {
            let near: f64 = (self.weights(sample, steps + 1))
                .map(|(volume, weight)| signal[volume] * weight)
                .sum();
            near + start + slope * ((sample * self.down) as f64 / self.up as f64)
        }));
    }

    /// By sample: whether enough of it comes from uncensored volumes. Each volume counts with the
    /// absolute weight that the kernel gives it.
    pub fn kept(&self, kept: &[bool]) -> Vec<bool> {
        let samples = 0..self.n_samples;
        let share = |sample: usize| {
            let (mut all, mut known) = (0.0, 0.0);
            for (volume, weight) in self.weights(sample, kept.len()) {
                all += weight.abs();
                known += if kept[volume] { weight.abs() } else { 0.0 };
            }
            known / all
        };
        samples.map(|sample| share(sample) >= KEPT_WEIGHT).collect()
    }

    /// Volumes that a sample is computed from, with their weights.
    fn weights(&self, sample: usize, n_volumes: usize) -> impl Iterator<Item = (usize, f64)> {
        // Positions in units u; the volumes lie at multiples of `up`.
        let centre = sample * self.down;
        let first = centre.saturating_sub(self.half).div_ceil(self.up);
        let last = ((centre + self.half) / self.up).min(n_volumes.saturating_sub(1));
        let weight = move |volume: usize| self.taps[centre + self.half - volume * self.up];
        (first..=last).map(move |volume| (volume, weight(volume)))
    }
}

/// `value` as a fraction: the last convergent of its continued fraction with an allowed
/// denominator.
fn whole_ratio(value: f64) -> Option<(usize, usize)> {
    if !(1.0 / MAX_RATIO..=MAX_RATIO).contains(&value) {
        return None;
    }
    let ([mut before_up, mut up], [mut before_down, mut down]) = ([0_u64, 1], [1_u64, 0]);
    let mut rest = value;
    loop {
        // Infinity becomes the largest integer, which ends the loop.
        let whole = rest.floor() as u64;
        let next = |last: u64, before: u64| whole.saturating_mul(last).saturating_add(before);
        if next(down, before_down) > MAX_DENOMINATOR {
            break;
        }
        (before_up, up) = (up, next(up, before_up));
        (before_down, down) = (down, next(down, before_down));
        rest = 1.0 / (rest - rest.floor());
    }
    let is_near = (up as f64 / down as f64 / value - 1.0).abs() < SAME_RATIO;
    is_near.then_some((up as usize, down as usize))
}

/// The low-pass kernel at intervals u, with the sum `up`, because only every `up`-th position has a
/// volume.
fn kernel(up: usize, half: usize) -> Vec<f64> {
    let cut_off = HALF_WIDTH as f64 / half as f64;
    let mut taps: Vec<f64> = (0..=2 * half)
        .map(|tap| {
            let place = tap as f64 - half as f64;
            let angle = PI * cut_off * place;
            let sinc = if tap == half {
                1.0
            } else {
                angle.sin() / angle
            };
            let share = place / half as f64;
            sinc * bessel_i0(BETA * (1.0 - share * share).sqrt())
        })
        .collect();
    let scale = up as f64 / taps.iter().sum::<f64>();
    for tap in &mut taps {
        *tap *= scale;
    }
    taps
}

/// The modified Bessel function of the first kind and order 0, by its power series; for small `x`.
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut sum, mut term, mut k) = (1.0, 1.0, 1.0);
    while term > sum * f64::EPSILON / 4.0 {
        term *= quarter / (k * k);
        sum += term;
        k += 1.0;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn resampled(tr_secs: f64, dt_secs: f64, signal: &[f64]) -> Vec<f64> {
        let resampler = Resampler::new(tr_secs, dt_secs, signal.len());
        let mut out = Vec::new();
        let mut signal = signal.to_vec();
        resampler.unwrap().unwrap().run(&mut signal, &mut out);
        out
    }

    #[test]
    fn ratios_of_usual_intervals_are_found() {
        for (tr_secs, dt_secs, ratio) in [
            (0.72, 0.8, (9, 10)),
            (f64::from(0.72_f32), 0.72, (1, 1)),
            (2.0, 0.75, (8, 3)),
            (f64::from(0.735_f32), 0.72, (49, 48)),
            (1.333, 1.0, (1333, 1000)),
            (0.8, 1.333, (800, 1333)),
            (4.0 / 3.0, 1.0, (4, 3)),
            (2.5, 2.0, (5, 4)),
        ] {
            assert_eq!(whole_ratio(tr_secs / dt_secs), Some(ratio), "{tr_secs}");
        }
    }

    #[test]
    fn intervals_without_a_ratio_are_told() {
        for (tr_secs, dt_secs) in [
            (f64::NAN, 1.0),
            (-1.0, 1.0),
            (f64::INFINITY, 1.0),
            (1.0, 0.0),
            (1e30, 1.0),
            (1.0003, 1.0),
        ] {
            let error = Resampler::new(tr_secs, dt_secs, 100).unwrap_err();
            assert!(
                error
                    .describe(|_| "".into())
                    .contains("cannot be resampled")
            );
        }
    }

    #[test]
    fn samples_end_with_the_last_volume() {
        // Volumes at 0, 2, 4, 6 give samples at 0, 0.75, …, 6.
        assert_eq!(resampled(2.0, 0.75, &[1., 2., 4., 3.]).len(), 9);
        // Volumes at 0, 0.72, …, 2.16 give samples at 0, 0.8, 1.6.
        assert_eq!(resampled(0.72, 0.8, &[1., 2., 4., 3.]).len(), 3);
    }

    #[test]
    fn a_slow_wave_keeps_its_place_and_a_fast_one_goes() {
        let wave = |hz: f64, secs: f64| (2.0 * PI * hz * secs).sin();
        let signal: Vec<f64> = (0..800).map(|t| wave(0.05, f64::from(t) * 0.5)).collect();
        let slow = resampled(0.5, 2.0, &signal);
        for (sample, value) in slow.iter().enumerate().take(180).skip(20) {
            let expected = wave(0.05, sample as f64 * 2.0);
            assert!((value - expected).abs() < 5e-3, "{value}, not {expected}");
        }
        // Without a low-pass, 0.4 Hz would alias to 0.1 Hz.
        let signal: Vec<f64> = (0..800).map(|t| wave(0.4, f64::from(t) * 0.5)).collect();
        for value in &resampled(0.5, 2.0, &signal)[20..180] {
            assert!(value.abs() < 5e-3, "{value}");
        }
    }

    #[test]
    fn a_sample_is_kept_when_most_of_it_comes_from_kept_volumes() {
        let kept_after = |tr_secs: f64, dt_secs: f64, censored: &[usize]| {
            let kept: Vec<bool> = (0..60).map(|volume| !censored.contains(&volume)).collect();
            let resampler = Resampler::new(tr_secs, dt_secs, 60).unwrap().unwrap();
            resampler.kept(&kept)
        };
        // Up: samples at 0, 1, 2, … of volumes at 0, 2, 4, …; those at a volume are that volume.
        let kept = kept_after(2.0, 1.0, &[20]);
        assert_eq!(
            (kept[38], kept[39], kept[40], kept[41]),
            (true, false, false, false)
        );
        assert!(kept[36] && kept[44]);
        // Down, .72 to 2.16 s: sample 10 lies at volume 30. Both of its neighbours are censored,
        // and with them more than a fifth of its weight; one alone is less.
        let kept = kept_after(0.72, 2.16, &[29, 31]);
        assert!(!kept[10], "{kept:?}");
        assert!(kept[8] && kept[12], "{kept:?}");
        assert!(kept_after(0.72, 2.16, &[31])[10]);
        assert!(kept_after(0.72, 2.16, &[]).iter().all(|kept| *kept));
    }

    proptest! {
        #[test]
        fn lines_stay_lines(
            start in -1e3..1e3_f64,
            slope in -10.0..10.0_f64,
            n_volumes in 2..200_usize,
            tr_secs in prop::sample::select(vec![0.72, 0.8, 1.0, 2.0, 3.0]),
            dt_secs in prop::sample::select(vec![0.5, 0.75, 0.9, 1.5]),
        ) {
            let signal: Vec<f64> =
                (0..n_volumes).map(|volume| start + slope * volume as f64 * tr_secs).collect();
            for (sample, value) in resampled(tr_secs, dt_secs, &signal).iter().enumerate() {
                let expected = start + slope * sample as f64 * dt_secs;
                prop_assert!((value - expected).abs() < 1e-8, "{} not {}", value, expected);
            }
        }

        #[test]
        fn any_ratio_of_short_numbers_is_found_and_near(tr_ms in 100..5000_u32, dt_ms in 1..=50_u32) {
            let value = f64::from(tr_ms) / f64::from(dt_ms * 20);
            prop_assume!(value <= MAX_RATIO);
            let (up, down) = whole_ratio(value).unwrap();
            prop_assert!((up as f64 / down as f64 / value - 1.0).abs() < SAME_RATIO);
        }

        #[test]
        fn no_number_hangs_or_panics(bits in any::<u64>(), signal in vec(-1.0..1.0_f64, 1..30)) {
            if let Ok(Some(resampler)) = Resampler::new(f64::from_bits(bits), 1.0, signal.len()) {
                let mut out = Vec::new();
                resampler.run(&mut signal.clone(), &mut out);
                prop_assert_eq!(out.len(), resampler.kept(&vec![true; signal.len()]).len());
            }
        }
    }
}
