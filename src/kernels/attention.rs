//! Causal attention of all heads: `pattern = softmax(q·kᵀ/√d_head, keys ≤ query)`,
//! `z = head_scale · pattern·v`, and its gradient.
//!
//! `qkv [replica][batch·ctx][3·heads·d_head]` holds the queries of every head, then the keys,
//! then the values. Masked scores are -1e30 and their pattern is exactly 0.
//!
//! A frozen head takes its pattern as it is given and moves values only, so that an ablation can be
//! told apart from what it does to the patterns of later heads.

use super::rows::{Panels, chunks, chunks2, dot, exp_row, product};
use super::{Call, Kernel, read, word, write};
use lambdahat_math::Real;

const CONSTS: &[&str] = &["batch", "ctx", "heads", "d_head"];

/// Elements of `z` and of the pattern, and the length of `head_scale`.
fn lengths(c: &[u32], p: &[u32], replicas: usize) -> (usize, usize, usize) {
    let [batch, ctx, heads, d_head] = [c[0], c[1], c[2], c[3]].map(|x| x as usize);
    let rows = replicas * batch * ctx;
    (
        rows * heads * d_head,
        rows * heads * ctx,
        replicas * p[0] as usize,
    )
}

/// Writes `pattern [replica][batch][head][query][key]` and `z [replica][batch·ctx][heads·d_head]`.
/// `head_scale [replica][scales]` multiplies the output of head h by its element `first + h`;
/// 0 ablates the head. With `frozen` 1, the pattern is `given [batch][head][query][key]`, the same for
/// every replica, instead of the softmax; else `given` is not read.
pub const ATTENTION: Kernel = Kernel {
    name: "nn/attention",
    source: crate::shader!("../../shaders/nn/attention.wgsl"),
    consts: &["batch", "ctx", "heads", "d_head", "frozen"],
    params: &[word("scales"), word("first")],
    bindings: &[
        read("qkv"),
        read("head_scale"),
        read("given"),
        write("pattern"),
        write("z"),
    ],
    grid: |c| [(c[0] * c[1] * c[2]).div_ceil(64), 1],
    needs: |c, p, r| {
        let (z, pattern, scales) = lengths(c, p, r);
        let given = if c[4] == 0 { 0 } else { pattern / r.max(1) };
        vec![3 * z, scales, given, pattern, z]
    },
    tolerance: 5e-5,
    twin: crate::twin!(attention),
};

/// Channels `at..at + dh` of every row of a sequence as columns: `[dh][ctx]`.
fn as_columns<T: Real>(x: &[T], stride: usize, at: usize, dh: usize, ctx: usize) -> Panels<T> {
    let mut out = Panels::zeros(dh, ctx);
    for (t, row) in x.chunks_exact(stride).take(ctx).enumerate() {
        out.set_column(t, &row[at..at + dh]);
    }
    out
}

/// Channels `at..at + dh` of every row of a sequence as rows: `[ctx][dh]`.
fn as_rows<T: Real>(x: &[T], stride: usize, at: usize, dh: usize, ctx: usize) -> Panels<T> {
    let mut out = Panels::zeros(ctx, dh);
    for (t, row) in x.chunks_exact(stride).take(ctx).enumerate() {
        out.set_row(t, 0, &row[at..at + dh]);
    }
    out
}

/// Query rows taken together: they share the keys up to the last of them.
const QUERIES: usize = 8;

fn attention<T: Real>(mut call: Call<'_, T>) {
    let [batch, ctx, heads, dh, frozen] = call.consts();
    let (scales, first) = (call.offset(0), call.offset(1));
    let count = call.replicas.len();
    let [qkv, head_scale, given, pattern, z] = call.slots();
    let (qkv, head_scale, given) = (qkv.f(), head_scale.f(), given.f());
    let (pattern, z) = (pattern.out(), z.out());
    let m = heads * dh;
    let root = T::of(dh as f64).sqrt().recip();
    let sequences = count * batch;
    chunks2(
        (&mut z[..sequences * ctx * m], ctx * m),
        (
            &mut pattern[..sequences * heads * ctx * ctx],
            heads * ctx * ctx,
        ),
        |b, z, pattern| {
            let sequence = &qkv[b * ctx * 3 * m..][..ctx * 3 * m];
            z.fill(T::zero());
            let whole = heads * ctx * ctx;
            if frozen == 1 {
                pattern.copy_from_slice(&given[b % batch * whole..][..whole]);
                for (t, row) in pattern.chunks_exact_mut(ctx).enumerate() {
                    row[t % ctx + 1..].fill(T::zero());
                }
            } else {
                pattern.fill(T::zero());
            }
            for (h, pattern) in pattern.chunks_exact_mut(ctx * ctx).enumerate() {
                let scale = head_scale[b / batch * scales + first + h];
                let keys = as_columns(sequence, 3 * m, m + h * dh, dh, ctx);
                let values = as_rows(sequence, 3 * m, 2 * m + h * dh, dh, ctx);
                for (i, rows) in pattern.chunks_mut(QUERIES * ctx).enumerate() {
                    let (t, len) = (i * QUERIES, rows.len() / ctx);
                    if frozen == 0 {
                        let q = &sequence[t * 3 * m + h * dh..];
                        product(rows, q, (3 * m, ctx), len, &keys, 0..dh, t + len);
                        for (i, row) in rows.chunks_exact_mut(ctx).enumerate() {
                            let (seen, hidden) = row.split_at_mut(t + i + 1);
                            let over = exp_row(seen, root).1.recip();
                            seen.iter_mut().for_each(|p| *p *= over);
                            hidden.fill(T::zero());
                        }
                    }
                    let z = &mut z[t * m + h * dh..];
                    product(z, rows, (ctx, m), len, &values, 0..t + len, dh);
                    for z in z.chunks_mut(m).take(len) {
                        z[..dh].iter_mut().for_each(|z| *z *= scale);
                    }
                }
            }
        },
    );
}

