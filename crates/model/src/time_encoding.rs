//! Time encoding: sinusoids of the time in seconds.

use burn::tensor::{Device, Tensor, TensorData};

/// `p(t)_{2m} = sin(t / 10000^{2m/d})`, `p(t)_{2m+1} = cos(t / 10000^{2m/d})`.
///
/// `t` counts **seconds**, not segments, so that scans of any TR share one encoding. `d_model` is
/// even. The angles are computed in double precision on the host: there are few of them, and they
/// are the same for every block.
///
/// # Shapes
/// - `secs`: any number of times, in row-major order
/// - returns `[secs.len(), d_model]`
pub fn time_encoding(secs: &[f32], d_model: usize, device: &Device) -> Tensor<2> {
    let values = encode(secs, d_model);
    Tensor::from_data(TensorData::new(values, [secs.len(), d_model]), device)
}

pub(crate) fn encode(secs: &[f32], d_model: usize) -> Vec<f32> {
    let rates: Vec<f64> = (0..d_model)
        .step_by(2)
        .map(|i| (-(10_000f64.ln()) * i as f64 / d_model as f64).exp())
        .collect();
    let mut values = Vec::with_capacity(secs.len() * d_model);
    for &t in secs {
        for rate in &rates {
            let (sin, cos) = (f64::from(t) * rate).sin_cos();
            values.extend([sin as f32, cos as f32]);
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_pair_turns_once_in_two_pi_seconds() {
        let p = encode(&[0.0, std::f32::consts::FRAC_PI_2], 4);
        let expected = [0.0, 1.0, 0.0, 1.0, 1.0, 0.0];
        for (found, expected) in p.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{p:?}");
        }
        // The second pair of width 4 is 100 times slower.
        assert!((p[6] - 0.015_707_3).abs() < 1e-6);
    }
}
