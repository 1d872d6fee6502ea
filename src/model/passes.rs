//! The nodes of a transformer: the layers forward, and in reverse order backward.
//!
//! Launches a step, forward and backward: 9 + 13 for two attention-only layers without
//! LayerNorm, 8 + 15 for one layer with LayerNorm and MLP.

use super::compile::{Back, Data, Transformer};
use super::products::Product;
use super::spec::Positions;
use crate::kernels::{attention, embed, linear, linear_backward, loss, norm, unembed};
use crate::plan::{Buf, Plan, PlanError, Prog};

/// Where a product's forward pass writes.
#[derive(Clone, Copy)]
struct Out {
    y: Buf,
    pre: Buf,
    norms: Buf,
}

/// What a product's backward pass starts from.
#[derive(Clone, Copy)]
struct Gradient {
    x: Buf,
    dy: Buf,
    pre: Buf,
    norms: Buf,
    /// The gradient that came along the residual stream.
    along: Option<Buf>,
    to: Buf,
    /// Layer whose section of the position gradients it writes.
    layer: usize,
}

impl Transformer {
    /// Appends the forward pass on the transformer's own data: activations, losses, `dlogits`
    /// and stats.
    ///
    /// # Errors
    /// A buffer is too short or of the wrong type.
    pub fn forward(&self, plan: &mut Plan, prog: Prog) -> Result<(), PlanError> {
        self.forward_on(plan, prog, self.data())
    }

    /// The transformer's own data, as [`Self::forward`] and [`Self::backward`] use it.
    #[must_use]
    pub fn data(&self) -> Data {
        Data {
            feed: self.io.feed,
            rows: self.io.rows,
            stats: self.io.stats,
        }
    }

    /// Appends the forward pass on other data: it overwrites the same activations.
    ///
    /// # Errors
    /// A buffer is too short or of the wrong type.
    pub fn forward_on(&self, plan: &mut Plan, prog: Prog, data: Data) -> Result<(), PlanError> {
        self.forward_given(plan, prog, data, None)
    }

    /// As [`Self::forward_on`], but with the attention patterns of every layer given, each
    /// `[batch][head][query][key]`, the same for every replica.
    ///
    /// # Errors
    /// A buffer is too short or of the wrong type.
    pub fn forward_given(
        &self,
        plan: &mut Plan,
        prog: Prog,
        data: Data,
        patterns: Option<&[Buf]>,
    ) -> Result<(), PlanError> {
        let spec = &self.spec;
        let [d, vocab, ctx] = [spec.d_model, spec.d_vocab, spec.n_ctx].map(|x| x as u32);
        let (rows, params) = (self.rows(), self.io.params);
        let learned = u32::from(spec.positions == Positions::Learned);
        let first = self
            .layers
            .first()
            .map_or(self.resid_final, |l| l.resid_pre);
        plan.push(
            prog,
            &embed::EMBED,
            &[rows, ctx, d, vocab, learned],
            &self.embed_params(data.rows),
            &[data.feed, params, first],
        )?;
        for (l, layer) in self.layers.iter().enumerate() {
            let out = Out {
                y: layer.qkv,
                pre: self.unused[0],
                norms: layer.norms1,
            };
            self.product(plan, prog, self.qkv(l), layer.resid_pre, None, out)?;
            self.smear(plan, prog, l)?;
            self.rotate(plan, prog, l)?;
            let given = patterns.and_then(|p| p.get(l)).copied();
            let [batch, ctx, heads, d_head] = self.attention_consts();
            plan.push(
                prog,
                &attention::ATTENTION,
                &[batch, ctx, heads, d_head, u32::from(given.is_some())],
                &self.attention_params(l),
                &[
                    layer.turned,
                    self.io.head_scale,
                    given.unwrap_or(params),
                    layer.pattern,
                    layer.z,
                ],
            )?;
            let plain = |y| Out {
                y,
                pre: self.unused[0],
                norms: self.unused[1],
            };
            let (out, resid) = (plain(layer.resid_mid), Some(layer.resid_pre));
            self.product(plan, prog, self.attn_out(l), layer.z, resid, out)?;
            if spec.d_mlp > 0 {
                let after = self
                    .layers
                    .get(l + 1)
                    .map_or(self.resid_final, |l| l.resid_pre);
                let (y, pre) = self.around_activation(l);
                let out = Out {
                    y,
                    pre,
                    norms: layer.norms2,
                };
                self.product(plan, prog, self.mlp_in(l), layer.resid_mid, None, out)?;
                self.solu(plan, prog, l)?;
                let out = Out {
                    norms: layer.norms_post,
                    ..plain(after)
                };
                let resid = Some(layer.resid_mid);
                self.product(plan, prog, self.mlp_out(l), layer.post, resid, out)?;
            }
        }
        let u = self.unembed();
        let [ln_w, ln_b] = u.norm.unwrap_or_default();
        let tile = unembed::tile(spec.d_vocab) as u32;
        let [norm, tied] = [u.norm.is_some(), spec.tied].map(u32::from);
        plan.push(
            prog,
            &unembed::UNEMBED,
            &[rows, d, vocab, norm, self.targets(), tile, tied],
            &[self.stride as u32, u.w, ln_w, ln_b, data.rows as u32],
            &[
                self.resid_final,
                params,
                data.feed,
                self.dlogits,
                self.losses,
                self.norms_final,
            ],
        )?;
        plan.push(
            prog,
            &loss::LOSS,
            &[rows, self.targets()],
            &[data.rows as u32],
            &[self.losses, data.feed, data.stats],
        )
    }

