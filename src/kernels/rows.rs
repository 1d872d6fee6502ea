//! The inner loops of the twins: matrix products as loops over row slices, which the compiler
//! turns into SIMD. Natively rows are shared out over threads; each output row is computed by one
//! thread in one order, so the thread count cannot change a bit.

use crate::math::Real;

/// `y [n, m] (+)= x [n, k] · w [k, m]`, row-major.
pub fn matmul<T: Real>(y: &mut [T], x: &[T], w: &[T], k: usize, m: usize, accumulate: bool) {
    // Four rows of w at a time: one pass over y for four multiply-adds.
    let row = |y: &mut [T], x: &[T]| {
        if !accumulate {
            y.fill(T::zero());
        }
        let mut i = 0;
        while i + 4 <= k {
            let (a, b, c, d) = (x[i], x[i + 1], x[i + 2], x[i + 3]);
            let w = &w[i * m..(i + 4) * m];
            let (w0, w) = w.split_at(m);
            let (w1, w) = w.split_at(m);
            let (w2, w3) = w.split_at(m);
            for ((((y, &w0), &w1), &w2), &w3) in y.iter_mut().zip(w0).zip(w1).zip(w2).zip(w3) {
                *y += (a * w0 + b * w1) + (c * w2 + d * w3);
            }
            i += 4;
        }
        while i < k {
            let a = x[i];
            for (y, &w) in y.iter_mut().zip(&w[i * m..(i + 1) * m]) {
                *y += a * w;
            }
            i += 1;
        }
    };
    for_rows(y, m, |n, y| row(y, &x[n * k..(n + 1) * k]));
}

/// Calls `f(index, chunk)` for every `chunk` of `len` elements, over threads where there are any.
pub fn for_rows<T: Real>(y: &mut [T], len: usize, f: impl Fn(usize, &mut [T]) + Send + Sync) {
    #[cfg(not(target_arch = "wasm32"))]
    {
        use rayon::prelude::*;
        // Below this, starting threads costs more than they save.
        if y.len() > 1 << 14 {
            y.par_chunks_mut(len).with_min_len(16).enumerate().for_each(|(i, c)| f(i, c));
            return;
        }
    }
    y.chunks_mut(len).enumerate().for_each(|(i, c)| f(i, c));
}
