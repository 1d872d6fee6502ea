//! The one door to linear algebra (nalgebra behind it): dense, small, f64.

use nalgebra::{DMatrix, SymmetricEigen};

/// The `k` greatest eigenvalues of a symmetric matrix, falling, with unit eigenvectors.
///
/// `matrix` is `[n][n]`, row-major; its lower triangle is read. Vectors are made deterministic: the
/// component of greatest magnitude (the first of them) is positive. Fewer than `k` come back when
/// n is smaller, and none for a matrix that is not finite.
#[must_use]
pub fn top_eigen(matrix: &[f64], n: usize, k: usize) -> Vec<(f64, Vec<f64>)> {
    if n == 0 || matrix.len() < n * n || !matrix[..n * n].iter().all(|x| x.is_finite()) {
        return Vec::new();
    }
    let symmetric = DMatrix::from_fn(n, n, |i, j| matrix[i.max(j) * n + i.min(j)]);
    let eigen = SymmetricEigen::new(symmetric);
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
    let pairs = order.into_iter().take(k).map(|i| {
        let mut v: Vec<f64> = eigen.eigenvectors.column(i).iter().copied().collect();
        fix_sign(&mut v);
        (eigen.eigenvalues[i], v)
    });
    pairs.collect()
}

/// Makes the component of greatest magnitude positive; of equal ones, the first.
pub fn fix_sign(v: &mut [f64]) {
    let greatest = v.iter().copied().fold(0.0f64, |m, x| {
        if x.abs() > m.abs() * (1.0 + 1e-9) {
            x
        } else {
            m
        }
    });
    if greatest < 0.0 {
        v.iter_mut().for_each(|x| *x = -*x);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Largest |A·v − λ·v| over the pairs.
    fn residual(a: &[f64], n: usize, pairs: &[(f64, Vec<f64>)]) -> f64 {
        let mut worst = 0.0f64;
        for (lambda, v) in pairs {
            for i in 0..n {
                let av: f64 = (0..n).map(|j| a[i * n + j] * v[j]).sum();
                worst = worst.max((av - lambda * v[i]).abs());
            }
        }
        worst
    }

    #[test]
    fn eigenpairs_satisfy_their_equation_and_fall() {
        let a = [4.0, 1.0, 0.5, 1.0, 3.0, -1.0, 0.5, -1.0, 2.0];
        let mut pairs = top_eigen(&a, 3, 3);
        assert!(residual(&a, 3, &pairs) < 1e-12);
        assert!(pairs.windows(2).all(|w| w[0].0 >= w[1].0));
        assert!((pairs.iter().map(|p| p.0).sum::<f64>() - 9.0).abs() < 1e-12);
        // A wrong pair is seen.
        pairs[0].1[0] += 1e-3;
        assert!(residual(&a, 3, &pairs) > 1e-4);
    }

    #[test]
    fn edges() {
        assert!(top_eigen(&[], 0, 3).is_empty());
        assert!(top_eigen(&[f64::NAN], 1, 3).is_empty());
        assert_eq!(top_eigen(&[2.0], 1, 3), vec![(2.0, vec![1.0])]);
        let mut v = [0.5, -2.0];
        fix_sign(&mut v);
        assert_eq!(v, [-0.5, 2.0]);
    }
}
