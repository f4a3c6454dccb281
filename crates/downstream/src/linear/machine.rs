//! Support vector machines and kernel ridge regression on features.

use brainmae_statistics::linear::{
    Ridge, RidgeGram, RidgePath, Scaling, Standard, Svm, SvmPath, profiles,
};
use nalgebra::DMatrix;

use super::{RowModel, linear_title, log_loss, pooled, stack};
use crate::calibration::Calibration;
use crate::{Kind, Labelled, Output, Problem};

/// What is fitted on features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Ridge regression for numbers, logistic regression for classes.
    Regression,
    /// Linear support vector machines: for each class against all others, or for numbers with a
    /// tube of a tenth of their standard deviation. Columns are standardised and divided by the
    /// square root of their number, so that one grid of costs suits all numbers of columns.
    ///
    /// # Source
    /// [`SvmPath`] has the equations and papers.
    Svm,
    /// Ridge regression with the Pearson correlation between two rows as the kernel; for classes,
    /// of 1 and −1 for each class.
    ///
    /// # Source
    /// He et al. 2020, NeuroImage (kernel ridge regression of FC). Departure: the rows of `fc` are
    /// Fisher's z, those of the paper are correlations.
    KernelRidge,
}

/// Costs of the loss of a row, from a strong penalty to a weak one. Above 100 the classes of most
/// training sets with more columns than rows are parted without any loss.
const COSTS: [f64; 8] = [1e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 1e1, 1e2];

/// Half width of the tube, in standard deviations of the truth; that of common programs.
const TUBE: f64 = 0.1;

/// Penalties of kernel ridge regression for each row, from strong to weak; the kernel of a row with
/// itself is 1.
const PENALTIES: [f64; 10] = [1e1, 1.0, 1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 1e-5];

impl Method {
    /// Ending of the names of models in experiment files.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::Regression => "",
            Self::Svm => "-svm",
            Self::KernelRidge => "-kernel-ridge",
        }
    }

    /// Name in tables, for targets of this kind.
    pub(crate) fn title(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Self::Regression, kind) => linear_title(kind),
            (Self::Svm, Kind::Regression) => "linear SVR",
            (Self::Svm, Kind::Classification { .. }) => "linear SVM",
            (Self::KernelRidge, _) => "kernel ridge",
        }
    }

    /// Settings among which the validation set chooses.
    fn grid(self) -> &'static [f64] {
        match self {
            Self::Svm => &COSTS,
            Self::Regression | Self::KernelRidge => &PENALTIES,
        }
    }

    /// The machines with these settings, in their order, fitted on rows `x`.
    fn fit(self, kind: Kind, x: &DMatrix<f64>, truth: &[f64], settings: &[f64]) -> Vec<Machine> {
        match self {
            Self::Svm => {
                let columns = Standard::fit(x, Scaling::EachColumn);
                let x = scaled(&columns, x);
                let unit = Unit::of(kind, truth);
                let numbers: Vec<f64> = truth.iter().map(|y| (y - unit.mean) / unit.sd).collect();
                let mut path = match kind {
                    Kind::Regression => SvmPath::of_numbers(&x, &numbers, TUBE),
                    Kind::Classification { n_classes } => SvmPath::of_classes(&x, truth, n_classes),
                };
                let at = |cost: &f64| Machine::Vectors {
                    columns: columns.clone(),
                    svm: path.at(*cost),
                    unit,
                };
                settings.iter().map(at).collect()
            }
            Self::Regression | Self::KernelRidge => {
                let x = profiles(x.clone());
                let wanted = |row: usize, output: usize| match kind {
                    Kind::Regression => truth[row],
                    Kind::Classification { .. } if truth[row] == output as f64 => 1.0,
                    Kind::Classification { .. } => -1.0,
                };
                let wanted = DMatrix::from_fn(truth.len(), kind.n_outputs(), wanted);
                let gram = RidgeGram::new(&x);
                let fitted = RidgePath::new(&x, &gram, &wanted).at(settings);
                fitted.into_iter().map(Machine::Kernel).collect()
            }
        }
    }
}

