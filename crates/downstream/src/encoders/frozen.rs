//! Frozen encoder: rows of numbers for linear models.

use brainmae_data::SegmentLayout;
use brainmae_encoder::Embed;
use nalgebra::DMatrix;

use super::embedding::vectors;
use super::samples::Samples;
use super::{FoldEncoder, Readout};
use crate::{DownstreamError, Examples, Problem};

/// The encoder of a fold, for the learner called `name`, with a readout.
pub(super) struct Frozen {
    name: String,
    model: Box<dyn Embed>,
    layout: SegmentLayout,
    readout: Readout,
}

impl Frozen {
    /// # Errors
    /// If the encoder cannot be made for the problem.
    pub fn new(
        name: &str,
        problem: &Problem,
        encoder: &FoldEncoder,
        readout: Readout,
    ) -> Result<Self, DownstreamError> {
        Ok(Self {
            name: name.to_string(),
            model: encoder.embedder(problem)?,
            layout: encoder.layout,
            readout,
        })
    }

    /// The vector of each example, averaged over its samples, `[examples, width]`.
    ///
    /// # Errors
    /// If an example has no valid segment.
    pub fn rows(
        &self,
        problem: &Problem,
        examples: &Examples,
    ) -> Result<DMatrix<f64>, DownstreamError> {
        let samples = Samples::new(&self.name, problem, examples, self.layout)?;
        let vectors = vectors(&self.name, problem, &*self.model, &samples, self.readout)?;
        let width = vectors.first().map_or(0, Vec::len);
        let values = vectors.iter().flatten().map(|x| f64::from(*x));
        Ok(DMatrix::from_row_iterator(vectors.len(), width, values))
    }
}
