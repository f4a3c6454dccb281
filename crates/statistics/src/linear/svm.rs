//! Linear support vector machines for classes and numbers, by coordinate descent in the dual.

use brainmae_run::Seeds;
use nalgebra::{DMatrix, RowDVector};
use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::gram::gram;

/// Largest number of passes over the rows in a fit.
const MOST_PASSES: u64 = 1000;

/// Largest violation of the optimality conditions at the end of a fit, in units of the margin or of
/// the numbers.
const TOLERANCE: f64 = 1e-4;

/// Linear support vector machines for several costs, each of which starts from the fit before; ask
/// for small costs first.
///
/// ```text
/// minimises  ½ |w|² + ½ b² + cost Σ loss(y, w·x + b)²
///   classes: one machine for each, y = 1 for its rows, −1 for all others; loss = max(0, 1 − y f)
///   numbers: loss = max(0, |y − f| − tube)
/// ```
/// Two classes have one machine, and its values with both signs.
///
/// # Source
/// Hsieh et al. 2008 (dual coordinate descent, algorithm 1, L2 loss) and Ho & Lin 2012 (numbers).
/// Departure: the rows of a pass come in an order that depends on nothing but their number.
pub struct SvmPath<'a> {
    x: &'a DMatrix<f64>,
    products: Products,
    loss: Loss,
    /// What each machine is to say of each row.
    wanted: Vec<Vec<f64>>,
    /// Dual variables of the last fit, with the sign of the row's share in the weights.
    duals: Vec<Vec<f64>>,
}

/// Loss of a machine.
#[derive(Clone, Copy)]
enum Loss {
    /// Squared hinge.
    Margin,
    /// Squared distance from a tube of this half width.
    Tube(f64),
}

impl Loss {
    /// The minimiser of `h/2 (dual − free)²` under this loss for a row with the truth `y`.
    fn nearest(self, free: f64, h: f64, y: f64) -> f64 {
        match self {
            Self::Margin => y * (y * free).max(0.0),
            Self::Tube(tube) => free.signum() * (free.abs() - tube / h).max(0.0),
        }
    }
}

/// Products of rows, each with a 1 for the intercept.
enum Products {
    /// All of them, `[rows, rows]`, if there are no more rows than columns.
    All(DMatrix<f64>),
    /// The rows as columns, `[columns, rows]`, and their squared norms.
    OfRows(DMatrix<f64>, Vec<f64>),
}

impl Products {
    fn new(x: &DMatrix<f64>) -> Self {
        if x.nrows() <= x.ncols() {
            return Self::All(gram(x).add_scalar(1.0));
        }
        let columns = x.transpose().insert_row(x.ncols(), 1.0);
        let norms = columns.column_iter().map(|row| row.norm_squared());
        let norms = norms.collect();
        Self::OfRows(columns, norms)
    }

    fn norm(&self, row: usize) -> f64 {
        match self {
            Self::All(all) => all[(row, row)],
            Self::OfRows(_, norms) => norms[row],
        }
    }

    /// What is known of a machine with these dual variables: its values for all rows, or its
    /// weights.
    fn state(&self, duals: &[f64]) -> Vec<f64> {
        let of = match self {
            Self::All(all) => all,
            Self::OfRows(columns, _) => columns,
        };
        let mut state = vec![0.0; of.nrows()];
        for (row, dual) in duals.iter().enumerate().filter(|(_, dual)| **dual != 0.0) {
            self.add(&mut state, row, *dual);
        }
        state
    }

    fn add(&self, state: &mut [f64], row: usize, share: f64) {
        let of = match self {
            Self::All(all) => all,
            Self::OfRows(columns, _) => columns,
        };
        let row = &of.as_slice()[row * state.len()..][..state.len()];
        (state.iter_mut().zip(row)).for_each(|(state, x)| *state += share * x);
    }

    /// Value of a row.
    fn value(&self, state: &[f64], row: usize) -> f64 {
        match self {
            Self::All(_) => state[row],
            Self::OfRows(columns, _) => {
                let row = &columns.as_slice()[row * state.len()..][..state.len()];
                row.iter().zip(state).map(|(a, b)| a * b).sum()
            }
        }
    }
}

impl<'a> SvmPath<'a> {
    /// Machines for classes: rows `x` `[rows, columns]` with the numbers of their classes.
    pub fn of_classes(x: &'a DMatrix<f64>, truth: &[f64], n_classes: usize) -> Self {
        let machines = match n_classes {
            2 => 1..2,
            n => 0..n,
        };
        let sign = |class: usize, truth: f64| if truth == class as f64 { 1.0 } else { -1.0 };
        let wanted = machines.map(|class| truth.iter().map(|t| sign(class, *t)).collect());
        Self::new(x, Loss::Margin, wanted.collect())
    }

    /// A machine for numbers, with a tube of this half width in their unit of measurement.
    pub fn of_numbers(x: &'a DMatrix<f64>, truth: &[f64], tube: f64) -> Self {
        Self::new(x, Loss::Tube(tube), vec![truth.to_vec()])
    }

