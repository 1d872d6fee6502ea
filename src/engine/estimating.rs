//! Portions of an estimate within a run: how one begins, what is kept of it, what is shown.

use super::sampling::Sampling;
use super::session::Session;
use crate::protocol::{Fault, Notice, TraceView};

/// Rows of a trace that travel: more than a chart has columns for.
const ROWS: usize = 400;

impl Session {
    /// Starts the estimate at the checkpoint of that step, if it is there.
    pub(super) fn begin_estimate(&mut self, step: u64) {
        let found = self.history.checkpoints.iter().find(|c| c.step == step);
        if let (Some(chains), Some(c)) = (&self.parts.chains, found) {
            let n = self.parts.arena.len();
            let center = c.weights[self.follow * n..(self.follow + 1) * n].to_vec();
            let at = (step, self.follow);
            self.sampling = Some(Sampling::new(&self.parts, chains, at, center));
        }
    }

    /// Runs the next portion of the estimate under way; false if there is none.
    pub(super) async fn estimate_portion(&mut self) -> Result<bool, Fault> {
        let Some(sampling) = &mut self.sampling else {
            return Ok(false);
        };
        // Where nothing is trained, a single step is one of the chains.
        let one = self.single && self.parts.steps == 0;
        let (most, mut point) = (if one { 1 } else { u64::MAX }, None);
        let (parts, exec, pacer) = (&self.parts, &mut self.exec, &mut self.chain_pacer);
        let done = sampling.pump(parts, exec, pacer, most, &mut point).await?;
        self.single &= !one;
        if !done {
            return Ok(true);
        }
        self.spent.sampled(sampling.seconds());
        match point {
            Some(point) => self.history.push_llc(point),
            None => self.notices.push(Notice::about(
                "eps",
                format!(
                    "All chains ran away at step {}: λ̂ has no value there. Lower eps, or raise gamma.",
                    sampling.checkpoint
                ),
            )),
        }
        if let Some(done) = self.sampling.take() {
            self.history.push_trace(done.trace);
        }
        self.last_end = None;
        Ok(true)
    }

    /// The traces of the estimate at a checkpoint, of one under way too; its numbers alone where
    /// they are no longer kept.
    #[must_use]
    pub fn trace(&self, step: u64) -> TraceView {
        let live = self.sampling.as_ref().map(|s| &s.trace);
        let kept = self
            .history
            .traces
            .iter()
            .chain(live)
            .find(|t| t.step == step);
        let settings = self.parts.chains.as_ref().map(|c| c.settings.told());
        let none = || TraceView {
            step,
            settings: settings.unwrap_or_default(),
            ..TraceView::default()
        };
        TraceView {
            point: self.history.llc.iter().find(|p| p.step == step).cloned(),
            ..kept.map_or_else(none, |t| t.view(ROWS))
        }
    }
}
