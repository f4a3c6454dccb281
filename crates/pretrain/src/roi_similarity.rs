//! Similarity of ROI vectors, and its agreement with the networks of the atlas.

use brainmae_data::Atlas;
use brainmae_statistics::auroc;

/// Similarity of the ROI vectors of one variant of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct RoiSimilarity {
    /// Name of the variant.
    pub variant: String,
    /// Names of the ROIs, in the order of the atlas.
    pub rois: Vec<String>,
    /// Cosine of each pair, `[rois, rois]` row-major.
    pub cosine: Vec<f32>,
}

impl RoiSimilarity {
    /// # Shapes
    /// - `vectors`: `[rois, d_model]` row-major
    pub fn new(variant: &str, vectors: &[f32], d_model: usize, atlas: &Atlas) -> Self {
        Self {
            variant: variant.to_string(),
            rois: atlas.rois.iter().map(|roi| roi.name.clone()).collect(),
            cosine: cosine_similarity(vectors, d_model),
        }
    }

    /// Agreement with the networks of `atlas`; see [`network_auroc`].
    pub fn network_auroc(&self, atlas: &Atlas) -> Option<f64> {
        let networks = atlas.rois.iter().map(|roi| roi.network.as_deref());
        network_auroc(&self.cosine, &networks.collect::<Vec<_>>())
    }
}

/// Cosine similarity of each pair of ROI vectors, `[rois, rois]` row-major.
///
/// # Shapes
/// - `vectors`: `[rois, d_model]` row-major
pub fn cosine_similarity(vectors: &[f32], d_model: usize) -> Vec<f32> {
    let rows: Vec<&[f32]> = vectors.chunks(d_model).collect();
    let norms: Vec<f64> = rows.iter().map(|row| dot(row, row).sqrt()).collect();
    let mut similarity = Vec::with_capacity(rows.len() * rows.len());
    for (i, a) in rows.iter().enumerate() {
        for (j, b) in rows.iter().enumerate() {
            let cosine = dot(a, b) / (norms[i] * norms[j]).max(f64::MIN_POSITIVE);
            similarity.push(cosine as f32);
        }
    }
    similarity
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(x, y)| f64::from(*x) * f64::from(*y))
        .sum()
}

/// Area under the ROC curve of similarity for pairs within one network against pairs of two
/// networks; 0.5 is chance.
///
/// `networks` has the network of each ROI; ROIs with `None` are left out. Returns `None` if either
/// kind of pairs is missing.
pub fn network_auroc(similarity: &[f32], networks: &[Option<&str>]) -> Option<f64> {
    let n = networks.len();
    let (mut scores, mut labels) = (Vec::new(), Vec::new());
    for i in 0..n {
        for j in i + 1..n {
            if let (Some(a), Some(b)) = (networks[i], networks[j]) {
                scores.push(f64::from(similarity[i * n + j]));
                labels.push(a == b);
            }
        }
    }
    auroc(&scores, &labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similarity_is_the_cosine() {
        let similarity = cosine_similarity(&[1.0, 0.0, 3.0, 4.0], 2);
        let expected = [1.0, 0.6, 0.6, 1.0];
        for (found, expected) in similarity.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6);
        }
    }

    #[test]
    fn separate_networks_give_one() {
        let similarity = [1.0, 0.9, 0.1, 0.9, 1.0, 0.2, 0.1, 0.2, 1.0];
        let networks = [Some("a"), Some("a"), Some("b")];
        assert_eq!(network_auroc(&similarity, &networks), Some(1.0));
    }
}
