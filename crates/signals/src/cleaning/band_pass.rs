//! Band-pass filter without phase delay.

use std::f64::consts::PI;
use std::fmt::{Display, Formatter, Result as Written};

use brainmae_files::CommonErrors as _;
use nalgebra::Complex;
use serde::{Deserialize, Serialize};

use super::unusable::Unusable;
use crate::error::SignalError;

/// Highest order of a filter.
const MAX_ORDER: usize = 10;

/// Lowest cut-off as a share of the Nyquist frequency; below it the filter loses all precision.
const LOWEST_SHARE: f64 = 1e-5;

/// A Butterworth filter, applied forwards and backwards.
///
/// With both cut-offs it is a band-pass, with one a high-pass or a low-pass. The filter is applied
/// twice. So it has no delay, the slope of twice its order, and half amplitude at a cut-off.
///
/// # Source
/// Matches scipy's `butter(order, …, output="sos")` and `sosfiltfilt` with default padding: both
/// ends are extended by point reflection over three times the filter length.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BandPass {
    /// Slower changes are removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high_pass_hz: Option<f64>,
    /// Faster changes are removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_pass_hz: Option<f64>,
    /// Order of one pass; each order adds a slope of 6 dB per octave.
    pub order: usize,
}

impl BandPass {
    pub(super) fn check(&self) -> Result<(), SignalError> {
        if !(1..=MAX_ORDER).contains(&self.order) {
            return Err(SignalError::config(
                "order of band-pass",
                self.order,
                format!("1 to {MAX_ORDER}"),
            ));
        }
        for (key, hz) in [
            ("high_pass_hz of band-pass", self.high_pass_hz),
            ("low_pass_hz of band-pass", self.low_pass_hz),
        ] {
            if let Some(hz) = hz.filter(|hz| !(hz.is_finite() && *hz > 0.0)) {
                return Err(SignalError::config(key, hz, "a number above zero"));
            }
        }
        match (self.high_pass_hz, self.low_pass_hz) {
            (None, None) => Err(SignalError::config(
                "band-pass",
                "without a cut-off",
                "high_pass_hz, low_pass_hz or both",
            )),
            (Some(high), Some(low)) if low <= high => Err(SignalError::config(
                "low_pass_hz of band-pass",
                low,
                format!("above high_pass_hz, {high}"),
            )),
            _ => Ok(()),
        }
    }

    /// The filter for scans of `n_volumes` volumes every `tr_secs` seconds.
    pub(super) fn filter(&self, tr_secs: f64, n_volumes: usize) -> Result<Filter, Unusable> {
        let nyquist_hz = 0.5 / tr_secs;
        let lowest_hz = LOWEST_SHARE * nyquist_hz;
        let width_hz = match (self.high_pass_hz, self.low_pass_hz) {
            (Some(high), Some(low)) => Some(low - high),
            _ => None,
        };
        for hz in [self.high_pass_hz, self.low_pass_hz, width_hz] {
            if let Some(found_hz) = hz.filter(|hz| !(*hz >= lowest_hz && *hz < nyquist_hz)) {
                return Err(Unusable::CutOff {
                    found_hz,
                    lowest_hz,
                    nyquist_hz,
                });
            }
        }
        let n_poles = match width_hz {
            Some(_) => self.order.saturating_mul(2),
            None => self.order,
        };
        let padding = n_poles.saturating_add(1).saturating_mul(3);
        if n_volumes <= padding {
            return Err(Unusable::TooShortToFilter {
                n_volumes,
                needed: padding.saturating_add(1),
            });
        }
        Ok(Filter {
            sections: self.sections(nyquist_hz),
            padding,
        })
    }

    /// Second-order sections: the poles of the analogue prototype, moved to the cut-offs and mapped
    /// by the bilinear transform.
    fn sections(&self, nyquist_hz: f64) -> Vec<Section> {
        // The bilinear transform s = (z − 1) / (z + 1) warps frequencies, so they are pre-warped
        // here.
        let bent = |hz: f64| (PI / 2.0 * hz / nyquist_hz).tan();
        let mut sections = Vec::with_capacity(self.order);
        // The poles in the upper half plane, starting with the real pole if there is one; the
        // others are their conjugates.
        for step in (1 - self.order % 2..self.order).step_by(2) {
            let angle = PI * step as f64 / (2 * self.order) as f64;
            let pole = -Complex::new(angle.cos(), angle.sin());
            let is_real = step == 0;
            match (self.high_pass_hz.map(bent), self.low_pass_hz.map(bent)) {
                (Some(high), Some(low)) => {
                    let half = pole * ((low - high) / 2.0);
                    let root = (half * half - high * low).sqrt();
                    let [first, second] = [half + root, half - root].map(bilinear);
                    let centre = (1.0 - high * low) / (1.0 + high * low);
                    if is_real {
                        sections.push(Section::band(first, second, centre));
                    } else {
                        sections.push(Section::band(first, first.conj(), centre));
                        sections.push(Section::band(second, second.conj(), centre));
                    }
                }
                (Some(high), None) => {
                    let pole = bilinear(Complex::from(high) / pole);
                    sections.push(Section::one_sided(pole, is_real, 1.0));
                }
                (None, Some(low)) => {
                    let pole = bilinear(pole * low);
                    sections.push(Section::one_sided(pole, is_real, -1.0));
                }
                (None, None) => {}
            }
        }
        let mut level = 1.0;
        for section in &mut sections {
            level = section.settle(level);
        }
        sections
    }
}