    /// Appends the backward pass of the forward pass before it: every partial of `grads`.
    ///
    /// # Errors
    /// There is no gradient buffer, or one is too short.
    pub fn backward(&self, plan: &mut Plan, prog: Prog) -> Result<(), PlanError> {
        let (Some(grads), Some(back)) = (self.io.grads, self.back) else {
            return Err(PlanError(
                "this transformer was built without gradients".into(),
            ));
        };
        let Back {
            dresid,
            dz,
            dqkv,
            dturned,
            dpost,
            dpre,
            dpos,
            ..
        } = back;
        let params = self.io.params;
        let at_end = Gradient {
            x: self.resid_final,
            dy: self.dlogits,
            pre: params,
            norms: self.norms_final,
            along: None,
            to: dresid[0],
            layer: 0,
        };
        self.product_back(plan, prog, self.unembed(), at_end)?;
        // The gradient of the residual stream goes back and forth between two buffers.
        let (mut now, mut other) = (dresid[0], dresid[1]);
        for (l, layer) in self.layers.iter().enumerate().rev() {
            let plain = Gradient {
                pre: params,
                norms: params,
                along: None,
                layer: l,
                ..at_end
            };
            if self.spec.d_mlp > 0 {
                let out = Gradient {
                    x: layer.post,
                    dy: now,
                    norms: layer.norms_post,
                    to: dpost,
                    ..plain
                };
                self.product_back(plan, prog, self.mlp_out(l), out)?;
                self.solu_back(plan, prog, l)?;
                let inside = Gradient {
                    x: layer.resid_mid,
                    dy: dpre,
                    pre: layer.pre,
                    norms: layer.norms2,
                    along: Some(now),
                    to: other,
                    ..plain
                };
                self.product_back(plan, prog, self.mlp_in(l), inside)?;
                (now, other) = (other, now);
            }
            let out = Gradient {
                x: layer.z,
                dy: now,
                to: dz,
                ..plain
            };
            self.product_back(plan, prog, self.attn_out(l), out)?;
            plan.push(
                prog,
                &attention::ATTENTION_BACKWARD,
                &self.attention_consts(),
                &self.attention_params(l),
                &[
                    layer.turned,
                    self.io.head_scale,
                    layer.pattern,
                    layer.z,
                    dz,
                    dturned,
                ],
            )?;
            self.rotate_back(plan, prog)?;
            self.smear_back(plan, prog, l)?;
            let inside = Gradient {
                x: layer.resid_pre,
                dy: dqkv,
                norms: layer.norms1,
                along: Some(now),
                to: other,
                ..plain
            };
            self.product_back(plan, prog, self.qkv(l), inside)?;
            (now, other) = (other, now);
        }
        let spec = &self.spec;
        let [ctx, d, vocab, splits] =
            [spec.n_ctx, spec.d_model, spec.d_vocab, spec.splits()].map(|x| x as u32);
        let (dpos, sections) = match spec.positions {
            Positions::Learned => (now, 1),
            Positions::Shortformer => (dpos, spec.n_layers as u32),
            Positions::Rotary => (now, 0),
        };
        plan.push(
            prog,
            &embed::EMBED_DW,
            &[
                self.rows(),
                ctx,
                d,
                vocab,
                sections,
                splits,
                u32::from(spec.tied),
            ],
            &self.embed_params(self.io.rows),
            &[self.io.feed, now, dpos, grads],
        )
    }

