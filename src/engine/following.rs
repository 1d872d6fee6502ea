//! Whom λ̂, logit-PCA and the instruments follow, and what is measured of that one alone.
//!
//! Ablation and what a step's activations tell are measured on the model that stands in the first place.
//! Of another one each stored checkpoint is put there in turn, with its own data, and everything is put
//! back to the bit: its numbers are those of the run of its seed alone, whether it was followed from the
//! beginning or is only now.

use super::history::Checkpoint;
use super::session::Session;
use crate::exec::{Batch, Run};
use crate::experiments::{Of, Reading};
use crate::instruments::pca::Pca;
use crate::protocol::{Fault, Notice, Told};
use std::collections::VecDeque;

/// Checkpoints at which the model that is followed has yet to be measured.
#[derive(Debug, Default)]
pub(super) struct Following {
    waiting: VecDeque<u64>,
    /// Shown together, once nothing waits: until then a curve would end too early.
    found: Vec<(u64, Reading)>,
    /// An evaluation was done once more.
    reread: bool,
}

impl Following {
    /// How many checkpoints wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

impl Session {
    /// λ̂, PCA and the instruments follow another replica from now on: its checkpoints are measured and
    /// estimated anew. False, with a notice, for one that has diverged, and for one that is not there.
    pub fn follow_replica(&mut self, replica: usize) -> bool {
        match self.lost.get(replica) {
            Some(None) if replica == self.follow => return true,
            Some(None) => {}
            Some(Some(step)) => {
                self.notices.push(Notice::about(
                    "member",
                    format!(
                        "Replica {replica} diverged at step {step}: there is nothing to follow."
                    ),
                ));
                return false;
            }
            None => return false,
        }
        // A study of the model that was followed is over.
        if let Some(study) = self.study.as_mut().filter(|s| s.of_followed()) {
            study.stop();
        }
        // So are answers that are of that model alone.
        let all = |t: &Told| !matches!(t, Told::Stored(_) | Told::Tokens(_));
        self.asks.kept.retain(all);
        self.staging.follow([self.follow, replica]);
        self.follow = replica;
        (self.known, self.ahead) = (Vec::new(), None);
        self.history.llc.clear();
        self.history.traces.clear();
        self.history.pca = Pca::default();
        self.sampling = None;
        self.queue.clear();
        if self.history.figure.as_ref().is_some_and(|f| !f.of_all()) {
            self.history.figure = None;
            self.faceless = true;
        }
        self.queue_probes();
        // After a reload the weights alone are left, and the evaluation is done once more.
        let (whole, waiting) = (self.parts.reads.len(), &mut self.following.waiting);
        for c in &self.history.checkpoints {
            if c.reads.len() != whole && !waiting.contains(&c.step) {
                waiting.push_back(c.step);
            }
            if self.parts.chains.is_some() {
                self.queue.push_back(c.step);
            }
        }
        self.read_again();
        true
    }

    /// Logit-PCA and what instruments say of the model that is followed, at the checkpoints whose
    /// evaluation is there.
    fn read_again(&mut self) {
        let (lab, follow, history) = (&self.parts.lab, self.follow, &mut self.history);
        history.pca.truncate(0);
        let whole = |c: &&Checkpoint| c.reads.len() == self.parts.reads.len();
        let mut found = Vec::new();
        for c in history.checkpoints.iter().filter(whole) {
            let seen = lab.observe(c.step, follow, &c.weights, &c.reads);
            history.pca.push(c.step, &seen.pca_row);
            let read = lab.inspect(c.step, follow, &c.weights, &c.reads);
            found.extend(read.into_iter().map(|r| (c.step, r)));
        }
        for (step, r) in found {
            history.read(&r.id, step, r.y, r.range);
        }
    }

    /// The checkpoints at which the model that is followed lacks what probes measure wait for them.
    pub(super) fn queue_probes(&mut self) {
        let probes = &self.parts.probes;
        let known = Reading::new(probes.mark.into(), 0.0).of(self.follow).id;
        let known = self.history.series.get(&known).map_or(&[][..], |s| &s.x);
        let lacks = |s: &u64| probes.at.contains(s) && !known.contains(&(*s as f64));
        let steps = self.history.checkpoints.iter().map(|c| c.step);
        self.following = Following {
            waiting: steps.filter(lacks).collect(),
            ..Following::default()
        };
    }

