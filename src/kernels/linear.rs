//! Products of the rows of the residual stream with weights, forward:
//! `y = act(f(x)·W + b) (+ residual)`, where `f` is an optional LayerNorm and, for the first
//! `pos_groups` groups of columns, an added position (shortformer: queries and keys, not values).
//!
//! `W` is `[groups][inner][width]`: `W_Q`, `W_K`, `W_V` of all heads lie back to back and are one
//! product with 3·heads groups of d_head columns; everything else has one group.
//!
//! GELU is the tanh approximation (`gelu_new`; PyTorch's `approximate="tanh"`), written as
//! `x·σ(2u)`, `u = √(2/π)(x + 0.044715x³)`: the same function, without the tanh that WGSL only
//! keeps to 1e-5.

use super::norm::{Stage, all_moments};
use super::rows::{BLOCK, Panels, chunks, chunks2, product};
use super::{Call, Kernel, read, word, write};
use lambdahat_math::Real;
use std::borrow::Cow;
use std::ops::Range;

/// `gelu_new(x)` and its derivative.
pub fn gelu<T: Real>(x: T) -> (T, T) {
    gated(x, exponent(x).exp())
}

/// [`gelu`] of a row, with the exponential of whole rows: `x` becomes the derivative, `y` the value.
pub fn gelu_row<T: Real>(x: &mut [T], y: &mut [T]) {
    for (y, &x) in y.iter_mut().zip(x.iter()) {
        *y = exponent(x);
    }
    T::exp_all(y);
    for (x, y) in x.iter_mut().zip(y) {
        (*y, *x) = gated(*x, *y);
    }
}

/// 2√(2/π), twice the slope of the tanh's argument at 0; and the weight of its cube.
const SLOPE: f64 = 1.595_769_121_605_730_7;
const CUBE: f64 = 0.044_715;

/// −2u. σ(±80) is 1 and 2e-35: the clamp changes no value and keeps exp finite.
fn exponent<T: Real>(x: T) -> T {
    -(T::of(SLOPE) * (x + T::of(CUBE) * x * x * x))
        .max(T::of(-80.0))
        .min(T::of(80.0))
}

/// x·s and its derivative for the gate s = 1/(1 + `e`).
fn gated<T: Real>(x: T, e: T) -> (T, T) {
    let one = T::one();
    let s = (one + e).recip();
    let inner = one + T::of(3.0) * T::of(CUBE) * x * x;
    (x * s, s + x * s * (one - s) * T::of(SLOPE) * inner)
}

/// The activation numbered `act`: 0 none, 1 ReLU, 2 GELU.
pub fn activate<T: Real>(act: usize, x: T) -> T {
    match act {
        1 => x.max(T::zero()),
        2 => gelu(x).0,
        _ => x,
    }
}

/// Derivative of the activation at its input; 0 at ReLU's corner, as PyTorch.
pub fn slope<T: Real>(act: usize, x: T) -> T {
    match act {
        1 if x > T::zero() => T::one(),
        1 => T::zero(),
        2 => gelu(x).1,
        _ => T::one(),
    }
}

/// `x [replica][rows][inner]` to `y [replica][rows][groups·width]`; `pre` keeps the input of the
/// activation (act ≠ 0), `norms [replica][rows][mean, 1/σ]` the moments (norm = 1) for the
/// backward pass.
pub const LINEAR: Kernel = Kernel {
    name: "nn/linear",
    source: crate::shader!("../../shaders/nn/linear.wgsl"),
    consts: &[
        "rows",
        "ctx",
        "inner",
        "groups",
        "width",
        "norm",
        "pos_groups",
        "bias",
        "act",
        "residual",
    ],
    params: &[
        word("arena"),
        word("w"),
        word("b"),
        word("ln_w"),
        word("ln_b"),
        word("w_pos"),
    ],
    bindings: &[
        read("x"),
        read("weights"),
        read("resid"),
        write("y"),
        write("pre"),
        write("norms"),
    ],
    grid: |c| [(c[3] * c[4]).div_ceil(32), c[0].div_ceil(32)],
    needs: |c, p, r| {
        let [rows, inner, groups, width] = [c[0], c[2], c[3], c[4]].map(|x| x as usize);
        let out = r * rows * groups * width;
        let on = |flag: u32, len: usize| if flag == 0 { 0 } else { len };
        vec![
            r * rows * inner,
            r * p[0] as usize,
            on(c[9], out),
            out,
            on(c[8], out),
            on(c[5], r * rows * 2),
        ]
    },
    tolerance: 5e-5,
    twin: crate::twin!(linear),
};

/// The input rows of a product, after the optional LayerNorm, and with the position added.
/// Also how the weight gradient finds its input again.
pub(super) struct Input<'a, T> {
    /// `[rows][inner]` of one replica.
    pub x: &'a [T],
    /// The LayerNorm, if there is one.
    pub norm: Option<Stage<'a, T>>,
    /// `W_pos [ctx][inner]`, if some columns see it.
    pub pos: Option<&'a [T]>,
    pub ctx: usize,
    pub inner: usize,
}

