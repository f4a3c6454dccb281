//! Kinds of targets, regression and classification, and their predictions.

use brainmae_statistics::softmax_rows;

/// Kind of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A number, in the target's unit of measurement.
    Regression,
    /// One of several classes, numbered from 0.
    Classification {
        /// Number of classes, at least two.
        n_classes: usize,
    },
}

impl Kind {
    /// Length of one prediction: 1 for a value, or the number of classes for probabilities.
    pub fn n_outputs(self) -> usize {
        match self {
            Kind::Regression => 1,
            Kind::Classification { n_classes } => n_classes,
        }
    }
}

/// Predictions for some examples, in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    n_outputs: usize,
    values: Vec<f64>,
}

impl Output {
    /// `values` are `[examples, n_outputs]`, row-major: values in the target's unit of measurement,
    /// or probabilities that sum to 1 in each row.
    ///
    /// # Panics
    /// If `values` is not a whole number of rows.
    pub fn new(kind: Kind, values: Vec<f64>) -> Self {
        let n_outputs = kind.n_outputs();
        assert!(values.len().is_multiple_of(n_outputs), "whole rows");
        Self { n_outputs, values }
    }

    /// Probabilities from logits, `[examples, n_classes]`, row-major.
    pub fn from_logits(n_classes: usize, mut logits: Vec<f64>) -> Self {
        softmax_rows(&mut logits, n_classes);
        Self::new(Kind::Classification { n_classes }, logits)
    }

    /// One slice per example.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.values.chunks_exact(self.n_outputs)
    }

    /// Number of examples.
    pub fn len(&self) -> usize {
        self.values.len() / self.n_outputs
    }

    /// True if there is no example.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

/// The class with the largest probability; the first one if several are equal.
pub fn likeliest(row: &[f64]) -> usize {
    let mut best = 0;
    for (class, p) in row.iter().enumerate() {
        if *p > row[best] {
            best = class;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logits_become_probabilities_however_large() {
        let output = Output::from_logits(2, vec![0.0, 3f64.ln(), 1e4, 1e4]);
        let rows: Vec<&[f64]> = output.rows().collect();
        assert!((rows[0][1] - 0.75).abs() < 1e-12);
        assert_eq!(rows[1], [0.5, 0.5]);
        assert_eq!((likeliest(rows[0]), likeliest(rows[1])), (1, 0));
    }
}
