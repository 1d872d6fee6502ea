//! The modular-addition MLP in one kernel, loss and gradients together:
//! logits = W_U·GELU(W_aᵀE[a] + b_a + W_bᵀE[b] + b_b), cross-entropy at (a + b) mod p, in nats.
//!
//! One launch instead of nine: the model is small enough that launches, not arithmetic, would set
//! the pace. Parameters of a replica, in order: `W_E [p][embed]`, `W_a [embed][hidden]`, `b_a`,
//! `W_b [embed][hidden]`, `b_b`, `W_U [hidden][p]`.

use super::linear::gelu_row;
use super::norm::split;
use super::optim::Launch;
use super::rows::{Panels, chunks2, chunks3, exp_row, product};
use super::{Call, Kernel, read, read_u32, word, write};
use lambdahat_math::Real;
use std::ops::Range;

/// Floats of workgroup memory the shader keeps a tile of rows in.
const TILE_FLOATS: usize = 3072;

/// Gradients of logits below this are 0 in the twin: a confident softmax has tails in the range of
/// subnormal numbers, with which processors compute a hundred times slower.
const TINY: f64 = 1e-25;

/// Rows a workgroup holds at a time, at most 16: activations, their slopes, logits, and the
/// gradients at the two embeddings.
#[must_use]
pub fn tile(vocab: usize, embed: usize, hidden: usize) -> usize {
    (TILE_FLOATS / (2 * hidden + vocab + 2 * embed).max(1)).clamp(1, 16)
}

/// Parameters of one replica: 4428 for p 53, embed 12, hidden 48.
#[must_use]
pub fn count(vocab: usize, embed: usize, hidden: usize) -> usize {
    vocab * embed + 2 * (embed * hidden + hidden) + hidden * vocab
}

/// Writes `losses [replica][rows]` in nats, `hits [replica][rows]` (1 where the answer has the
/// largest logit), and with `backward` = 1 the gradient of the mean loss, `grads
/// [replica][splits][count]`. `feed [slot][feed_rows]` holds `rows` pairs a·p + b and then `rows`
/// classes; a row of class 0 has no loss and no gradient, and `targets` is the number of others.
/// A pair out of range is read as the last.
pub const MODADD: Kernel = Kernel {
    name: "nn/modadd",
    source: crate::shader!("../../shaders/nn/modadd.wgsl"),
    consts: &[
        "rows", "vocab", "embed", "hidden", "targets", "splits", "tile", "backward",
    ],
    params: &[word("feed_rows")],
    bindings: &[
        read_u32("feed"),
        read("weights"),
        write("losses"),
        write("hits"),
        write("grads"),
    ],
    grid: |c| [c[5], 1],
    needs: |c, p, r| {
        let [rows, v, e, h] = [c[0], c[1], c[2], c[3]].map(|x| x as usize);
        let n = r * count(v, e, h);
        let grads = if c[7] == 1 { n * c[5] as usize } else { 0 };
        vec![p[0] as usize * 2 * rows, n, r * rows, r * rows, grads]
    },
    tolerance: 5e-5,
    twin: crate::twin!(modadd),
};

/// Offsets of the parameters, and their sizes.
#[derive(Clone, Copy)]
struct Shape {
    v: usize,
    e: usize,
    h: usize,
}

impl Shape {
    /// First input matrix, its bias after it; the second follows.
    fn input(self, side: usize) -> usize {
        self.v * self.e + side * (self.e + 1) * self.h
    }
    fn w_u(self) -> usize {
        self.input(2)
    }
}

/// The weights of one replica, laid out for products; transposed ones for the way back.
struct Packed<'a, T> {
    shape: Shape,
    p: &'a [T],
    inputs: [Panels<T>; 2],
    inputs_t: [Panels<T>; 2],
    w_u: Panels<T>,
    w_u_t: Panels<T>,
}

