//! Causal attention of all heads: `pattern = softmax(q·kᵀ/√d_head, keys ≤ query)`,
//! `z = head_scale · pattern·v`, and its gradient.
//!
//! `qkv [replica][batch·ctx][3·heads·d_head]` holds the queries of every head, then the keys,
//! then the values. Masked scores are -1e30 and their pattern is exactly 0.

use super::rows::{axpy_rows, chunks2, dot};
use super::{Call, Kernel, read, word, write};
use crate::math::Real;

const CONSTS: &[&str] = &["batch", "ctx", "heads", "d_head"];

/// Elements of `z` and of the pattern, and the length of `head_scale`.
fn lengths(c: &[u32], p: &[u32], replicas: usize) -> (usize, usize, usize) {
    let [batch, ctx, heads, d_head] = [c[0], c[1], c[2], c[3]].map(|x| x as usize);
    let rows = replicas * batch * ctx;
    (rows * heads * d_head, rows * heads * ctx, replicas * p[0] as usize)
}

/// Writes `pattern [replica][batch][head][query][key]` and `z [replica][batch·ctx][heads·d_head]`.
/// `head_scale [replica][scales]` multiplies the output of head h by its element `first + h`;
/// 0 ablates the head.
pub const ATTENTION: Kernel = Kernel {
    name: "nn/attention",
    source: include_str!("../../shaders/nn/attention.wgsl"),
    consts: CONSTS,
    params: &[word("scales"), word("first")],
    bindings: &[read("qkv"), read("head_scale"), write("pattern"), write("z")],
    grid: |c| [(c[0] * c[1] * c[2]).div_ceil(64), 1],
    needs: |c, p, r| {
        let (z, pattern, scales) = lengths(c, p, r);
        vec![3 * z, scales, pattern, z]
    },
    tolerance: 5e-5,
    twin: crate::twin!(attention),
};

/// One head of one sequence, cut out of `qkv`, keys and values turned on their sides as well.
struct Head<T> {
    q: Vec<T>,
    k: Vec<T>,
    v: Vec<T>,
}

impl<T: Real> Head<T> {
    fn new(qkv: &[T], ctx: usize, heads: usize, dh: usize, h: usize) -> Self {
        let cut = |part: usize| -> Vec<T> {
            let rows = qkv.chunks_exact(3 * heads * dh).take(ctx);
            rows.flat_map(|row| &row[(part * heads + h) * dh..][..dh]).copied().collect()
        };
        Self { q: cut(0), k: cut(1), v: cut(2) }
    }
}

/// `[rows][cols]` turned on its side.
fn turned<T: Real>(x: &[T], cols: usize) -> Vec<T> {
    let rows = x.len() / cols;
    let mut out = vec![T::zero(); x.len()];
    for (i, row) in x.chunks_exact(cols).enumerate() {
        for (j, &v) in row.iter().enumerate() {
            out[j * rows + i] = v;
        }
    }
    out
}

fn attention<T: Real>(mut call: Call<'_, T>) {
    let [batch, ctx, heads, dh] = call.consts();
    let (scales, first) = (call.offset(0), call.offset(1));
    let count = call.replicas.len();
    let [qkv, head_scale, pattern, z] = call.slots();
    let (qkv, head_scale, pattern, z) = (qkv.f(), head_scale.f(), pattern.out(), z.out());
    let m = heads * dh;
    let root = T::of(dh as f64).sqrt().recip();
    let sequences = count * batch;
    chunks2(
        (&mut z[..sequences * ctx * m], ctx * m),
        (&mut pattern[..sequences * heads * ctx * ctx], heads * ctx * ctx),
        |b, z, pattern| {
            for (h, pattern) in pattern.chunks_exact_mut(ctx * ctx).enumerate() {
                let scale = head_scale[b / batch * scales + first + h];
                let head = Head::new(&qkv[b * ctx * 3 * m..], ctx, heads, dh, h);
                let k_side = turned(&head.k, dh);
                for (t, row) in pattern.chunks_exact_mut(ctx).enumerate() {
                    row.fill(T::zero());
                    let row = &mut row[..=t];
                    axpy_rows(row, &head.q[t * dh..][..dh], &k_side, ctx);
                    softmax(row, root);
                    let z = &mut z[t * m + h * dh..][..dh];
                    z.fill(T::zero());
                    axpy_rows(z, row, &head.v, dh);
                    z.iter_mut().for_each(|z| *z *= scale);
                }
            }
        },
    );
}

