//! Random rows for linear models, with what they predict.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};
use brainmae_run::Seeds;
use brainmae_statistics::linear::{Scaling, Standard};
use nalgebra::DMatrix;
use rand::{Rng, RngExt};

/// Common factors of the features. They make features correlated, as connectivity is.
const N_FACTORS: usize = 50;

/// Rows that are predicted after the fit, besides those of the fit.
const N_OTHER: usize = 200;

/// Number of rows, features, classes and targets.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub rows: usize,
    pub features: usize,
    pub classes: usize,
    pub targets: usize,
}

/// Rows of a fit with their truth, and other rows.
pub struct Data {
    /// `[rows, features]`, standardised.
    pub x: DMatrix<f64>,
    /// `[other rows, features]`, standardised with the mean and scale of `x`.
    pub other: DMatrix<f64>,
    /// Class of each row of `x`.
    pub classes: Vec<f64>,
    /// `[rows, targets]`
    pub targets: DMatrix<f64>,
}

impl Data {
    /// Features are sums of a few factors and noise; classes and targets are functions of the
    /// factors and noise.
    pub fn new(sizes: Sizes) -> Self {
        let rng = &mut Seeds::new(0).stream_at("bench/linear", &[sizes.rows as u64]);
        let all = sizes.rows + N_OTHER;
        let factors = normal(rng, all, N_FACTORS);
        let mut x = &factors * normal(rng, N_FACTORS, sizes.features);
        x += normal(rng, all, sizes.features) * 5.0;
        let own = x.rows(0, sizes.rows).into_owned();
        let standard = Standard::fit(&own, Scaling::EachColumn);
        let factors = factors.rows(0, sizes.rows);
        let logits = factors * normal(rng, N_FACTORS, sizes.classes)
            + normal(rng, sizes.rows, sizes.classes) * 4.0;
        // Every class has a row, however few rows there are.
        let class = |i: usize| match i < sizes.classes {
            true => i as f64,
            false => logits.row(i).transpose().argmax().0 as f64,
        };
        let targets = factors * normal(rng, N_FACTORS, sizes.targets)
            + normal(rng, sizes.rows, sizes.targets) * 4.0;
        Self {
            other: standard.apply(x.rows(sizes.rows, N_OTHER).into_owned()),
            x: standard.apply(own),
            classes: (0..sizes.rows).map(class).collect(),
            targets,
        }
    }

    /// Writes everything to `folder` for a peer: double precision, little-endian, row-major.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let classes = DMatrix::from_column_slice(self.classes.len(), 1, &self.classes);
        for (name, matrix) in [
            ("x.f64", &self.x),
            ("other.f64", &self.other),
            ("classes.f64", &classes),
            ("targets.f64", &self.targets),
        ] {
            let path = folder.join(name);
            let file = File::create(&path).with_context(|| format!("cannot make {path:?}"))?;
            let mut file = BufWriter::with_capacity(1 << 20, file);
            // The transpose is row-major.
            for value in matrix.transpose().iter() {
                file.write_all(&value.to_le_bytes())?;
            }
            file.flush()
                .with_context(|| format!("cannot write {path:?}"))?;
        }
        Ok(())
    }
}

/// Numbers of mean 0 and variance 1, the sums of a few uniform ones.
fn normal(rng: &mut impl Rng, rows: usize, columns: usize) -> DMatrix<f64> {
    DMatrix::from_fn(rows, columns, |_, _| {
        let sum: f64 = (0..3).map(|_| rng.random_range(-1.0..1.0)).sum();
        sum
    })
}
