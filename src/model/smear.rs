//! Optional stages between the product that makes queries, keys and values and attention: smeared keys,
//! then rotary positions.

use super::compile::Transformer;
use super::spec::Positions;
use crate::kernels::{rotary, smear};
use crate::plan::{Buf, Plan, PlanError, Prog};

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

    /// Appends the turning of a layer's queries and keys, if positions are rotary.
    pub(super) fn rotate(&self, plan: &mut Plan, prog: Prog, l: usize) -> Result<(), PlanError> {
        let layer = &self.layers[l];
        self.turn(plan, prog, [layer.smeared, layer.turned], 0)
    }

    /// Appends its gradients, behind those of attention.
    pub(super) fn rotate_back(&self, plan: &mut Plan, prog: Prog) -> Result<(), PlanError> {
        match self.back {
            Some(back) => self.turn(plan, prog, [back.dturned, back.dsmeared], 1),
            None => Ok(()),
        }
    }

    fn turn(
        &self,
        plan: &mut Plan,
        prog: Prog,
        from_to: [Buf; 2],
        inverse: u32,
    ) -> Result<(), PlanError> {
        if self.spec.positions != Positions::Rotary {
            return Ok(());
        }
        let [batch, ctx, heads, d_head] = self.smear_consts();
        let step = rotary::step(self.spec.d_head);
        let consts = [batch, ctx, heads, d_head, inverse];
        plan.push(prog, &rotary::ROTARY, &consts, &[step], &from_to)
    }
}
