//! The end of the model in one kernel: `logits = f(x)·W_U`, softmax, cross-entropy and the
//! gradient of the mean loss at the logits; `f` is an optional LayerNorm. Tied, `W_U` is `W_Eᵀ`, and read
//! from where `W_E [vocab][inner]` lies.
//!
//! The target of a position is the next token. Positions of class 0 have none: no loss, no gradient.

use super::linear::Input;
use super::norm::{Stage, all_moments};
use super::rows::{BLOCK, Panels, chunks2, exp_row, product};
use super::{Call, Kernel, read, read_u32, word, write};
use lambdahat_math::Real;

/// Rows of logits a workgroup holds in its 3072 floats of workgroup memory: the `tile` const.
#[must_use]
pub fn tile(vocab: usize) -> usize {
    (3072 / vocab.max(1)).clamp(1, 4)
}

/// Largest vocabulary the kernel can hold.
pub const MAX_VOCAB: usize = 3072;

/// Writes `dlogits [replica][rows][vocab]` = (softmax − one-hot)/targets, `losses [replica][rows]`
/// in nats, and `norms [replica][rows][mean, 1/σ]` where there is a LayerNorm. `targets` is the
/// number of positions that have one.
pub const UNEMBED: Kernel = Kernel {
    name: "nn/unembed",
    source: crate::shader!("../../shaders/nn/unembed.wgsl"),
    consts: &["rows", "inner", "vocab", "norm", "targets", "tile", "tied"],
    params: &[
        word("arena"),
        word("w_u"),
        word("ln_w"),
        word("ln_b"),
        word("feed_rows"),
    ],
    bindings: &[
        read("x"),
        read("weights"),
        read_u32("feed"),
        write("dlogits"),
        write("losses"),
        write("norms"),
    ],
    grid: |c| [c[0].div_ceil(c[5]), 1],
    needs: |c, p, r| {
        let [rows, inner, vocab] = [c[0], c[1], c[2]].map(|x| x as usize);
        vec![
            r * rows * inner,
            r * p[0] as usize,
            p[4] as usize * 2 * rows,
            r * rows * vocab,
            r * rows,
            if c[3] == 0 { 0 } else { r * rows * 2 },
        ]
    },
    tolerance: 5e-5,
    twin: crate::twin!(unembed),
};

fn unembed<T: Real>(mut call: Call<'_, T>) {
    let [rows, d, vocab, norm, targets, _tile, tied] = call.consts();
    let (arena, w_u) = (call.offset(0), call.offset(1));
    let (ln_w, ln_b, feed_rows) = (call.offset(2), call.offset(3), call.offset(4));
    let (slot, table) = (call.step.slot as usize, call.replicas);
    let [x, weights, feed, dlogits, losses, norms] = call.slots();
    let (x, weights, feed) = (x.f(), weights.f(), feed.u());
    let (dlogits, losses, norms) = (dlogits.out(), losses.out(), norms.out());
    let share = T::of(targets as f64).recip();
    for (r, replica) in table.iter().enumerate() {
        let feed = &feed[(slot * feed_rows + replica.data_row as usize) * 2 * rows..][..2 * rows];
        let p = &weights[r * arena..];
        let x = &x[r * rows * d..][..rows * d];
        if norm == 1 {
            all_moments(&mut norms[2 * r * rows..][..2 * rows], x, d);
        }
        let input = Input {
            x,
            norm: (norm == 1).then(|| Stage {
                w: &p[ln_w..][..d],
                b: &p[ln_b..][..d],
                norms: &norms[2 * r * rows..][..2 * rows],
            }),
            pos: None,
            ctx: 1,
            inner: d,
        };
        let width = if tied == 1 { 1 } else { vocab };
        let w = Panels::grouped(&p[w_u..], d, width, 0, vocab / width);
        chunks2(
            (
                &mut dlogits[r * rows * vocab..][..rows * vocab],
                BLOCK * vocab,
            ),
            (&mut losses[r * rows..][..rows], BLOCK),
            |block, y, losses| {
                let (start, len) = (block * BLOCK, losses.len());
                y.fill(T::zero());
                product(
                    y,
                    &input.rows(start..start + len).0,
                    (d, vocab),
                    len,
                    &w,
                    0..d,
                    vocab,
                );
                for (n, (y, loss)) in (start..).zip(y.chunks_exact_mut(vocab).zip(losses)) {
                    *loss = T::zero();
                    if feed[rows + n] == 0 {
                        y.fill(T::zero());
                        continue;
                    }
                    let next = (feed[n + 1] as usize).min(vocab - 1);
                    let aim = y[next];
                    let (top, sum) = exp_row(y, T::one());
                    *loss = sum.ln() - (aim - top);
                    let scale = share / sum;
                    y.iter_mut().for_each(|y| *y *= scale);
                    y[next] -= share;
                }
            },
        );
    }
}

/// Words for the `feed` of [`UNEMBED`].
#[must_use]
pub fn fill(consts: &[u32], _binding: &str, len: usize) -> Vec<u32> {
    super::embed::feed(consts[0] as usize, consts[2], len)
}

/// Cases of [`UNEMBED`].
#[must_use]
pub fn cases() -> Vec<(Vec<u32>, Vec<u32>, usize, &'static str)> {
    vec![
        (
            vec![24, 16, 32, 0, 20, 4, 0],
            vec![512, 0, 0, 0, 2],
            1,
            "plain",
        ),
        (
            vec![21, 8, 37, 1, 18, 4, 0],
            vec![330, 3, 310, 319, 2],
            2,
            "LN, odd sizes, replicas",
        ),
        (
            vec![6, 8, 1024, 0, 5, 3, 0],
            vec![8192, 0, 0, 0, 2],
            1,
            "vocabulary of 1024",
        ),
        (
            vec![21, 8, 37, 1, 18, 4, 1],
            vec![330, 3, 310, 319, 2],
            2,
            "tied, LN, replicas",
        ),
    ]
}
