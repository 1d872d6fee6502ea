//! The copying score of a head: does its OV circuit raise the token it attends to?
//!
//! `Σλ / Σ|λ|` over the eigenvalues λ of the full OV circuit `W_E·W_V·W_O·W_U [vocab, vocab]` (Elhage
//! et al. 2021): 1 where every eigenvalue is positive and real, which copies, −1 where each token is
//! lowered, near 0 where it does neither. The circuit has the rank of the head at most, and its
//! eigenvalues other than 0 are those of `W_O·W_U·W_E·W_V [d_head, d_head]`. What a LayerNorm or an MLP
//! between the two ends would do is left out.

use super::circuit::Head;
use crate::math::linalg::{eigenvalues, product};

/// `W_U·W_E [d, d]`, which all heads share, from `W_U [d, vocab]` and `W_E [vocab, d]`.
#[must_use]
pub fn loop_of(w_u: &[f64], w_e: &[f64], d: usize) -> Vec<f64> {
    product(w_u, w_e, [d, w_e.len() / d.max(1), d])
}

/// The score, from that; none for weights that are not finite or all 0.
#[must_use]
pub fn score(head: &Head, around: &[f64]) -> Option<f64> {
    let [d, dh] = head.shape();
    let inner = product(&product(&head.o, around, [dh, d, d]), &head.v, [dh, d, dh]);
    let values = eigenvalues(&inner, dh)?;
    let sizes: f64 = values.iter().map(|[re, im]| re.hypot(*im)).sum();
    // A trace is real: the imaginary parts come in pairs.
    let sum: f64 = values.iter().map(|v| v[0]).sum();
    (sizes > 0.0).then(|| sum / sizes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A head of three tokens in three dimensions, one each, whose OV circuit is this matrix.
    fn of(circuit: [f64; 9]) -> f64 {
        let identity = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
        let head = Head::new([&identity, &identity, &circuit, &identity], 3, 3);
        score(&head, &loop_of(&identity, &identity, 3)).unwrap()
    }

    #[test]
    fn copying_is_one_and_its_opposite_minus_one() {
        assert!((of([2.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.5]) - 1.0).abs() < 1e-12);
        assert!((of([-2.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, -0.5]) + 1.0).abs() < 1e-12);
        // 3, −1, −1 of 5.
        assert!((of([3.0, 7.0, 1.0, 0.0, -1.0, 4.0, 0.0, 0.0, -1.0]) - 0.2).abs() < 1e-9);
        // Each token raises the next: the third roots of one add up to 0.
        assert!(of([0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0]).abs() < 1e-9);
        // A turn by 60° in a plane and 1 along the axis: (1 + 2·½)/3.
        let (c, s) = (0.5, 0.75f64.sqrt());
        assert!((of([c, -s, 0.0, s, c, 0.0, 0.0, 0.0, 1.0]) - 2.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn the_small_matrix_has_the_eigenvalues_of_the_whole_circuit() {
        use crate::math::Stream;
        use crate::math::philox::Draws;
        let (vocab, d, dh) = (9, 6, 2);
        let mut draws = Draws::new(1, Stream::Probe, 0);
        let mut noise = |n: usize| (0..n).map(|_| draws.normal()).collect::<Vec<f64>>();
        let (w_e, w_u) = (noise(vocab * d), noise(d * vocab));
        let w = [(); 4].map(|()| noise(d * dh));
        let head = Head::new(w.each_ref().map(Vec::as_slice), d, dh);
        let read = product(&w_e, &head.v, [vocab, d, dh]);
        let write = product(&head.o, &w_u, [dh, d, vocab]);
        let whole = eigenvalues(&product(&read, &write, [vocab, dh, vocab]), vocab).unwrap();
        let sum: f64 = whole.iter().map(|v| v[0]).sum();
        let sizes: f64 = whole.iter().map(|[re, im]| re.hypot(*im)).sum();
        let got = score(&head, &loop_of(&w_u, &w_e, d)).unwrap();
        assert!((got - sum / sizes).abs() < 1e-6, "{got} {}", sum / sizes);
    }

    #[test]
    fn all_tokens_count_and_an_empty_head_has_no_score() {
        // Two tokens, one of them embedded along −x: what is written along x raises one, lowers the other.
        let (w_e, w_u) = ([1.0, 0.0, -1.0, 0.0], [1.0, 1.0, 0.0, 0.0]);
        let around = loop_of(&w_u, &w_e, 2);
        assert_eq!(around, [0.0, 0.0, 0.0, 0.0]);
        let head = Head::new([&[0.0; 2], &[0.0; 2], &[1.0, 0.0], &[1.0, 0.0]], 2, 1);
        assert_eq!(score(&head, &around), None);
        // Planted fault: the unembedding that belongs to it, and the same head copies.
        let around = loop_of(&[1.0, -1.0, 0.0, 0.0], &w_e, 2);
        assert_eq!(score(&head, &around), Some(1.0));
    }
}
