//! What a transformer consists of: sizes, optional stages, parameter tensors with their
//! TransformerLens names, initial values, and the groups by which parameters can be masked.

use crate::kernels::unembed;
use crate::math::Stream;
use crate::math::philox::{normal, word};
use crate::tensor::Arena;

/// Activation of the MLP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Act {
    /// max(x, 0).
    #[default]
    Relu,
    /// `gelu_new` of TransformerLens, PyTorch's `approximate="tanh"`.
    Gelu,
    /// x·softmax(x) over the hidden layer, then a LayerNorm of its own (TransformerLens `solu_ln`,
    /// Elhage et al. 2022; [`crate::kernels::solu`]).
    Solu,
}

/// Normalisation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Norm {
    /// None.
    #[default]
    None,
    /// LayerNorm with weight and bias (TransformerLens `LN`, eps 1e-5) before attention, MLP and
    /// unembedding.
    LayerNorm,
}

/// Where positions enter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Positions {
    /// `W_pos` is added to the residual stream once (TransformerLens `standard`).
    #[default]
    Learned,
    /// `W_pos` is added to the inputs of queries and keys in every layer, behind the LayerNorm,
    /// and never to the residual stream (TransformerLens `shortformer`).
    Shortformer,
    /// Queries and keys are turned by their position ([`crate::kernels::rotary`]); there is no `W_pos`.
    Rotary,
}

/// A decoder-only transformer. Every field is public and has TransformerLens' name.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Vocabulary, V.
    pub d_vocab: usize,
    /// Context length, T.
    pub n_ctx: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Layers.
    pub n_layers: usize,
    /// Heads a layer.
    pub n_heads: usize,
    /// Width of a head.
    pub d_head: usize,
    /// Width of the MLP; 0 leaves it out.
    pub d_mlp: usize,
    /// Activation of the MLP.
    pub act: Act,
    /// Normalisation.
    pub norm: Norm,
    /// Where positions enter.
    pub positions: Positions,
    /// Whether every head mixes its keys with those before them, by a learned share
    /// ([`crate::kernels::smear`]).
    pub smear: bool,
    /// Whether the unembedding is the transpose of the embedding: there is no `W_U` then.
    pub tied: bool,
    /// Standard deviation of the initial matrices, in units of 1/√d_model.
    pub init: f64,
}

impl Default for Spec {
    /// The model of the induction experiment: 52 224 parameters.
    fn default() -> Self {
        Self {
            d_vocab: 128,
            n_ctx: 48,
            d_model: 64,
            n_layers: 2,
            n_heads: 4,
            d_head: 16,
            d_mlp: 0,
            act: Act::Relu,
            norm: Norm::None,
            positions: Positions::Learned,
            smear: false,
            tied: false,
            init: 1.0,
        }
    }
}

/// Group ids below this are not heads or MLPs: embed, pos, unembed, norms.
const FIRST_LAYER_GROUP: usize = 4;
/// Groups a mask can hold.
const GROUPS: usize = 64;