impl<'a, T: Real> Packed<'a, T> {
    fn new(shape: Shape, p: &'a [T]) -> Self {
        let Shape { v, e, h } = shape;
        let input = |side| &p[shape.input(side)..][..e * h];
        let w_u = &p[shape.w_u()..][..h * v];
        Self {
            shape,
            p,
            inputs: [0, 1].map(|s| Panels::grouped(input(s), e, h, 0, 1)),
            inputs_t: [0, 1].map(|s| Panels::transposed(input(s), e, h, 0, 1)),
            w_u: Panels::grouped(w_u, h, v, 0, 1),
            w_u_t: Panels::transposed(w_u, h, v, 0, 1),
        }
    }
    /// Embeddings of one side of the pairs, `[rows][embed]`.
    fn embedded(&self, tokens: &[[usize; 3]], side: usize) -> Vec<T> {
        let e = self.shape.e;
        let row = |t: &[usize; 3]| self.p[t[side] * e..][..e].iter().copied();
        tokens.iter().flat_map(row).collect()
    }
}

fn modadd<T: Real>(mut call: Call<'_, T>) {
    let [rows, v, e, h, targets, splits, _tile, backward] = call.consts();
    let feed_rows = call.offset(0);
    let (slot, table) = (call.step.slot as usize, call.replicas);
    let [feed, weights, losses, hits, grads] = call.slots();
    let (feed, weights) = (feed.u(), weights.f());
    let (losses, hits, grads) = (losses.out(), hits.out(), grads.out());
    let (shape, n) = (Shape { v, e, h }, count(v, e, h));
    let share = T::of(targets as f64).recip();
    let len = rows.div_ceil(splits);
    for (r, replica) in table.iter().enumerate() {
        let row = (replica.data_row as usize).min(feed_rows.saturating_sub(1));
        let data = &feed[(slot * feed_rows + row) * 2 * rows..][..2 * rows];
        let packed = Packed::new(shape, &weights[r * n..][..n]);
        let losses = (&mut losses[r * rows..][..rows], len);
        let hits = (&mut hits[r * rows..][..rows], len);
        let on = |s| Rows::new(data, split(rows, splits, s), v);
        if backward == 0 {
            chunks2(losses, hits, |s, losses, hits| {
                forward(&packed, &on(s), share, losses, hits);
            });
            continue;
        }
        let grads = &mut grads[r * splits * n..][..splits * n];
        // Splits beyond the last row have a gradient of zero.
        grads[rows.div_ceil(len) * n..].fill(T::zero());
        chunks3((grads, n), losses, hits, |s, grads, losses, hits| {
            let rows = on(s);
            let seen = forward(&packed, &rows, share, losses, hits);
            backprop(&packed, &rows, seen, grads);
        });
    }
}

/// Rows of a batch: (a, b, answer), and whether they count.
struct Rows {
    tokens: Vec<[usize; 3]>,
    live: Vec<bool>,
}

impl Rows {
    fn new(data: &[u32], range: Range<usize>, v: usize) -> Self {
        let (pairs, classes) = data.split_at(data.len() / 2);
        let token = |&pair: &u32| {
            let pair = (pair as usize).min(v * v - 1);
            [pair / v, pair % v, (pair / v + pair % v) % v]
        };
        Self {
            tokens: pairs[range.clone()].iter().map(token).collect(),
            live: classes[range].iter().map(|&c| c != 0).collect(),
        }
    }
}

/// What the way back needs: activations and their slopes `[rows][hidden]`, `dlogits [rows][p]`.
struct Seen<T> {
    act: Vec<T>,
    slope: Vec<T>,
    dlogits: Vec<T>,
}

fn forward<T: Real>(
    packed: &Packed<'_, T>,
    rows: &Rows,
    share: T,
    losses: &mut [T],
    hits: &mut [T],
) -> Seen<T> {
    let Shape { v, e, h } = packed.shape;
    let (n, zero) = (rows.tokens.len(), T::zero());
    let bias = |side| packed.p[packed.shape.input(side) + e * h..][..h].iter();
    let start: Vec<T> = bias(0).zip(bias(1)).map(|(&a, &b)| a + b).collect();
    let mut slope = start.repeat(n);
    for side in 0..2 {
        let x = packed.embedded(&rows.tokens, side);
        product(&mut slope, &x, (e, h), n, &packed.inputs[side], 0..e, h);
    }
    let mut act = vec![zero; n * h];
    gelu_row(&mut slope, &mut act);
    let mut dlogits = vec![zero; n * v];
    product(&mut dlogits, &act, (h, v), n, &packed.w_u, 0..h, v);
    for (i, y) in dlogits.chunks_exact_mut(v).enumerate() {
        (losses[i], hits[i]) = (zero, zero);
        if !rows.live[i] {
            y.fill(zero);
            continue;
        }
        let answer = rows.tokens[i][2];
        let aim = y[answer];
        let (top, sum) = exp_row(y, T::one());
        losses[i] = sum.ln() - (aim - top);
        if aim >= top {
            hits[i] = T::one();
        }
        let (scale, least) = (share / sum, T::of(TINY));
        for y in y.iter_mut() {
            let d = *y * scale;
            *y = if d < least { zero } else { d };
        }
        y[answer] -= share;
    }
    Seen {
        act,
        slope,
        dlogits,
    }
}

