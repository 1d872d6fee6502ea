//! The products of a transformer: which rows meet which weights, and what happens on the way.

use super::compile::Transformer;
use super::spec::{Act, Positions};

/// One product `act(f(x)·W + b)`; offsets are places in the arena.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Product {
    /// Columns of x.
    pub inner: usize,
    /// Groups of columns of y.
    pub groups: usize,
    /// Columns a group.
    pub width: usize,
    /// Offset of W.
    pub w: u32,
    /// Offset of the bias.
    pub b: Option<u32>,
    /// Offsets of the LayerNorm's weight and bias.
    pub norm: Option<[u32; 2]>,
    /// Groups that see the position.
    pub pos_groups: usize,
    /// Offset of `W_pos`.
    pub w_pos: u32,
    /// 0 none, 1 ReLU, 2 GELU.
    pub act: u32,
}

impl Product {
    /// The params of `nn/linear` and `nn/linear_dw`.
    pub fn params(&self, arena: u32) -> [u32; 6] {
        let [ln_w, ln_b] = self.norm.unwrap_or_default();
        [
            arena,
            self.w,
            self.b.unwrap_or_default(),
            ln_w,
            ln_b,
            self.w_pos,
        ]
    }
    /// The consts of `nn/linear` and `nn/linear_dw`; `last` is `residual` or `splits`.
    pub fn consts(&self, rows: u32, ctx: u32, last: u32) -> [u32; 10] {
        let [norm, bias] = [self.norm.is_some(), self.b.is_some()].map(u32::from);
        let [inner, groups, width, pos] =
            [self.inner, self.groups, self.width, self.pos_groups].map(|x| x as u32);
        [
            rows, ctx, inner, groups, width, norm, pos, bias, self.act, last,
        ]
    }
}

impl Transformer {
    /// `W_Q`, `W_K`, `W_V` of a layer as one product.
    pub(super) fn qkv(&self, l: usize) -> Product {
        let spec = &self.spec;
        let pos = spec.positions == Positions::Shortformer;
        Product {
            inner: spec.d_model,
            groups: 3 * spec.n_heads,
            width: spec.d_head,
            w: self.in_layer(l, "attn.W_Q"),
            norm: self.norm(&format!("blocks.{l}.ln1")),
            pos_groups: if pos { 2 * spec.n_heads } else { 0 },
            w_pos: self.at("pos_embed.W_pos"),
            ..Product::default()
        }
    }
    pub(super) fn attn_out(&self, l: usize) -> Product {
        Product {
            inner: self.spec.n_heads * self.spec.d_head,
            groups: 1,
            width: self.spec.d_model,
            w: self.in_layer(l, "attn.W_O"),
            ..Product::default()
        }
    }
    pub(super) fn mlp_in(&self, l: usize) -> Product {
        Product {
            inner: self.spec.d_model,
            groups: 1,
            width: self.spec.d_mlp,
            w: self.in_layer(l, "mlp.W_in"),
            b: Some(self.in_layer(l, "mlp.b_in")),
            norm: self.norm(&format!("blocks.{l}.ln2")),
            act: match self.spec.act {
                Act::Relu => 1,
                Act::Gelu => 2,
                // A node of its own: it needs whole rows.
                Act::Solu => 0,
            },
            ..Product::default()
        }
    }
    pub(super) fn mlp_out(&self, l: usize) -> Product {
        Product {
            inner: self.spec.d_mlp,
            groups: 1,
            width: self.spec.d_model,
            w: self.in_layer(l, "mlp.W_out"),
            b: Some(self.in_layer(l, "mlp.b_out")),
            norm: self
                .spec
                .has_solu()
                .then(|| ["w", "b"].map(|end| self.in_layer(l, &format!("mlp.ln.{end}")))),
            ..Product::default()
        }
    }
    /// Tied, the columns of `W_U` are the rows of `W_E`: as many groups of one column.
    pub(super) fn unembed(&self) -> Product {
        let (vocab, tied) = (self.spec.d_vocab, self.spec.tied);
        Product {
            inner: self.spec.d_model,
            groups: if tied { vocab } else { 1 },
            width: if tied { 1 } else { vocab },
            w: self.at(if tied { "embed.W_E" } else { "unembed.W_U" }),
            norm: self.norm("ln_final"),
            ..Product::default()
        }
    }
}
