//! Looks at stored checkpoints: the figure of the model as it was then, at any time of the run.
//!
//! What the evaluation read back is kept with a checkpoint, and most looks cost nothing more. A
//! record keeps the weights alone, so after a reload the evaluation is done once more: the weights of
//! the checkpoint stand in for those of the run, which are put back to the bit.

use super::history::Checkpoint;
use super::session::Session;
use crate::exec::Batch;
use crate::protocol::{Fault, Figure};
use crate::store::checkpoint::checkpoint;

/// What is asked for, and what was found.
#[derive(Debug, Default)]
pub(super) struct Looks {
    asked: Vec<u64>,
    found: Vec<(u64, Option<Figure>)>,
}

impl Looks {
    /// Asks for the figure of the checkpoint of that step; the next pump finds it.
    pub(super) fn ask(&mut self, step: u64) {
        if !self.asked.contains(&step) {
            self.asked.push(step);
        }
    }

    /// What was found since the last time: each step asked for, with its figure.
    pub(super) fn take(&mut self) -> impl Iterator<Item = (u64, Option<Figure>)> + use<> {
        std::mem::take(&mut self.found).into_iter()
    }
}

impl Session {
    /// Answers what needs no device. Of a run that failed nothing else can be answered.
    pub(super) fn look_at_stored(&mut self) {
        for step in std::mem::take(&mut self.looks.asked) {
            let found = self.history.checkpoints.iter().find(|c| c.step == step);
            let whole = found.filter(|c| c.reads.len() == self.parts.reads.len());
            if found.is_some() && whole.is_none() && !self.failed {
                self.looks.asked.push(step);
                continue;
            }
            let figure = whole.and_then(|c| {
                let lab = &self.parts.lab;
                lab.observe(step, self.follow, &c.weights, &c.reads).figure
            });
            self.looks.found.push((step, figure));
        }
    }

    /// Evaluates the next checkpoint asked for that lacks its reads; false if there is none.
    pub(super) async fn look_again(&mut self) -> Result<bool, Fault> {
        let Some(&step) = self.looks.asked.first() else {
            return Ok(false);
        };
        // Steps under way leave the weights that are put back.
        while self.drain_one().await? {}
        let stored = |c: &&mut Checkpoint| c.step == step;
        let Some(weights) = self.history.checkpoints.iter_mut().find(stored) else {
            return Ok(true);
        };
        let weights = weights.weights.to_vec();
        let reads = self.evaluate_again(step, weights, false).await?;
        if let Some(c) = self.history.checkpoints.iter_mut().find(stored) {
            c.reads = reads.into_iter().skip(1).collect();
        }
        self.look_at_stored();
        Ok(true)
    }

    /// Evaluates weights that stand in for the run's own for as long as that takes, with what else is
    /// measured at a checkpoint where that is asked for: what was read.
    pub(super) async fn evaluate_again(
        &mut self,
        step: u64,
        weights: Vec<f32>,
        probing: bool,
    ) -> Result<Vec<Vec<f32>>, Fault> {
        let mut then = Batch {
            floats: vec![(self.parts.params, 0, weights)],
            ..Batch::default()
        };
        self.evaluation(&mut then, step);
        if probing {
            self.probing(&mut then, step);
        }
        Ok(self.meanwhile(vec![then]).await?.concat())
    }

    /// The stored checkpoint of the replica followed as a file, with the optimiser's state where that is
    /// kept; none of a step without a checkpoint. `link` goes into its metadata.
    #[must_use]
    pub fn file(&self, step: u64, link: &str) -> Option<Vec<u8>> {
        let history = &self.history;
        let found = history.checkpoints.iter().find(|c| c.step == step)?;
        let n = self.parts.arena.len();
        let own = self.follow * n..(self.follow + 1) * n;
        let kept = self.parts.moments.iter().zip(&found.state);
        let state: Vec<(&str, &[f32])> = kept
            .filter_map(|((name, _), data)| Some((*name, data.get(own.clone())?)))
            .collect();
        let words = [("link", link.to_string()), ("step", step.to_string())];
        let weights = found.weights.get(own.clone())?;
        checkpoint(&self.parts.arena, weights, &state, &words).ok()
    }

    /// A batch with nothing else under way: what it read.
    pub(super) async fn at_once(&mut self, batch: &Batch) -> Result<Vec<Vec<f32>>, Fault> {
        let ticket = self.exec.submit(batch)?;
        self.exec.wait(ticket).await
    }
}
