//! Identification rate: the share of vectors whose most similar other vector is of the same
//! subject.

use nalgebra::DMatrix;

use super::Repeated;

/// Identification rate of each subject: the share of its vectors that are identified among all
/// other vectors. If several are the most similar, their share that is of the subject counts.
///
/// `similarity` is that of each pair of vectors, `repeats` one after another for each subject.
///
/// # Source
/// Finn et al. 2015, Nature Neuroscience 18. There, a scan is looked for among the scans of another
/// session; here, among all other scans.
pub fn rates(similarity: &DMatrix<f64>, repeats: usize) -> Vec<f64> {
    let n = similarity.nrows();
    let identified = |one: usize| {
        let others = || (0..n).filter(move |other| *other != one);
        let most = others().map(|other| similarity[(one, other)]);
        let most = most.fold(f64::NEG_INFINITY, f64::max);
        let nearest: Vec<usize> = others()
            .filter(|other| similarity[(one, *other)] == most)
            .collect();
        let own = nearest
            .iter()
            .filter(|other| *other / repeats == one / repeats);
        own.count() as f64 / nearest.len().max(1) as f64
    };
    (0..n / repeats)
        .map(|subject| {
            let of_subject = subject * repeats..(subject + 1) * repeats;
            of_subject.map(identified).sum::<f64>() / repeats as f64
        })
        .collect()
}

/// Rate for vectors in random order: the share of a subject's vectors among all others.
pub fn chance(scans: &Repeated) -> f64 {
    let n = scans.n_subjects() * scans.n_repeats();
    (scans.n_repeats() - 1) as f64 / (n - 1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_is_looked_for_among_all_others() {
        // The second vector of subject 0 is nearer to subject 1 than to its own first one.
        let r = DMatrix::from_row_slice(
            4,
            4,
            &[
                1.0, 0.5, 0.2, 0.1, //
                0.5, 1.0, 0.6, 0.1, //
                0.2, 0.6, 1.0, 0.9, //
                0.1, 0.1, 0.9, 1.0,
            ],
        );
        assert_eq!(rates(&r, 2), [0.5, 1.0]);
    }

    #[test]
    fn equal_vectors_identify_nobody() {
        let found = rates(&DMatrix::from_element(6, 6, 0.3), 2);
        assert!(found.iter().all(|rate| (rate - 0.2).abs() < 1e-12));
        let rows = vec![vec![0.0, 1.0]; 6];
        let scans = Repeated::new(rows, 2).expect("they fit");
        assert!((chance(&scans) - 0.2).abs() < 1e-12);
    }
}
