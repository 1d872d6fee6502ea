//! One run, as a state machine: whoever owns it calls [`Session::pump`] until it returns false.
//!
//! How steps are grouped into batches, frames or pauses cannot be seen in the numbers: everything
//! random is a function of the step, and evaluations happen at fixed steps.

use super::asking::Asks;
use super::following::Following;
use super::history::History;
use super::looking::Looks;
use super::pacing::{Pacer, Portion};
use super::rejoining::Ahead;
use super::sampling::Sampling;
use super::staging::Staging;
use super::studies::Studies;
use super::study::Studying;
use super::tally::Spent;
use super::turning::Turns;
use crate::exec::{Counters, Exec, Ticket};
use crate::experiments::{Of, Parts};
use crate::protocol::{Fault, LlcPoint, Notice, Phase};
use std::collections::VecDeque;
use std::rc::Rc;
use web_time::Instant;

/// Batches of training in flight on a GPU, so that it does not wait for the host.
const IN_FLIGHT: usize = 2;

/// A batch of training under way.
pub(super) struct Flying {
    pub(super) ticket: Ticket,
    pub(super) portion: Portion,
    pub(super) first: u64,
    pub(super) steps: u64,
    pub(super) evaluates: bool,
    pub(super) keeps: bool,
    /// Submissions of a batch planned from measured times; none while nothing was measured.
    pub(super) submits: Option<u64>,
    pub(super) sent: Instant,
}

/// One run.
pub struct Session {
    /// What runs.
    pub parts: Parts,
    /// What it runs on.
    pub exec: Exec,
    /// What it has shown.
    pub history: History,
    /// Remarks not yet shown.
    pub notices: Vec<Notice>,
    pub(super) submitted: u64,
    pub(super) done: u64,
    pub(super) follow: usize,
    /// What of that one is still to be measured.
    pub(super) following: Following,
    pub(super) evaluated: bool,
    /// The evaluation before the first step is still to be made.
    pub(super) owed: bool,
    /// A restored run has no figure yet.
    pub(super) faceless: bool,
    pub(super) paused: bool,
    pub(super) single: bool,
    pub(super) failed: bool,
    /// What [`Session::load`] has sent.
    loading: Option<Ticket>,
    pub(super) flying: VecDeque<Flying>,
    pub(super) train_pacer: Pacer,
    pub(super) chain_pacer: Pacer,
    pub(super) queue: VecDeque<u64>,
    /// λ̂ points that are known already, from a run with the same ones.
    pub(super) known: Vec<LlcPoint>,
    /// What a run has that is the same one behind a window of steps.
    pub(super) ahead: Option<Ahead>,
    /// What the run goes on as once its steps are done, if it is the parent of a branch.
    pub(super) then: Option<Box<Session>>,
    pub(super) sampling: Option<Sampling>,
    /// λ̂ at other settings, of checkpoints that are there.
    pub(super) study: Option<Box<Studying>>,
    /// Those before it.
    pub(super) studies: Studies,
    /// Looks at stored checkpoints.
    pub(super) looks: Looks,
    /// Stages of the curve.
    pub(super) staging: Staging,
    /// A head of a checkpoint to be turned.
    pub(super) turns: Turns,
    /// Questions about stored checkpoints.
    pub(super) asks: Asks,
    pub(super) last_end: Option<Instant>,
    /// By replica, sum and number of the minibatch losses since the last evaluation.
    pub(super) running: Vec<(f64, u32)>,
    /// By replica, the step whose loss was no longer finite.
    pub(super) lost: Vec<Option<u64>>,
    pub(super) spent: Spent,
    pub(super) steady: Option<Counters>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session at step {} of {}", self.done, self.parts.steps)
    }
}

impl Session {
    /// A run at its beginning. Nothing happens before the first pump.
    #[must_use]
    pub fn new(parts: Parts, exec: Exec) -> Self {
        let follow = parts.follow;
        let replicas = parts.train.replicas.len();
        Self {
            parts,
            exec,
            history: History::default(),
            notices: Vec::new(),
            submitted: 0,
            done: 0,
            follow,
            following: Following::default(),
            evaluated: false,
            owed: false,
            faceless: false,
            paused: false,
            single: false,
            failed: false,
            loading: None,
            flying: VecDeque::new(),
            train_pacer: Pacer::default(),
            chain_pacer: Pacer::default(),
            queue: VecDeque::new(),
            known: Vec::new(),
            ahead: None,
            then: None,
            sampling: None,
            study: None,
            studies: Studies::default(),
            looks: Looks::default(),
            staging: Staging::default(),
            turns: Turns::default(),
            asks: Asks::default(),
            last_end: None,
            running: vec![(0.0, 0); replicas],
            lost: vec![None; replicas],
            spent: Spent::default(),
            steady: None,
        }
    }

    /// The run at its beginning again, after its speed was measured.
    #[must_use]
    pub(super) fn anew(self) -> Self {
        Self {
            train_pacer: self.train_pacer,
            chain_pacer: self.chain_pacer,
            then: self.then.map(|t| Box::new(t.anew())),
            ..Self::new(self.parts, self.exec)
        }
    }