impl Spec {
    /// What cannot be run, in words; `None` if the model can.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        let sizes = [
            self.d_vocab,
            self.n_ctx,
            self.d_model,
            self.n_layers,
            self.n_heads,
            self.d_head,
        ];
        if sizes.contains(&0) {
            return Some("every size of the model must be at least 1".into());
        }
        if self.d_vocab > unembed::MAX_VOCAB {
            return Some(format!(
                "d_vocab {} is over {}",
                self.d_vocab,
                unembed::MAX_VOCAB
            ));
        }
        if self.positions == Positions::Rotary && !self.d_head.is_multiple_of(2) {
            return Some(format!(
                "rotary positions turn pairs, and d_head {} is odd",
                self.d_head
            ));
        }
        None
    }

    /// The parameter tensors, in arena order. `W_Q`, `W_K`, `W_V` of a layer lie back to back.
    #[must_use]
    pub fn arena(&self) -> Arena {
        let (d, h, dh, m) = (self.d_model, self.n_heads, self.d_head, self.d_mlp);
        let mut a = Arena::default();
        let layer_norm = |a: &mut Arena, name: String, width: usize| {
            a.push(format!("{name}.w"), &[width]);
            a.push(format!("{name}.b"), &[width]);
        };
        let norm = |a: &mut Arena, name: String| {
            if self.norm == Norm::LayerNorm {
                layer_norm(a, name, d);
            }
        };
        a.push("embed.W_E", &[self.d_vocab, d]);
        if self.positions != Positions::Rotary {
            a.push("pos_embed.W_pos", &[self.n_ctx, d]);
        }
        for l in 0..self.n_layers {
            norm(&mut a, format!("blocks.{l}.ln1"));
            for name in ["W_Q", "W_K", "W_V"] {
                a.push(format!("blocks.{l}.attn.{name}"), &[h, d, dh]);
            }
            a.push(format!("blocks.{l}.attn.W_O"), &[h, dh, d]);
            if self.smear {
                a.push(format!("blocks.{l}.attn.smear"), &[h]);
            }
            if m > 0 {
                norm(&mut a, format!("blocks.{l}.ln2"));
                a.push(format!("blocks.{l}.mlp.W_in"), &[d, m]);
                a.push(format!("blocks.{l}.mlp.b_in"), &[m]);
                if self.has_solu() {
                    layer_norm(&mut a, format!("blocks.{l}.mlp.ln"), m);
                }
                a.push(format!("blocks.{l}.mlp.W_out"), &[m, d]);
                a.push(format!("blocks.{l}.mlp.b_out"), &[d]);
            }
        }
        norm(&mut a, "ln_final".into());
        if !self.tied {
            a.push("unembed.W_U", &[d, self.d_vocab]);
        }
        a
    }

    /// Whether there are MLPs, and their activation is SoLU.
    #[must_use]
    pub fn has_solu(&self) -> bool {
        self.d_mlp > 0 && self.act == Act::Solu
    }

    /// Initial parameters in arena order: matrices normal with standard deviation init/√d_model,
    /// LayerNorm weights 1, biases and smears 0.
    /// Element i is a function of (seed, i) alone.
    #[must_use]
    pub fn init(&self, seed: u32) -> Vec<f32> {
        let scale = self.init / (self.d_model as f64).sqrt();
        let mut out = Vec::with_capacity(self.arena().len());
        for t in self.arena().tensors {
            let leaf = t.name.rsplit('.').next().unwrap_or_default();
            out.extend(t.range().map(|i| match leaf {
                "w" => 1.0,
                "b" | "b_in" | "b_out" | "smear" => 0.0,
                _ => (scale * normal::<f64>(word(seed, Stream::Init, 0, i as u32))) as f32,
            }));
        }
        out
    }

    /// One group id (< 64) a parameter: 0 embed, 1 positions, 2 unembed, 3 norms, then for every
    /// layer its heads (their slices of `W_Q W_K W_V W_O`) and its MLP. Where that makes more than
    /// 64, neighbouring heads share a group.
    #[must_use]
    pub fn groups(&self) -> Vec<u32> {
        let mut out = Vec::with_capacity(self.arena().len());
        for t in self.arena().tensors {
            let mut parts = t.name.split('.');
            let group = match (parts.next(), parts.next().and_then(|l| l.parse().ok())) {
                (Some("embed"), _) => 0,
                (Some("pos_embed"), _) => 1,
                (Some("unembed"), _) => 2,
                (Some("blocks"), Some(layer)) => match parts.next() {
                    Some("attn") => {
                        let part = t.len() / self.n_heads;
                        out.extend((0..t.len()).map(|i| self.head_group(layer, i / part)));
                        continue;
                    }
                    Some("mlp") => self.mlp_group(layer),
                    _ => 3,
                },
                _ => 3,
            };
            out.extend(std::iter::repeat_n(group, t.len()));
        }
        out
    }

    /// Groups a layer takes, its MLP's included.
    fn layer_groups(&self) -> usize {
        ((GROUPS - FIRST_LAYER_GROUP) / self.n_layers.max(1)).clamp(2, self.n_heads + 1)
    }
    /// Group id of a head.
    #[must_use]
    pub fn head_group(&self, layer: usize, head: usize) -> u32 {
        let heads = self.layer_groups() - 1;
        (FIRST_LAYER_GROUP + layer * self.layer_groups() + head * heads / self.n_heads) as u32
    }
    /// Group id of the MLP of a layer.
    #[must_use]
    pub fn mlp_group(&self, layer: usize) -> u32 {
        (FIRST_LAYER_GROUP + (layer + 1) * self.layer_groups() - 1) as u32
    }

    /// Mask of the groups of a part ([`super::PARTS`]), `all` having every bit; none where this model
    /// has no such part, or where it shares a group with another.
    #[must_use]
    pub fn mask(&self, part: &str) -> Option<u64> {
        let bits = |groups: &[u32]| groups.iter().fold(0, |mask, g| mask | 1_u64 << g);
        let heads = |layer| (0..self.n_heads).map(move |h| self.head_group(layer, h));
        let attn = |layer| bits(&heads(layer).collect::<Vec<_>>());
        let mlp = |layer| (self.d_mlp > 0).then(|| bits(&[self.mlp_group(layer)]));
        let mut names = part.split('.');
        let of = match (names.next()?, names.next()) {
            ("all", None) => Some(!0),
            ("embed", None) => Some(bits(&[0])),
            ("pos_embed", None) => (self.positions != Positions::Rotary).then(|| bits(&[1])),
            ("unembed", None) => (!self.tied).then(|| bits(&[2])),
            ("attn", None) => Some((0..self.n_layers).fold(0, |mask, l| mask | attn(l))),
            ("mlp", None) => (0..self.n_layers).try_fold(0, |mask, l| Some(mask | mlp(l)?)),
            ("blocks", Some(layer)) => {
                let layer = layer.parse().ok().filter(|&l| l < self.n_layers)?;
                match (names.next(), names.next(), names.next()) {
                    (None, ..) => Some(attn(layer) | mlp(layer).unwrap_or(0)),
                    (Some("attn"), None, _) => Some(attn(layer)),
                    (Some("mlp"), None, _) => mlp(layer),
                    (Some("attn"), Some("head"), Some(head)) => {
                        let head: usize = head.parse().ok().filter(|&h| h < self.n_heads)?;
                        let own = self.head_group(layer, head);
                        let alone = heads(layer).filter(|&g| g == own).count() == 1;
                        alone.then(|| bits(&[own]))
                    }
                    _ => None,
                }
            }
            _ => None,
        };
        of.filter(|_| names.next().is_none())
    }

    /// Shares the rows are cut into for the weight gradients. More keep more of a device busy;
    /// each costs one gradient-sized buffer and one read of it in the optimiser.
    #[must_use]
    pub fn splits(&self) -> usize {
        match self.arena().len() {
            0..4096 => 1,
            4096..32768 => 4,
            32768..262_144 => 8,
            _ => 4,
        }
    }
}

#[cfg(test)]
mod tests;
