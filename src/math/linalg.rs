//! The one door to linear algebra (nalgebra behind it): dense, small, f64.

use super::philox::{Draws, Stream};
use nalgebra::{DMatrix, DVector, Schur, SymmetricEigen};

/// Up to this size all eigenvectors are found as quickly as a few.
const SMALL: usize = 64;
/// Vectors that a search begins with: an eigenvalue may be this often the same.
const BLOCK: usize = 4;
/// Times they are multiplied before all eigenvectors are found instead.
const ROUNDS: usize = 24;
/// |A·v − λ·v| over the greatest λ at which a search ends.
const ENOUGH: f64 = 1e-11;

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
    let few = if n > SMALL {
        search(&symmetric, k)
    } else {
        None
    };
    let pairs = few.unwrap_or_else(|| greatest(symmetric, k)).into_iter();
    pairs
        .map(|(value, v)| {
            let mut v: Vec<f64> = v.iter().copied().collect();
            fix_sign(&mut v);
            (value, v)
        })
        .collect()
}

/// The greatest of all eigenpairs.
fn greatest(matrix: DMatrix<f64>, k: usize) -> Vec<(f64, DVector<f64>)> {
    let eigen = SymmetricEigen::new(matrix);
    let mut order: Vec<usize> = (0..eigen.eigenvalues.len()).collect();
    crate::order::sort_by(&mut order, |&a, &b| {
        eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a])
    });
    let pair = |i: usize| (eigen.eigenvalues[i], eigen.eigenvectors.column(i).into());
    order.into_iter().take(k).map(pair).collect()
}

/// The greatest eigenpairs by block Lanczos with full reorthogonalisation (Golub and Van Loan §10.3):
/// those of the matrix within the span of X, AX, A²X, … for a few fixed random vectors X. A
/// thousandth of the work of all of them where eigenvalues fall as in a PCA; none where they do not
/// stand out enough to be found this way.
fn search(a: &DMatrix<f64>, k: usize) -> Option<Vec<(f64, DVector<f64>)>> {
    let mut noise = Draws::new(0, Stream::Probe, 0);
    let mut block: Vec<DVector<f64>> = (0..BLOCK)
        .map(|_| DVector::from_fn(a.nrows(), |_, _| noise.normal()))
        .collect();
    let (mut basis, mut images): (Vec<DVector<f64>>, Vec<DVector<f64>>) = Default::default();
    for round in 1..=ROUNDS {
        let old = basis.len();
        for mut v in block {
            let size = v.norm();
            // Once leaves what rounding brings back.
            for _ in 0..2 {
                for b in &basis {
                    v.axpy(-b.dot(&v), b, 1.0);
                }
            }
            let norm = v.norm();
            if norm > 1e-10 * size {
                basis.push(v / norm);
            }
        }
        images.extend(basis[old..].iter().map(|b| a * b));
        block = images[old..].to_vec();
        if round % 4 != 0 && !block.is_empty() {
            continue;
        }
        let inner = DMatrix::from_fn(basis.len(), basis.len(), |i, j| basis[i].dot(&images[j]));
        let found = greatest(inner, k);
        let scale = found.first().map_or(0.0, |(value, _)| value.abs());
        let sum = |of: &[DVector<f64>], by: &DVector<f64>| {
            let mut v = DVector::zeros(a.nrows());
            of.iter().zip(by).for_each(|(b, &x)| v.axpy(x, b, 1.0));
            v
        };
        let mut good = found.len() == k;
        let mut pairs = Vec::with_capacity(k);
        for (value, by) in found {
            let v = sum(&basis, &by);
            good &= (sum(&images, &by) - &v * value).norm() <= ENOUGH * scale;
            pairs.push((value, v));
        }
        if good {
            return Some(pairs);
        }
        if block.is_empty() {
            return None;
        }
    }
    None
}

/// Solves the positive definite system `matrix [n][n]` · x = `right [n]`; none if it is singular.
#[must_use]
pub fn solve(matrix: &[f64], right: &[f64]) -> Option<Vec<f64>> {
    let n = right.len();
    let a = DMatrix::from_row_slice(n, n, matrix.get(..n * n)?);
    let x = a.cholesky()?.solve(&DVector::from_column_slice(right));
    x.iter()
        .all(|x| x.is_finite())
        .then(|| x.iter().copied().collect())
}

