//! How many directions a matrix uses: its singular values, and their participation ratio.

use crate::math::linalg::{product, top_eigen, transposed};

/// Singular values kept.
pub const KEPT: usize = 8;

/// The spectrum of a matrix.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spectrum {
    /// Its greatest singular values σ, falling, at most [`KEPT`].
    pub values: Vec<f64>,
    /// `(Σσ²)² / Σσ⁴`, from 1 (one direction) to the rank (all alike).
    pub participation: f64,
}

/// The spectrum of `w [rows, columns]`; none if it is 0 or not finite. The mean is not taken off.
#[must_use]
pub fn spectrum(w: &[f64], columns: usize) -> Option<Spectrum> {
    let rows = w.len() / columns.max(1);
    let t = transposed(w, rows);
    // The smaller Gram matrix: its eigenvalues are σ².
    let (gram, n) = if rows < columns {
        (product(w, &t, [rows, columns, rows]), rows)
    } else {
        (product(&t, w, [columns, rows, columns]), columns)
    };
    let trace: f64 = (0..n).map(|i| gram[i * n + i]).sum();
    let square: f64 = gram.iter().map(|g| g * g).sum();
    let participation = trace * trace / square;
    participation.is_finite().then(|| {
        let values = top_eigen(&gram, n, KEPT.min(n)).into_iter();
        Spectrum {
            values: values.map(|(value, _)| value.max(0.0).sqrt()).collect(),
            participation,
        }
    })
}

/// Frobenius norm, `√Σw²`.
#[must_use]
pub fn norm(w: &[f32]) -> f64 {
    w.iter().map(|&w| f64::from(w).powi(2)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn singular_values_of_a_known_matrix() {
        // Rows 3 and 4 times two orthogonal directions.
        let w = [3.0, 0.0, 0.0, 0.0, 4.0, 0.0];
        for (w, columns) in [(w.to_vec(), 3), (transposed(&w, 2), 2)] {
            let s = spectrum(&w, columns).unwrap();
            assert!((s.values[0] - 4.0).abs() < 1e-12 && (s.values[1] - 3.0).abs() < 1e-12);
            assert!((s.participation - 625.0 / 337.0).abs() < 1e-12);
        }
        // All alike use every direction, copies of one row use one.
        let alike = spectrum(&[2.0, 0.0, 0.0, 2.0], 2).unwrap();
        assert!((alike.participation - 2.0).abs() < 1e-12);
        let one = spectrum(&[1.0, 2.0, 1.0, 2.0, 1.0, 2.0], 2).unwrap();
        assert!((one.participation - 1.0).abs() < 1e-12);
        assert_eq!(
            (spectrum(&[0.0; 4], 2), spectrum(&[f64::NAN; 4], 2)),
            (None, None)
        );
        // Planted fault: read with the other width, it is another matrix.
        assert!((spectrum(&w, 2).unwrap().values[0] - 4.0).abs() > 1e-3);
        assert!((norm(&[3.0, -4.0]) - 5.0).abs() < 1e-12);
    }
}
