//! Smeared keys as an optional stage between the product that makes them and attention.

use super::compile::Transformer;
use crate::kernels::smear;
use crate::plan::{Plan, PlanError, Prog};

impl Transformer {
    fn smear_consts(&self) -> [u32; 4] {
        let s = &self.spec;
        [self.io.batch, s.n_ctx, s.n_heads, s.d_head].map(|x| x as u32)
    }

    /// Appends the smearing of a layer's keys, if keys are smeared.
    pub(super) fn smear(&self, plan: &mut Plan, prog: Prog, l: usize) -> Result<(), PlanError> {
        if !self.spec.smear {
            return Ok(());
        }
        let layer = &self.layers[l];
        plan.push(
            prog,
            &smear::SMEAR,
            &self.smear_consts(),
            &[self.stride as u32, self.in_layer(l, "attn.smear")],
            &[layer.qkv, self.io.params, layer.smeared],
        )
    }

    /// Appends its gradients, behind those of attention.
    pub(super) fn smear_back(
        &self,
        plan: &mut Plan,
        prog: Prog,
        l: usize,
    ) -> Result<(), PlanError> {
        let (Some(back), Some(grads), true) = (self.back, self.io.grads, self.spec.smear) else {
            return Ok(());
        };
        let (layer, params) = (&self.layers[l], self.io.params);
        let [batch, ctx, heads, d_head] = self.smear_consts();
        let at = [self.stride as u32, self.in_layer(l, "attn.smear")];
        plan.push(
            prog,
            &smear::SMEAR_BACKWARD,
            &[batch, ctx, heads, d_head],
            &at,
            &[back.dsmeared, params, back.dqkv],
        )?;
        plan.push(
            prog,
            &smear::SMEAR_DW,
            &[batch, ctx, heads, d_head, self.spec.splits() as u32],
            &at,
            &[layer.qkv, back.dsmeared, params, grads],
        )
    }
}
