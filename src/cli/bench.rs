//! `lambdahat bench`: both engines on this machine, each measured against what the device can do.

use super::out;
use crate::engine::Source;
use crate::exec::{Batch, Counters, Exec, Run};
use crate::experiments::{self, CARDS, Card, Job, Of, Parts, feed_batch};
use crate::kernels::{Step, probe};
use crate::knobs::Knobs;
use crate::plan::Plan;
use crate::protocol::{EngineChoice, Fault};
use serde::Serialize;
use std::process::ExitCode;
use std::time::Instant;

/// Wall time one measurement aims at, in seconds.
const BUDGET_S: f64 = 1.0;
/// No batch is planned longer, in seconds: a driver may reset a device that is busy for 2 s.
const BATCH_S: f64 = 0.1;
/// A step that is foreseen to take longer is not measured, in seconds.
const PATIENCE_S: f64 = 3.0;
/// Chains at which sampling is measured.
const CHAINS: [u32; 3] = [1, 8, 64];

/// Everything measured on one machine.
#[derive(Clone, Debug, Serialize)]
struct Report {
    version: &'static str,
    engines: Vec<Engine>,
}

/// One engine.
#[derive(Clone, Debug, Serialize)]
struct Engine {
    engine: &'static str,
    device: String,
    software: bool,
    /// Multiply-adds without memory traffic, two operations each, in GFLOP/s.
    peak_gflops: f64,
    experiments: Vec<Row>,
}

/// One experiment at its defaults.
#[derive(Clone, Debug, Serialize)]
struct Row {
    experiment: &'static str,
    steps_per_s: f64,
    dispatches_per_step: f64,
    /// Batches as large as the feed allows, of at most a tenth of a second.
    submits_per_step: f64,
    /// Created while steps ran: 0 in a steady state.
    bind_groups_per_step: f64,
    buffers_per_step: f64,
    /// Arithmetic of the step over its time, over the peak.
    share_of_peak: f64,
    /// Steps of one chain a second, times the chains that ran together.
    chain_steps_per_s: Vec<Sampled>,
}

#[derive(Clone, Debug, Serialize)]
struct Sampled {
    chains: u32,
    /// Absent where one step would take longer than [`PATIENCE_S`].
    chain_steps_per_s: Option<f64>,
}

/// What running a job for a while showed.
#[derive(Clone, Copy, Debug)]
struct Timed {
    steps: f64,
    seconds: f64,
    spent: Counters,
}

/// Measures every engine there is and prints a table, or JSON. Exit code 1 if something failed.
pub async fn bench(json: bool) -> ExitCode {
    match all(json).await {
        Ok(report) if json => match serde_json::to_string_pretty(&report) {
            Ok(text) => {
                out::line(text);
                ExitCode::SUCCESS
            }
            Err(e) => {
                out::remark(format_args!("lambdahat: {e}"));
                ExitCode::FAILURE
            }
        },
        Ok(_) => ExitCode::SUCCESS,
        Err(fault) => {
            out::remark(format_args!("lambdahat: {fault}"));
            ExitCode::FAILURE
        }
    }
}

async fn all(json: bool) -> Result<Report, Fault> {
    let mut engines = Vec::new();
    for choice in [EngineChoice::Gpu, EngineChoice::Cpu] {
        let source = match Source::find(choice, true).await {
            Ok((source, _)) => source,
            Err(fault) => {
                out::remark(fault);
                continue;
            }
        };
        let info = source.info();
        let peak = peak(&source).await?;
        let engine = if choice == EngineChoice::Gpu {
            "gpu"
        } else {
            "cpu"
        };
        if !json {
            out::line(format_args!(
                "{engine}: {}, {:.1} GFLOP/s multiply-add",
                info.name,
                peak * 1e-9
            ));
            out::line(format_args!(
                "  {:<12} {:>9} {:>10} {:>8} {:>8} {:>8} {:>8}   chain-steps/s at 1, 8, 64 chains",
                "", "steps/s", "disp/step", "sub/step", "bg/step", "buf/step", "of peak"
            ));
        }
        let mut rows = Vec::new();
        for card in CARDS {
            let row = measure(&source, card, peak).await?;
            if !json {
                print(&row);
            }
            rows.push(row);
        }
        engines.push(Engine {
            engine,
            device: info.name,
            software: info.software,
            peak_gflops: peak * 1e-9,
            experiments: rows,
        });
    }
    Ok(Report {
        version: crate::VERSION,
        engines,
    })
}

