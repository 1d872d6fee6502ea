//! One run, as a state machine: whoever owns it calls [`Session::pump`] until it returns false.
//!
//! How steps are grouped into batches, frames or pauses cannot be seen in the numbers: everything
//! random is a function of the step, and evaluations happen at fixed steps.

use super::history::{Checkpoint, History};
use super::pacing::{Pacer, Portion};
use super::sampling::Sampling;
use crate::exec::{Batch, Counters, Exec, Run, Ticket};
use crate::experiments::{Job, Of, Parts, STATS};
use crate::kernels::Step;
use crate::protocol::{Fault, Notice, Phase};
use std::collections::VecDeque;
use web_time::Instant;

/// Batches of training in flight on a GPU, so that it does not wait for the host.
const IN_FLIGHT: usize = 2;

/// Counters of training alone, per step.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PerStep {
    /// Launches of the training program.
    pub dispatches_per_step: f64,
    /// Submissions of batches that trained, evaluations among them included.
    pub submits_per_step: f64,
    /// Bind groups created since the first step.
    pub bind_groups_created: u64,
    /// Buffers created since the first step.
    pub buffers_created: u64,
}

struct Flying {
    ticket: Ticket,
    portion: Portion,
    first: u64,
    steps: u64,
    evaluates: bool,
    keeps: bool,
    sent: Instant,
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
    evaluated: bool,
    paused: bool,
    single: bool,
    failed: bool,
    flying: VecDeque<Flying>,
    pub(super) train_pacer: Pacer,
    pub(super) chain_pacer: Pacer,
    queue: VecDeque<u64>,
    sampling: Option<Sampling>,
    last_end: Option<Instant>,
    /// Sum and number of the minibatch losses of the first replica since the last evaluation.
    running: (f64, u32),
    lost: Vec<bool>,
    spent: Spent,
    steady: Option<Counters>,
}

