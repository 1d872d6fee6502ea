//! Portions of training: what goes into a batch, and what is taken in when it comes back.

use super::history::Checkpoint;
use super::session::{Flying, Session};
use crate::exec::{Batch, Run};
use crate::experiments::{Job, Of, Reading, STATS, feed_batch};
use crate::kernels::Step;
use crate::protocol::{Fault, Notice};
use std::rc::Rc;
use web_time::Instant;

impl Session {
    /// The next step at or after `submitted` at which something is evaluated.
    pub(super) fn boundary(&self) -> u64 {
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

    /// Appends an evaluation at `step`: its program, the weights, then `Parts::reads`.
    pub(super) fn evaluation(&self, batch: &mut Batch, step: u64) {
        let parts = &self.parts;
        if let Some(eval) = &parts.eval {
            batch.runs.push(Run {
                program: eval.program,
                steps: vec![self.step_entry(Of::Eval, step, 0)],
            });
        }
        let len = parts.plan.buffers[parts.params.0].len;
        batch.reads.push((parts.params, 0..len));
        batch.reads.extend(parts.reads.iter().cloned());
    }

    /// Appends what is measured at a checkpoint beside the evaluation, behind it.
    pub(super) fn probing(&self, batch: &mut Batch, step: u64) {
        let probes = &self.parts.probes;
        let run = |&program| Run {
            program,
            steps: vec![self.step_entry(Of::Eval, step, 0)],
        };
        batch.runs.extend(probes.programs.iter().map(run));
        batch.reads.extend(probes.reads.iter().cloned());
    }

    /// Draws the figure where it is missing, of a restored run or of another model that is followed: it
    /// evaluates once more, and keeps the picture alone.
    pub(super) async fn redraw(&mut self) -> Result<(), Fault> {
        while self.drain_one().await? {}
        let mut batch = Batch::default();
        self.evaluation(&mut batch, self.done);
        let reads = self.at_once(&batch).await?;
        if let Some((weights, extra)) = reads.split_first() {
            let seen = self
                .parts
                .lab
                .observe(self.done, self.follow, weights, extra);
            self.history.figure = seen.figure;
        }
        Ok(())
    }

    pub(super) fn submit_portion(&mut self) -> Result<(), Fault> {
        if self.opening() && !self.evaluated {
            (self.owed, self.evaluated) = (true, true);
        }
        let job = &self.parts.train;
        let boundary = self.boundary();
        let left = boundary - self.submitted;
        let mut portion = self.train_pacer.portion(left);
        // The first step is shown before anything else is compiled, unless it is the last too.
        let first = self.steady.is_none() && !self.single && self.submitted + 1 < self.parts.steps;
        portion.steps = if self.single || first {
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
            feed_batch(
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
        let evaluates = to == boundary && !(first && steps > 0);
        let keeps = evaluates && self.parts.checkpoints.binary_search(&to).is_ok();
        // Those of another model than the first take their turn behind it.
        let probes = keeps && self.follow == 0 && self.parts.probes.at.contains(&to);
        if evaluates {
            self.evaluation(&mut batch, to);
            let len = |b: crate::plan::Buf| self.parts.plan.buffers[b.0].len;
            if keeps {
                batch
                    .reads
                    .extend(self.parts.moments.iter().map(|(_, b)| (*b, 0..len(*b))));
            }
            if probes {
                self.probing(&mut batch, to);
            }
        }
        let before = self.exec.counters().submits;
        // The CPU engine does all the work inside `submit`.
        let sent = Instant::now();
        let ticket = self.exec.submit(&batch)?;
        let submits = self.exec.counters().submits - before;
        self.flying.push_back(Flying {
            ticket,
            portion,
            first: self.submitted,
            steps,
            evaluates,
            keeps,
            submits: self.steady.map(|_| submits),
            sent,
        });
        self.submitted = to;
        self.evaluated = evaluates;
        // The evaluation before the first step is not a step.
        self.single &= steps == 0;
        Ok(())
    }

    pub(super) fn step_entry(&self, of: Of, step: u64, slot: u64) -> Step {
        Step {
            slot: slot as u32,
            ..self.parts.lab.step(of, step)
        }
    }

    fn width(&self, job: &Job) -> usize {
        job.replicas.len() * STATS
    }

    /// Finishes the oldest batch in flight; false if there is none.
    pub(super) async fn drain_one(&mut self) -> Result<bool, Fault> {
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
            self.spent.trained(f.steps, f.submits, seconds);
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
            let state = if f.keeps { self.parts.moments.len() } else { 0 };
            let moments = reads.by_ref().take(state).collect();
            self.observe(self.done, weights, extra, f.keeps, moments);
            if f.keeps {
                self.inspect(&reads.collect::<Vec<_>>());
            }
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
                    let (sum, n) = self.running[r];
                    self.running[r] = (sum + f64::from(s[0]), n + 1);
                } else if self.lost[r].is_none() {
                    self.lost[r] = Some(step);
                    if r == self.follow || self.lost.iter().all(Option::is_some) {
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

    /// Takes in an evaluation at `step`, and the checkpoint where it `keeps` one.
    pub(super) fn observe(
        &mut self,
        step: u64,
        weights: Vec<f32>,
        reads: Vec<Vec<f32>>,
        keeps: bool,
        moments: Vec<Vec<f32>>,
    ) {
        let seen = self.parts.lab.observe(step, self.follow, &weights, &reads);
        for (id, y) in seen.values {
            // A diverged replica has no value; its curve ends.
            if y.is_finite() {
                self.history.push(&id, step, y);
            }
        }
        if step == self.done {
            for (r, (sum, n)) in self.running.iter_mut().enumerate().filter(|(_, s)| s.1 > 0) {
                let mean = Reading::new("loss.train".into(), *sum / f64::from(*n)).of(r);
                self.history.push(&mean.id, step, mean.y);
                (*sum, *n) = (0.0, 0);
            }
        }
        if let Some(figure) = seen.figure {
            self.history.push_figure(step, figure);
        }
        if keeps {
            self.history.pca.push(step, &seen.pca_row);
            self.history.push_checkpoint(Checkpoint {
                step,
                weights: weights.into(),
                reads,
                state: moments.into_iter().map(Rc::new).collect(),
            });
            self.queue_point(step);
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