/// The Cholesky factor of a positive definite matrix, to solve with it more than once.
#[derive(Clone, Debug)]
pub struct Cholesky(nalgebra::Cholesky<f64, nalgebra::Dyn>);

impl Cholesky {
    /// Of `matrix [n][n]`; none if it is not positive definite.
    #[must_use]
    pub fn of(matrix: &[f64], n: usize) -> Option<Self> {
        let a = DMatrix::from_row_slice(n, n, matrix.get(..n * n)?);
        a.cholesky().map(Self)
    }
    /// The x with matrix · x = `right [n]`.
    #[must_use]
    pub fn solve(&self, right: &[f64]) -> Vec<f64> {
        let x = self.0.solve(&DVector::from_column_slice(right));
        x.iter().copied().collect()
    }
    /// The logarithm of the determinant.
    #[must_use]
    pub fn ln_det(&self) -> f64 {
        2.0 * self
            .0
            .l_dirty()
            .diagonal()
            .iter()
            .map(|x| x.ln())
            .sum::<f64>()
    }
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

/// `a [n, k]` times `b [k, m]`, row-major; empty if a length does not fit.
#[must_use]
pub fn product(a: &[f64], b: &[f64], [n, k, m]: [usize; 3]) -> Vec<f64> {
    if a.len() != n * k || b.len() != k * m {
        return Vec::new();
    }
    let mut out = vec![0.0; n * m];
    for (i, out) in out.chunks_exact_mut(m.max(1)).enumerate() {
        for (a, row) in a[i * k..].iter().zip(b.chunks_exact(m.max(1))).take(k) {
            out.iter_mut().zip(row).for_each(|(o, b)| *o += a * b);
        }
    }
    out
}

/// The transpose of `a [rows, …]`.
#[must_use]
pub fn transposed(a: &[f64], rows: usize) -> Vec<f64> {
    let columns = a.len() / rows.max(1);
    let at = |i: usize| a[i % rows * columns + i / rows];
    (0..rows * columns).map(at).collect()
}

/// Eigenvalues (re, im) of a square matrix `[n, n]` that need not be symmetric; none for one that is
/// not finite, or where the Schur form does not settle.
#[must_use]
pub fn eigenvalues(matrix: &[f64], n: usize) -> Option<Vec<[f64; 2]>> {
    let entries = matrix.get(..n * n)?;
    if n == 0 || !entries.iter().all(|x| x.is_finite()) {
        return None;
    }
    let a = DMatrix::from_row_slice(n, n, entries);
    let schur = Schur::try_new(a, f64::EPSILON, 200 * n)?;
    let values = schur.complex_eigenvalues();
    Some(values.iter().map(|v| [v.re, v.im]).collect())
}

/// A random orthogonal matrix `[n, n]`, each as likely as another (Haar): Gram-Schmidt, twice, on
/// normal vectors.
#[must_use]
pub fn rotation(n: usize, draws: &mut Draws) -> Vec<f64> {
    let mut out: Vec<f64> = Vec::with_capacity(n * n);
    while out.len() < n * n {
        let mut v: Vec<f64> = (0..n).map(|_| draws.normal()).collect();
        for _ in 0..2 {
            for b in out.chunks_exact(n) {
                let along: f64 = b.iter().zip(&v).map(|(b, v)| b * v).sum();
                v.iter_mut().zip(b).for_each(|(v, b)| *v -= along * b);
            }
        }
        let norm = v.iter().map(|v| v * v).sum::<f64>().sqrt();
        out.extend(v.iter().map(|v| v / norm));
    }
    out
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

    /// Q·diag·Qᵀ for a random rotation Q.
    fn with_spectrum(spectrum: &[f64]) -> Vec<f64> {
        let n = spectrum.len();
        let mut noise = Draws::new(5, Stream::Probe, 1);
        let q = DMatrix::from_fn(n, n, |_, _| noise.normal()).qr().q();
        let a = &q * DMatrix::from_diagonal(&DVector::from_column_slice(spectrum)) * q.transpose();
        (0..n * n).map(|i| a[(i / n, i % n)]).collect()
    }

    #[test]
    fn a_search_finds_what_all_eigenvectors_show() {
        let walk: Vec<f64> = (1..=200).map(|k| 1.0 / f64::from(k * k)).collect();
        let threefold = [&[5.0; 3][..], &[1.0; 97]].concat();
        let thin = [&[3.0, 2.0][..], &[0.0; 98]].concat();
        // Nothing stands out here: the search gives up, and the answer is right all the same.
        let flat: Vec<f64> = (0..150).map(|k| 1.0 - f64::from(k) * 1e-4).collect();
        for (spectrum, searched) in [(walk, true), (threefold, true), (thin, true), (flat, false)] {
            let n = spectrum.len();
            let a = with_spectrum(&spectrum);
            let pairs = top_eigen(&a, n, 3);
            assert!(residual(&a, n, &pairs) < 1e-9);
            for (k, (value, v)) in pairs.iter().enumerate() {
                assert!(
                    (value - spectrum[k]).abs() < 1e-9,
                    "{value} {}",
                    spectrum[k]
                );
                for (_, w) in &pairs[..k] {
                    assert!(v.iter().zip(w).map(|(x, y)| x * y).sum::<f64>().abs() < 1e-9);
                }
            }
            let square = DMatrix::from_row_slice(n, n, &a);
            assert_eq!(search(&square, 3).is_some(), searched, "{}", spectrum[1]);
        }
    }

    #[test]
    fn a_system_is_solved_and_a_singular_one_is_not() {
        let x = solve(&[4.0, 1.0, 1.0, 3.0], &[1.0, 2.0]).unwrap();
        assert!((4.0 * x[0] + x[1] - 1.0).abs() < 1e-12 && (x[0] + 3.0 * x[1] - 2.0).abs() < 1e-12);
        assert!(solve(&[1.0, 1.0, 1.0, 1.0], &[1.0, 2.0]).is_none());
        let factor = Cholesky::of(&[4.0, 1.0, 1.0, 3.0], 2).unwrap();
        let again = factor.solve(&[1.0, 2.0]);
        assert!(again.iter().zip(&x).all(|(a, b)| (a - b).abs() < 1e-12));
        assert!((factor.ln_det() - 11f64.ln()).abs() < 1e-12);
        assert!(Cholesky::of(&[1.0, 2.0, 2.0, 1.0], 2).is_none());
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

    #[test]
    fn products_and_transposes() {
        let (a, b) = (
            [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            [1.0, 0.0, 2.0, 1.0, 0.0, 3.0],
        );
        let ab = product(&a, &b, [2, 3, 2]);
        assert_eq!(ab, [5.0, 11.0, 14.0, 23.0]);
        let turned = product(&transposed(&b, 3), &transposed(&a, 2), [2, 3, 2]);
        assert_eq!(turned, transposed(&ab, 2));
        assert!(product(&a, &b, [3, 2, 3]).len() == 9 && product(&a, &b, [2, 2, 2]).is_empty());
    }

    #[test]
    fn eigenvalues_of_a_matrix_that_is_not_symmetric() {
        // The companion matrix of (x − 2)(x² − 2x + 5): 2 and 1 ± 2i.
        let a = [4.0, -9.0, 10.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
        let mut values = eigenvalues(&a, 3).unwrap();
        crate::order::sort_by(&mut values, |x, y| x[1].total_cmp(&y[1]));
        for (found, want) in values.iter().zip([[1.0, -2.0], [2.0, 0.0], [1.0, 2.0]]) {
            assert!(
                (found[0] - want[0]).hypot(found[1] - want[1]) < 1e-9,
                "{found:?}"
            );
        }
        assert_eq!(eigenvalues(&[f64::NAN], 1), None);
        assert_eq!((eigenvalues(&[], 0), eigenvalues(&[1.0], 2)), (None, None));
    }

    #[test]
    fn a_rotation_keeps_lengths_and_favours_no_direction() {
        let n = 7;
        let mut draws = Draws::new(2, Stream::Probe, 0);
        let mut sums = [0.0; 2];
        for _ in 0..400 {
            let r = rotation(n, &mut draws);
            let unit = product(&r, &transposed(&r, n), [n, n, n]);
            for (i, x) in unit.iter().enumerate() {
                let want = f64::from(u8::from(i % n == i / n));
                assert!((x - want).abs() < 1e-12);
            }
            // A square of an entry is 1/n in mean, the first vector's and the last's alike.
            sums[0] += r[0] * r[0] / 400.0;
            sums[1] += r[n * n - 1] * r[n * n - 1] / 400.0;
        }
        assert!(
            sums.iter().all(|s| (s * n as f64 - 1.0).abs() < 0.2),
            "{sums:?}"
        );
    }
}
