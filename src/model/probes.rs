//! Read-only probes of the last forward pass: logits, what heads attend to, loss by position.

use super::compile::{Data, Transformer};
use crate::kernels::heads::{self, SCORES};
use crate::kernels::{linear, loss};
use crate::plan::{Buf, Plan, PlanError, Prog};

impl Transformer {
    /// Appends the logits at some positions of the last forward pass: a probe.
    /// `positions` holds `count` row numbers in `0..batch·n_ctx`; returns
    /// `[replica][count][d_vocab]`.
    ///
    /// # Errors
    /// `positions` is too short, or no forward pass comes before.
    pub fn logits(
        &self,
        plan: &mut Plan,
        prog: Prog,
        positions: Buf,
        count: usize,
    ) -> Result<Buf, PlanError> {
        let (d, vocab) = (self.spec.d_model, self.spec.d_vocab);
        let rows = plan.f32("probe.resid_final", self.replicas * count * d);
        let norms = plan.f32("probe.ln_final.moments", self.replicas * count * 2);
        let logits = plan.f32("probe.logits", self.replicas * count * vocab);
        plan.push(
            prog,
            &loss::ROWS,
            &[self.rows(), d as u32, count as u32],
            &[],
            &[self.resid_final, positions, rows],
        )?;
        let u = self.unembed();
        plan.push(
            prog,
            &linear::LINEAR,
            &u.consts(count as u32, self.spec.n_ctx as u32, 0),
            &u.params(self.stride as u32),
            &[
                rows,
                self.io.params,
                self.io.params,
                logits,
                self.unused[0],
                norms,
            ],
        )?;
        Ok(logits)
    }

    /// Appends the pattern scores of every head on the data of the last forward pass: a buffer a
    /// layer, `[replica][head][3]`, previous token, prefix matching, duplicate token; the last two
    /// where the target is of class `only`, if it is not 0.
    ///
    /// # Errors
    /// No forward pass comes before, or the layers share their buffers.
    pub fn head_scores(
        &self,
        plan: &mut Plan,
        prog: Prog,
        data: Data,
        only: u32,
    ) -> Result<Vec<Buf>, PlanError> {
        let (batch, s) = (self.io.batch as u32, &self.spec);
        if self.stride == 0 && s.n_layers > 1 {
            return Err(PlanError("only the last layer's patterns are kept".into()));
        }
        let mut out = Vec::with_capacity(s.n_layers);
        for (l, layer) in self.layers.iter().enumerate() {
            let len = self.replicas * s.n_heads * SCORES;
            let scores = plan.f32(format!("probe.{l}.head_scores"), len);
            plan.push(
                prog,
                &heads::HEADS,
                &[batch, s.n_ctx as u32, s.n_heads as u32, only],
                &[data.rows as u32],
                &[layer.pattern, data.feed, scores],
            )?;
            out.push(scores);
        }
        Ok(out)
    }

    /// The loss of every row of the last forward pass, `[replica][batch·n_ctx]` nats.
    #[must_use]
    pub fn token_losses(&self) -> Buf {
        self.losses
    }

    /// What the last forward pass has left of a layer: what its heads moved `[replica][rows][heads·d_head]`,
    /// their queries, keys before smearing and values `[replica][rows][3·heads·d_head]`, and the
    /// LayerNorm's mean and 1/σ `[replica][rows][2]`. None where layers share their buffers.
    #[must_use]
    pub fn left(&self, layer: usize) -> Option<[Buf; 3]> {
        let of = self.layers.get(layer).filter(|_| self.stride > 0)?;
        Some([of.z, of.qkv, of.norms1])
    }

    /// Appends the mean loss at every position of the last forward pass, `[replica][n_ctx]` nats; 0
    /// at the last, which has no target.
    ///
    /// # Errors
    /// No forward pass comes before.
    pub fn loss_by_position(&self, plan: &mut Plan, prog: Prog) -> Result<Buf, PlanError> {
        let ctx = self.spec.n_ctx;
        let means = plan.f32("probe.loss_by_position", self.replicas * ctx);
        plan.push(
            prog,
            &heads::POSITIONS,
            &[self.io.batch as u32, ctx as u32],
            &[],
            &[self.losses, means],
        )?;
        Ok(means)
    }
}
