//! The inner loops of the twins: matrix products as loops over row slices, which the compiler
//! turns into SIMD. Natively blocks of rows are shared out over threads; each block is computed by
//! one thread in one order and its size depends on the shapes alone, so the thread count cannot
//! change a bit.

use lambdahat_math::Real;
use std::ops::Range;

/// Rows a thread takes at a time.
pub const BLOCK: usize = 32;

/// Columns of a panel: with four rows, eight vector registers of sums.
const PANEL: usize = 8;

/// A right-hand side `w [k][m]` cut into panels of eight columns, each laid out `[k][8]`, so that
/// the innermost loop of a product reads straight on. Columns beyond m are 0.
#[derive(Debug)]
pub struct Panels<T> {
    data: Vec<T>,
    k: usize,
    m: usize,
}

impl<T: Real> Panels<T> {
    /// Zeros, to be filled by [`Panels::set_row`].
    pub fn zeros(k: usize, m: usize) -> Self {
        Self {
            data: vec![T::zero(); k * m.div_ceil(PANEL) * PANEL],
            k,
            m,
        }
    }
    /// Row `i`, columns `from..from + row.len()`.
    pub fn set_row(&mut self, i: usize, from: usize, row: &[T]) {
        let mut c = from;
        let mut row = row;
        while !row.is_empty() {
            let (now, later) = row.split_at(row.len().min(PANEL - c % PANEL));
            self.data[((c / PANEL) * self.k + i) * PANEL + c % PANEL..][..now.len()]
                .copy_from_slice(now);
            (row, c) = (later, c + now.len());
        }
    }
    /// Column `c`, all rows.
    pub fn set_column(&mut self, c: usize, column: &[T]) {
        let panel = &mut self.data[(c / PANEL) * self.k * PANEL..][..self.k * PANEL];
        for (w, &v) in panel.iter_mut().skip(c % PANEL).step_by(PANEL).zip(column) {
            *w = v;
        }
    }
    /// Groups `from..to` of `w [groups][k][width]` as columns.
    pub fn grouped(w: &[T], k: usize, width: usize, from: usize, to: usize) -> Self {
        let mut out = Self::zeros(k, (to - from) * width);
        for (g, block) in w.chunks_exact(k * width).take(to).skip(from).enumerate() {
            for (i, row) in block.chunks_exact(width).enumerate() {
                out.set_row(i, g * width, row);
            }
        }
        out
    }
    /// Groups `from..to` of `w [groups][k][width]` as rows: the transpose, `[(to−from)·width][k]`.
    pub fn transposed(w: &[T], k: usize, width: usize, from: usize, to: usize) -> Self {
        let mut out = Self::zeros((to - from) * width, k);
        for (g, block) in w.chunks_exact(k * width).take(to).skip(from).enumerate() {
            for (i, row) in block.chunks_exact(width).enumerate() {
                for (e, &v) in row.iter().enumerate() {
                    out.set_row(g * width + e, i, &[v]);
                }
            }
        }
        out
    }
}

/// `y[r, c] += Σᵢ x[r, i] · w[i, c]` for `rows` rows that lie `strides` = (x's, y's) apart; i runs
/// over `inner`, c below `cols`. Each sum runs over i in order, whatever the blocking.
pub fn product<T: Real>(
    y: &mut [T],
    x: &[T],
    strides: (usize, usize),
    rows: usize,
    w: &Panels<T>,
    inner: Range<usize>,
    cols: usize,
) {
    let (xs, ys) = strides;
    let cols = cols.min(w.m);
    if w.data.is_empty() {
        return;
    }
    for (p, panel) in w
        .data
        .chunks_exact(w.k * PANEL)
        .enumerate()
        .take(cols.div_ceil(PANEL))
    {
        let (panel, _) = panel[inner.start * PANEL..inner.end * PANEL].as_chunks::<PANEL>();
        let columns = p * PANEL..cols.min((p + 1) * PANEL);
        let mut r = 0;
        while r + 4 <= rows {
            let row = |j: usize| &x[(r + j) * xs..][inner.clone()];
            let sums = quad(panel, row(0), row(1), row(2), row(3));
            for (j, sums) in sums.iter().enumerate() {
                add(&mut y[(r + j) * ys..][columns.clone()], sums);
            }
            r += 4;
        }
        while r < rows {
            let sums = single(panel, &x[r * xs..][inner.clone()]);
            add(&mut y[r * ys..][columns.clone()], &sums);
            r += 1;
        }
    }
}

#[inline]
fn add<T: Real>(y: &mut [T], sums: &[T; PANEL]) {
    for (y, &s) in y.iter_mut().zip(sums) {
        *y += s;
    }
}

/// Four rows by one panel: the sums stay in registers, which they do not where this is inlined.
#[inline(never)]
fn quad<T: Real>(w: &[[T; PANEL]], a: &[T], b: &[T], c: &[T], d: &[T]) -> [[T; PANEL]; 4] {
    let mut s0 = [T::zero(); PANEL];
    let mut s1 = [T::zero(); PANEL];
    let mut s2 = [T::zero(); PANEL];
    let mut s3 = [T::zero(); PANEL];
    for ((((w, &a), &b), &c), &d) in w.iter().zip(a).zip(b).zip(c).zip(d) {
        for j in 0..PANEL {
            s0[j] += a * w[j];
            s1[j] += b * w[j];
            s2[j] += c * w[j];
            s3[j] += d * w[j];
        }
    }
    [s0, s1, s2, s3]
}