/// Mean and standard deviation of the truth in training; 0 and 1 for classes.
#[derive(Clone, Copy)]
struct Unit {
    mean: f64,
    sd: f64,
}

impl Unit {
    fn of(kind: Kind, truth: &[f64]) -> Self {
        let n = truth.len() as f64;
        let mean = truth.iter().sum::<f64>() / n;
        let sd = (truth.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / n).sqrt();
        match kind {
            Kind::Regression if sd > 0.0 => Self { mean, sd },
            Kind::Regression => Self { mean, sd: 1.0 },
            Kind::Classification { .. } => Self { mean: 0.0, sd: 1.0 },
        }
    }
}

/// Standardised columns, divided by the square root of their number.
fn scaled(columns: &Standard, x: &DMatrix<f64>) -> DMatrix<f64> {
    columns.apply(x.clone()) / (x.ncols() as f64).sqrt()
}

/// A fitted method.
enum Machine {
    Vectors {
        columns: Standard,
        svm: Svm,
        unit: Unit,
    },
    Kernel(Ridge),
}

impl Machine {
    /// Values for rows, `[rows, n_outputs]`: numbers in the target's unit of measurement, or for
    /// each class a value that is larger the more a row is of it.
    fn values(&self, x: &DMatrix<f64>) -> DMatrix<f64> {
        match self {
            Self::Vectors { columns, svm, unit } => {
                let values = svm.predict(&scaled(columns, x));
                (values * unit.sd).add_scalar(unit.mean)
            }
            Self::Kernel(ridge) => ridge.predict(&profiles(x.clone())),
        }
    }
}

/// A machine, and for classes how its values become probabilities.
pub(super) struct MachineModel {
    kind: Kind,
    machine: Machine,
    calibration: Calibration,
}

impl MachineModel {
    /// Fits a model on the rows of both sets, as
    /// [`LinearModel::choose`](super::LinearModel::choose). For classes, the second set also tells
    /// the [`Calibration`] of the values of a fit on the first.
    pub fn choose(method: Method, problem: &Problem, sets: [(DMatrix<f64>, &Labelled); 2]) -> Self {
        let kind = problem.kind;
        let [(x, truth), (deciding, decided)] = sets.map(|set| pooled(problem, set));
        let mut best = (
            f64::INFINITY,
            method.grid()[0],
            Calibration::none(kind.n_outputs()),
        );
        let machines = method.fit(kind, &x, &truth, method.grid());
        for (setting, machine) in method.grid().iter().zip(machines) {
            let values = machine.values(&deciding);
            let (loss, calibration) = match kind {
                Kind::Regression => {
                    let pairs = values.iter().zip(&decided);
                    let loss = pairs.map(|(p, t)| (p - t).powi(2)).sum();
                    (loss, Calibration::none(1))
                }
                Kind::Classification { n_classes } => {
                    let values = values.transpose().as_slice().to_vec();
                    let weights = vec![1.0; n_classes];
                    let calibration = Calibration::of_classes(&values, &decided, &weights);
                    let said = calibrated(&calibration, n_classes, values);
                    (log_loss(said.rows(), &decided), calibration)
                }
            };
            if loss < best.0 {
                best = (loss, *setting, calibration);
            }
        }
        let (_, setting, calibration) = best;
        let both = stack(&x, &deciding);
        let fitted = method.fit(kind, &both, &[truth, decided].concat(), &[setting]);
        Self {
            kind,
            machine: fitted.into_iter().next().expect("one setting"),
            calibration,
        }
    }
}

/// Probabilities from values, `[rows, classes]`, row-major.
fn calibrated(calibration: &Calibration, n_classes: usize, mut values: Vec<f64>) -> Output {
    let rows = values.chunks_exact_mut(n_classes);
    rows.for_each(|row| calibration.apply(row));
    Output::from_logits(n_classes, values)
}

impl RowModel for MachineModel {
    fn predict_rows(&self, x: DMatrix<f64>) -> Output {
        let values = self.machine.values(&x).transpose().as_slice().to_vec();
        match self.kind {
            Kind::Regression => Output::new(self.kind, values),
            Kind::Classification { n_classes } => calibrated(&self.calibration, n_classes, values),
        }
    }
}

