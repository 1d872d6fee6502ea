//! The optional stage between the products of an MLP: SoLU, which needs whole rows. Its LayerNorm is a
//! stage of the second product.

use super::compile::Transformer;
use crate::kernels::solu;
use crate::plan::{Buf, Plan, PlanError, Prog};

impl Transformer {
    /// Where the first product of a layer's MLP writes its output and the input of its activation: with
    /// SoLU it has no activation, and its output is what SoLU reads.
    pub(super) fn around_activation(&self, l: usize) -> (Buf, Buf) {
        let layer = &self.layers[l];
        if self.spec.has_solu() {
            (layer.pre, self.unused[0])
        } else {
            (layer.post, layer.pre)
        }
    }

    /// Appends a layer's SoLU, if that is its activation.
    pub(super) fn solu(&self, plan: &mut Plan, prog: Prog, l: usize) -> Result<(), PlanError> {
        let layer = &self.layers[l];
        self.apply_solu(plan, prog, [layer.pre, self.io.params, layer.post], 0)
    }

    /// Appends its gradient.
    pub(super) fn solu_back(&self, plan: &mut Plan, prog: Prog, l: usize) -> Result<(), PlanError> {
        match self.back {
            Some(back) => {
                let from_to = [self.layers[l].pre, back.dpost, back.dpre];
                self.apply_solu(plan, prog, from_to, 1)
            }
            None => Ok(()),
        }
    }

    fn apply_solu(
        &self,
        plan: &mut Plan,
        prog: Prog,
        from_to: [Buf; 3],
        back: u32,
    ) -> Result<(), PlanError> {
        if !self.spec.has_solu() {
            return Ok(());
        }
        let consts = [self.rows(), self.spec.d_mlp as u32, back];
        plan.push(prog, &solu::SOLU, &consts, &[], &from_to)
    }
}
