use super::super::instructions::{SETS, run_with};
use super::*;
use rand::{RngExt, SeedableRng};

#[test]
fn products_are_those_of_the_definition() {
    let rng = &mut rand_chacha::ChaCha8Rng::seed_from_u64(0);
    let mut draw = |n: usize| -> Vec<f32> { (0..n).map(|_| rng.random_range(-1.0..1.0)).collect() };
    for [m, n, k] in [
        [1, 1, 1],
        [3, 5, 7],
        [13, 16, 9],
        [100, 64, 20],
        [25, 117, 33],
        [7, 48, 0],
        // Long rows of b, whose blocks are copied.
        [31, 600, 140],
    ] {
        let (a, b, row, held) = (
            draw(m * k + k * 3),
            draw(k * (n + 2)),
            draw(n),
            draw(m * (n + 1)),
        );
        let cases = SETS.into_iter().flat_map(|set| {
            [false, true]
                .into_iter()
                .flat_map(move |t| (0..3).map(move |start| (set, t, start)))
        });
        for (set, transposed, start) in cases {
            let left = Rows::new(&a, if transposed { m } else { k });
            let a_at = |i: usize, p: usize| a[if transposed { p * m + i } else { i * k + p }];
            let mut c = held.clone();
            let product = Gemm {
                shape: [m, n, k],
                a: if transposed {
                    left.transposed()
                } else {
                    left.left()
                },
                b: Rows::new(&b, n + 2),
                start: [Start::Zero, Start::Held, Start::Row(&row)][start],
                c: &mut c,
                c_stride: n + 1,
            };
            if run_with(set, product).is_none() {
                continue;
            }
            for i in 0..m {
                for j in 0..n {
                    let begin = [0.0, held[i * (n + 1) + j], row[j]][start];
                    let sum: f32 = (0..k).map(|p| a_at(i, p) * b[p * (n + 2) + j]).sum();
                    let found = c[i * (n + 1) + j];
                    assert!(
                        (found - begin - sum).abs() < 1e-5,
                        "{set} {m} {n} {k}: {found}"
                    );
                }
                let beside = i * (n + 1) + n;
                assert_eq!(c[beside], held[beside], "a value beside the matrix changed");
            }
        }
    }
}

#[test]
#[should_panic(expected = "b is too short")]
fn operands_that_are_too_short_are_refused() {
    let (a, b, mut c) = ([1.0; 4], [1.0; 3], [0.0; 4]);
    let product = Gemm {
        shape: [2, 2, 2],
        a: Rows::new(&a, 2).left(),
        b: Rows::new(&b, 2),
        start: Start::Zero,
        c: &mut c,
        c_stride: 2,
    };
    run_with("widest", product);
}