impl<'a, T: Real> Input<'a, T> {
    /// Rows `range` as the product sees them, `[rows][inner]`; the second copy has the positions
    /// added and is empty if there are none.
    pub fn rows(&self, range: Range<usize>) -> (Cow<'a, [T]>, Vec<T>) {
        let k = self.inner;
        let x = &self.x[range.start * k..range.end * k];
        let plain = match self.norm {
            Some(stage) => {
                let mut out = vec![T::zero(); x.len()];
                let both = out.chunks_exact_mut(k).zip(x.chunks_exact(k));
                for (n, (y, x)) in range.clone().zip(both) {
                    stage.apply(n, y, x);
                }
                Cow::Owned(out)
            }
            None => Cow::Borrowed(x),
        };
        let mut with_pos = Vec::new();
        if let Some(pos) = self.pos {
            with_pos.extend_from_slice(&plain);
            for (n, row) in range.zip(with_pos.chunks_exact_mut(k)) {
                for (x, &p) in row.iter_mut().zip(&pos[n % self.ctx * k..]) {
                    *x += p;
                }
            }
        }
        (plain, with_pos)
    }
}

fn linear<T: Real>(mut call: Call<'_, T>) {
    let [
        rows,
        ctx,
        k,
        groups,
        width,
        norm,
        pos_groups,
        bias,
        act,
        residual,
    ] = call.consts();
    let arena = call.offset(0);
    let [w_at, b_at, lnw_at, lnb_at, pos_at] = std::array::from_fn(|i| call.offset(i + 1));
    let count = call.replicas.len();
    let [x, weights, resid, y, pre, norms] = call.slots();
    let (x, weights, resid) = (x.f(), weights.f(), resid.f());
    let (y, pre, norms) = (y.out(), pre.out(), norms.out());
    let m = groups * width;
    let pc = pos_groups * width;
    for r in 0..count {
        let p = &weights[r * arena..];
        let w_pos = Panels::grouped(&p[w_at..], k, width, 0, pos_groups);
        let w = Panels::grouped(&p[w_at..], k, width, pos_groups, groups);
        let x = &x[r * rows * k..][..rows * k];
        if norm == 1 {
            all_moments(&mut norms[2 * r * rows..][..2 * rows], x, k);
        }
        let input = Input {
            x,
            norm: (norm == 1).then(|| Stage {
                w: &p[lnw_at..][..k],
                b: &p[lnb_at..][..k],
                norms: &norms[2 * r * rows..][..2 * rows],
            }),
            pos: (pos_groups > 0).then(|| &p[pos_at..][..ctx * k]),
            ctx,
            inner: k,
        };
        let multiply = |block: usize, y: &mut [T]| {
            for y in y.chunks_exact_mut(m) {
                if bias == 1 {
                    y.copy_from_slice(&p[b_at..][..m]);
                } else {
                    y.fill(T::zero());
                }
            }
            let (start, len) = (block * BLOCK, y.len() / m);
            let (plain, with_pos) = input.rows(start..start + len);
            product(y, &with_pos, (k, m), len, &w_pos, 0..k, pc);
            product(&mut y[pc..], &plain, (k, m), len, &w, 0..k, m);
        };
        let finish = |block: usize, y: &mut [T]| {
            if residual == 1 {
                for (y, &x) in y.iter_mut().zip(&resid[(r * rows + block * BLOCK) * m..]) {
                    *y += x;
                }
            }
        };
        let y = &mut y[r * rows * m..][..rows * m];
        if act == 0 {
            chunks(y, BLOCK * m, |block, y| {
                multiply(block, y);
                finish(block, y);
            });
        } else {
            let pre = &mut pre[r * rows * m..][..rows * m];
            chunks2((y, BLOCK * m), (pre, BLOCK * m), |block, y, pre| {
                multiply(block, pre);
                for (y, &x) in y.iter_mut().zip(pre.iter()) {
                    *y = activate(act, x);
                }
                finish(block, y);
            });
        }
    }
}

/// Cases of [`LINEAR`].
#[must_use]
pub fn cases() -> Vec<(Vec<u32>, Vec<u32>, usize, &'static str)> {
    vec![
        (
            vec![48, 12, 16, 6, 8, 0, 0, 0, 0, 0],
            vec![768, 0, 0, 0, 0, 0],
            1,
            "grouped columns",
        ),
        (
            vec![35, 7, 10, 6, 3, 1, 4, 0, 0, 0],
            vec![280, 1, 0, 181, 191, 201],
            2,
            "LN, positions",
        ),
        (
            vec![35, 7, 10, 1, 37, 1, 0, 1, 1, 0],
            vec![430, 0, 370, 407, 417, 0],
            1,
            "LN, bias, relu",
        ),
        (
            vec![33, 7, 10, 1, 5, 0, 0, 1, 2, 0],
            vec![60, 0, 50, 0, 0, 0],
            3,
            "bias, gelu, replicas",
        ),
        (
            vec![64, 8, 33, 1, 40, 0, 0, 1, 0, 1],
            vec![1400, 3, 1330, 0, 0, 0],
            1,
            "bias, residual",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the definition with tanh, and against its numerical slope.
    #[test]
    fn gelu_is_the_tanh_approximation() {
        for i in -60..=60 {
            let x = f64::from(i) * 0.1;
            let tanh = ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x)).tanh();
            assert!((gelu(x).0 - 0.5 * x * (1.0 + tanh)).abs() < 1e-14);
            let h = 1e-5;
            let slope = (gelu(x + h).0 - gelu(x - h).0) / (2.0 * h);
            assert!((gelu(x).1 - slope).abs() < 1e-9);
        }
        assert!(gelu(-1e4_f32).0.abs() < 1e-20 && gelu(1e4_f32).0 == 1e4);
    }
}
