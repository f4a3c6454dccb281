//! What the ROI vectors say of one another, and whether networks show in it.

/// Cosine similarity of every pair of ROI vectors, `[rois, rois]` row-major.
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

/// How well similarity tells pairs of one network from pairs of two: the area under the ROC curve, .5 by chance.
///
/// `networks` has the network of every ROI; ROIs without one are left out. Nothing if there are no pairs of either kind.
pub fn network_auroc(similarity: &[f32], networks: &[Option<&str>]) -> Option<f64> {
    let n = networks.len();
    let mut pairs = Vec::new();
    for i in 0..n {
        for j in i + 1..n {
            if let (Some(a), Some(b)) = (networks[i], networks[j]) {
                pairs.push((similarity[i * n + j], a == b));
            }
        }
    }
    auroc(&mut pairs)
}

/// Area under the ROC curve of scores with labels, ties counted half: the Mann-Whitney statistic from ranks.
fn auroc(scored: &mut [(f32, bool)]) -> Option<f64> {
    scored.sort_by(|a, b| a.0.total_cmp(&b.0));
    let positive = scored.iter().filter(|(_, label)| *label).count() as f64;
    let negative = scored.len() as f64 - positive;
    if positive == 0.0 || negative == 0.0 {
        return None;
    }
    let mut rank_sum = 0.0;
    let mut start = 0;
    for tie in scored.chunk_by(|a, b| a.0 == b.0) {
        let mean_rank = start as f64 + (tie.len() as f64 + 1.0) / 2.0;
        rank_sum += mean_rank * tie.iter().filter(|(_, label)| *label).count() as f64;
        start += tie.len();
    }
    Some((rank_sum - positive * (positive + 1.0) / 2.0) / (positive * negative))
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
    fn the_area_counts_pairs_in_the_right_order() {
        // Positives 0.9 and 0.4, negatives 0.5 and 0.4: of four pairs, two are right, one wrong, one tied.
        let mut scored = [(0.9, true), (0.4, true), (0.5, false), (0.4, false)];
        assert_eq!(auroc(&mut scored), Some(0.625));
        assert_eq!(auroc(&mut [(0.9, true)]), None);
    }

    #[test]
    fn separate_networks_give_one() {
        let similarity = [1.0, 0.9, 0.1, 0.9, 1.0, 0.2, 0.1, 0.2, 1.0];
        let networks = [Some("a"), Some("a"), Some("b")];
        assert_eq!(network_auroc(&similarity, &networks), Some(1.0));
    }
}