/// `softmax(scale · row)` in place.
fn softmax<T: Real>(row: &mut [T], scale: T) {
    let top = row.iter().fold(T::neg_infinity(), |a, &b| if b > a { b } else { a });
    let mut sum = T::zero();
    for p in row.iter_mut() {
        *p = ((*p - top) * scale).exp();
        sum += *p;
    }
    let over = sum.recip();
    row.iter_mut().for_each(|p| *p *= over);
}

/// With `dp = head_scale · dz·vᵀ` and `D = dz·z` (which is `Σ pattern·dp`):
/// `ds = pattern·(dp − D)/√d_head`, `dq = ds·k`, `dk = dsᵀ·q`, `dv = head_scale · patternᵀ·dz`.
pub const ATTENTION_BACKWARD: Kernel = Kernel {
    name: "nn/attention_backward",
    source: include_str!("../../shaders/nn/attention_backward.wgsl"),
    consts: CONSTS,
    params: &[word("scales"), word("first")],
    bindings: &[
        read("qkv"),
        read("head_scale"),
        read("pattern"),
        read("z"),
        read("dz"),
        write("dqkv"),
    ],
    grid: |c| [(c[0] * c[1] * c[2]).div_ceil(64), 1],
    needs: |c, p, r| {
        let (z, pattern, scales) = lengths(c, p, r);
        vec![3 * z, scales, pattern, z, z, 3 * z]
    },
    tolerance: 5e-5,
    twin: crate::twin!(attention_backward),
};

fn attention_backward<T: Real>(mut call: Call<'_, T>) {
    let [batch, ctx, heads, dh] = call.consts();
    let (scales, first) = (call.offset(0), call.offset(1));
    let count = call.replicas.len();
    let [qkv, head_scale, pattern, z, dz, dqkv] = call.slots();
    let (qkv, head_scale, pattern) = (qkv.f(), head_scale.f(), pattern.f());
    let (z, dz, dqkv) = (z.f(), dz.f(), dqkv.out());
    let m = heads * dh;
    let root = T::of(dh as f64).sqrt().recip();
    let len = ctx * 3 * m;
    super::rows::chunks(&mut dqkv[..count * batch * len], len, |b, dqkv| {
        for h in 0..heads {
            let scale = head_scale[b / batch * scales + first + h];
            let head = Head::new(&qkv[b * len..], ctx, heads, dh, h);
            let v_side = turned(&head.v, dh);
            let cut = |x: &[T]| -> Vec<T> {
                let rows = x[b * ctx * m..].chunks_exact(m).take(ctx);
                rows.flat_map(|row| &row[h * dh..][..dh]).copied().collect()
            };
            let (z, dz) = (cut(z), cut(dz));
            let pattern = &pattern[(b * heads + h) * ctx * ctx..][..ctx * ctx];
            let mut ds = vec![T::zero(); ctx * ctx];
            for (t, ds) in ds.chunks_exact_mut(ctx).enumerate() {
                let ds = &mut ds[..=t];
                let dz = &dz[t * dh..][..dh];
                axpy_rows(ds, dz, &v_side, ctx);
                let along = dot(dz, &z[t * dh..][..dh]);
                for (ds, &p) in ds.iter_mut().zip(&pattern[t * ctx..]) {
                    *ds = p * (scale * *ds - along) * root;
                }
                let dq = &mut dqkv[t * 3 * m + h * dh..][..dh];
                dq.fill(T::zero());
                axpy_rows(dq, ds, &head.k, dh);
            }
            let (ds, p) = (turned(&ds, ctx), turned(pattern, ctx));
            for s in 0..ctx {
                let later = s * ctx + s..(s + 1) * ctx;
                let row = &mut dqkv[s * 3 * m..][..3 * m];
                let dk = &mut row[(heads + h) * dh..][..dh];
                dk.fill(T::zero());
                axpy_rows(dk, &ds[later.clone()], &head.q[s * dh..], dh);
                let dv = &mut row[(2 * heads + h) * dh..][..dh];
                dv.fill(T::zero());
                axpy_rows(dv, &p[later], &dz[s * dh..], dh);
                dv.iter_mut().for_each(|x| *x *= scale);
            }
        }
    });
}

/// Cases of [`ATTENTION`] and of [`ATTENTION_BACKWARD`].
#[must_use]
pub fn cases() -> Vec<(Vec<u32>, Vec<u32>, usize, &'static str)> {
    vec![
        (vec![2, 12, 2, 16], vec![4, 2], 1, "one block of channels"),
        (vec![3, 7, 3, 5], vec![3, 0], 2, "odd sizes, replicas"),
        (vec![1, 33, 2, 24], vec![2, 0], 1, "two blocks of channels"),
    ]
}
