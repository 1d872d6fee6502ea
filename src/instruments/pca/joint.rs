//! Principal components of several models at once: the same outputs on the same inputs, every model's
//! checkpoints as rows of one matrix.
//!
//! The null is what as many independent random walks from one point would give. In many dimensions the
//! inner products of a walk are those of its times, `⟨x_s, x_t⟩ = min(s, t)`, and different walks are
//! at right angles, so the shares of the null are eigenvalues and need no draws.

use super::{components, dot, weights};
use crate::protocol::Plane;
use std::rc::Rc;

/// Checkpoints of a model: the step, the features.
pub type Rows = Vec<(u64, Rc<Vec<f32>>)>;

/// Of models with checkpoints at `steps [model]`, which are the same up to step `apart`. Models count alike,
/// the checkpoints of each by their spacing in steps; `product` is the inner product of two rows, counted
/// model after model.
#[must_use]
pub fn joint(steps: &[&[f64]], apart: f64, product: &dyn Fn(usize, usize) -> f64) -> Plane {
    if steps.iter().any(|s| s.is_empty()) {
        return Plane::default();
    }
    let (mut w, mut at) = (Vec::new(), Vec::new());
    for (model, steps) in steps.iter().enumerate() {
        w.extend(weights(steps));
        at.extend(steps.iter().map(|step| (model, *step)));
    }
    w.iter_mut().for_each(|w| *w /= steps.len() as f64);
    let found = components(&w, product);
    // Walks that part are one up to there.
    let walked = |i: usize, j: usize| {
        let ((a, s), (b, t)) = (at[i], at[j]);
        let both = s.min(t);
        if a == b { both } else { both.min(apart) }
    };
    let mut rest = &found.1[..];
    let mut path = |steps: &&[f64]| {
        let (own, others) = rest.split_at(steps.len());
        rest = others;
        own.to_vec()
    };
    Plane {
        steps: steps.concat(),
        members: steps.iter().map(&mut path).collect(),
        explained: found.0,
        walk: components(&w, &walked).0,
        names: Vec::new(),
    }
}

