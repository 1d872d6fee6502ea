//! Principal components of several models at once: the same outputs on the same inputs, every model's
//! checkpoints as rows of one matrix.
//!
//! The null is what as many independent random walks from one point would give. In many dimensions the
//! inner products of a walk are those of its times, `⟨x_s, x_t⟩ = min(s, t)`, and different walks are
//! at right angles, so the shares of the null are eigenvalues and need no draws.

use super::{components, weights};

/// Common components.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Joint {
    /// By model and checkpoint.
    pub members: Vec<Vec<[f64; 3]>>,
    /// Share of each component.
    pub explained: [f64; 3],
    /// The same of random walks.
    pub walk: [f64; 3],
}

/// Of `members [model][checkpoint][feature]`, all at `steps`; models count alike, checkpoints by their
/// spacing in steps.
#[must_use]
pub fn joint(steps: &[f64], members: &[Vec<Vec<f32>>]) -> Joint {
    let (n, count) = (steps.len(), members.len());
    if n == 0 || count == 0 || members.iter().any(|m| m.len() != n) {
        return Joint::default();
    }
    let once = weights(steps);
    let all = n * count;
    let w: Vec<f64> = (0..all).map(|i| once[i % n] / count as f64).collect();
    let mut products = vec![0.0; all * all];
    for i in 0..all {
        for j in 0..=i {
            let (a, b) = (&members[i / n][i % n], &members[j / n][j % n]);
            let product = a
                .iter()
                .zip(b)
                .map(|(&a, &b)| f64::from(a) * f64::from(b))
                .sum();
            (products[i * all + j], products[j * all + i]) = (product, product);
        }
    }
    let found = components(&w, |i, j| products[i * all + j]);
    let time = |i: usize| steps[i % n];
    let walked = |i: usize, j: usize| {
        if i / n == j / n {
            time(i).min(time(j))
        } else {
            0.0
        }
    };
    Joint {
        members: found.1.chunks(n).map(<[_]>::to_vec).collect(),
        explained: found.0,
        walk: components(&w, walked).0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Pca, random_walk_share};
    use super::*;
    use crate::math::Stream;
    use crate::math::philox::Draws;

    fn walk(seed: u32, n: usize, features: usize) -> Vec<Vec<f32>> {
        let mut draws = Draws::new(seed, Stream::Probe, 0);
        let mut x = vec![0.0f32; features];
        let mut all = vec![x.clone()];
        for _ in 1..n {
            x.iter_mut().for_each(|x| *x += draws.normal() as f32);
            all.push(x.clone());
        }
        all
    }

    #[test]
    fn one_model_has_the_components_of_its_own_path() {
        let rows = walk(3, 30, 50);
        let steps: Vec<f64> = (0..30).map(|i| f64::from(i) * 10.0).collect();
        let mut pca = Pca::default();
        for (step, row) in steps.iter().zip(&rows) {
            assert!(pca.push(*step as u64, row));
        }
        let (alone, found) = (pca.update(), joint(&steps, std::slice::from_ref(&rows)));
        assert_eq!(found.explained, alone.explained);
        assert_eq!(found.members[0], alone.pcs);
    }

    #[test]
    fn the_null_is_that_of_walks() {
        let steps: Vec<f64> = (0..120).map(f64::from).collect();
        let one = joint(&steps, &[walk(1, 120, 3)]);
        for k in 1..=3 {
            assert!(
                (one.walk[k - 1] - random_walk_share(k)).abs() < 0.01,
                "{:?}",
                one.walk
            );
        }
        // Four walks in many dimensions have the shares of their null; planted fault: not those of one.
        let steps: Vec<f64> = (0..40).map(f64::from).collect();
        let four: Vec<_> = (10..14).map(|seed| walk(seed, 40, 4000)).collect();
        let found = joint(&steps, &four);
        for (share, null) in found.explained.iter().zip(&found.walk) {
            assert!((share - null).abs() < 0.02, "{found:?}");
        }
        assert!((found.explained[0] - random_walk_share(1)).abs() > 0.2);
    }

    #[test]
    fn models_that_end_alike_meet() {
        // Two straight paths from different starts to one end.
        let path = |from: [f32; 2]| -> Vec<Vec<f32>> {
            let at = |t: u8| from.map(|x| x * (1.0 - f32::from(t) / 10.0)).to_vec();
            (0..=10).map(at).collect()
        };
        let steps: Vec<f64> = (0..=10).map(f64::from).collect();
        let found = joint(&steps, &[path([3.0, 0.0]), path([0.0, 2.0])]);
        let apart = |t: usize| {
            let [a, b] = [0, 1].map(|m| found.members[m][t]);
            (a[0] - b[0]).hypot(a[1] - b[1])
        };
        assert!((apart(0) - 13f64.sqrt()).abs() < 1e-9 && apart(10) < 1e-9);
        assert!((found.explained[0] + found.explained[1] - 1.0).abs() < 1e-9);
        assert_eq!(joint(&[], &[]), Joint::default());
    }
}
