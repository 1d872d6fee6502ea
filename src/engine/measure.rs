//! What a run will cost here: a second of real steps, timed, before anything is promised.

use super::host::Host;
use super::pacing::{Pacer, Portion};
use super::session::Session;
use crate::app::link;
use crate::exec::{Batch, Run};
use crate::experiments::{self, Job, Of, feed_batch};
use crate::kernels::Step;
use crate::plan::Prog;
use crate::protocol::{Estimate, Event, Fault};
use std::cell::Cell;
use web_time::Instant;

/// Wall time spent on each of training and sampling, in seconds.
const BUDGET_S: f64 = 0.4;

/// Times training steps, an evaluation and chain steps. The session is left dirty: begin it again.
/// Once `hurry` is set (somebody has pressed Run) it makes do with what it has.
///
/// # Errors
/// Device lost or out of memory.
pub async fn measure(session: &mut Session, hurry: &Cell<bool>) -> Result<Estimate, Fault> {
    session.begin()?;
    session.loaded().await?;
    let train_job = session.parts.train.clone();
    let mut pacer = Pacer::default();
    let step_s = time(session, &train_job, Of::Train, &mut pacer, hurry).await?;
    session.train_pacer = pacer;
    let (mut eval_s, mut probe_s) = (0.0, 0.0);
    if let Some(eval) = session.parts.eval.clone().filter(|_| !hurry.get()) {
        eval_s = once(session, &[eval.program]).await?;
        let probes = session.parts.probes.programs.clone();
        if !probes.is_empty() && !hurry.get() {
            probe_s = once(session, &probes).await?;
        }
    }
    let mut point_s = 0.0;
    if let Some(chains) = session.parts.chains.clone().filter(|_| !hurry.get()) {
        let of = Of::Chains {
            checkpoint: 0,
            follow: 0,
        };
        session
            .exec
            .set_replicas(chains.job.program, &session.parts.lab.chain_replicas(0, 0));
        let mut pacer = Pacer::default();
        point_s = chains.settings.launches() as f64
            * time(session, &chains.job, of, &mut pacer, hurry).await?;
        session.chain_pacer = pacer;
    }
    let parts = &session.parts;
    // Of another model than the first the probes take an evaluation of their own.
    let again = if parts.follow > 0 { eval_s } else { 0.0 };
    let mut seconds = parts.steps as f64 * step_s
        + parts.evals.len() as f64 * eval_s
        + parts.probes.at.len() as f64 * (probe_s + again)
        + parts.checkpoints.len() as f64 * point_s;
    let (mut bytes, from) = (parts.plan.bytes(), parts.steps as f64);
    if let Some(then) = &mut session.then {
        let whole = Box::pin(measure(then, hurry)).await?;
        seconds += whole.seconds * (1.0 - from / then.parts.steps.max(1) as f64);
        bytes += whole.bytes;
    }
    Ok(Estimate {
        seconds,
        bytes,
        steps_per_s: if step_s > 0.0 { 1.0 / step_s } else { 0.0 },
        light_seconds: None,
    })
}

/// Seconds that programs of an evaluation take, with the weights read back.
async fn once(session: &mut Session, programs: &[Prog]) -> Result<f64, Fault> {
    let entry = Step {
        slot: 0,
        ..session.parts.lab.step(Of::Eval, 0)
    };
    let params = session.parts.params;
    let run = |&program| Run {
        program,
        steps: vec![entry],
    };
    let batch = Batch {
        runs: programs.iter().map(run).collect(),
        reads: vec![(params, 0..session.parts.plan.buffers[params.0].len)],
        ..Batch::default()
    };
    let clock = Instant::now();
    let ticket = session.exec.submit(&batch)?;
    session.exec.wait(ticket).await?;
    Ok(clock.elapsed().as_secs_f64())
}

/// Seconds a step of a job takes: the first batch, which warms caches and pipelines up, does not count.
async fn time(
    session: &mut Session,
    job: &Job,
    of: Of,
    pacer: &mut Pacer,
    hurry: &Cell<bool>,
) -> Result<f64, Fault> {
    // Compiling is the longest wait: who presses Run meanwhile does not wait for a measured step too.
    session.exec.warm(job.program).await;
    let begin = Instant::now();
    let (mut steps, mut seconds, mut next) = (0, 0.0, 0);
    for round in 0.. {
        if hurry.get() {
            break;
        }
        let planned = pacer.portion(u64::MAX);
        let portion = Portion {
            steps: planned.steps.min(job.slots as u64),
            ..planned
        };
        let mut batch = Batch {
            cuts: portion.cuts,
            ..Batch::default()
        };
        feed_batch(&mut batch, &session.parts, job, of, next, portion.steps);
        let entry = |i| Step {
            slot: i as u32,
            ..session.parts.lab.step(of, next + i)
        };
        batch.runs.push(Run {
            program: job.program,
            steps: (0..portion.steps).map(entry).collect(),
        });
        batch.reads.push((job.stats, 0..1));
        let clock = Instant::now();
        let ticket = session.exec.submit(&batch)?;
        session.exec.wait(ticket).await?;
        let took = clock.elapsed().as_secs_f64();
        next += portion.steps;
        if round > 0 {
            pacer.record(portion, took * 1e3);
            steps += portion.steps;
            seconds += took;
        }
        if round > 0 && (begin.elapsed().as_secs_f64() > BUDGET_S || round > 50) {
            break;
        }
    }
    Ok(seconds / steps.max(1) as f64)
}

impl Host {
    /// Measures a link, and its light preset where that is worth offering, for the page.
    pub(super) async fn cost(&mut self, text: String) {
        let estimate = async {
            let parsed = link::parse(&text);
            let mut session = self.session(&parsed).await?;
            let mut estimate = measure(&mut session, &self.hurry).await?;
            let mut light = parsed.clone();
            let query = experiments::card(parsed.experiment).map_or("", |c| c.light_query());
            link::apply_query(&mut light.knobs, query);
            if estimate.seconds > 90.0 && light.knobs != parsed.knobs {
                estimate.light_seconds = Some(
                    measure(&mut self.session(&light).await?, &self.hurry)
                        .await?
                        .seconds,
                );
            }
            Ok((session, estimate))
        };
        match estimate.await {
            Ok((session, estimate)) => {
                self.prepared = Some((text.clone(), session));
                // Cut short, it knows too little; what is prepared is of use all the same.
                if self.hurry.get() {
                    return;
                }
                self.events.push(Event::Cost {
                    link: text,
                    estimate,
                });
            }
            Err(Fault::DeviceLost(_)) => {
                if let Err(fault) = self.reopen().await {
                    self.events.push(Event::Fault { run: None, fault });
                }
            }
            Err(fault) => self.events.push(Event::Fault { run: None, fault }),
        }
    }
}
