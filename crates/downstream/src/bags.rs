//! Bags: the samples of one row of the truth that a network sees at once.

use burn::tensor::{Tensor, TensorData};
use rand::{Rng, RngExt};

use crate::pooled::Pooled;
use crate::{Examples, Problem};

/// Rows of the truth with their examples, from which bags of samples are drawn.
pub(crate) struct Bags {
    /// Rows of the truth: subjects, or examples.
    pub pooled: Pooled,
    members: Vec<Vec<usize>>,
    /// Number of volumes of each example.
    lens: Vec<usize>,
}

impl Bags {
    /// Bags of these examples.
    pub fn new(problem: &Problem, examples: &Examples) -> Self {
        let pooled = Pooled::new(problem, examples);
        Self {
            members: pooled.members(),
            pooled,
            lens: examples.list.iter().map(|e| e.n_volumes).collect(),
        }
    }

    /// Numbers of the examples of a row.
    pub fn members(&self, row: usize) -> &[usize] {
        &self.members[row]
    }

    /// Number of samples of `len` volumes in a bag of at most `most`: no more than cover the
    /// examples of its row.
    pub fn n_samples(&self, row: usize, len: usize, most: usize) -> usize {
        let tiles = |at: &usize| self.lens[*at].div_ceil(len.max(1));
        let all: usize = self.members[row].iter().map(tiles).sum();
        all.clamp(1, most.max(1))
    }

    /// Number of bags that make a batch of `batch_size` samples, at least one.
    pub fn in_batch(&self, batch_size: usize, len: usize, most: usize) -> usize {
        let rows = self.pooled.len();
        let all: usize = (0..rows).map(|row| self.n_samples(row, len, most)).sum();
        let per_bag = all.div_ceil(rows.max(1)).max(1);
        (batch_size / per_bag).max(1)
    }

    /// Examples of `n` samples of a row: a random volume of all its examples, and others at equal
    /// distances from it. So a long example gives more samples than a short one.
    pub fn draw(&self, row: usize, n: usize, rng: &mut impl Rng) -> Vec<usize> {
        let members = &self.members[row];
        let total: usize = members.iter().map(|at| self.lens[*at]).sum();
        let first = rng.random_range(0..total);
        let at = |volume: usize| {
            let mut end = 0;
            let found = members.iter().find(|at| {
                end += self.lens[**at];
                volume < end
            });
            found.copied().unwrap_or(members[0])
        };
        (0..n)
            .map(|i| at((first + i * total / n) % total))
            .collect()
    }
}

/// Mean outputs of bags of these sizes, `[bags, n_outputs]`, with gradients; `outputs` are those of
/// all samples in order, `[samples, n_outputs]`.
pub(crate) fn means(outputs: Tensor<2>, sizes: &[usize]) -> Tensor<2> {
    let n: usize = sizes.iter().sum();
    if n == sizes.len() {
        return outputs;
    }
    let mut shares = vec![0.0f32; sizes.len() * n];
    let mut at = 0;
    for (row, size) in shares.chunks_exact_mut(n).zip(sizes) {
        row[at..at + size].fill(1.0 / *size as f32);
        at += size;
    }
    let shares = TensorData::new(shares, [sizes.len(), n]);
    Tensor::<2>::from_data(shares, &outputs.device()).matmul(outputs)
}

#[cfg(test)]
mod tests {
    use brainmae_run::Seeds;
    use burn::tensor::Device;

    use super::*;
    use crate::testing::{problem, scan};
    use crate::{Example, Scan};

    #[test]
    fn a_bag_is_of_one_subject_and_long_scans_give_more_of_it() {
        let scans = [scan("a", 6), scan("b", 8), scan("a", 54)];
        let example = |(scan, of): (usize, &Scan)| Example {
            scan,
            start_volume: 0,
            n_volumes: of.series.n_volumes(),
        };
        let list = scans.iter().enumerate().map(example).collect();
        let scans = &scans;
        let bags = Bags::new(&problem(true, Device::flex()), &Examples { scans, list });
        assert_eq!(bags.pooled.len(), 2);
        assert_eq!(bags.n_samples(0, 4, 8), 8);
        // Two samples cover all that subject b has.
        assert_eq!(bags.n_samples(1, 4, 8), 2);
        assert_eq!(bags.in_batch(16, 4, 8), 3);
        let rng = &mut Seeds::new(1).stream("bags");
        let mut counts = [0; 3];
        for _ in 0..250 {
            for example in bags.draw(0, 8, rng) {
                counts[example] += 1;
            }
        }
        assert_eq!(counts[1], 0);
        let share = f64::from(counts[0]) / 2000.0;
        assert!((share - 0.1).abs() < 0.02, "{share}");
    }

    #[test]
    fn outputs_of_samples_become_the_means_of_their_bags() {
        let outputs = |values: Vec<f32>| {
            let shape = [values.len(), 1];
            Tensor::from_data(TensorData::new(values, shape), &Device::flex())
        };
        let of = |values, sizes: &[usize]| -> Vec<f32> {
            means(outputs(values), sizes).into_data().iter().collect()
        };
        assert_eq!(of(vec![1.0, 3.0, 8.0], &[2, 1]), [2.0, 8.0]);
        assert_eq!(of(vec![1.0, 3.0], &[1, 1]), [1.0, 3.0]);
    }
}
