//! The end of a zoom: behind its window a run is again the one that it was. What that one has is taken
//! over as it is instead of being computed again: the bits are the same.

use super::history::{Checkpoint, History};
use super::session::Session;
use crate::protocol::Fault;
use std::ops::Range;

/// What the run before has that this one has not come to yet.
#[derive(Debug)]
pub(super) struct Ahead {
    /// The steps that need not be trained again: from the first checkpoint of both behind the window to
    /// the last of the other whose optimiser's state is there.
    pub(super) spared: Range<u64>,
    history: History,
    lost: Vec<Option<u64>>,
}

impl Ahead {
    /// Of the history of a run with the same checkpoints behind step `window`; none where there is
    /// nothing to spare. `moments`: how many tensors its optimiser keeps.
    pub(super) fn of(
        history: History,
        lost: Vec<Option<u64>>,
        window: u64,
        moments: usize,
    ) -> Option<Self> {
        let all = &history.checkpoints;
        let first = all.iter().find(|c| c.step >= window)?.step;
        let last = all.iter().rfind(|c| c.state.len() == moments)?.step;
        (first < last).then_some(Self {
            spared: first..last,
            history,
            lost,
        })
    }
}

impl History {
    /// Goes on as another history does from a step that both have, up to `last`.
    fn go_on(&mut self, mut other: History, from: u64, last: u64) {
        let new = |step: u64| step > from && step <= last;
        self.checkpoints.retain(|c| c.step <= from);
        let checkpoints = std::mem::take(&mut other.checkpoints).into_iter();
        self.checkpoints.extend(checkpoints.filter(|c| new(c.step)));
        for (id, theirs) in &other.series {
            let behind = theirs.x.partition_point(|&x| x <= from as f64);
            let upto = theirs.x.partition_point(|&x| x <= last as f64);
            if !self.series.contains_key(id) {
                self.series.insert(id.clone(), Default::default());
            }
            let Some(ours) = self.series.get_mut(id) else {
                continue;
            };
            let keep = ours.x.partition_point(|&x| x <= from as f64);
            let join = |ours: &mut Vec<f64>, theirs: &[f64]| {
                ours.truncate(keep);
                ours.extend(theirs.get(behind..upto).unwrap_or_default());
            };
            join(&mut ours.x, &theirs.x);
            join(&mut ours.y, &theirs.y);
            join(&mut ours.lo, &theirs.lo);
            join(&mut ours.hi, &theirs.hi);
        }
        for (step, row) in other.pca.rows().filter(|(step, _)| new(*step)) {
            self.pca.push(step, &row);
        }
        self.jumps.retain(|j| j.step <= from);
        self.jumps
            .extend(other.jumps.into_iter().filter(|j| new(j.step)));
    }
}

impl Session {
    /// Goes on at the end of what the run before has, once this one has come to a checkpoint of both
    /// behind the window and nothing of it is left to be measured; false where it has not.
    pub(super) async fn rejoin(&mut self) -> Result<bool, Fault> {
        let busy = self.then.is_some()
            || self.sampling.is_some()
            || !self.queue.is_empty()
            || self.following.waiting() > 0;
        let Some(ahead) = self.ahead.as_ref().filter(|_| !busy) else {
            return Ok(false);
        };
        let last = ahead.spared.end;
        let theirs = &ahead.history.checkpoints;
        let end = theirs.iter().find(|c| c.step == last);
        let Some(end) = end.filter(|c| c.state.len() == self.parts.moments.len()) else {
            return Ok(false);
        };
        let (weights, state) = (end.weights.to_vec(), end.state.clone());
        let both = |c: &&Checkpoint| {
            ahead.spared.contains(&c.step) && theirs.iter().any(|t| t.step == c.step)
        };
        let Some(from) = self.history.checkpoints.iter().rfind(both).map(|c| c.step) else {
            return Ok(false);
        };
        if self.drain_one().await? {
            return Ok(true);
        }
        if let Some(ahead) = self.ahead.take() {
            self.history.go_on(ahead.history, from, last);
            self.lost = ahead.lost;
        }
        self.load(weights, &state)?;
        self.running.fill((0.0, 0));
        self.at(last);
        let steps = self.history.checkpoints.iter().map(|c| c.step);
        for step in steps.filter(|s| *s > from).collect::<Vec<_>>() {
            self.queue_point(step);
        }
        self.queue_probes();
        Ok(true)
    }
}
