//! Composition on data: which share of the queries, keys and values of a later head is due to what each
//! earlier head wrote, over the rows of a batch.
//!
//! Behind a frozen LayerNorm the inputs of a head are a sum over what was written to the residual
//! stream: `q = Σ_c q_c`, with `q_c = f(x_c)·W_Q`, f the centring, the division by the row's σ and the
//! weight of the LayerNorm. The share of source c is `Σ⟨q_c, q⟩ / Σ‖q‖²` over all rows. Shares sum to 1
//! exactly; one is negative where a source takes away from what the others make.
//!
//! With rows z of an earlier head and t of a later one's queries, `Σ⟨z·A, t⟩ = tr(Aᵀ·ΣzᵀT)` for
//! `A = W_O·f·W_Q`: one pass over the rows, then nothing larger than d_head × d_head a pair.

use crate::math::linalg::product;

/// The three inputs of a head, as series call them, in the order of [`Layer::qkv`].
pub const KINDS: [&str; 3] = ["q", "k", "v"];

/// What a head reads may come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Layer and head.
    Head(usize, usize),
    /// The token embedding.
    Embed,
    /// The positions.
    Positions,
    /// What is left: MLPs, and the LayerNorm's bias.
    Rest,
}

/// A layer on the batch.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    /// Queries of all heads, keys, values: `[rows][3·heads·d_head]`, keys before any smearing.
    pub qkv: &'a [f32],
    /// What the heads moved: `[rows][heads·d_head]`.
    pub z: &'a [f32],
    /// Mean and 1/σ of each row, `[rows][2]`; empty without a LayerNorm.
    pub moments: &'a [f32],
    /// `W_Q`, `W_K`, `W_V`, each `[heads][d_model][d_head]`.
    pub w: [&'a [f64]; 3],
    /// `W_O [heads][d_head][d_model]`.
    pub w_o: &'a [f64],
    /// The LayerNorm's weight and bias, `[d_model]` each; empty without.
    pub norm: [&'a [f64]; 2],
}

/// What enters the residual stream before any layer.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// A token a row.
    pub tokens: &'a [u32],
    /// `W_E [vocab][d_model]`.
    pub w_e: &'a [f64],
    /// `W_pos [ctx][d_model]`.
    pub w_pos: &'a [f64],
    /// Positions enter queries and keys behind the LayerNorm instead of the residual stream.
    pub shortformer: bool,
}

/// Heads, `d_model` and `d_head`.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Heads a layer.
    pub heads: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Width of a head.
    pub d_head: usize,
}

/// A share: of which input of which head of the later layer, from where, how much.
pub type Share = (&'static str, usize, Source, f64);

/// The later layer's rows, weighted as each source needs them.
struct Reader<'a> {
    shape: Shape,
    layer: Layer<'a>,
    /// Σ‖t‖² by kind and head.
    total: Vec<f64>,
}

