//! Brain Network Transformer: attention between ROIs, whose tokens are rows of the FC matrix.

use brainmae_model::init::Init;
use brainmae_ops::leaky_relu;
use brainmae_train::Schedule;
use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::activation::softmax;
use burn::tensor::{Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::attention::AttentionSizes;
use super::encoder_layer::EncoderLayer;
use super::linear::linear_relu;
use super::{Architecture, Batch, Needs, Noise, Paper, Recipe, Said, Sizes};

/// Slope of the activation for negative inputs.
const SLOPE: f64 = 0.01;

/// Sizes of the network; those of the paper by default.
///
/// ```text
/// Z     = encoder layers( FC )              a token is an ROI: its row of the FC matrix
/// P_ik  = softmax_k( Z_i . E_k )            E: orthonormal cluster centres, fixed
/// out   = MLP( flatten( W P' Z ) )          without clusters: MLP( flatten( W Z ) )
/// ```
///
/// # Source
/// Kan et al. 2022, arXiv 2210.06681, "Brain Network Transformer": section 3.2 (transformer), 3.3
/// equations 2 and 3 (orthonormal clustering readout); the plain variant is the paper's VanillaTF,
/// which concatenates the tokens. Not in the paper, taken from the authors' released code: 1024
/// units in the feed-forward part, dropout 0.1, 100 clusters of 360 ROIs, 8 numbers kept per
/// cluster, hidden layers of 256 and 32. Departures: the released code squares `Z . E`, puts an
/// autoencoder before the assignment, and uses mixup; the paper's equations do not. If the number
/// of heads does not divide the number of ROIs, the width of a head is rounded up.
#[derive(Clone, Debug)]
pub struct Bnt {
    /// Clusters of the readout.
    pub clusters: Clusters,
    /// Number of encoder layers.
    pub layers: usize,
    /// Heads per layer.
    pub heads: usize,
    /// Units of the feed-forward part.
    pub feed_forward: usize,
    /// Numbers of each token that the readout keeps.
    pub kept: usize,
    /// Units of the hidden layers after the readout.
    pub hidden: [usize; 2],
    /// Dropout rate in encoder layers.
    pub dropout: f64,
}

/// Number of clusters of the readout.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Clusters {
    /// No clusters: the plain variant.
    Without,
    /// This number, at most the number of ROIs.
    Exactly(usize),
    /// One for this many ROIs, rounded.
    OnePer(f64),
}

impl Clusters {
    /// Number of clusters of `rois` ROIs; `None` without clusters.
    fn of(self, rois: usize) -> Option<usize> {
        match self {
            Clusters::Without => None,
            Clusters::Exactly(n) => Some(n.min(rois)),
            Clusters::OnePer(n) => Some(((rois as f64 / n).round() as usize).max(1)),
        }
    }
}

impl Default for Bnt {
    fn default() -> Self {
        Self {
            // 100 clusters of the paper's 360 ROIs.
            clusters: Clusters::OnePer(3.6),
            layers: 2,
            heads: 4,
            feed_forward: 1024,
            kept: 8,
            hidden: [256, 32],
            dropout: 0.1,
        }
    }
}

impl Bnt {
    /// The variant without clusters.
    pub fn plain() -> Self {
        Self {
            clusters: Clusters::Without,
            ..Self::default()
        }
    }
}

/// Weights of a [`Bnt`].
#[derive(Module, Debug)]
pub struct BntNetwork {
    layers: Vec<EncoderLayer>,
    /// `[clusters, rois]`, orthonormal rows.
    centres: Option<Param<Tensor<2>>>,
    reduce: Linear,
    hidden: Vec<Linear>,
    out: Linear,
}