fn print(row: &Row) {
    let rate = |s: &Sampled| {
        s.chain_steps_per_s
            .map_or("–".to_owned(), |x| format!("{x:.0}"))
    };
    let sampled: Vec<String> = row.chain_steps_per_s.iter().map(rate).collect();
    out::line(format_args!(
        "  {:<12} {:>9.1} {:>10.1} {:>8.3} {:>8.2} {:>8.2} {:>7.2}%   {}",
        row.experiment,
        row.steps_per_s,
        row.dispatches_per_step,
        row.submits_per_step,
        row.bind_groups_per_step,
        row.buffers_per_step,
        100.0 * row.share_of_peak,
        sampled.join(", ")
    ));
}

/// Floating-point operations a second of the FMA probe, the best of several launches.
async fn peak(source: &Source) -> Result<f64, Fault> {
    let (mut groups, mut rounds) = (64, 64);
    let mut best: f64 = 0.0;
    let begin = Instant::now();
    loop {
        let mut plan = Plan::default();
        let out = plan.f32("out", 64 * groups as usize);
        let program = plan.program("peak", 1);
        let params = [0.875f32.to_bits(), 0.125f32.to_bits()];
        plan.push(program, &probe::FMA, &[groups, rounds], &params, &[out])?;
        let mut exec = source.exec(&plan).await?;
        let batch = Batch {
            runs: vec![Run {
                program,
                steps: vec![Step::default()],
            }],
            reads: vec![(out, 0..1)],
            ..Batch::default()
        };
        let mut least = f64::INFINITY;
        for _ in 0..3 {
            let clock = Instant::now();
            let ticket = exec.submit(&batch)?;
            exec.wait(ticket).await?;
            least = least.min(clock.elapsed().as_secs_f64());
        }
        best = best.max(64.0 * 64.0 * f64::from(groups) * f64::from(rounds) / least);
        // The launch must outlast its own price, and end well before a driver loses patience.
        if least > 0.05 || begin.elapsed().as_secs_f64() > 4.0 * BUDGET_S {
            return Ok(best);
        }
        if groups < 1 << 14 {
            groups *= 4;
        } else {
            rounds *= 4;
        }
    }
}

async fn measure(source: &Source, card: &'static Card, peak: f64) -> Result<Row, Fault> {
    let knobs = Knobs::defaults(card.knobs);
    let mut still = knobs.clone();
    still.set("chains", "0");
    let parts = experiments::build(card.id, &still)?;
    let mut exec = start(source, &parts).await?;
    let train = timed(&mut exec, &parts, &parts.train, Of::Train).await?;
    drop(exec);
    let rate = train.steps / train.seconds;
    let per_step = |count: u64| count as f64 / train.steps;
    let mut chain_steps_per_s = Vec::new();
    // Seconds one replica (the anchor is one too) took of a step, when last measured.
    let mut each = 0.0;
    for chains in CHAINS {
        let replicas = f64::from(chains + 1);
        let mut with = knobs.clone();
        with.set("chains", &chains.to_string());
        // So many may not fit, or take too long.
        let parts = match experiments::build(card.id, &with) {
            Ok(parts) if each * replicas <= PATIENCE_S => parts,
            Ok(_) | Err(Fault::OutOfMemory { .. }) => {
                chain_steps_per_s.push(Sampled {
                    chains,
                    chain_steps_per_s: None,
                });
                continue;
            }
            Err(fault) => return Err(fault),
        };
        let Some(job) = parts.chains.clone() else {
            continue;
        };
        let mut exec = start(source, &parts).await?;
        let of = Of::Chains {
            checkpoint: 0,
            follow: parts.follow,
        };
        exec.set_replicas(job.job.program, &parts.lab.chain_replicas(0, parts.follow));
        center(&mut exec, &parts, &job).await?;
        let timed = timed(&mut exec, &parts, &job.job, of).await?;
        each = timed.seconds / timed.steps / replicas;
        let rate = f64::from(chains) * timed.steps / timed.seconds;
        chain_steps_per_s.push(Sampled {
            chains,
            chain_steps_per_s: Some(rate),
        });
    }
    Ok(Row {
        experiment: card.id,
        steps_per_s: rate,
        dispatches_per_step: per_step(train.spent.dispatches),
        submits_per_step: per_step(train.spent.submits),
        bind_groups_per_step: per_step(train.spent.bind_groups_created),
        buffers_per_step: per_step(train.spent.buffers_created),
        share_of_peak: (card.cost)(&still).flops_per_step * rate / peak,
        chain_steps_per_s,
    })
}