impl Display for BandPass {
    fn fmt(&self, f: &mut Formatter) -> Written {
        match (self.high_pass_hz, self.low_pass_hz) {
            (Some(high), Some(low)) => write!(f, "band-pass {high} to {low} Hz")?,
            (Some(high), None) => write!(f, "high-pass {high} Hz")?,
            (None, Some(low)) => write!(f, "low-pass {low} Hz")?,
            (None, None) => f.write_str("no filter")?,
        }
        write!(f, " of order {}", self.order)
    }
}

fn bilinear(pole: Complex<f64>) -> Complex<f64> {
    (Complex::from(1.0) + pole) / (Complex::from(1.0) - pole)
}

/// `y[t] = b0 x[t] + b1 x[t − 1] + b2 x[t − 2] − a1 y[t − 1] − a2 y[t − 2]`.
#[derive(Clone, Copy, Debug)]
struct Section {
    b: [f64; 3],
    a: [f64; 2],
    /// The state of the section after a constant input of 1.
    settled: [f64; 2],
}

impl Section {
    /// A low-pass with zeros at −1, or a high-pass with zeros at 1; its gain is 1 at the frequency
    /// farthest from its zeros.
    fn one_sided(pole: Complex<f64>, is_real: bool, zero: f64) -> Self {
        let (b, a) = match is_real {
            true => ([1.0, -zero, 0.0], [-pole.re, 0.0]),
            false => ([1.0, -2.0 * zero, 1.0], [-2.0 * pole.re, pole.norm_sqr()]),
        };
        // Gain at z = −zero.
        let gain = (1.0 - zero * a[0] + a[1]) / (b[0] - zero * b[1] + b[2]);
        Self {
            b: b.map(|b| b * gain),
            a,
            settled: [0.0; 2],
        }
    }

    /// A band-pass with two poles that are real or conjugates; its gain is 1 at the frequency whose
    /// cosine is `centre`.
    fn band(first: Complex<f64>, second: Complex<f64>, centre: f64) -> Self {
        let a = [-(first + second).re, (first * second).re];
        let z = Complex::new(centre, (1.0 - centre * centre).max(0.0).sqrt());
        let gain = (z * z + z * a[0] + a[1]).norm() / (z * z - 1.0).norm();
        Self {
            b: [gain, 0.0, -gain],
            a,
            settled: [0.0; 2],
        }
    }

    /// Sets the state after a constant input of `level`; returns the output.
    fn settle(&mut self, level: f64) -> f64 {
        let ([_, b1, b2], [a1, a2]) = (self.b, self.a);
        let out = level * self.b.iter().sum::<f64>() / (1.0 + a1 + a2);
        let second = b2 * level - a2 * out;
        self.settled = [b1 * level - a1 * out + second, second];
        out
    }

    fn run<'a>(&self, signal: impl Iterator<Item = &'a mut f64>, level: f64) {
        let ([b0, b1, b2], [a1, a2]) = (self.b, self.a);
        let [mut first, mut second] = self.settled.map(|settled| settled * level);
        for value in signal {
            let out = b0 * *value + first;
            first = b1 * *value - a1 * out + second;
            second = b2 * *value - a2 * out;
            *value = out;
        }
    }
}

/// A [`BandPass`] for scans of one TR.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    sections: Vec<Section>,
    /// Number of values by which each end is extended.
    padding: usize,
}