    fn new(x: &'a DMatrix<f64>, loss: Loss, wanted: Vec<Vec<f64>>) -> Self {
        Self {
            x,
            products: Products::new(x),
            loss,
            duals: vec![vec![0.0; x.nrows()]; wanted.len()],
            wanted,
        }
    }

    /// The fit with this cost of a row's loss, above 0; threads share the machines.
    pub fn at(&mut self, cost: f64) -> Svm {
        let (products, loss) = (&self.products, self.loss);
        let machines = self.duals.par_iter_mut().zip(&self.wanted);
        machines.for_each(|(duals, wanted)| descend(products, loss, wanted, cost, duals));
        let n_rows = self.x.nrows();
        let duals = DMatrix::from_fn(n_rows, self.duals.len(), |row, i| self.duals[i][row]);
        let mut fitted = Svm {
            slopes: self.x.tr_mul(&duals),
            intercepts: duals.row_sum(),
        };
        if matches!(loss, Loss::Margin) && self.duals.len() == 1 {
            fitted = fitted.with_mirror();
        }
        fitted
    }
}

/// Coordinate descent from the variables `duals`.
fn descend(products: &Products, loss: Loss, wanted: &[f64], cost: f64, duals: &mut [f64]) {
    let ridge = 0.5 / cost;
    let mut state = products.state(duals);
    let mut order: Vec<usize> = (0..duals.len()).collect();
    for pass in 0..MOST_PASSES {
        order.shuffle(&mut Seeds::new(0).stream_at("svm", &[pass]));
        let mut violation: f64 = 0.0;
        for &row in &order {
            let before = duals[row];
            let h = products.norm(row) + ridge;
            let slope = products.value(&state, row) + ridge * before - wanted[row];
            let after = loss.nearest(before - slope / h, h, wanted[row]);
            if after != before {
                duals[row] = after;
                products.add(&mut state, row, after - before);
                violation = violation.max((after - before).abs() * h);
            }
        }
        if violation <= TOLERANCE {
            break;
        }
    }
}

/// Fitted machines.
#[derive(Clone, Debug)]
pub struct Svm {
    /// `[columns, machines]`
    slopes: DMatrix<f64>,
    intercepts: RowDVector<f64>,
}

impl Svm {
    /// Values for rows `x`, `[rows, machines]`: a number, or one value for each class, above 0 if
    /// the row is rather of this class than of another one.
    pub fn predict(&self, x: &DMatrix<f64>) -> DMatrix<f64> {
        let mut values = x * &self.slopes;
        for mut row in values.row_iter_mut() {
            row += &self.intercepts;
        }
        values
    }

    /// The machine of the other class in front.
    fn with_mirror(self) -> Self {
        let slopes = self.slopes.insert_column(0, 0.0);
        let other = -slopes.column(1);
        let mut mirrored = Self {
            slopes,
            intercepts: RowDVector::from_column_slice(&[-self.intercepts[0], self.intercepts[0]]),
        };
        mirrored.slopes.set_column(0, &other);
        mirrored
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_points_are_parted_in_the_middle() {
        // Points −1 and 1, w = 2 dual, ½ w² + 2 C (1 − w)²: w = 4 C / (1 + 4 C); no intercept.
        let x = DMatrix::from_column_slice(2, 1, &[-1.0, 1.0]);
        let mut path = SvmPath::of_classes(&x, &[0.0, 1.0], 2);
        for cost in [0.25, 1.0, 100.0] {
            let found = path.at(cost).predict(&DMatrix::from_element(1, 1, 0.5));
            let expected = 0.5 * 4.0 * cost / (1.0 + 4.0 * cost);
            assert!((found[1] - expected).abs() < 1e-5, "{cost}: {found}");
            assert_eq!(found[0], -found[1]);
        }
    }

    #[test]
    fn numbers_within_the_tube_cost_nothing() {
        // Points −1 and 1 of truth −2 and 2: ½ w² + 2 C (2 − w − ε)², w = 4 C (2 − ε) / (1 + 4 C).
        let x = DMatrix::from_column_slice(2, 1, &[-1.0, 1.0]);
        let at = |tube, cost| {
            let mut path = SvmPath::of_numbers(&x, &[-2.0, 2.0], tube);
            path.at(cost).predict(&x)[1]
        };
        assert!((at(0.5, 1.0) - 4.0 * 1.5 / 5.0).abs() < 1e-5);
        assert_eq!(at(2.0, 1.0), 0.0);
    }

    #[test]
    fn wide_and_tall_rows_are_the_same_machine() {
        // Columns of zeros change nothing but the form of the products.
        let tall = DMatrix::from_fn(12, 4, |i, j| ((i * 7 + j * 5) % 11) as f64 / 5.0 - 1.0);
        let wide = tall.clone().resize_horizontally(20, 0.0);
        let truth: Vec<f64> = (0..12).map(|i| f64::from(i * 5 % 3)).collect();
        let values = |x: &DMatrix<f64>| SvmPath::of_classes(x, &truth, 3).at(2.0).predict(x);
        assert!((values(&tall) - values(&wide)).amax() < 1e-5);
        let values = |x: &DMatrix<f64>| SvmPath::of_numbers(x, &truth, 0.1).at(2.0).predict(x);
        assert!((values(&tall) - values(&wide)).amax() < 1e-5);
    }
}