impl Reader<'_> {
    fn width(&self) -> usize {
        3 * self.shape.heads * self.shape.d_head
    }
    /// 1/σ of a row.
    fn scale(&self, row: usize) -> f64 {
        self.layer
            .moments
            .get(2 * row + 1)
            .map_or(1.0, |&s| f64::from(s))
    }
    /// Rows of d_model as they pass the frozen LayerNorm, but for the division by σ.
    fn through(&self, x: &[f64]) -> Vec<f64> {
        let d = self.shape.d_model;
        let weight = self.layer.norm[0];
        if weight.is_empty() {
            return x.to_vec();
        }
        let rows = x.chunks_exact(d).flat_map(|row| {
            let mean = row.iter().sum::<f64>() / d as f64;
            row.iter().zip(weight).map(move |(x, w)| (x - mean) * w)
        });
        rows.collect()
    }
    /// `Σ ⟨x·W, m⟩` over rows x `[n][d_model]` that passed the LayerNorm and m `[n][width]`, as a share
    /// of the total: by kind and head.
    fn against(&self, x: &[f64], m: &[f64]) -> Vec<f64> {
        let Shape {
            heads,
            d_model: d,
            d_head: dh,
        } = self.shape;
        let n = x.len() / d.max(1);
        let mut out = Vec::with_capacity(3 * heads);
        for (k, w) in self.layer.w.iter().enumerate() {
            for h in 0..heads {
                let w = &w[h * d * dh..(h + 1) * d * dh];
                let y = product(x, w, [n, d, dh]);
                let at = (k * heads + h) * dh;
                let rows = y.chunks_exact(dh).zip(m.chunks_exact(self.width()));
                let sum: f64 = rows.map(|(y, m)| dot(y, &m[at..at + dh])).sum();
                out.push(sum / self.total[k * heads + h]);
            }
        }
        out
    }
    /// `Σ tᵀ` into the rows that `place` names, each times `scale`: `[n][width]`.
    fn gathered(&self, n: usize, place: impl Fn(usize) -> usize, scaled: bool) -> Vec<f64> {
        let mut out = vec![0.0; n * self.width()];
        for (row, t) in self.layer.qkv.chunks_exact(self.width()).enumerate() {
            let scale = if scaled { self.scale(row) } else { 1.0 };
            let to = out.chunks_exact_mut(self.width()).nth(place(row));
            to.into_iter()
                .flatten()
                .zip(t)
                .for_each(|(o, &t)| *o += scale * f64::from(t));
        }
        out
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The shares of all sources in all inputs of the heads of `later`, whose number is `layers.len()`
/// when `layers` are all before it. Inputs that are 0 everywhere have none.
#[must_use]
pub fn shares(shape: Shape, start: Start, layers: &[Layer], later: Layer) -> Vec<Share> {
    let Shape {
        heads,
        d_model: d,
        d_head: dh,
    } = shape;
    let mut read = Reader {
        shape,
        layer: later,
        total: vec![0.0; 3 * heads],
    };
    let width = read.width();
    for row in later.qkv.chunks_exact(width) {
        for (total, t) in read.total.iter_mut().zip(row.chunks_exact(dh)) {
            *total += t.iter().map(|&t| f64::from(t).powi(2)).sum::<f64>();
        }
    }
    let mut from: Vec<(Source, Vec<f64>)> = Vec::new();
    for (l, earlier) in layers.iter().enumerate() {
        // ΣzᵀT of all heads at once: [heads·d_head][width].
        let mut m = vec![0.0; heads * dh * width];
        let rows = earlier
            .z
            .chunks_exact(heads * dh)
            .zip(later.qkv.chunks_exact(width));
        for (row, (z, t)) in rows.enumerate() {
            let scale = read.scale(row);
            for (&z, m) in z.iter().zip(m.chunks_exact_mut(width)) {
                let z = f64::from(z) * scale;
                m.iter_mut()
                    .zip(t)
                    .for_each(|(m, &t)| *m += z * f64::from(t));
            }
        }
        for (h, (w_o, m)) in earlier
            .w_o
            .chunks_exact(dh * d)
            .zip(m.chunks_exact(dh * width))
            .enumerate()
        {
            from.push((Source::Head(l, h), read.against(&read.through(w_o), m)));
        }
    }
    let (vocab, ctx) = (start.w_e.len() / d, start.w_pos.len() / d);
    let by_token = read.gathered(
        vocab,
        |row| start.tokens.get(row).map_or(vocab, |&t| t as usize),
        true,
    );
    from.push((
        Source::Embed,
        read.against(&read.through(start.w_e), &by_token),
    ));
    let by_position = read.gathered(ctx, |row| row % ctx.max(1), !start.shortformer);
    let mut positions = if start.shortformer {
        read.against(start.w_pos, &by_position)
    } else {
        read.against(&read.through(start.w_pos), &by_position)
    };
    if start.shortformer {
        positions[2 * heads..].fill(0.0);
    }
    from.push((Source::Positions, positions));
    let whole = (0..3 * heads).map(|i| 1.0 - from.iter().map(|f| f.1[i]).sum::<f64>());
    from.push((Source::Rest, whole.collect()));
    let mut out = Vec::with_capacity(from.len() * 3 * heads);
    for (source, values) in from {
        for (i, y) in values.into_iter().enumerate().filter(|v| v.1.is_finite()) {
            out.push((KINDS[i / heads], i % heads, source, y));
        }
    }
    out
}

#[cfg(test)]
mod tests;