/// The gradient of one split, written whole.
fn backprop<T: Real>(packed: &Packed<'_, T>, rows: &Rows, seen: Seen<T>, grads: &mut [T]) {
    let Shape { v, e, h } = packed.shape;
    let (n, zero, shape) = (rows.tokens.len(), T::zero(), packed.shape);
    grads.fill(zero);
    let by_row = Panels::grouped(&seen.dlogits, n, v, 0, 1);
    let to = &mut grads[shape.w_u()..][..h * v];
    product(to, &flip(&seen.act, h), (n, v), h, &by_row, 0..n, v);
    let mut dpre = vec![zero; n * h];
    product(&mut dpre, &seen.dlogits, (v, h), n, &packed.w_u_t, 0..v, h);
    for (d, &slope) in dpre.iter_mut().zip(&seen.slope) {
        *d *= slope;
    }
    let by_row = Panels::grouped(&dpre, n, h, 0, 1);
    for side in 0..2 {
        let x = flip(&packed.embedded(&rows.tokens, side), e);
        let (tables, rest) = grads.split_at_mut(shape.input(side));
        let (dw, rest) = rest.split_at_mut(e * h);
        product(dw, &x, (n, h), e, &by_row, 0..n, h);
        let mut dx = vec![zero; n * e];
        product(&mut dx, &dpre, (h, e), n, &packed.inputs_t[side], 0..h, e);
        for (i, dpre) in dpre.chunks_exact(h).enumerate() {
            add(&mut rest[..h], dpre);
            add(
                &mut tables[rows.tokens[i][side] * e..][..e],
                &dx[i * e..][..e],
            );
        }
    }
}

/// `x [rows][width]` transposed.
fn flip<T: Real>(x: &[T], width: usize) -> Vec<T> {
    let column = |c: usize| x.iter().skip(c).step_by(width).copied();
    (0..width).flat_map(column).collect()
}

fn add<T: Real>(to: &mut [T], from: &[T]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to += from;
    }
}

/// Launches that device checks run.
#[must_use]
pub fn cases() -> Vec<Launch> {
    let tiled = |v, e, h| tile(v as usize, e as usize, h as usize) as u32;
    vec![
        (
            vec![128, 53, 12, 48, 128, 8, tiled(53, 12, 48), 1],
            vec![2],
            2,
            "the default, replicas",
        ),
        (
            vec![45, 7, 3, 5, 40, 2, 4, 1],
            vec![1],
            3,
            "several tiles a split, ragged",
        ),
        (
            vec![9, 97, 32, 96, 9, 3, tiled(97, 32, 96), 0],
            vec![1],
            1,
            "the largest, forward alone",
        ),
    ]
}

/// Words for `feed`: pairs below p², then classes 0..=3.
#[must_use]
pub fn fill(consts: &[u32], _binding: &str, len: usize) -> Vec<u32> {
    super::embed::feed(consts[0] as usize, consts[1] * consts[1], len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_model_has_4428_parameters() {
        assert_eq!(count(53, 12, 48), 4428);
        assert_eq!(
            Shape {
                v: 53,
                e: 12,
                h: 48
            }
            .w_u()
                + 48 * 53,
            4428
        );
        // A tile of every size on offer fits in the shader's memory.
        for (v, e, h) in [(5, 2, 4), (53, 12, 48), (97, 32, 96)] {
            assert!(tile(v, e, h) * (2 * h + v + 2 * e) <= TILE_FLOATS);
        }
    }
}