    /// Writes tables, fixed data and the given weights and optimiser state to the device.
    ///
    /// # Errors
    /// Device lost or out of memory.
    pub fn load(&mut self, weights: Vec<f32>, moments: &[Rc<Vec<f32>>]) -> Result<(), Fault> {
        let parts = &self.parts;
        self.exec
            .set_replicas(parts.train.program, &parts.train.replicas);
        let mut batch = parts.lab.setup();
        batch.floats.push((parts.params, 0, weights));
        for (i, (_, buf)) in parts.moments.iter().enumerate() {
            let zeros = || vec![0.0; parts.plan.buffers[buf.0].len];
            let there = moments.get(i).map_or_else(zeros, |m| m.to_vec());
            batch.floats.push((*buf, 0, there));
        }
        if let Some(chains) = &parts.chains {
            let groups = (chains.buffers.groups, 0, chains.groups.clone());
            batch.words.push(groups);
        }
        if let Some(eval) = &parts.eval {
            self.exec.set_replicas(eval.program, &eval.replicas);
            let mut words = Vec::new();
            parts.lab.feed(Of::Eval, 0, &mut words);
            batch.words.push((eval.feed, 0, words));
        }
        let probes = &parts.probes;
        for &program in &probes.programs {
            let own = parts.plan.programs[program.0].replicas;
            self.exec.set_replicas(program, &probes.tables[..own]);
        }
        self.exec.reserve(IN_FLIGHT + 1, self.parts.most_read());
        self.loading = Some(self.exec.submit(&batch)?);
        Ok(())
    }

    /// Waits for what [`Session::load`] has sent.
    ///
    /// # Errors
    /// Device lost or out of memory.
    pub(super) async fn loaded(&mut self) -> Result<(), Fault> {
        if let Some(ticket) = self.loading.take() {
            self.exec.wait(ticket).await?;
        }
        Ok(())
    }

    /// Starts at step 0 from the initial weights.
    ///
    /// # Errors
    /// Device lost or out of memory.
    pub fn begin(&mut self) -> Result<(), Fault> {
        let initial = self.parts.lab.initial();
        self.load(initial, &[])
    }

    /// Steps finished.
    #[must_use]
    pub fn step(&self) -> u64 {
        self.done
    }
    /// The replica λ̂ and PCA follow.
    #[must_use]
    pub fn follow(&self) -> usize {
        self.follow
    }

    /// Where the run is.
    #[must_use]
    pub fn phase(&self) -> Phase {
        let waits = !self.queue.is_empty() || self.following.waiting() > 0;
        let idle = self.evaluated && !waits && self.flying.is_empty();
        if self.failed {
            Phase::Failed
        } else if self.paused && !self.single && self.flying.is_empty() {
            // Not before what was under way has been taken in: a run that is paused stands still.
            Phase::Paused
        } else if let Some(s) = &self.sampling {
            Phase::Sampling { at: s.checkpoint }
        } else if idle && self.then.is_none() && self.done == self.parts.steps {
            Phase::Done
        } else {
            Phase::Training
        }
    }

    /// Stops after what is under way.
    pub fn pause(&mut self) {
        self.paused = true;
        self.single = false;
    }
    /// Goes on.
    pub fn resume(&mut self) {
        self.paused = false;
        self.last_end = None;
    }
    /// One training step, then pause.
    pub fn single_step(&mut self) {
        let chains = self.parts.steps == 0 && (self.sampling.is_some() || !self.queue.is_empty());
        if self.done < self.steps() || !self.evaluated || chains {
            self.paused = true;
            self.single = true;
        }
    }

    /// Checkpoints that still lack their λ̂ are estimated (after a restore).
    pub(super) fn queue_missing(&mut self) {
        if self.parts.chains.is_none() {
            return;
        }
        for c in &self.history.checkpoints {
            if !self.history.llc.iter().any(|p| p.step == c.step) {
                self.queue.push_back(c.step);
            }
        }
    }

    /// The checkpoint of that step waits for its λ̂, unless that is known.
    pub(super) fn queue_point(&mut self, step: u64) {
        if self.parts.chains.is_none() {
            return;
        }
        match self.known.iter().position(|p| p.step == step) {
            Some(at) => self.history.push_llc(self.known.remove(at)),
            None => self.queue.push_back(step),
        }
    }

    /// Sets the position of a restored run, at a checkpoint that has been evaluated.
    pub(super) fn at(&mut self, step: u64) {
        self.submitted = step;
        self.done = step;
        self.evaluated = true;
        self.faceless = true;
    }

    /// Does one portion of work. False when there is nothing to do until a command comes.
    ///
    /// # Errors
    /// A fault ends the run; what it has shown stays.
    pub async fn pump(&mut self) -> Result<bool, Fault> {
        self.look_at_stored();
        if self.failed {
            return Ok(false);
        }
        let out = self.work().await;
        self.failed = out.is_err();
        out
    }

    async fn work(&mut self) -> Result<bool, Fault> {
        self.loaded().await?;
        if std::mem::take(&mut self.faceless) {
            self.redraw().await?;
            return Ok(true);
        }
        if self.look_again().await?
            || self.turn().await?
            || self.probe_followed().await?
            || self.answer().await?
            || self.studying().await?
        {
            return Ok(true);
        }
        if self.paused && !self.single {
            return self.drain_one().await;
        }
        if self.owed && !self.opening() {
            if !self.drain_one().await? {
                self.catch_up().await?;
            }
            return Ok(true);
        }
        if self.sampling.is_none()
            && let Some(step) = self.queue.front().copied()
        {
            if self.drain_one().await? {
                return Ok(true);
            }
            self.queue.pop_front();
            self.begin_estimate(step);
        }
        if self.estimate_portion().await? || self.rejoin().await? {
            return Ok(true);
        }
        if self.submitted < self.parts.steps || !self.evaluated {
            let waits = self
                .flying
                .back()
                .is_some_and(|f| f.keeps && self.parts.chains.is_some());
            let alone = self.single || self.steady.is_none();
            let most = if alone || matches!(self.exec, Exec::Cpu(_)) {
                1
            } else {
                IN_FLIGHT
            };
            if waits || self.flying.len() >= most {
                self.drain_one().await?;
            } else {
                self.submit_portion()?;
            }
            return Ok(true);
        }
        Ok(self.drain_one().await? || self.branch_off()?)
    }
}
