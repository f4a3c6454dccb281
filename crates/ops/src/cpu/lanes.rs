//! Mathematical functions of one vector register.

use pulp::Simd;

/// `1.5 * 2^23`: added to a small number, it leaves the nearest integer in the low bits.
const ROUND: f32 = 12_582_912.0;

/// `e^x`, with an error of at most 2 units in the last place; below `-87` the result stays at the
/// smallest normal numbers.
#[inline(always)]
pub fn exp<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let x = simd.min_f32s(
        simd.max_f32s(x, simd.splat_f32s(-87.3)),
        simd.splat_f32s(88.3),
    );
    // x = n ln 2 + r with |r| <= ln 2 / 2; ln 2 is split so that n times its head is exact.
    let shifted = simd.mul_add_e_f32s(
        x,
        simd.splat_f32s(std::f32::consts::LOG2_E),
        simd.splat_f32s(ROUND),
    );
    let n = simd.sub_f32s(shifted, simd.splat_f32s(ROUND));
    let r = simd.mul_add_e_f32s(n, simd.splat_f32s(-0.693_359_4), x);
    let r = simd.mul_add_e_f32s(n, simd.splat_f32s(2.121_944_4e-4), r);
    // e^r by its series: the next term is below 2^-27.
    let mut sum = simd.splat_f32s(1.0 / 5040.0);
    for factor in [720.0, 120.0, 24.0, 6.0, 2.0, 1.0, 1.0] {
        sum = simd.mul_add_e_f32s(sum, r, simd.splat_f32s(1.0 / factor));
    }
    // 2^n: n + 127 moves into the exponent bits; higher bits are shifted out.
    let bits = simd.wrapping_dyn_shl_u32s(
        simd.add_u32s(simd.transmute_u32s_f32s(shifted), simd.splat_u32s(127)),
        simd.splat_u32s(23),
    );
    simd.mul_f32s(sum, simd.transmute_f32s_u32s(bits))
}

/// Error function, accurate to 3e-7: a quotient of polynomials in `x` up to 4, and 1 beyond.
#[inline(always)]
pub fn erf<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    const ABOVE: [f32; 7] = [
        -2.726_142_3e-10,
        2.770_681_5e-8,
        -2.101_024e-6,
        -5.692_506_4e-5,
        -7.349_906_4e-4,
        -2.954_6e-3,
        -1.609_603_3e-2,
    ];
    const BELOW: [f32; 5] = [
        -1.456_607_2e-5,
        -2.133_740_6e-4,
        -1.682_827e-3,
        -7.373_329e-3,
        -1.426_473_9e-2,
    ];
    let x = simd.min_f32s(
        simd.max_f32s(x, simd.splat_f32s(-4.0)),
        simd.splat_f32s(4.0),
    );
    let x2 = simd.mul_f32s(x, x);
    let mut above = simd.splat_f32s(ABOVE[0]);
    for factor in &ABOVE[1..] {
        above = simd.mul_add_e_f32s(above, x2, simd.splat_f32s(*factor));
    }
    let mut below = simd.splat_f32s(BELOW[0]);
    for factor in &BELOW[1..] {
        below = simd.mul_add_e_f32s(below, x2, simd.splat_f32s(*factor));
    }
    simd.div_f32s(simd.mul_f32s(x, above), below)
}

/// Cumulative distribution function of the standard normal distribution.
#[inline(always)]
fn normal_below<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let erf = erf(
        simd,
        simd.mul_f32s(x, simd.splat_f32s(std::f32::consts::FRAC_1_SQRT_2)),
    );
    let half = simd.splat_f32s(0.5);
    simd.mul_add_e_f32s(erf, half, half)
}

/// The exact (erf) GELU.
#[inline(always)]
pub fn gelu<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    simd.mul_f32s(x, normal_below(simd, x))
}

/// The exact (erf) GELU and its derivative.
#[inline(always)]
pub fn gelu_and_slope<S: Simd>(simd: S, x: S::f32s) -> (S::f32s, S::f32s) {
    let below = normal_below(simd, x);
    let exponent = simd.mul_f32s(simd.mul_f32s(x, x), simd.splat_f32s(-0.5));
    // 1 / sqrt(2 pi)
    let density = simd.mul_f32s(exp(simd, exponent), simd.splat_f32s(0.398_942_3));
    (
        simd.mul_f32s(x, below),
        simd.mul_add_e_f32s(x, density, below),
    )
}

#[cfg(test)]
mod tests {
    use super::super::instructions::{SETS, run_with};
    use super::*;
    use pulp::WithSimd;

    struct All<'a>(&'a [f32]);

    impl WithSimd for All<'_> {
        type Output = Vec<[f32; 4]>;

        fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
            let mut found = Vec::new();
            for x in self.0 {
                let x = simd.splat_f32s(*x);
                let (value, slope) = gelu_and_slope(simd, x);
                let first = |x: S::f32s| simd.reduce_max_f32s(x);
                assert_eq!(first(value), first(gelu(simd, x)));
                found.push([exp(simd, x), erf(simd, x), value, slope].map(first));
            }
            found
        }
    }

    #[test]
    fn functions_are_those_of_the_tables() {
        // exp, erf, GELU and its derivative in double precision.
        let expected = [
            (-6.0, [2.478_752_2e-3, -1.0, -5.919_526e-9, -3.546_9e-8]),
            (
                -1.5,
                [0.223_130_16, -0.966_105_14, -0.100_210_82, -0.127_469_17],
            ),
            (
                -0.3,
                [0.740_818_2, -0.328_626_76, -0.114_626_58, 0.267_672_2],
            ),
            (0.0, [1.0, 0.0, 0.0, 0.5]),
            (0.7, [2.013_752_7, 0.677_801_2, 0.530_625_4, 0.976_614_1]),
            (3.0, [20.085_537, 0.999_977_9, 2.995_950_3, 1.011_945_7]),
            (9.0, [8_103.084, 1.0, 9.0, 1.0]),
        ];
        let x: Vec<f32> = expected.iter().map(|(x, _)| *x).collect();
        for set in SETS {
            let found = run_with(set, All(&x)).unwrap_or_default();
            for ((x, expected), found) in expected.iter().zip(found) {
                for (expected, found) in expected.iter().zip(found) {
                    let close = (found - expected).abs() <= 4e-7 * expected.abs().max(1.0);
                    assert!(close, "{set}, at {x}: {found}, expected {expected}");
                }
            }
        }
    }

    #[test]
    fn exp_stays_finite() {
        let found = pulp::Arch::new().dispatch(All(&[-1e4, -88.0, 88.0]));
        assert!(found[0][0] >= 0.0 && found[0][0] < 2e-38, "{found:?}");
        assert!(found[2][0].is_finite(), "{found:?}");
    }
}