/// The same of `rows [model][checkpoint]`, each with its step, of models that have nothing in common.
#[must_use]
pub fn of_rows(rows: &[Rows]) -> Plane {
    let (mut all, mut products) = (Vec::new(), Vec::new());
    let mut steps = Vec::new();
    for model in rows {
        for (_, row) in model {
            all.push(row);
            products.extend(all.iter().map(|other| dot(other, row)));
        }
        steps.push(model.iter().map(|r| r.0 as f64).collect::<Vec<_>>());
    }
    let steps: Vec<&[f64]> = steps.iter().map(Vec::as_slice).collect();
    joint(&steps, 0.0, &|i, j| {
        let (i, j) = (i.max(j), i.min(j));
        products[i * (i + 1) / 2 + j]
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Pca, random_walk_share};
    use super::*;
    use crate::math::Stream;
    use crate::math::linalg::top_eigen;
    use crate::math::philox::Draws;
    use std::ops::Range;

    fn walk(seed: u32, n: usize, features: usize) -> Vec<Rc<Vec<f32>>> {
        let mut draws = Draws::new(seed, Stream::Probe, 0);
        let mut x = vec![0.0f32; features];
        let mut all = vec![Rc::new(x.clone())];
        for _ in 1..n {
            x.iter_mut().for_each(|x| *x += draws.normal() as f32);
            all.push(x.clone().into());
        }
        all
    }

    /// The rows at these steps.
    fn at(steps: &[f64], rows: Vec<Rc<Vec<f32>>>) -> Rows {
        assert_eq!(steps.len(), rows.len());
        steps.iter().map(|s| *s as u64).zip(rows).collect()
    }

    #[test]
    fn one_model_has_the_components_of_its_own_path() {
        let rows = walk(3, 30, 50);
        let steps: Vec<f64> = (0..30).map(|i| f64::from(i) * 10.0).collect();
        let mut pca = Pca::default();
        for (step, row) in steps.iter().zip(&rows) {
            assert!(pca.push(*step as u64, row));
        }
        let (alone, found) = (pca.update(), of_rows(&[at(&steps, rows)]));
        assert_eq!(found.explained, alone.explained);
        assert_eq!(found.members[0], alone.pcs);
    }

    #[test]
    fn the_null_is_that_of_walks() {
        let steps: Vec<f64> = (0..120).map(f64::from).collect();
        let one = of_rows(&[at(&steps, walk(1, 120, 3))]);
        for k in 1..=3 {
            assert!(
                (one.walk[k - 1] - random_walk_share(k)).abs() < 0.01,
                "{:?}",
                one.walk
            );
        }
        // Four walks in many dimensions have the shares of their null; planted fault: not those of one.
        let steps: Vec<f64> = (0..40).map(f64::from).collect();
        let four = (10..14).map(|seed| at(&steps, walk(seed, 40, 4000)));
        let found = of_rows(&four.collect::<Vec<_>>());
        for (share, null) in found.explained.iter().zip(&found.walk) {
            assert!((share - null).abs() < 0.02, "{found:?}");
        }
        assert!((found.explained[0] - random_walk_share(1)).abs() > 0.2);
    }

    #[test]
    fn models_that_end_alike_meet() {
        // Two straight paths from different starts to one end.
        let path = |from: [f32; 2]| -> Rows {
            let x = |t: u8| from.map(|x| x * (1.0 - f32::from(t) / 10.0)).to_vec();
            (0..=10).map(|t| (u64::from(t), x(t).into())).collect()
        };
        let found = of_rows(&[path([3.0, 0.0]), path([0.0, 2.0])]);
        let apart = |t: usize| {
            let [a, b] = [0, 1].map(|m| found.members[m][t]);
            (a[0] - b[0]).hypot(a[1] - b[1])
        };
        assert!((apart(0) - 13f64.sqrt()).abs() < 1e-9 && apart(10) < 1e-9);
        assert!((found.explained[0] + found.explained[1] - 1.0).abs() < 1e-9);
        assert_eq!(of_rows(&[path([1.0, 1.0]), vec![]]), Plane::default());
    }

    /// Two members of other lengths and steps, by the covariance of their concatenation.
    #[test]
    fn members_with_steps_of_their_own_count_alike() {
        let steps: [&[f64]; 2] = [&[0.0, 10.0, 30.0, 60.0, 100.0], &[0.0, 5.0, 80.0]];
        let rows = [walk(5, 5, 4), walk(6, 3, 4)];
        let found = of_rows(&[0, 1].map(|m| at(steps[m], rows[m].clone())));
        // 5 10 20 …: half the gap on each side, of 100 and of 80 in all; each member is a half.
        let fair = [
            [5.0, 15.0, 25.0, 35.0, 20.0].map(|w| w / 200.0).to_vec(),
            [2.5, 40.0, 37.5].map(|w| w / 160.0).to_vec(),
        ]
        .concat();
        let off = |found: &Plane, w: &[f64], common: bool| -> f64 {
            let x: Vec<Vec<f64>> = (rows.iter().flatten())
                .map(|r| r.iter().map(|x| f64::from(*x)).collect())
                .collect();
            let mean = |of: Range<usize>, k: usize| {
                let all: f64 = of.clone().map(|i| w[i]).sum();
                of.map(|i| w[i] * x[i][k]).sum::<f64>() / all
            };
            let centred: Vec<Vec<f64>> = (0..8)
                .map(|i| {
                    let own = if i < 5 { 0..5 } else { 5..8 };
                    let of = if common { 0..8 } else { own };
                    (0..4).map(|k| x[i][k] - mean(of.clone(), k)).collect()
                })
                .collect();
            let cov =
                |j: usize, k: usize| (0..8).map(|i| w[i] * centred[i][j] * centred[i][k]).sum();
            let matrix: Vec<f64> = (0..16).map(|i| cov(i / 4, i % 4)).collect();
            let total: f64 = (0..4).map(|k| matrix[5 * k]).sum();
            let points = found.members.concat();
            let mut worst = 0.0f64;
            for (k, (value, axis)) in top_eigen(&matrix, 4, 3).into_iter().enumerate() {
                worst = worst.max((found.explained[k] - value / total).abs());
                let direct =
                    |row: &Vec<f64>| row.iter().zip(&axis).map(|(a, b)| a * b).sum::<f64>();
                let sign: f64 = centred
                    .iter()
                    .zip(&points)
                    .map(|(r, p)| direct(r) * p[k])
                    .sum();
                for (row, point) in centred.iter().zip(&points) {
                    worst = worst.max((direct(row) * sign.signum() - point[k]).abs());
                }
            }
            worst
        };
        assert!(
            off(&found, &fair, true) < 1e-9,
            "{}",
            off(&found, &fair, true)
        );
        // Planted: one member counted double, and a mean of each member's own.
        let double: Vec<f64> = (fair.iter().enumerate())
            .map(|(i, w)| w * if i < 5 { 4.0 / 3.0 } else { 2.0 / 3.0 })
            .collect();
        assert!(off(&found, &double, true) > 1e-2 && off(&found, &fair, false) > 1e-2);
    }

    /// A run whose rows stand before another's, which is the same up to step 20.
    #[test]
    fn a_run_and_its_parent_have_a_plane() {
        let (theirs, other) = (walk(7, 6, 9), walk(8, 6, 9));
        let steps = [0u64, 10, 20, 30, 40, 50];
        let mut parent = Pca::default();
        for (step, row) in steps.iter().zip(&theirs) {
            assert!(parent.push(*step, row));
        }
        assert_eq!(parent.beside(), None);
        let mut branch = parent.left(20);
        assert!(branch.is_empty() && branch.beside().is_none());
        let own: Vec<_> = theirs[..3].iter().chain(&other[3..5]).cloned().collect();
        let mut alone = Pca::default();
        // What is after a step that comes again goes; the other run's rows stay.
        assert!(branch.push(0, &theirs[0]) && branch.push(60, &theirs[5]));
        for (step, row) in steps.iter().zip(&own) {
            assert!(branch.push(*step, row) && alone.push(*step, row));
        }
        assert_eq!((branch.update(), branch.len()), (alone.update(), 5));
        assert!(branch.rows().eq(alone.rows()));
        let times: Vec<f64> = steps.iter().map(|s| *s as f64).collect();
        let (both, plane) = (
            of_rows(&[at(&times, theirs.clone()), at(&times[..5], own)]),
            branch.beside(),
        );
        let plane = plane.unwrap_or_default();
        assert_eq!((plane.at(0).len(), plane.at(1).len()), (6, 5));
        assert_eq!(
            (&plane.members, plane.explained),
            (&both.members, both.explained)
        );
        // One path up to where they part, but for the rounding of an eigenvector, and two behind it.
        let gap = |t: usize| {
            let [a, b] = [0, 1].map(|m| plane.members[m][t]);
            (0..3).map(|k| (a[k] - b[k]).abs()).fold(0.0, f64::max)
        };
        assert!((0..3).all(|t| gap(t) < 1e-9) && gap(3) > 0.1 && gap(4) > 0.1);
        // Planted: the null of runs that have nothing in common is another.
        assert!((plane.walk[0] - both.walk[0]).abs() > 0.01, "{plane:?}");
        // The same parent for another branch, and the branch for its parent.
        assert_eq!(branch.emptied(20).beside(), None);
        let mut again = branch.emptied(20);
        alone
            .rows()
            .for_each(|(step, row)| assert!(again.push(step, &row)));
        assert_eq!(again.beside(), Some(plane));
        let mut back = branch.left(20);
        parent
            .rows()
            .for_each(|(step, row)| assert!(back.push(step, &row)));
        let back = back.beside().unwrap_or_default();
        assert_eq!((back.at(0), back.at(1)), (&times[..5], &times[..]));
        assert!((back.explained[0] - both.explained[0]).abs() < 1e-12);
    }
}