    fn attention_consts(&self) -> [u32; 4] {
        let s = &self.spec;
        [self.io.batch, s.n_ctx, s.n_heads, s.d_head].map(|x| x as u32)
    }
    fn attention_params(&self, layer: usize) -> [u32; 2] {
        let heads = self.spec.n_heads;
        [(self.spec.n_layers * heads) as u32, (layer * heads) as u32]
    }

    /// One product forward.
    fn product(
        &self,
        plan: &mut Plan,
        prog: Prog,
        p: Product,
        x: Buf,
        resid: Option<Buf>,
        out: Out,
    ) -> Result<(), PlanError> {
        let (ctx, residual) = (self.spec.n_ctx as u32, u32::from(resid.is_some()));
        let params = self.io.params;
        plan.push(
            prog,
            &linear::LINEAR,
            &p.consts(self.rows(), ctx, residual),
            &p.params(self.stride as u32),
            &[
                x,
                params,
                resid.unwrap_or(params),
                out.y,
                out.pre,
                out.norms,
            ],
        )
    }

    /// One product backward: its input's gradient, its weights', and its LayerNorm's.
    fn product_back(
        &self,
        plan: &mut Plan,
        prog: Prog,
        p: Product,
        g: Gradient,
    ) -> Result<(), PlanError> {
        let (Some(grads), Some(back)) = (self.io.grads, self.back) else {
            return Ok(());
        };
        let (rows, arena) = (self.rows(), self.arena.len() as u32);
        let [ctx, splits, inner, groups, width, pos] = [
            self.spec.n_ctx,
            self.spec.splits(),
            p.inner,
            p.groups,
            p.width,
            p.pos_groups,
        ]
        .map(|x| x as u32);
        let params = self.io.params;
        // Behind a LayerNorm the residual joins later.
        let along = if p.norm.is_some() { None } else { g.along };
        let norms = if p.norm.is_some() { g.norms } else { params };
        plan.push(
            prog,
            &linear_backward::LINEAR_DX,
            &[
                rows,
                inner,
                groups,
                width,
                pos,
                p.act,
                u32::from(along.is_some()),
            ],
            &[arena, p.w, g.layer as u32],
            &[
                g.dy,
                params,
                g.pre,
                along.unwrap_or(params),
                if p.norm.is_some() { back.dn } else { g.to },
                if pos > 0 { back.dpos } else { self.unused[1] },
            ],
        )?;
        plan.push(
            prog,
            &linear_backward::LINEAR_DW,
            &p.consts(rows, ctx, splits),
            &p.params(arena),
            &[g.x, g.dy, g.pre, params, norms, grads],
        )?;
        let Some([ln_w, ln_b]) = p.norm else {
            return Ok(());
        };
        plan.push(
            prog,
            &norm::NORM_BACKWARD,
            &[rows, inner, u32::from(g.along.is_some()), splits],
            &[arena, ln_w, ln_b],
            &[
                g.x,
                norms,
                back.dn,
                params,
                g.along.unwrap_or(params),
                g.to,
                grads,
            ],
        )
    }
}