/// One row by one panel, in the same order.
#[inline(never)]
fn single<T: Real>(w: &[[T; PANEL]], a: &[T]) -> [T; PANEL] {
    let mut s = [T::zero(); PANEL];
    for (w, &a) in w.iter().zip(a) {
        for j in 0..PANEL {
            s[j] += a * w[j];
        }
    }
    s
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

/// `exp(scale·(row − max row))` in place; returns (max row, sum).
pub fn exp_row<T: Real>(row: &mut [T], scale: T) -> (T, T) {
    const LANES: usize = 8;
    let max = |a: T, b: T| if b > a { b } else { a };
    let (chunks, rest) = row.as_chunks::<LANES>();
    let mut tops = [T::neg_infinity(); LANES];
    for chunk in chunks {
        for (top, &x) in tops.iter_mut().zip(chunk) {
            *top = max(*top, x);
        }
    }
    let top = tops
        .iter()
        .chain(rest)
        .fold(T::neg_infinity(), |a, &b| max(a, b));
    for x in row.iter_mut() {
        *x = scale * (*x - top);
    }
    T::exp_all(row);
    let (chunks, rest) = row.as_chunks::<LANES>();
    let mut sums = [T::zero(); LANES];
    for chunk in chunks {
        for (sum, &x) in sums.iter_mut().zip(chunk) {
            *sum += x;
        }
    }
    (top, sums.iter().chain(rest).fold(T::zero(), |a, &b| a + b))
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

/// [`chunks`] over three outputs at once.
pub fn chunks3<T: Real>(
    a: (&mut [T], usize),
    b: (&mut [T], usize),
    c: (&mut [T], usize),
    f: impl Fn(usize, &mut [T], &mut [T], &mut [T]) + Send + Sync,
) {
    #[cfg(not(target_arch = "wasm32"))]
    {
        use rayon::prelude::*;
        if a.0.len() > WORTH_THREADS {
            let both = a.0.par_chunks_mut(a.1).zip(b.0.par_chunks_mut(b.1));
            let all = both.zip(c.0.par_chunks_mut(c.1)).enumerate();
            all.for_each(|(i, ((a, b), c))| f(i, a, b, c));
            return;
        }
    }
    let both = a.0.chunks_mut(a.1).zip(b.0.chunks_mut(b.1));
    let all = both.zip(c.0.chunks_mut(c.1)).enumerate();
    all.for_each(|(i, ((a, b), c))| f(i, a, b, c));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(n: usize, by: f64) -> Vec<f64> {
        (0..n).map(|i| (i as f64 * by).sin()).collect()
    }

    /// The blocked product is the triple loop, for every remainder of the blocking, on rows that
    /// lie apart, over part of the sum.
    #[test]
    fn the_product_is_the_triple_loop() {
        for (n, k, m) in [(1, 1, 3), (4, 7, 8), (5, 8, 9), (9, 19, 17), (32, 16, 24)] {
            let (xs, ys) = (k + 2, m + 1);
            let (x, w) = (numbers(n * xs, 0.7), numbers(k * m, 0.3));
            for (inner, cols) in [(0..k, m), (k / 3..k, m.div_ceil(2))] {
                let panels = Panels::grouped(&w, k, m, 0, 1);
                let mut y = vec![1.0; n * ys];
                product(&mut y, &x, (xs, ys), n, &panels, inner.clone(), cols);
                for (at, y) in y.iter().enumerate() {
                    let (r, c) = (at / ys, at % ys);
                    let sum = || {
                        inner
                            .clone()
                            .map(|i| x[r * xs + i] * w[i * m + c])
                            .sum::<f64>()
                    };
                    let want = 1.0 + if c < cols { sum() } else { 0.0 };
                    assert!((y - want).abs() < 1e-12, "{n}x{k}x{m} at {r},{c}");
                }
            }
        }
    }

    /// A row's bits do not depend on the rows beside it.
    #[test]
    fn blocking_cannot_be_seen() {
        let (n, k, m) = (7, 13, 11);
        let to32 = |x: Vec<f64>| x.iter().map(|&x| x as f32).collect::<Vec<_>>();
        let (x, w) = (to32(numbers(n * k, 0.7)), to32(numbers(k * m, 0.3)));
        let panels = Panels::grouped(&w, k, m, 0, 1);
        let mut all = vec![0.0; n * m];
        product(&mut all, &x, (k, m), n, &panels, 0..k, m);
        for r in 0..n {
            let mut one = vec![0.0; m];
            product(&mut one, &x[r * k..], (k, m), 1, &panels, 0..k, m);
            assert_eq!(one, all[r * m..][..m]);
        }
    }

    #[test]
    fn packings_agree() {
        let (k, groups, width) = (3, 3, 4);
        let w = numbers(k * groups * width, 1.0);
        let a = Panels::grouped(&w, k, width, 1, 3);
        let b = Panels::transposed(&w, k, width, 1, 3);
        let at = |p: &Panels<f64>, i: usize, c: usize| p.data[(c / 8 * p.k + i) * 8 + c % 8];
        for i in 0..k {
            for c in 0..2 * width {
                assert_eq!(at(&a, i, c), at(&b, c, i));
                assert_eq!(
                    at(&a, i, c),
                    w[((1 + c / width) * k + i) * width + c % width]
                );
            }
        }
    }
}
