//! LayerNorm: `n = (x − mean)/√(var + 1e-5) · w + b` over the last axis, as TransformerLens.
//! Forward it is a stage of the product that follows it; here is its backward pass.
//!
//! With `x̂ = (x − mean)·r`, `r = 1/√(var + 1e-5)` and `g = dn·w`:
//! `dx = r·(g − mean(g) − x̂·mean(g·x̂)) (+ the gradient that came along the residual)`,
//! `dw = Σ dn·x̂`, `db = Σ dn`.

use super::rows::{BLOCK, chunks};
use super::{Call, Kernel, read, word, write};
use lambdahat_math::Real;

/// Added to the variance.
pub const EPS: f64 = 1e-5;

/// `(mean, 1/√(var + 1e-5))` of a row.
pub fn moments<T: Real>(x: &[T]) -> (T, T) {
    let n = T::of(x.len() as f64);
    let mean = x.iter().copied().sum::<T>() / n;
    let var = x.iter().map(|&x| (x - mean) * (x - mean)).sum::<T>() / n;
    (mean, (var + T::of(EPS)).sqrt().recip())
}

/// [`moments`] of every row of `x [rows][inner]` into `[rows][mean, 1/σ]`.
pub fn all_moments<T: Real>(norms: &mut [T], x: &[T], inner: usize) {
    chunks(norms, 2 * BLOCK, |block, norms| {
        for (i, pair) in norms.chunks_exact_mut(2).enumerate() {
            (pair[0], pair[1]) = moments(&x[(block * BLOCK + i) * inner..][..inner]);
        }
    });
}

/// A LayerNorm as a stage of a product.
#[derive(Clone, Copy, Debug)]
pub struct Stage<'a, T> {
    /// Its weight.
    pub w: &'a [T],
    /// Its bias.
    pub b: &'a [T],
    /// `[rows][mean, 1/σ]` of the rows it stands before.
    pub norms: &'a [T],
}

impl<T: Real> Stage<'_, T> {
    /// `y = (x − mean)·r·w + b` for row `n`.
    pub fn apply(&self, n: usize, y: &mut [T], x: &[T]) {
        let (mean, r) = (self.norms[2 * n], self.norms[2 * n + 1]);
        for (((y, &x), &w), &b) in y.iter_mut().zip(x).zip(self.w).zip(self.b) {
            *y = (x - mean) * r * w + b;
        }
    }
}

/// Rows of split `s` when `rows` are shared out over `splits`.
pub fn split(rows: usize, splits: usize, s: usize) -> std::ops::Range<usize> {
    let len = rows.div_ceil(splits.max(1));
    (s * len).min(rows)..((s + 1) * len).min(rows)
}

/// Backward pass of a LayerNorm whose input was `x [replica][rows][inner]`.
/// `dn` is the gradient at its output; writes `dx` and its part of every split of `grads`.
/// Row blocks and column blocks are different workgroups of one dispatch.
pub const NORM_BACKWARD: Kernel = Kernel {
    name: "nn/norm_backward",
    source: crate::shader!("../../shaders/nn/norm_backward.wgsl"),
    consts: &["rows", "inner", "residual", "splits"],
    params: &[word("arena"), word("ln_w"), word("ln_b")],
    bindings: &[
        read("x"),
        read("norms"),
        read("dn"),
        read("weights"),
        read("dresidual"),
        write("dx"),
        write("grads"),
    ],
    grid: |c| [c[0].div_ceil(64) + c[3] * c[1].div_ceil(64), 1],
    needs: |c, p, r| {
        let [rows, inner, residual, splits] = [c[0], c[1], c[2], c[3]].map(|x| x as usize);
        let n = r * rows * inner;
        let arena = p[0] as usize;
        vec![
            n,
            r * rows * 2,
            n,
            r * arena,
            n * residual,
            n,
            r * splits * arena,
        ]
    },
    tolerance: 5e-5,
    twin: crate::twin!(norm_backward),
};

fn norm_backward<T: Real>(mut call: Call<'_, T>) {
    let [rows, d, residual, splits] = call.consts();
    let (arena, ln_w, ln_b) = (call.offset(0), call.offset(1), call.offset(2));
    let count = call.replicas.len();
    let [x, norms, dn, weights, dresidual, dx, grads] = call.slots();
    let (x, norms, dn, weights, dresidual) = (x.f(), norms.f(), dn.f(), weights.f(), dresidual.f());
    let (dx, grads) = (dx.out(), grads.out());
    let width = T::of(d as f64);
    for r in 0..count {
        let w = &weights[r * arena + ln_w..][..d];
        chunks(
            &mut dx[r * rows * d..][..rows * d],
            BLOCK * d,
            |block, dx| {
                let mut hat = vec![T::zero(); d];
                for (i, dx) in dx.chunks_exact_mut(d).enumerate() {
                    let n = r * rows + block * BLOCK + i;
                    let (mean, rstd) = (norms[2 * n], norms[2 * n + 1]);
                    let (mut g1, mut g2) = (T::zero(), T::zero());
                    let row = dx.iter_mut().zip(&mut hat).zip(w);
                    for (((g, h), &w), (&x, &dn)) in row.zip(x[n * d..].iter().zip(&dn[n * d..])) {
                        *h = (x - mean) * rstd;
                        *g = dn * w;
                        g1 += *g;
                        g2 += *g * *h;
                    }
                    g1 /= width;
                    g2 /= width;
                    for (g, &h) in dx.iter_mut().zip(&hat) {
                        *g = rstd * (*g - g1 - h * g2);
                    }
                    if residual == 1 {
                        for (g, &along) in dx.iter_mut().zip(&dresidual[n * d..]) {
                            *g += along;
                        }
                    }
                }
            },
        );
    }
    chunks(&mut grads[..count * splits * arena], arena, |rs, grads| {
        let (r, s) = (rs / splits, rs % splits);
        let mut sums = vec![T::zero(); 2 * d];
        let (dw, db) = sums.split_at_mut(d);
        for n in split(rows, splits, s).map(|n| r * rows + n) {
            let (mean, rstd) = (norms[2 * n], norms[2 * n + 1]);
            let row = x[n * d..].iter().zip(&dn[n * d..]);
            for ((dw, db), (&x, &dn)) in dw.iter_mut().zip(db.iter_mut()).zip(row) {
                *dw += dn * ((x - mean) * rstd);
                *db += dn;
            }
        }
        grads[ln_w..][..d].copy_from_slice(dw);
        grads[ln_b..][..d].copy_from_slice(db);
    });
}

/// Consts, params, replicas and a label for each case a device is checked with.
#[must_use]
pub fn cases() -> Vec<(Vec<u32>, Vec<u32>, usize, &'static str)> {
    vec![
        (vec![21, 8, 1, 2], vec![16, 0, 8], 1, "with residual"),
        (
            vec![70, 66, 0, 4],
            vec![132, 0, 66],
            2,
            "odd shapes, two replicas",
        ),
    ]
}
