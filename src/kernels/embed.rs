//! Embedding: `resid[n] = W_E[token n] (+ W_pos[n mod T])` and its gradient.
//!
//! The gradient of `W_E` is gathered, not scattered: each row looks for its own token, so the
//! order of the sum is fixed and no atomics are needed.

use super::norm::split;
use super::rows::{BLOCK, chunks};
use super::{Call, Kernel, read, read_u32, update, word, write};
use lambdahat_math::Real;

/// `resid [replica][rows][d_model]` from the tokens of this step's feed row. Feed tokens must be
/// below `vocab`; a larger one is read as the last token on every engine.
pub const EMBED: Kernel = Kernel {
    name: "nn/embed",
    source: crate::shader!("../../shaders/nn/embed.wgsl"),
    consts: &["rows", "ctx", "d_model", "vocab", "learned"],
    params: &[word("arena"), word("w_e"), word("w_pos"), word("feed_rows")],
    bindings: &[read_u32("feed"), read("weights"), write("resid")],
    grid: |c| [(c[0] * c[2]).div_ceil(64), 1],
    needs: |c, p, r| {
        let (rows, d) = (c[0] as usize, c[2] as usize);
        vec![p[3] as usize * 2 * rows, r * p[0] as usize, r * rows * d]
    },
    tolerance: 1e-6,
    twin: crate::twin!(embed),
};

fn embed<T: Real>(mut call: Call<'_, T>) {
    let [rows, ctx, d, vocab, learned] = call.consts();
    let (arena, w_e, w_pos, feed_rows) = (
        call.offset(0),
        call.offset(1),
        call.offset(2),
        call.offset(3),
    );
    let (slot, table) = (call.step.slot as usize, call.replicas);
    let [feed, weights, resid] = call.slots();
    let (feed, weights, resid) = (feed.u(), weights.f(), resid.out());
    for (r, replica) in table.iter().enumerate() {
        let tokens = &feed[(slot * feed_rows + replica.data_row as usize) * 2 * rows..][..rows];
        let w = &weights[r * arena..];
        chunks(
            &mut resid[r * rows * d..][..rows * d],
            BLOCK * d,
            |block, resid| {
                for (i, resid) in resid.chunks_exact_mut(d).enumerate() {
                    let n = block * BLOCK + i;
                    let token = (tokens[n] as usize).min(vocab - 1);
                    resid.copy_from_slice(&w[w_e + token * d..][..d]);
                    if learned == 1 {
                        for (x, &p) in resid.iter_mut().zip(&w[w_pos + n % ctx * d..]) {
                            *x += p;
                        }
                    }
                }
            },
        );
    }
}

/// Gradients of `W_E [vocab][d]` from `dresid [replica][rows][d]` and of `W_pos [ctx][d]` from
/// `dpos [layers][replica][rows][d]`, summed over layers. Learned positions enter the residual
/// stream, so there `dpos` is `dresid` and `layers` is 1; without learned positions `layers` is 0.
/// Where the unembedding is `tied`, what `grads` holds at `W_E` is its part, and stays in the sum.
pub const EMBED_DW: Kernel = Kernel {
    name: "nn/embed_dw",
    source: crate::shader!("../../shaders/nn/embed_dw.wgsl"),
    consts: &[
        "rows", "ctx", "d_model", "vocab", "layers", "splits", "tied",
    ],
    params: &[word("arena"), word("w_e"), word("w_pos"), word("feed_rows")],
    bindings: &[
        read_u32("feed"),
        read("dresid"),
        read("dpos"),
        update("grads"),
    ],
    grid: |c| [((c[3] + c[1]) * c[2]).div_ceil(64), c[5]],
    needs: |c, p, r| {
        let [rows, d, layers, splits] = [c[0], c[2], c[4], c[5]].map(|x| x as usize);
        let n = r * rows * d;
        vec![
            p[3] as usize * 2 * rows,
            n,
            layers * n,
            r * splits * p[0] as usize,
        ]
    },
    tolerance: 2e-5,
    twin: crate::twin!(embed_dw),
};

fn embed_dw<T: Real>(mut call: Call<'_, T>) {
    let [rows, ctx, d, vocab, layers, splits, tied] = call.consts();
    let (arena, w_e, w_pos, feed_rows) = (
        call.offset(0),
        call.offset(1),
        call.offset(2),
        call.offset(3),
    );
    let (slot, table) = (call.step.slot as usize, call.replicas);
    let [feed, dresid, dpos, grads] = call.slots();
    let (feed, dresid, dpos, grads) = (feed.u(), dresid.f(), dpos.f(), grads.out());
    let count = table.len();
    chunks(&mut grads[..count * splits * arena], arena, |rs, grads| {
        let (r, s) = (rs / splits, rs % splits);
        let row = table[r].data_row as usize;
        let tokens = &feed[(slot * feed_rows + row) * 2 * rows..][..rows];
        if tied == 0 {
            grads[w_e..][..vocab * d].fill(T::zero());
        }
        if layers > 0 {
            grads[w_pos..][..ctx * d].fill(T::zero());
        }
        let add = |to: &mut [T], from: &[T]| {
            for (to, &from) in to.iter_mut().zip(from) {
                *to += from;
            }
        };
        for n in split(rows, splits, s) {
            let token = (tokens[n] as usize).min(vocab - 1);
            add(
                &mut grads[w_e + token * d..][..d],
                &dresid[(r * rows + n) * d..],
            );
            for layer in 0..layers {
                let at = ((layer * count + r) * rows + n) * d;
                add(&mut grads[w_pos + n % ctx * d..][..d], &dpos[at..]);
            }
        }
    });
}

/// Words of a feed for device checks: tokens below `vocab`, then classes 0..=3.
#[must_use]
pub fn feed(rows: usize, vocab: u32, len: usize) -> Vec<u32> {
    let hash = |i: usize| (i as u32).wrapping_mul(2_654_435_761) >> 7;
    (0..len)
        .map(|i| match i % (2 * rows) {
            at if at < rows => hash(i) % vocab,
            // The last position has no token after it.
            at if at == 2 * rows - 1 => 0,
            _ => hash(i) % 4,
        })
        .collect()
}

/// Words for the `feed` of [`EMBED`] and [`EMBED_DW`].
#[must_use]
pub fn fill(consts: &[u32], _binding: &str, len: usize) -> Vec<u32> {
    feed(consts[0] as usize, consts[3], len)
}

/// Cases of [`EMBED`].
#[must_use]
pub fn cases() -> Vec<(Vec<u32>, Vec<u32>, usize, &'static str)> {
    vec![
        (vec![12, 6, 8, 7, 1], vec![110, 1, 57, 2], 1, "learned"),
        (
            vec![70, 10, 6, 11, 0],
            vec![130, 0, 66, 2],
            3,
            "without positions, replicas",
        ),
    ]
}

/// Cases of [`EMBED_DW`].
#[must_use]
pub fn cases_dw() -> Vec<(Vec<u32>, Vec<u32>, usize, &'static str)> {
    vec![
        (
            vec![12, 6, 8, 7, 1, 1, 0],
            vec![104, 0, 56, 2],
            1,
            "one layer",
        ),
        (
            vec![70, 10, 6, 11, 2, 3, 0],
            vec![126, 0, 66, 2],
            2,
            "two layers, three splits, replicas",
        ),
        (
            vec![12, 6, 8, 7, 0, 1, 0],
            vec![56, 0, 0, 2],
            1,
            "no positions",
        ),
        (
            vec![70, 10, 6, 11, 1, 3, 1],
            vec![126, 0, 66, 2],
            2,
            "tied, replicas",
        ),
    ]
}