impl Filter {
    /// Filters `signal`, which has more values than the padding; `longer` is a work buffer.
    pub fn run(&self, signal: &mut [f64], longer: &mut Vec<f64>) {
        let (first, last) = (signal[0], signal[signal.len() - 1]);
        let inner = &signal[1..];
        longer.clear();
        longer.extend(inner[..self.padding].iter().rev().map(|x| 2.0 * first - x));
        longer.extend_from_slice(signal);
        let inner = &signal[..signal.len() - 1];
        longer.extend(
            inner
                .iter()
                .rev()
                .take(self.padding)
                .map(|x| 2.0 * last - x),
        );

        let start = longer[0];
        for section in &self.sections {
            section.run(longer.iter_mut(), start);
        }
        let end = longer[longer.len() - 1];
        for section in &self.sections {
            section.run(longer.iter_mut().rev(), end);
        }
        signal.copy_from_slice(&longer[self.padding..self.padding + signal.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn filtered(band: BandPass, tr_secs: f64, signal: &[f64]) -> Vec<f64> {
        let filter = band.filter(tr_secs, signal.len()).unwrap();
        let mut signal = signal.to_vec();
        filter.run(&mut signal, &mut Vec::new());
        signal
    }

    const LOW: BandPass = BandPass {
        high_pass_hz: None,
        low_pass_hz: Some(0.1),
        order: 2,
    };
    const HIGH: BandPass = BandPass {
        high_pass_hz: Some(0.01),
        low_pass_hz: None,
        order: 3,
    };
    const BAND: BandPass = BandPass {
        high_pass_hz: Some(0.01),
        low_pass_hz: Some(0.1),
        order: 3,
    };

    #[test]
    fn a_cut_off_is_where_the_amplitude_is_halved() {
        let wave: Vec<f64> = (0..2000)
            .map(|t| (2.0 * PI * 0.1 * 0.72 * f64::from(t)).sin())
            .collect();
        let passed = filtered(LOW, 0.72, &wave);
        for t in 500..1500 {
            assert!((passed[t] - wave[t] / 2.0).abs() < 1e-9, "{}", passed[t]);
        }
    }

    #[test]
    fn constants_pass_a_low_pass_and_nothing_else() {
        let constant = [1000.0; 100];
        for (band, expected) in [(LOW, 1000.0), (HIGH, 0.0), (BAND, 0.0)] {
            for value in filtered(band, 0.72, &constant) {
                assert!((value - expected).abs() < 1e-6, "{value} from {band}");
            }
        }
    }

    #[test]
    fn what_cannot_be_filtered_is_told() {
        let refusal = |band: BandPass, tr_secs, n_volumes| {
            let Err(error) = band.filter(tr_secs, n_volumes) else {
                panic!("{band} was made")
            };
            error.describe(|_| String::new())
        };
        // Six poles give seven coefficients; the minimum is three times as many.
        assert!(refusal(BAND, 0.72, 21).contains("21 volumes are too few"));
        assert!(BAND.filter(0.72, 22).is_ok());
        let endless = BandPass {
            order: usize::MAX,
            ..BAND
        };
        assert!(refusal(endless, 0.72, 100).contains("100 volumes are too few"));
        assert!(refusal(LOW, 5.0, 100).contains("below 0.1 Hz"));
        assert!(refusal(LOW, f64::NAN, 100).contains("NaN"));
        assert!(refusal(LOW, -1.0, 100).contains("0.1 Hz at this TR"));
        assert!(refusal(LOW, 1e-9, 100).contains("from 5000"));
        let narrow = BandPass {
            high_pass_hz: Some(0.1),
            low_pass_hz: Some(0.1 + 1e-12),
            order: 1,
        };
        assert!(refusal(narrow, 1.0, 100).contains("width"));
    }

    proptest! {
        #[test]
        fn filters_are_linear_and_keep_the_length(
            signals in vec((-100.0..100.0_f64, -100.0..100.0_f64), 34..120),
            factor in -3.0..3.0_f64,
            band in prop::sample::select(vec![LOW, HIGH, BAND]),
        ) {
            let (first, second): (Vec<f64>, Vec<f64>) = signals.into_iter().unzip();
            let pairs = first.iter().zip(&second);
            let sum: Vec<f64> = pairs.map(|(first, second)| first + factor * second).collect();
            let of_sum = filtered(band, 2.0, &sum);
            prop_assert_eq!(of_sum.len(), sum.len());
            let parts = [first, second].map(|signal| filtered(band, 2.0, &signal));
            for (t, of_sum) in of_sum.iter().enumerate() {
                let expected = parts[0][t] + factor * parts[1][t];
                prop_assert!((of_sum - expected).abs() < 1e-7, "{} and {}", of_sum, expected);
            }
        }

        #[test]
        fn every_filter_that_is_made_stays_finite(
            high in 1e-5..0.99_f64,
            width in 1e-5..1.0_f64,
            order in 1..=MAX_ORDER,
            kind in 0..3,
        ) {
            // At a TR of 0.5 s the Nyquist frequency is 1 Hz.
            let low = (high + width).min(0.999_99);
            let band = BandPass {
                high_pass_hz: (kind != 0).then_some(high),
                low_pass_hz: (kind != 1).then_some(low),
                order,
            };
            prop_assume!(band.check().is_ok());
            let Ok(filter) = band.filter(0.5, 100) else { return Ok(()) };
            let mut signal: Vec<f64> = (0..100).map(|t| f64::from(t * t % 23)).collect();
            filter.run(&mut signal, &mut Vec::new());
            prop_assert!(signal.iter().all(|value| value.abs() < 1e6), "{:?}", signal);
        }
    }
}