/// An executor with the initial weights.
async fn start(source: &Source, parts: &Parts) -> Result<Exec, Fault> {
    let mut exec = source.exec(&parts.plan).await?;
    exec.set_replicas(parts.train.program, &parts.train.replicas);
    let batch = Batch {
        floats: vec![(parts.params, 0, parts.lab.initial())],
        ..Batch::default()
    };
    let ticket = exec.submit(&batch)?;
    exec.wait(ticket).await?;
    Ok(exec)
}

/// Puts every chain and the anchor at the followed replica's initial weights.
async fn center(
    exec: &mut Exec,
    parts: &Parts,
    chains: &experiments::ChainJob,
) -> Result<(), Fault> {
    let len = parts.arena.len();
    let initial = parts.lab.initial();
    let star = initial
        .get(parts.follow * len..(parts.follow + 1) * len)
        .unwrap_or(&[]);
    let batch = Batch {
        floats: vec![
            (chains.buffers.anchor, 0, star.to_vec()),
            (
                chains.buffers.params,
                0,
                star.repeat(chains.settings.replicas()),
            ),
        ],
        ..Batch::default()
    };
    let ticket = exec.submit(&batch)?;
    exec.wait(ticket).await?;
    Ok(())
}

/// Runs steps of a job until the budget is spent; batches that fill pipelines and caches do not count.
async fn timed(exec: &mut Exec, parts: &Parts, job: &Job, of: Of) -> Result<Timed, Fault> {
    let slots = job.slots.max(1) as u64;
    let (mut next, mut size, mut warm) = (0, 1, 0);
    let mut timed = Timed {
        steps: 0.0,
        seconds: 0.0,
        spent: Counters::default(),
    };
    let begin = Instant::now();
    loop {
        let mut batch = Batch::default();
        feed_batch(&mut batch, parts, job, of, next, size);
        let step = |i: u64| Step {
            slot: i as u32,
            ..parts.lab.step(of, next + i)
        };
        let steps = (0..size).map(step).collect();
        batch.runs.push(Run {
            program: job.program,
            steps,
        });
        batch.reads.push((job.stats, 0..1));
        let before = exec.counters();
        let clock = Instant::now();
        let ticket = exec.submit(&batch)?;
        exec.wait(ticket).await?;
        let took = clock.elapsed().as_secs_f64();
        let after = exec.counters();
        next += size;
        // A batch this long has warmed itself up.
        if warm >= 2 || took > BUDGET_S {
            timed.steps += size as f64;
            timed.seconds += took;
            add(&mut timed.spent, before, after);
            if timed.seconds > BUDGET_S || begin.elapsed().as_secs_f64() > 4.0 * BUDGET_S {
                return Ok(timed);
            }
        } else if size == slots || 2.0 * took > BATCH_S {
            warm += 1;
        } else {
            size = (2 * size).min(slots);
        }
    }
}

fn add(sum: &mut Counters, before: Counters, after: Counters) {
    sum.dispatches += after.dispatches - before.dispatches;
    sum.submits += after.submits - before.submits;
    sum.pipelines_created += after.pipelines_created - before.pipelines_created;
    sum.bind_groups_created += after.bind_groups_created - before.bind_groups_created;
    sum.buffers_created += after.buffers_created - before.buffers_created;
}