/// Where time and submissions went.
#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    train_s: f64,
    steps: u64,
    submits: u64,
    points: u64,
    points_s: f64,
    /// Steps and seconds of the last moments, for the rate shown.
    recent: (f64, f64),
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
            evaluated: false,
            paused: false,
            single: false,
            failed: false,
            flying: VecDeque::new(),
            train_pacer: Pacer::default(),
            chain_pacer: Pacer::default(),
            queue: VecDeque::new(),
            sampling: None,
            last_end: None,
            running: (0.0, 0),
            lost: vec![false; replicas],
            spent: Spent::default(),
            steady: None,
        }
    }

    /// With pacers that have measured already.
    #[must_use]
    pub(super) fn paced(mut self, train: Pacer, chains: Pacer) -> Self {
        (self.train_pacer, self.chain_pacer) = (train, chains);
        self
    }

    /// Writes tables, fixed data and the given weights and optimiser state to the device.
    ///
    /// # Errors
    /// Device lost or out of memory.
    pub fn load(&mut self, weights: Vec<f32>, moments: &[Vec<f32>]) -> Result<(), Fault> {
        let parts = &self.parts;
        self.exec
            .set_replicas(parts.train.program, &parts.train.replicas);
        let mut batch = parts.lab.setup();
        batch.floats.push((parts.params, 0, weights));
        for (i, (_, buf)) in parts.moments.iter().enumerate() {
            let zeros = || vec![0.0; parts.plan.buffers[buf.0].len];
            batch
                .floats
                .push((*buf, 0, moments.get(i).cloned().unwrap_or_else(zeros)));
        }
        if let Some(eval) = &parts.eval {
            self.exec.set_replicas(eval.program, &eval.replicas);
            let mut words = Vec::new();
            parts.lab.feed(Of::Eval, 0, &mut words);
            batch.words.push((eval.feed, 0, words));
        }
        self.exec.submit(&batch)?;
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
        if self.failed {
            Phase::Failed
        } else if self.paused {
            Phase::Paused
        } else if let Some(s) = &self.sampling {
            Phase::Sampling { at: s.checkpoint }
        } else if self.done == self.parts.steps && self.queue.is_empty() && self.flying.is_empty() {
            Phase::Done
        } else {
            Phase::Training
        }
    }

    /// Stops after what is under way.
    pub fn pause(&mut self) {
        self.paused = true;
    }
    /// Goes on.
    pub fn resume(&mut self) {
        self.paused = false;
        self.last_end = None;
    }
    /// One training step, then pause.
    pub fn single_step(&mut self) {
        if self.done < self.parts.steps {
            self.paused = true;
            self.single = true;
        }
    }

    /// λ̂ and PCA follow another replica from now on: its checkpoints are estimated anew.
    pub fn follow_replica(&mut self, replica: usize) {
        if replica >= self.parts.train.replicas.len() || replica == self.follow {
            return;
        }
        self.follow = replica;
        self.history.llc.clear();
        self.history.pca.truncate(0);
        self.sampling = None;
        self.queue.clear();
        for c in &self.history.checkpoints {
            let seen = self
                .parts
                .lab
                .observe(c.step, replica, &c.weights, &c.reads);
            self.history.pca.push(c.step, &seen.pca_row);
            if self.parts.chains.is_some() {
                self.queue.push_back(c.step);
            }
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

    /// Sets the position of a restored run, at a checkpoint that has been evaluated.
    pub(super) fn at(&mut self, step: u64) {
        self.submitted = step;
        self.done = step;
        self.evaluated = true;
    }

    /// Does one portion of work. False when there is nothing to do until a command comes.
    ///
    /// # Errors
    /// A fault ends the run; what it has shown stays.
    pub async fn pump(&mut self) -> Result<bool, Fault> {
        if self.failed {
            return Ok(false);
        }
        let out = self.work().await;
        self.failed = out.is_err();
        out
    }

    async fn work(&mut self) -> Result<bool, Fault> {
        if self.paused && !self.single {
            return self.drain_one().await;
        }
        if self.sampling.is_none()
            && let Some(step) = self.queue.front().copied()
        {
            if self.drain_one().await? {
                return Ok(true);
            }
            self.queue.pop_front();
            self.sampling = self
                .history
                .checkpoints
                .iter()
                .find(|c| c.step == step)
                .map(|c| {
                    let n = self.parts.arena.len();
                    Sampling::new(
                        step,
                        self.follow,
                        c.weights[self.follow * n..(self.follow + 1) * n].to_vec(),
                    )
                });
        }
        if let Some(sampling) = &mut self.sampling {
            if let Some(point) = sampling
                .pump(&self.parts, &mut self.exec, &mut self.chain_pacer)
                .await?
            {
                self.spent.points += 1;
                self.spent.points_s += sampling.seconds();
                if point.value.is_finite() {
                    self.history.push_llc(point);
                } else {
                    self.notices.push(Notice::about(
                        "eps",
                        format!("All chains ran away at step {}: λ̂ has no value there. Lower eps, or raise gamma.", point.step),
                    ));
                }
                self.sampling = None;
                self.last_end = None;
            }
            return Ok(true);
        }
        if self.submitted < self.parts.steps || !self.evaluated {
            let waits = self
                .flying
                .back()
                .is_some_and(|f| f.keeps && self.parts.chains.is_some());
            let most = if matches!(self.exec, Exec::Cpu(_)) || self.single {
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
        self.drain_one().await
    }

    /// The next step at or after `submitted` at which something is evaluated.
    fn boundary(&self) -> u64 {
        let from = if self.evaluated {
            self.submitted + 1
        } else {
            self.submitted
        };
        self.parts
            .evals
            .iter()
            .copied()
            .find(|&e| e >= from)
            .unwrap_or(self.parts.steps)
    }

    fn submit_portion(&mut self) -> Result<(), Fault> {
        let job = &self.parts.train;
        let boundary = self.boundary();
        let left = boundary - self.submitted;
        let mut portion = self.train_pacer.portion(left);
        portion.steps = if self.single {
            left.min(1)
        } else {
            even(left, portion.steps.min(job.slots as u64))
        };
        let steps = portion.steps;
        let mut batch = Batch {
            cuts: portion.cuts,
            ..Batch::default()
        };
        if steps > 0 {
            crate::experiments::feed_batch(
                &mut batch,
                &self.parts,
                job,
                Of::Train,
                self.submitted,
                steps,
            );
            let table = (0..steps)
                .map(|i| self.step_entry(Of::Train, self.submitted + i, i))
                .collect();
            batch.runs.push(Run {
                program: job.program,
                steps: table,
            });
            batch
                .reads
                .push((job.stats, 0..self.width(job) * steps as usize));
        }
        let to = self.submitted + steps;
        let evaluates = to == boundary;
        let keeps = evaluates && self.parts.checkpoints.binary_search(&to).is_ok();
        if evaluates {
            if let Some(eval) = &self.parts.eval {
                batch.runs.push(Run {
                    program: eval.program,
                    steps: vec![self.step_entry(Of::Eval, to, 0)],
                });
            }
            let len = |b: crate::plan::Buf| self.parts.plan.buffers[b.0].len;
            batch
                .reads
                .push((self.parts.params, 0..len(self.parts.params)));
            batch.reads.extend(self.parts.reads.iter().cloned());
            if keeps {
                batch
                    .reads
                    .extend(self.parts.moments.iter().map(|(_, b)| (*b, 0..len(*b))));
            }
        }
        let before = self.exec.counters().submits;
        let ticket = self.exec.submit(&batch)?;
        if steps > 0 {
            self.spent.submits += self.exec.counters().submits - before;
        }
        self.flying.push_back(Flying {
            ticket,
            portion,
            first: self.submitted,
            steps,
            evaluates,
            keeps,
            sent: Instant::now(),
        });
        self.submitted = to;
        self.evaluated = evaluates;
        // The evaluation before the first step is not a step.
        self.single &= steps == 0;
        Ok(())
    }

    fn step_entry(&self, of: Of, step: u64, slot: u64) -> Step {
        Step {
            slot: slot as u32,
            ..self.parts.lab.step(of, step)
        }
    }

    fn width(&self, job: &Job) -> usize {
        job.replicas.len() * STATS
    }

    /// Finishes the oldest batch in flight; false if there is none.
    async fn drain_one(&mut self) -> Result<bool, Fault> {
        let Some(f) = self.flying.pop_front() else {
            return Ok(false);
        };
        let reads = self.exec.wait(f.ticket).await?;
        let now = Instant::now();
        let from = self.last_end.filter(|&e| e > f.sent).unwrap_or(f.sent);
        let seconds = (now - from).as_secs_f64();
        self.last_end = Some(now);
        if f.steps > 0 {
            self.train_pacer.record(f.portion, seconds * 1e3);
            self.spent.train_s += seconds;
            self.spent.steps += f.steps;
            let keep = 0.5f64.powf(seconds);
            self.spent.recent = (
                self.spent.recent.0 * keep + f.steps as f64,
                self.spent.recent.1 * keep + seconds,
            );
            self.steady.get_or_insert(self.exec.counters());
        }
        let mut reads = reads.into_iter();
        if f.steps > 0 {
            self.losses(f.first, &reads.next().unwrap_or_default())?;
        }
        self.done = f.first + f.steps;
        if f.evaluates {
            let weights = reads.next().unwrap_or_default();
            let extra: Vec<Vec<f32>> = reads.by_ref().take(self.parts.reads.len()).collect();
            self.observe(weights, extra, f.keeps, reads.collect());
        }
        Ok(true)
    }

    /// Takes in the losses of a batch, `[step][replica][STATS]`.
    fn losses(&mut self, first: u64, stats: &[f32]) -> Result<(), Fault> {
        for (i, row) in stats
            .chunks_exact(self.width(&self.parts.train))
            .enumerate()
        {
            let step = first + i as u64;
            for (r, s) in row.chunks_exact(STATS).enumerate() {
                if s[0].is_finite() {
                    if r == 0 {
                        self.running = (self.running.0 + f64::from(s[0]), self.running.1 + 1);
                    }
                } else if !self.lost[r] {
                    self.lost[r] = true;
                    if r == self.follow || self.lost.iter().all(|&l| l) {
                        return Err(Fault::Diverged { step });
                    }
                    self.notices.push(Notice::new(format!(
                        "Replica {r} diverged at step {step}; the others go on."
                    )));
                }
            }
        }
        Ok(())
    }

    fn observe(
        &mut self,
        weights: Vec<f32>,
        reads: Vec<Vec<f32>>,
        keeps: bool,
        moments: Vec<Vec<f32>>,
    ) {
        let step = self.done;
        let seen = self.parts.lab.observe(step, self.follow, &weights, &reads);
        for (id, y) in seen.values {
            // A diverged replica has no value; its curve ends.
            if y.is_finite() {
                self.history.push(&id, step, y);
            }
        }
        if self.running.1 > 0 {
            self.history.push(
                "loss.train",
                step,
                self.running.0 / f64::from(self.running.1),
            );
            self.running = (0.0, 0);
        }
        if seen.figure.is_some() {
            self.history.figure = seen.figure;
        }
        if keeps {
            self.history.pca.push(step, &seen.pca_row);
            self.history.checkpoints.push(Checkpoint {
                step,
                weights,
                reads,
            });
            self.history.moments = moments;
            if self.parts.chains.is_some() {
                self.queue.push_back(step);
            }
        }
    }

    /// Training steps per second over the last moments.
    #[must_use]
    pub fn rate(&self) -> f64 {
        let (steps, seconds) = self.spent.recent;
        if seconds > 0.0 { steps / seconds } else { 0.0 }
    }

    /// Seconds to the end, λ̂ included; none before anything was measured.
    #[must_use]
    pub fn left_s(&self) -> Option<f64> {
        let rate = self.rate();
        if rate <= 0.0 {
            return None;
        }
        let ahead = self
            .parts
            .checkpoints
            .iter()
            .filter(|&&c| c > self.done)
            .count()
            + self.queue.len();
        let point_s = if self.spent.points > 0 {
            self.spent.points_s / self.spent.points as f64
        } else {
            0.0
        };
        let points = if self.parts.chains.is_some() {
            ahead as f64
        } else {
            0.0
        };
        Some((self.parts.steps - self.done) as f64 / rate + points * point_s)
    }

    /// Counters of training alone.
    #[must_use]
    pub fn per_step(&self) -> PerStep {
        let launches = self.parts.plan.programs[self.parts.train.program.0]
            .nodes
            .len() as f64;
        let now = self.exec.counters();
        let then = self.steady.unwrap_or(now);
        PerStep {
            dispatches_per_step: launches,
            submits_per_step: if self.spent.steps > 0 {
                self.spent.submits as f64 / self.spent.steps as f64
            } else {
                0.0
            },
            bind_groups_created: now.bind_groups_created - then.bind_groups_created,
            buffers_created: now.buffers_created - then.buffers_created,
        }
    }
}

/// Splits `left` steps into equal batches of at most `most`: the length of the first.
fn even(left: u64, most: u64) -> u64 {
    if left == 0 {
        0
    } else {
        left.div_ceil(left.div_ceil(most.max(1)))
    }
}