/// With `dp = head_scale · dz·vᵀ` and `D = dz·z` (which is `Σ pattern·dp`):
/// `ds = pattern·(dp − D)/√d_head`, `dq = ds·k`, `dk = dsᵀ·q`, `dv = head_scale · patternᵀ·dz`.
pub const ATTENTION_BACKWARD: Kernel = Kernel {
    name: "nn/attention_backward",
    source: crate::shader!("../../shaders/nn/attention_backward.wgsl"),
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
    chunks(&mut dqkv[..count * batch * len], len, |b, dqkv| {
        let sequence = &qkv[b * len..][..len];
        let (z, dz) = (&z[b * ctx * m..][..ctx * m], &dz[b * ctx * m..][..ctx * m]);
        dqkv.fill(T::zero());
        let mut ds = vec![T::zero(); ctx * ctx];
        let mut side = vec![T::zero(); ctx * ctx];
        for h in 0..heads {
            let scale = head_scale[b / batch * scales + first + h];
            let queries = as_rows(sequence, 3 * m, h * dh, dh, ctx);
            let keys = as_rows(sequence, 3 * m, m + h * dh, dh, ctx);
            let values = as_columns(sequence, 3 * m, 2 * m + h * dh, dh, ctx);
            let dzs = as_rows(dz, m, h * dh, dh, ctx);
            let pattern = &pattern[(b * heads + h) * ctx * ctx..][..ctx * ctx];
            ds.fill(T::zero());
            for (i, rows) in ds.chunks_mut(QUERIES * ctx).enumerate() {
                let (t, len) = (i * QUERIES, rows.len() / ctx);
                product(
                    rows,
                    &dz[t * m + h * dh..],
                    (m, ctx),
                    len,
                    &values,
                    0..dh,
                    t + len,
                );
                for (t, row) in (t..).zip(rows.chunks_exact_mut(ctx)) {
                    let at = t * m + h * dh;
                    let along = dot(&dz[at..][..dh], &z[at..][..dh]);
                    let (seen, hidden) = row.split_at_mut(t + 1);
                    for (ds, &p) in seen.iter_mut().zip(&pattern[t * ctx..]) {
                        *ds = p * (scale * *ds - along) * root;
                    }
                    hidden.fill(T::zero());
                }
                let dq = &mut dqkv[t * 3 * m + h * dh..];
                product(dq, rows, (ctx, 3 * m), len, &keys, 0..t + len, dh);
            }
            turn(&mut side, &ds, ctx);
            by_key(&mut dqkv[m + h * dh..], &side, 3 * m, &queries, (ctx, dh));
            turn(&mut side, pattern, ctx);
            let dv = &mut dqkv[2 * m + h * dh..];
            by_key(dv, &side, 3 * m, &dzs, (ctx, dh));
            for dv in dv.chunks_mut(3 * m) {
                dv[..dh].iter_mut().for_each(|x| *x *= scale);
            }
        }
    });
}

/// The keys up to each query of `x [query][key]` as `side [key][query]`; the rest stays 0.
fn turn<T: Real>(side: &mut [T], x: &[T], ctx: usize) {
    for (i, row) in x.chunks_exact(ctx).enumerate() {
        for (j, &v) in row[..=i].iter().enumerate() {
            side[j * ctx + i] = v;
        }
    }
}

/// `y[s] += Σ over queries t ≥ s of side[s, t] · w[t]`, rows of y `stride` apart.
fn by_key<T: Real>(
    y: &mut [T],
    side: &[T],
    stride: usize,
    w: &Panels<T>,
    (ctx, dh): (usize, usize),
) {
    for s in (0..ctx).step_by(QUERIES) {
        let len = QUERIES.min(ctx - s);
        let rows = &side[s * ctx..];
        product(
            &mut y[s * stride..],
            rows,
            (ctx, stride),
            len,
            w,
            s..ctx,
            dh,
        );
    }
}

/// Cases of [`ATTENTION`]: those of its gradient, and with patterns that are given.
#[must_use]
pub fn cases_forward() -> Vec<(Vec<u32>, Vec<u32>, usize, &'static str)> {
    let mut all = cases();
    all.iter_mut().for_each(|case| case.0.push(0));
    all.push((vec![2, 7, 3, 5, 1], vec![3, 0], 2, "frozen, replicas"));
    all
}

/// Cases of [`ATTENTION_BACKWARD`].
#[must_use]
pub fn cases() -> Vec<(Vec<u32>, Vec<u32>, usize, &'static str)> {
    vec![
        (vec![2, 12, 2, 16], vec![4, 2], 1, "one block of channels"),
        (vec![3, 7, 3, 5], vec![3, 0], 2, "odd sizes, replicas"),
        (vec![1, 33, 2, 24], vec![2, 0], 1, "two blocks of channels"),
    ]
}