/// Orthonormal rows by Gram-Schmidt from uniform random numbers; `rows` is at most `columns`.
fn orthonormal(rows: usize, columns: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let mut found: Vec<Vec<f64>> = Vec::with_capacity(rows);
    while found.len() < rows {
        let mut row: Vec<f64> = (0..columns).map(|_| rng.random_range(-1.0..1.0)).collect();
        // Two passes: rounding errors remain after one.
        for _ in 0..2 {
            for other in &found {
                let dot: f64 = row.iter().zip(other).map(|(a, b)| a * b).sum();
                row.iter_mut().zip(other).for_each(|(a, b)| *a -= dot * b);
            }
        }
        let norm = row.iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm > 1e-6 {
            found.push(row.into_iter().map(|x| x / norm).collect());
        }
    }
    found.into_iter().flatten().map(|x| x as f32).collect()
}

impl Architecture for Bnt {
    type Network = BntNetwork;

    fn paper(&self) -> Paper {
        let name = match self.clusters {
            Clusters::Without => "bnt-plain",
            Clusters::Exactly(_) | Clusters::OnePer(_) => "bnt",
        };
        let recipe = Recipe {
            schedule: Schedule::cosine(1e-4, 1e-5),
            weight_decay: 1e-4,
            ..Recipe::adam(1e-4, 64, 200)
        };
        Paper::new(name, "Kan et al. 2022, arXiv 2210.06681", Needs::FC, recipe)
    }

    fn init(&self, sizes: Sizes, init: &mut Init<ChaCha8Rng>) -> BntNetwork {
        let rois = sizes.n_rois;
        let attention = AttentionSizes {
            d_model: rois,
            n_heads: self.heads,
            d_head: rois.div_ceil(self.heads),
            dropout: self.dropout,
        };
        let clusters = self.clusters.of(rois);
        let centres = clusters.map(|clusters| {
            let values = TensorData::new(orthonormal(clusters, rois, init.rng), [clusters, rois]);
            Param::from_data(values, init.device)
        });
        let [one, two] = self.hidden;
        BntNetwork {
            layers: (0..self.layers)
                .map(|_| EncoderLayer::new(attention, self.feed_forward, init))
                .collect(),
            centres,
            reduce: init.linear(rois, self.kept),
            hidden: vec![
                init.linear(self.kept * clusters.unwrap_or(rois), one),
                init.linear(one, two),
            ],
            out: init.linear(two, sizes.n_outputs),
        }
    }

    fn forward(&self, network: &BntNetwork, batch: &Batch, noise: &mut Noise) -> Said {
        let mut z = batch.fc(); // [batch, rois, rois]
        for layer in &network.layers {
            z = layer.forward(z, noise);
        }
        let z = match &network.centres {
            None => z,
            Some(centres) => {
                let centres = centres.val().detach(); // no gradient: the centres are fixed
                let centres = centres.transpose().unsqueeze::<3>(); // [1, rois, clusters]
                let assigned = softmax(z.clone().matmul(centres), 2);
                assigned.swap_dims(1, 2).matmul(z) // [batch, clusters, rois]
            }
        };
        let mut x = linear_relu(&network.reduce, z, SLOPE).flatten::<2>(1, 2);
        for layer in &network.hidden {
            x = leaky_relu(layer.forward(x), SLOPE);
        }
        network.out.forward(x).into()
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn clusters_follow_the_number_of_rois() {
        let of = |rois| Bnt::default().clusters.of(rois);
        assert_eq!([of(360), of(100), of(3)], [Some(100), Some(28), Some(1)]);
        assert_eq!(Clusters::Exactly(8).of(5), Some(5));
        assert_eq!(Bnt::plain().clusters.of(100), None);
    }

    #[test]
    fn centres_are_orthonormal() {
        let rows = orthonormal(5, 5, &mut ChaCha8Rng::seed_from_u64(1));
        for i in 0..5 {
            for j in 0..5 {
                let dot: f32 = (0..5).map(|k| rows[5 * i + k] * rows[5 * j + k]).sum();
                let expected = if i == j { 1.0 } else { 0.0 };
                assert!((dot - expected).abs() < 1e-6, "{i} {j}: {dot}");
            }
        }
    }
}
