//! How a run opens: its first trained step is shown before anything is measured, since on a GPU each
//! program's shaders are compiled before it first runs. The evaluation at step 0, its ablations and its
//! λ̂ come a moment later, on the weights the run began with: the same bits.

use super::session::Session;
use crate::protocol::Fault;

impl Session {
    /// Nothing is trained yet, and the evaluation at step 0 waits until something is. A visitor who
    /// asks for a single step has time.
    pub(super) fn opening(&self) -> bool {
        self.done == 0 && self.parts.steps > 1 && !self.single
    }

    /// Makes the evaluation at step 0 that has waited.
    ///
    /// # Errors
    /// Device lost or out of memory.
    pub(super) async fn catch_up(&mut self) -> Result<(), Fault> {
        let parts = &self.parts;
        let keeps = parts.checkpoints.contains(&0);
        let probes = keeps && self.follow == 0 && parts.probes.at.contains(&0);
        let (initial, count) = (parts.lab.initial(), parts.reads.len());
        // The optimiser had no state yet.
        let zeros = |(_, b): &(_, crate::plan::Buf)| vec![0.0; parts.plan.buffers[b.0].len];
        let moments = parts.moments.iter().filter(|_| keeps).map(zeros).collect();
        let reads = self.evaluate_again(0, initial, probes).await?;
        let mut reads = reads.into_iter();
        let weights = reads.next().unwrap_or_default();
        let extra = reads.by_ref().take(count).collect();
        self.observe(0, weights, extra, keeps, moments);
        if keeps {
            self.inspect(&reads.collect::<Vec<_>>());
        }
        self.owed = false;
        Ok(())
    }
}