    /// Takes in what instruments find at the checkpoint that was just kept, and what `probed` says of the
    /// first model, if that was measured; another one that is followed waits for its turn.
    pub(super) fn inspect(&mut self, probed: &[Vec<f32>]) {
        let Some(c) = self.history.checkpoints.last() else {
            return;
        };
        let (step, lab) = (c.step, &self.parts.lab);
        let mut all = lab.inspect(step, self.follow, &c.weights, &c.reads);
        if !probed.is_empty() {
            all.extend(lab.probed(0, &c.weights, probed));
        }
        let there = self.follow == 0 && !probed.is_empty();
        if !there && self.parts.probes.at.contains(&step) {
            self.following.waiting.push_back(step);
        }
        for r in all {
            self.history.read(&r.id, step, r.y, r.range);
        }
    }

    /// Measures the model that is followed at the next checkpoint that waits; false if none does.
    pub(super) async fn probe_followed(&mut self) -> Result<bool, Fault> {
        let Some(&step) = self.following.waiting.front() else {
            return Ok(false);
        };
        // Steps under way leave the weights that are put back.
        while self.drain_one().await? {}
        self.following.waiting.pop_front();
        let whole = self.parts.reads.len();
        let found = |c: &&mut Checkpoint| c.step == step;
        let Some(c) = self.history.checkpoints.iter_mut().find(found) else {
            return Ok(true);
        };
        let (weights, lacks) = (c.weights.clone(), c.reads.len() != whole);
        if lacks {
            let reads = self.evaluate_again(step, weights.to_vec(), false).await?;
            if let Some(c) = self.history.checkpoints.iter_mut().find(found) {
                c.reads = reads.into_iter().skip(1).collect();
            }
            self.following.reread = true;
        }
        if self.parts.probes.at.contains(&step) {
            self.probe(step, &weights).await?;
        }
        if self.following.waiting.is_empty() {
            let done = std::mem::take(&mut self.following);
            if done.reread {
                self.read_again();
            }
            for (step, r) in done.found {
                self.history.read(&r.id, step, r.y, r.range);
            }
        }
        Ok(true)
    }

    /// Measures the model that is followed at a checkpoint of `weights [replica][params]`.
    async fn probe(&mut self, step: u64, weights: &[f32]) -> Result<(), Fault> {
        let (member, count) = (self.follow, self.parts.arena.len());
        let own = weights.get(member * count..(member + 1) * count);
        let (Some(own), Some(eval)) = (own, &self.parts.eval) else {
            return Ok(());
        };
        let mut words = Vec::new();
        self.parts.lab.feed(Of::Eval, 0, &mut words);
        let row = words.chunks_exact(eval.feed_len.max(1)).nth(member);
        let mut batch = self.parts.lab.probing(member);
        let row = row.unwrap_or_default().to_vec();
        batch.words.push((eval.feed, 0, row));
        batch.floats.push((self.parts.params, 0, own.to_vec()));
        batch.runs.push(Run {
            program: eval.program,
            steps: vec![self.step_entry(Of::Eval, step, 0)],
        });
        self.probing(&mut batch, step);
        let reads = self.meanwhile(vec![batch]).await?.concat();
        let read = self.parts.lab.probed(member, own, &reads).into_iter();
        let found = read.map(|r| (step, r.of(member)));
        self.following.found.extend(found);
        Ok(())
    }

    /// Runs batches whose weights, and held-out data where they write any, stand in for the run's own as
    /// long as that takes: what each of them read.
    pub(super) async fn meanwhile(
        &mut self,
        batches: Vec<Batch>,
    ) -> Result<Vec<Vec<Vec<f32>>>, Fault> {
        let params = self.parts.params;
        let len = self.parts.plan.buffers[params.0].len;
        let own = self
            .at_once(&Batch {
                reads: vec![(params, 0..len)],
                ..Batch::default()
            })
            .await?;
        let mut out = Vec::with_capacity(batches.len());
        let mut back = Batch::default();
        for batch in &batches {
            out.push(self.at_once(batch).await?);
            if !batch.words.is_empty() {
                back = self.parts.lab.probing(0);
            }
        }
        if let Some(eval) = self.parts.eval.as_ref() {
            let mut words = Vec::new();
            self.parts.lab.feed(Of::Eval, 0, &mut words);
            back.words.push((eval.feed, 0, words));
        }
        back.floats
            .extend(own.into_iter().map(|own| (params, 0, own)));
        self.at_once(&back).await?;
        self.last_end = None;
        Ok(out)
    }
}
