//! PCA against a direct covariance, known shapes, and a random walk.

use super::*;
use crate::math::Stream;
use crate::math::philox::Draws;

fn filled(steps: &[u64], f: usize, row: impl Fn(usize, usize) -> f64) -> Pca {
    let mut pca = Pca::default();
    for (i, &s) in steps.iter().enumerate() {
        let x: Vec<f32> = (0..f).map(|j| row(i, j) as f32).collect();
        assert!(pca.push(s, &x));
    }
    pca
}

/// Largest difference to the PCA of the weighted covariance matrix [F][F], made directly.
fn distance_to_covariance(pca: &Pca, update: &PcaUpdate, w: &[f64]) -> f64 {
    let f = pca.rows[0].len();
    let x: Vec<Vec<f64>> = pca
        .rows
        .iter()
        .map(|r| r.iter().map(|&v| f64::from(v)).collect())
        .collect();
    let mean: Vec<f64> = (0..f)
        .map(|j| x.iter().zip(w).map(|(r, w)| w * r[j]).sum())
        .collect();
    let mut cov = vec![0.0; f * f];
    for (r, w) in x.iter().zip(w) {
        for i in 0..f {
            for j in 0..f {
                cov[i * f + j] += w * (r[i] - mean[i]) * (r[j] - mean[j]);
            }
        }
    }
    let total: f64 = (0..f).map(|i| cov[i * f + i]).sum();
    let mut worst = 0.0f64;
    for (k, (value, axis)) in top_eigen(&cov, f, 3).into_iter().enumerate() {
        worst = worst.max((value / total - update.explained[k]).abs());
        let direct: Vec<f64> = x
            .iter()
            .map(|r| (0..f).map(|j| (r[j] - mean[j]) * axis[j]).sum())
            .collect();
        let dot: f64 = direct.iter().zip(&update.pcs).map(|(a, b)| a * b[k]).sum();
        for (a, b) in direct.iter().zip(&update.pcs) {
            worst = worst.max((a * dot.signum() - b[k]).abs());
        }
    }
    worst
}

#[test]
fn equals_pca_of_the_covariance() {
    let steps = [0, 1, 3, 10, 50, 100, 150, 200];
    let mut noise = Draws::new(1, Stream::Probe, 0);
    let table: Vec<f64> = (0..8 * 5).map(|_| noise.normal()).collect();
    let pca = filled(&steps, 5, |i, j| 3.0 + table[i * 5 + j] * (j + 1) as f64);
    let own = weights(&pca.steps);
    let mut update = pca.update();
    assert!(distance_to_covariance(&pca, &update, &own) < 1e-9);
    // Planted: unweighted, or another path.
    assert!(distance_to_covariance(&pca, &update, &[0.125; 8]) > 1e-2);
    update.pcs[3][1] += 1e-3;
    assert!(distance_to_covariance(&pca, &update, &own) > 1e-4);
}

#[test]
fn weights_are_half_the_gap_on_each_side() {
    assert_eq!(weights(&[0.0, 1.0, 4.0]), vec![0.125, 0.5, 0.375]);
    assert_eq!(weights(&[5.0]), vec![1.0]);
    assert!(weights(&[]).is_empty());
}

#[test]
fn a_line_has_one_component() {
    let pca = filled(&[0, 10, 20, 30], 7, |i, j| {
        100.0 + i as f64 * (j as f64 - 3.0)
    });
    let update = pca.update();
    assert!((update.explained[0] - 1.0).abs() < 1e-9);
    assert!(update.explained[1] < 1e-9);
    // Equal gaps along the line, of the line's own length.
    let gap = update.pcs[1][0] - update.pcs[0][0];
    assert!((gap.abs() - 28f64.sqrt()).abs() < 1e-6);
}

#[test]
fn nothing_varies() {
    let pca = filled(&[0, 1, 2], 4, |_, j| j as f64 * 1e3 + 0.1);
    let update = pca.update();
    assert_eq!(update.explained, [0.0; 3]);
    assert!(update.pcs.iter().flatten().all(|&x| x == 0.0));
    assert_eq!(Pca::default().update(), PcaUpdate::default());
}

#[test]
fn a_random_walk_has_the_shares_of_a_random_walk() {
    let (n, f) = (100usize, 2000usize);
    let mut noise = Draws::new(9, Stream::Probe, 1);
    let mut at = vec![0.0f32; f];
    let mut pca = Pca::default();
    for i in 0..n {
        at.iter_mut().for_each(|x| *x += noise.normal() as f32);
        assert!(pca.push(i as u64, &at));
    }
    let update = pca.update();
    for k in 0..3 {
        let want = random_walk_share(k + 1);
        assert!(
            (update.explained[k] - want).abs() < 0.02,
            "{k}: {} {want}",
            update.explained[k]
        );
    }
    // Independent points are no walk.
    let cloud = filled(&(0..40).collect::<Vec<_>>(), 300, |i, j| {
        f64::from(crate::math::philox::word(
            2,
            Stream::Probe,
            i as u32,
            j as u32,
        )) / 1e9
    });
    assert!((cloud.update().explained[0] - random_walk_share(1)).abs() > 0.4);
}

#[test]
fn rows_that_cannot_be_used_are_refused_and_a_resumed_run_replaces() {
    let mut pca = filled(&[0, 10, 20], 3, |i, j| (i * j) as f64);
    assert!(!pca.push(30, &[1.0, f32::NAN, 0.0]));
    assert!(!pca.push(30, &[1.0, 2.0]));
    assert_eq!(pca.len(), 3);
    let whole = pca.update();
    assert!(pca.push(10, &[0.0, 1.0, 2.0]));
    assert_eq!(pca.len(), 2);
    assert!(pca.push(20, &[0.0, 2.0, 4.0]));
    assert_eq!(pca.update(), whole);
}
