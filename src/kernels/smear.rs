//! Smeared keys (Olsson et al. 2022): every head mixes each key with the one before it,
//! `k_t ← a·k_t + (1 − a)·k_{t−1}` with `a = σ(α)` and one learned α a head, so that a single layer can
//! match what came before a token. The first key of a sequence stays.
//!
//! Backward, with `ds` the gradient at the smeared keys: `dk_t = a·ds_t + (1 − a)·ds_{t+1}` (a is 1
//! for the first key), `dα = a·(1 − a)·Σ ds_t·(k_t − k_{t−1})`.

use super::norm::split;
use super::rows::chunks;
use super::{Call, Kernel, read, word, write};
use lambdahat_math::Real;

/// Partial sums of the reduction, in both engines.
const LANES: usize = 64;
const CONSTS: &[&str] = &["batch", "ctx", "heads", "d_head"];

/// Elements of `qkv`.
pub(crate) fn len(c: &[u32], replicas: usize) -> usize {
    replicas * c[..4].iter().map(|&x| x as usize).product::<usize>() * 3
}

pub(crate) fn grid(c: &[u32]) -> [u32; 2] {
    [(3 * c[..4].iter().product::<u32>()).div_ceil(64), 1]
}

/// `smeared` like `qkv [replica][batch·ctx][3·heads·d_head]`: queries and values as they are. α of the
/// heads is at `alpha` of `weights`; `arena` is the distance between replicas' weights.
pub const SMEAR: Kernel = Kernel {
    name: "nn/smear",
    source: crate::shader!("../../shaders/nn/smear.wgsl"),
    consts: CONSTS,
    params: &[word("arena"), word("alpha")],
    bindings: &[read("qkv"), read("weights"), write("smeared")],
    grid,
    needs: |c, p, r| vec![len(c, r), r * p[0] as usize, len(c, r)],
    tolerance: 5e-6,
    twin: crate::twin!(smear),
};

fn share<T: Real>(alpha: T) -> T {
    (T::one() + (-alpha).exp()).recip()
}

fn smear<T: Real>(mut call: Call<'_, T>) {
    let [batch, ctx, heads, dh] = call.consts();
    let (arena, alpha) = (call.offset(0), call.offset(1));
    let n = len(call.consts, call.replicas.len());
    let [qkv, weights, smeared] = call.slots();
    let (qkv, weights, smeared) = (qkv.f(), weights.f(), smeared.out());
    let m = heads * dh;
    chunks(&mut smeared[..n], ctx * 3 * m, |b, out| {
        let x = &qkv[b * ctx * 3 * m..][..ctx * 3 * m];
        out.copy_from_slice(x);
        let own = &weights[b / batch * arena + alpha..];
        for (h, &alpha) in own[..heads].iter().enumerate() {
            let a = share(alpha);
            for t in 1..ctx {
                for i in t * 3 * m + m + h * dh..t * 3 * m + m + (h + 1) * dh {
                    out[i] = a * x[i] + (T::one() - a) * x[i - 3 * m];
                }
            }
        }
    });
}

/// `dqkv` from `dsmeared`, both like `qkv`.
pub const SMEAR_BACKWARD: Kernel = Kernel {
    name: "nn/smear_backward",
    source: crate::shader!("../../shaders/nn/smear_backward.wgsl"),
    bindings: &[read("dsmeared"), read("weights"), write("dqkv")],
    twin: crate::twin!(smear_backward),
    ..SMEAR
};

fn smear_backward<T: Real>(mut call: Call<'_, T>) {
    let [batch, ctx, heads, dh] = call.consts();
    let (arena, alpha) = (call.offset(0), call.offset(1));
    let n = len(call.consts, call.replicas.len());
    let [dsmeared, weights, dqkv] = call.slots();
    let (dsmeared, weights, dqkv) = (dsmeared.f(), weights.f(), dqkv.out());
    let m = heads * dh;
    chunks(&mut dqkv[..n], ctx * 3 * m, |b, out| {
        let d = &dsmeared[b * ctx * 3 * m..][..ctx * 3 * m];
        out.copy_from_slice(d);
        let own = &weights[b / batch * arena + alpha..];
        for (h, &alpha) in own[..heads].iter().enumerate() {
            let a = share(alpha);
            for t in 0..ctx {
                for i in t * 3 * m + m + h * dh..t * 3 * m + m + (h + 1) * dh {
                    if t > 0 {
                        out[i] = a * d[i];
                    }
                    if t + 1 < ctx {
                        out[i] += (T::one() - a) * d[i + 3 * m];
                    }
                }
            }
        }
    });
}

/// `grads [replica][splits][arena]` at `alpha`, from the keys before they were smeared and `dsmeared`.
pub const SMEAR_DW: Kernel = Kernel {
    name: "nn/smear_dw",
    source: crate::shader!("../../shaders/nn/smear_dw.wgsl"),
    consts: &["batch", "ctx", "heads", "d_head", "splits"],
    bindings: &[
        read("qkv"),
        read("dsmeared"),
        read("weights"),
        write("grads"),
    ],
    grid: |c| [c[2], c[4]],
    needs: |c, p, r| {
        let weights = r * p[0] as usize;
        vec![len(c, r), len(c, r), weights, c[4] as usize * weights]
    },
    tolerance: 5e-5,
    twin: crate::twin!(smear_dw),
    ..SMEAR
};

fn smear_dw<T: Real>(mut call: Call<'_, T>) {
    let [batch, ctx, heads, dh, splits] = call.consts();
    let (arena, alpha, count) = (call.offset(0), call.offset(1), call.replicas.len());
    let [qkv, dsmeared, weights, grads] = call.slots();
    let (qkv, dsmeared, weights) = (qkv.f(), dsmeared.f(), weights.f());
    let (grads, m, rows) = (grads.out(), heads * dh, batch * ctx);
    for rs in 0..count * splits {
        let (r, s) = (rs / splits, rs % splits);
        let range = split(rows, splits, s);
        for h in 0..heads {
            let mut sums = [T::zero(); LANES];
            for n in range.clone().filter(|n| n % ctx > 0) {
                let at = (r * rows + n) * 3 * m + m + h * dh;
                let sum = &mut sums[(n - range.start) % LANES];
                for i in at..at + dh {
                    *sum += dsmeared[i] * (qkv[i] - qkv[i - 3 * m]);
                }
            }
            let a = share(weights[r * arena + alpha + h]);
            let sum = sums.iter().fold(T::zero(), |x, &y| x + y);
            grads[rs * arena + alpha + h] = a * (T::one() - a) * sum;
        }
    }
}

/// Cases of [`SMEAR`] and [`SMEAR_BACKWARD`].
#[must_use]
pub fn cases() -> Vec<(Vec<u32>, Vec<u32>, usize, &'static str)> {
    vec![
        (vec![2, 7, 3, 5], vec![11, 4], 2, "odd sizes, replicas"),
        (vec![1, 1, 1, 4], vec![1, 0], 1, "one token"),
    ]
}

/// Cases of [`SMEAR_DW`]. The arena is α alone, so that everything is written.
#[must_use]
pub fn cases_dw() -> Vec<(Vec<u32>, Vec<u32>, usize, &'static str)> {
    vec![
        (
            vec![5, 7, 3, 5, 2],
            vec![3, 0],
            2,
            "odd sizes, splits, replicas",
        ),
        (vec![20, 13, 2, 4, 1], vec![2, 0], 1, "more rows than lanes"),
    ]
}
