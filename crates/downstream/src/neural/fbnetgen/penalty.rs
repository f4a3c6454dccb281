//! Penalties of FBNetGen on the learned graphs.

use burn::tensor::Tensor;

/// Weights of the penalties on graphs, `A` of the examples `b`, with `mu_c` the mean graph of class
/// `c`:
///
/// ```text
/// intra    = sum_c mean_{b in c} |A_b - mu_c|^2                      graphs of a class are alike
/// inter    = - mean_{c < d} |mu_c - mu_d|^2                          those of two classes are not
/// sparsity = mean A                                                  and all have few edges
/// ```
/// `|.|^2` is the mean over all pairs of ROIs, so weights do not depend on the atlas.
///
/// # Source
/// arXiv 2205.12465, section 3.5. Weights as released: 1, 2 and 1e-4. The group losses apply to
/// classes in the training batch. For regression the penalty is sparsity alone, because the paper
/// has no other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Penalties {
    /// Weight of `intra`.
    pub intra: f64,
    /// Weight of `inter`.
    pub inter: f64,
    /// Weight of `sparsity`.
    pub sparsity: f64,
}

impl Default for Penalties {
    fn default() -> Self {
        Self {
            intra: 1.0,
            inter: 2.0,
            sparsity: 1e-4,
        }
    }
}

impl Penalties {
    /// `graphs`: `[batch, rois, rois]`; `classes`: `[batch, classes]`, 1 for the true class.
    pub(super) fn of(&self, graphs: Tensor<3>, classes: Option<Tensor<2>>) -> Tensor<1> {
        let sparsity = graphs.clone().mean() * self.sparsity;
        let Some(classes) = classes else {
            return sparsity;
        };
        let [_, rois, _] = graphs.dims();
        let graphs = graphs.flatten::<2>(1, 2); // [batch, rois * rois]
        let counts = classes.clone().sum_dim(0).transpose(); // [classes, 1]
        let here = counts.clone().clamp_max(1.0);
        let share = classes.clone().transpose() / counts.clamp_min(1.0); // [classes, batch]
        let means = share.clone().matmul(graphs.clone()); // [classes, rois * rois]

        let pairs = (rois * rois) as f64;
        let own = classes.matmul(means.clone());
        let apart = (graphs - own).square().sum_dim(1) / pairs; // [batch, 1]
        let intra = share.matmul(apart).sum();

        // sum_{c < d} |mu_c - mu_d|^2 over the n classes in the batch = n sum_c |mu_c|^2 - |sum_c
        // mu_c|^2
        let n = here.sum();
        let squares = means.clone().square().sum();
        let total = means.sum_dim(0).square().sum();
        let two = (n.clone() * (n.clone() - 1.0) * 0.5).clamp_min(1.0);
        let inter = (n * squares - total) / pairs / two;
        sparsity + intra * self.intra - inter * self.inter
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn classes_are_held_together_and_apart() {
        let device = Device::flex();
        // One ROI: graphs are numbers. The means of the classes are 1 and 4; the third class is
        // empty.
        let graphs = Tensor::<3>::from_data([[[0.]], [[2.]], [[4.]]], &device);
        let classes = Tensor::<2>::from_data([[1., 0., 0.], [1., 0., 0.], [0., 1., 0.]], &device);
        let only = |intra, inter, sparsity| {
            let penalties = Penalties {
                intra,
                inter,
                sparsity,
            };
            let found = penalties.of(graphs.clone(), Some(classes.clone()));
            found.into_scalar::<f32>()
        };
        assert_eq!(only(1.0, 0.0, 0.0), 1.0);
        assert_eq!(only(0.0, 1.0, 0.0), -9.0);
        assert_eq!(only(0.0, 0.0, 0.5), 1.0);
    }
}