#[cfg(test)]
mod tests {
    use brainmae_run::Seeds;
    use burn::tensor::Device;
    use rand::RngExt;

    use super::*;
    use crate::testing::{problem, scan};
    use crate::{Example, Examples, Scan};

    const COLUMNS: usize = 120;

    /// Rows of `n` subjects whose first columns carry the truth of `kind`, with noise in all.
    fn rows(kind: Kind, n: usize, stream: &str) -> (DMatrix<f64>, Vec<f64>) {
        let rng = &mut Seeds::new(9).stream(stream);
        let truth: Vec<f64> = (0..n)
            .map(|i| match kind {
                Kind::Regression => 50.0 + 20.0 * rng.random_range(-1.7f64..1.7),
                Kind::Classification { n_classes } => (i % n_classes) as f64,
            })
            .collect();
        let x = DMatrix::from_fn(n, COLUMNS, |row, column| {
            let of_truth = match kind {
                Kind::Regression => (truth[row] - 50.0) / 20.0,
                Kind::Classification { .. } if column % 3 == truth[row] as usize => 1.0,
                Kind::Classification { .. } => 0.0,
            };
            let share = if column < 60 { 0.6 } else { 0.0 };
            share * of_truth + rng.random_range(-1.7f64..1.7)
        });
        (x, truth)
    }

    /// Predictions for other subjects, with their truth.
    fn predictions(method: Method, kind: Kind) -> (Output, Vec<f64>) {
        let problem = Problem {
            kind,
            ..problem(false, Device::flex())
        };
        let scans: Vec<Scan> = (0..90).map(|i| scan(&format!("{i}"), 1)).collect();
        let labelled = |n: usize, truth: &[f64]| Labelled {
            examples: Examples {
                scans: &scans,
                list: (0..n)
                    .map(|scan| Example {
                        scan,
                        start_volume: 0,
                        n_volumes: 1,
                    })
                    .collect(),
            },
            truth: truth.to_vec(),
        };
        let [(x, truth), (deciding, decided)] =
            [(90, "training"), (30, "validation")].map(|(n, stream)| rows(kind, n, stream));
        let sets = [
            (x, &labelled(90, &truth)),
            (deciding, &labelled(30, &decided)),
        ];
        let model = MachineModel::choose(method, &problem, sets);
        let (x, truth) = rows(kind, 60, "test");
        (model.predict_rows(x), truth)
    }

    #[test]
    fn numbers_and_classes_are_found_in_rows_of_more_columns_than_subjects() {
        for method in [Method::Svm, Method::KernelRidge] {
            let (said, truth) = predictions(method, Kind::Regression);
            let error: f64 = said
                .rows()
                .zip(&truth)
                .map(|(p, t)| (p[0] - t).powi(2))
                .sum();
            let mean = truth.iter().sum::<f64>() / 60.0;
            let spread: f64 = truth.iter().map(|t| (t - mean).powi(2)).sum();
            assert!(error < 0.3 * spread, "{method:?}: {error} of {spread}");
        }
        for (method, n_classes) in [
            (Method::Svm, 2),
            (Method::Svm, 3),
            (Method::KernelRidge, 2),
            (Method::KernelRidge, 3),
        ] {
            let (said, truth) = predictions(method, Kind::Classification { n_classes });
            let right = said.rows().zip(&truth);
            let right = right.filter(|(p, t)| crate::kind::likeliest(p) == **t as usize);
            let right = right.count();
            assert!(
                right >= 54,
                "{method:?}, {n_classes} classes: {right} of 60"
            );
            // Probabilities say how often they are right: 90 % and more, not all the same.
            let sure = said.rows().map(|p| p.iter().copied().fold(0.0, f64::max));
            let sure = sure.sum::<f64>() / 60.0;
            let apart = (sure - right as f64 / 60.0).abs();
            assert!(apart < 0.1, "{method:?}, {n_classes} classes: {sure}");
        }
    }
}
