//! Limited-memory BFGS: minimisation of a smooth convex function.

use std::collections::VecDeque;

use nalgebra::DVector;

/// Number of steps in memory.
const MEMORY: usize = 10;
/// Largest number of steps of a fit.
pub const MOST_STEPS: usize = 500;
/// Largest gradient at a minimum, relative to `max(1, |x|)`.
pub const TOLERANCE: f64 = 1e-6;

/// Minimises `objective` from `x` until the gradient vanishes. `objective` returns the value and
/// writes the gradient.
///
/// # Source
/// Nocedal and Wright, Numerical Optimization, algorithm 7.5 (limited-memory BFGS), with
/// backtracking to Armijo's condition.
pub fn minimise(
    mut objective: impl FnMut(&DVector<f64>, &mut DVector<f64>) -> f64,
    mut x: DVector<f64>,
) -> DVector<f64> {
    let mut gradient = DVector::zeros(x.len());
    let mut value = objective(&x, &mut gradient);
    let mut pairs: VecDeque<(DVector<f64>, DVector<f64>)> = VecDeque::new();
    for _ in 0..MOST_STEPS {
        if gradient.amax() <= TOLERANCE * x.amax().max(1.0) {
            break;
        }
        let mut down = -direction(&gradient, &pairs);
        let mut slope = down.dot(&gradient);
        if slope >= 0.0 {
            // Rounding errors make the stored pairs useless.
            pairs.clear();
            down = -&gradient;
            slope = -gradient.norm_squared();
        }
        let mut length = if pairs.is_empty() {
            gradient.norm().recip().min(1.0)
        } else {
            1.0
        };
        let mut next_gradient = DVector::zeros(x.len());
        let (next, next_value) = loop {
            let next = &x + length * &down;
            let next_value = objective(&next, &mut next_gradient);
            if next_value <= value + 1e-4 * length * slope {
                break (next, next_value);
            }
            length *= 0.5;
            if length < 1e-12 {
                return x;
            }
        };
        let (step, bend) = (&next - &x, &next_gradient - &gradient);
        if step.dot(&bend) > 1e-12 * step.norm() * bend.norm() {
            pairs.push_back((step, bend));
            if pairs.len() > MEMORY {
                pairs.pop_front();
            }
        }
        (x, value, gradient) = (next, next_value, next_gradient);
    }
    x
}

/// Gradient times the approximate inverse Hessian.
fn direction(
    gradient: &DVector<f64>,
    pairs: &VecDeque<(DVector<f64>, DVector<f64>)>,
) -> DVector<f64> {
    let mut q = gradient.clone();
    let mut shares = Vec::with_capacity(pairs.len());
    for (step, bend) in pairs.iter().rev() {
        let share = step.dot(&q) / step.dot(bend);
        q.axpy(-share, bend, 1.0);
        shares.push(share);
    }
    if let Some((step, bend)) = pairs.back() {
        q *= step.dot(bend) / bend.norm_squared();
    }
    for ((step, bend), share) in pairs.iter().zip(shares.iter().rev()) {
        let back = bend.dot(&q) / step.dot(bend);
        q.axpy(share - back, step, 1.0);
    }
    q
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bottom_of_a_narrow_valley_is_found() {
        let objective = |x: &DVector<f64>, gradient: &mut DVector<f64>| {
            let scale = [1.0, 100.0, 1e4];
            let mut value = 0.0;
            for i in 0..3 {
                let apart = x[i] - i as f64;
                value += 0.5 * scale[i] * apart * apart + apart.powi(4);
                gradient[i] = scale[i] * apart + 4.0 * apart.powi(3);
            }
            value
        };
        let found = minimise(objective, DVector::from_vec(vec![10.0, -10.0, 5.0]));
        let expected = DVector::from_vec(vec![0.0, 1.0, 2.0]);
        assert!((found - expected).amax() < 1e-5);
    }
}
