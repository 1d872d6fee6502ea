//! The inner loops of the twins: matrix products as loops over row slices, which the compiler
//! turns into SIMD. Natively blocks of rows are shared out over threads; each block is computed by
//! one thread in one order and its size depends on the shapes alone, so the thread count cannot
//! change a bit.

use crate::math::Real;
use std::borrow::Cow;

/// Rows a thread takes at a time.
pub const BLOCK: usize = 32;

/// `y += Σᵢ x[i] · w[i·stride ..][..y.len()]`: one output row of a product.
#[inline]
pub fn axpy_rows<T: Real>(y: &mut [T], x: &[T], w: &[T], stride: usize) {
    let m = y.len();
    // Eight rows of w at a time: one pass over y for eight multiply-adds.
    let (eights, rest) = x.as_chunks::<8>();
    let mut at = 0;
    for x in eights {
        let row = |i: usize| &w[at + i * stride..at + i * stride + m];
        let rows = [row(0), row(1), row(2), row(3), row(4), row(5), row(6), row(7)];
        for (j, y) in y.iter_mut().enumerate() {
            let a = (x[0] * rows[0][j] + x[1] * rows[1][j]) + (x[2] * rows[2][j] + x[3] * rows[3][j]);
            let b = (x[4] * rows[4][j] + x[5] * rows[5][j]) + (x[6] * rows[6][j] + x[7] * rows[7][j]);
            *y += a + b;
        }
        at += 8 * stride;
    }
    for &a in rest {
        for (y, &w) in y.iter_mut().zip(&w[at..at + m]) {
            *y += a * w;
        }
        at += stride;
    }
}

/// `Σᵢ a[i] b[i]`, in four interleaved sums.
pub fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    let (a4, a_rest) = a.as_chunks::<4>();
    let (b4, b_rest) = b.as_chunks::<4>();
    let mut s = [T::zero(); 4];
    for (a, b) in a4.iter().zip(b4) {
        for i in 0..4 {
            s[i] += a[i] * b[i];
        }
    }
    let tail: T = a_rest.iter().zip(b_rest).map(|(&a, &b)| a * b).sum();
    (s[0] + s[1]) + (s[2] + s[3]) + tail
}

/// `[groups][k][width]` as the dense `[k][groups·width]` that row slices want.
pub fn dense<T: Real>(w: &[T], k: usize, groups: usize, width: usize) -> Cow<'_, [T]> {
    if groups == 1 {
        return Cow::Borrowed(&w[..k * width]);
    }
    let m = groups * width;
    let mut out = vec![T::zero(); k * m];
    for (g, block) in w[..k * m].chunks_exact(k * width).enumerate() {
        for (i, row) in block.chunks_exact(width).enumerate() {
            out[i * m + g * width..][..width].copy_from_slice(row);
        }
    }
    Cow::Owned(out)
}

/// `[groups][k][width]` as `[groups·width][k]`, for products with the transpose.
pub fn transposed<T: Real>(w: &[T], k: usize, groups: usize, width: usize) -> Vec<T> {
    let m = groups * width;
    let mut out = vec![T::zero(); k * m];
    for (g, block) in w[..k * m].chunks_exact(k * width).enumerate() {
        for (i, row) in block.chunks_exact(width).enumerate() {
            for (e, &v) in row.iter().enumerate() {
                out[(g * width + e) * k + i] = v;
            }
        }
    }
    out
}

/// Below this many elements, starting threads costs more than they save.
#[cfg(not(target_arch = "wasm32"))]
const WORTH_THREADS: usize = 1 << 12;

/// Calls `f(index, chunk)` for every `chunk` of `len` elements, over threads where there are any.
pub fn chunks<T: Real>(y: &mut [T], len: usize, f: impl Fn(usize, &mut [T]) + Send + Sync) {
    #[cfg(not(target_arch = "wasm32"))]
    {
        use rayon::prelude::*;
        if y.len() > WORTH_THREADS {
            y.par_chunks_mut(len).enumerate().for_each(|(i, c)| f(i, c));
            return;
        }
    }
    y.chunks_mut(len).enumerate().for_each(|(i, c)| f(i, c));
}

/// [`chunks`] over two outputs at once.
pub fn chunks2<T: Real>(
    a: (&mut [T], usize),
    b: (&mut [T], usize),
    f: impl Fn(usize, &mut [T], &mut [T]) + Send + Sync,
) {
    #[cfg(not(target_arch = "wasm32"))]
    {
        use rayon::prelude::*;
        if a.0.len() > WORTH_THREADS {
            let both = a.0.par_chunks_mut(a.1).zip(b.0.par_chunks_mut(b.1));
            both.enumerate().for_each(|(i, (a, b))| f(i, a, b));
            return;
        }
    }
    let both = a.0.chunks_mut(a.1).zip(b.0.chunks_mut(b.1));
    both.enumerate().for_each(|(i, (a, b))| f(i, a, b));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The blocked row product is the triple loop, for every remainder of the blocking.
    #[test]
    fn rows_are_the_product() {
        for (k, m) in [(1, 3), (7, 5), (8, 4), (19, 11), (32, 16)] {
            let x: Vec<f64> = (0..k).map(|i| (i as f64 * 0.7).sin()).collect();
            let w: Vec<f64> = (0..k * m).map(|i| (i as f64 * 0.3).cos()).collect();
            let mut y = vec![1.0; m];
            axpy_rows(&mut y, &x, &w, m);
            for (j, y) in y.iter().enumerate() {
                let want: f64 = 1.0 + (0..k).map(|i| x[i] * w[i * m + j]).sum::<f64>();
                assert!((y - want).abs() < 1e-12, "{k}x{m}");
            }
        }
    }

    #[test]
    fn packing_and_transposing_agree() {
        let (k, groups, width) = (3, 2, 4);
        let w: Vec<f64> = (0..k * groups * width).map(|i| i as f64).collect();
        let (a, b) = (dense(&w, k, groups, width), transposed(&w, k, groups, width));
        for i in 0..k {
            for c in 0..groups * width {
                assert_eq!(a[i * groups * width + c], b[c * k + i]);
                assert_eq!(a[i * groups * width + c], w[(c / width * k + i) * width + c % width]);
            }
        }
    }
}
