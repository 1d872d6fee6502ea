//! The chains of an estimate on real engines: both agree step by step and in distribution, one
//! estimate leaves nothing behind for the next, and the exact test refuses chains that are wrong.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::app::link;
use lambdahat::engine::{Session, Source};
use lambdahat::exec::{Batch, Run};
use lambdahat::experiments::truth::truth;
use lambdahat::experiments::{self, Lab, Observation, Of, STATS};
use lambdahat::kernels::loss::LOSS;
use lambdahat::kernels::optim::SGLD;
use lambdahat::kernels::{Replica, Step};
use lambdahat::protocol::{EngineChoice, LlcPoint, TraceView};
use pollster::block_on;

const ENGINES: [EngineChoice; 2] = [EngineChoice::Cpu, EngineChoice::Gpu];

const DLN: &str = "#/truth?target=dln&chains=3&burnin=4&draws=6";
const TINY: &str =
    "#/induction?preset=tiny&steps=6&every=3&log=0&chains=2&burnin=3&draws=7&mbatch=2&batch=4";
const TMS: &str = "#/tms?replicas=1&n=60&steps=6&every=3&log=0&chains=2&burnin=3&draws=6&mbatch=60";

/// A link of each sampler that its experiment offers.
fn each(text: &str, samplers: &[&str]) -> Vec<String> {
    let link = |sampler| format!("{text}&sampler={sampler}");
    samplers.iter().map(link).collect()
}

fn session(text: &str, engine: EngineChoice) -> Session {
    let link = link::parse(text);
    assert!(link.notices.is_empty(), "{text}: {:?}", link.notices);
    let (source, _) = block_on(Source::find(engine, true)).expect("an engine");
    let parts = experiments::build(link.experiment, &link.knobs).unwrap();
    let exec = block_on(source.exec(&parts.plan)).unwrap();
    let mut s = Session::new(parts, exec);
    s.begin().unwrap();
    s
}

fn finish(mut s: Session) -> Session {
    while block_on(s.pump()).unwrap() {}
    s
}

/// Weights and losses after each of the first ten steps of the chains around `center`.
fn ten(
    text: &str,
    engine: EngineChoice,
    center: &[f32],
    change: impl Fn(&mut Replica),
) -> Vec<[Vec<f32>; 2]> {
    let Session {
        parts, mut exec, ..
    } = session(text, engine);
    let chains = parts.chains.as_ref().unwrap();
    let (job, buffers) = (&chains.job, chains.buffers);
    let of = Of::Chains {
        checkpoint: 0,
        follow: 0,
    };
    let mut table = parts.lab.chain_replicas(0, 0);
    table.iter_mut().for_each(change);
    let setup = parts.lab.setup();
    block_on(async {
        exec.set_replicas(job.program, &table);
        let mut out = Vec::new();
        for step in 0..10 {
            let mut batch = Batch::default();
            if step == 0 {
                batch = setup.clone();
                let groups = (buffers.groups, 0, chains.groups.clone());
                batch.words.push(groups);
                let copies = center.repeat(table.len());
                batch.floats.push((buffers.params, 0, copies));
                batch.floats.push((buffers.anchor, 0, center.to_vec()));
            }
            let mut words = Vec::new();
            parts.lab.feed(of, step, &mut words);
            batch.words.push((job.feed, 0, words));
            batch.runs.push(Run {
                program: job.program,
                steps: vec![parts.lab.step(of, step)],
            });
            let weights = 0..center.len() * table.len();
            batch.reads.push((buffers.params, weights));
            batch.reads.push((job.stats, 0..STATS * table.len()));
            let ticket = exec.submit(&batch).unwrap();
            let reads = exec.wait(ticket).await.unwrap();
            out.push(reads.try_into().unwrap());
        }
        out
    })
}

/// The greatest |a − b|/(1 + |b|) over the tolerance of the kernel that wrote the numbers.
fn margin(a: &[[Vec<f32>; 2]], b: &[[Vec<f32>; 2]]) -> f32 {
    let mut worst = 0.0f32;
    for (a, b) in a.iter().zip(b) {
        for (k, tolerance) in [SGLD.tolerance, LOSS.tolerance].into_iter().enumerate() {
            for (a, b) in a[k].iter().zip(&b[k]) {
                worst = worst.max((a - b).abs() / (1.0 + b.abs()) / tolerance);
            }
        }
    }
    worst
}

#[test]
fn engines_agree_on_the_first_ten_steps() {
    let truth = each(DLN, &["sgld", "rmsprop", "mala"]);
    let tiny = each(TINY, &["sgld", "rmsprop"]);
    for text in truth.iter().chain(&tiny) {
        let trained = finish(session(text, EngineChoice::Cpu));
        let center = &trained.history.checkpoints.last().unwrap().weights;
        let [cpu, gpu] = ENGINES.map(|e| ten(text, e, center, |_| ()));
        let got = margin(&gpu, &cpu);
        println!("{text}: {got} of the tolerance");
        assert!(got <= 1.0, "{text}: {got} of the tolerance");
        let moved = |r: &[Vec<f32>; 2]| r[0][..center.len()] != center[..];
        assert!(
            cpu.iter().skip(1).all(moved),
            "{text}: the chains stand still"
        );
        // Planted: other noise, and a step that is longer by a hundredth.
        let other = ten(text, EngineChoice::Gpu, center, |r| r.seed += 1);
        assert!(margin(&other, &cpu) > 1.0, "{text}: other noise");
        let longer = ten(text, EngineChoice::Gpu, center, |r| r.eps *= 1.01);
        assert!(margin(&longer, &cpu) > 1.0, "{text}: a longer step");
    }
}

/// Whether the only estimate of a session is the target of its link, by three standard errors.
fn met(text: &str, got: &LlcPoint) -> bool {
    let target = truth(&link::parse(text).knobs).value.unwrap();
    let se = got.se.max(got.between_se.unwrap_or(f64::NAN));
    println!("{text}: {:.4} ± {se:.4}, target {target:.4}", got.value);
    (got.value - target).abs() <= 3.0 * se && se < 0.1
}

const QUADRATIC: &str = "#/truth?chains=16&burnin=500&draws=2500&eps=5e-4";

#[test]
fn the_gpu_path_meets_an_exact_target() {
    let done = finish(session(QUADRATIC, EngineChoice::Gpu));
    assert!(met(QUADRATIC, &done.history.llc[0]));
}

/// A lab whose chains get another table or other steps.
struct Meddled {
    lab: Box<dyn Lab>,
    table: fn(&mut Replica),
    step: fn(Step) -> Step,
}

impl Lab for Meddled {
    fn initial(&self) -> Vec<f32> {
        self.lab.initial()
    }
    fn setup(&self) -> Batch {
        self.lab.setup()
    }
    fn feed(&self, of: Of, step: u64, out: &mut Vec<u32>) {
        self.lab.feed(of, step, out);
    }
    fn step(&self, of: Of, step: u64) -> Step {
        let made = self.lab.step(of, step);
        match of {
            Of::Chains { .. } => (self.step)(made),
            _ => made,
        }
    }
    fn observe(&self, step: u64, follow: usize, w: &[f32], reads: &[Vec<f32>]) -> Observation {
        self.lab.observe(step, follow, w, reads)
    }
    fn chain_replicas(&self, checkpoint: u64, follow: usize) -> Vec<Replica> {
        let mut table = self.lab.chain_replicas(checkpoint, follow);
        table.iter_mut().for_each(self.table);
        table
    }
}

/// A lab that stands in for the session's own for a moment.
struct Nothing;

impl Lab for Nothing {
    fn initial(&self) -> Vec<f32> {
        Vec::new()
    }
    fn feed(&self, _: Of, _: u64, _: &mut Vec<u32>) {}
    fn step(&self, _: Of, _: u64) -> Step {
        Step::default()
    }
    fn observe(&self, _: u64, _: usize, _: &[f32], _: &[Vec<f32>]) -> Observation {
        Observation::default()
    }
    fn chain_replicas(&self, _: u64, _: usize) -> Vec<Replica> {
        Vec::new()
    }
}

fn meddled(mut s: Session, table: fn(&mut Replica), step: fn(Step) -> Step) -> Session {
    let lab = std::mem::replace(&mut s.parts.lab, Box::new(Nothing));
    s.parts.lab = Box::new(Meddled { lab, table, step });
    s
}

#[test]
fn chains_that_are_wrong_are_refused_by_the_exact_test() {
    let with = |table: fn(&mut Replica)| {
        let s = meddled(session(QUADRATIC, EngineChoice::Cpu), table, |s| s);
        met(QUADRATIC, &finish(s).history.llc[0])
    };
    assert!(with(|_| ()), "nothing is wrong");
    assert!(!with(|r| r.nbeta *= 2.0), "the sum over a batch of two");
    assert!(!with(|r| r.gamma *= r.nbeta.min(100.0)), "γ times β");
    assert!(!with(|r| r.eps *= 4.0), "another step size than is told");
}

/// Every λ̂ point with its trace, by step.
fn estimates(s: &Session) -> Vec<(LlcPoint, TraceView)> {
    let points = s.history.llc.iter();
    points.map(|p| (p.clone(), s.trace(p.step))).collect()
}

#[test]
fn an_estimate_does_not_know_of_those_before_it() {
    let links = [
        each(TMS, &["sgld", "rmsprop", "mala"]),
        each(TINY, &["sgld", "rmsprop"]),
    ];
    for text in links.iter().flatten() {
        for engine in ENGINES {
            let all = estimates(&finish(session(text, engine)));
            let few = text.replace("every=3", "every=0");
            let last = estimates(&finish(session(&few, engine)));
            assert_eq!((all.len(), last.len()), (3, 2), "{text}");
            // Steps 0 and 6, with and without step 3 between them.
            assert_eq!(all[0], last[0], "{text} {engine:?}");
            assert_eq!(all[2], last[1], "{text} {engine:?}");
            assert_ne!(all[1].0.value, all[2].0.value, "the comparison can fail");
        }
    }
}

/// Fills everything the chains might have left with threes, then runs.
fn poisoned(text: &str, step: fn(Step) -> Step) -> Vec<(LlcPoint, TraceView)> {
    let mut s = meddled(session(text, EngineChoice::Cpu), |_| (), step);
    let (buffers, plan) = (s.parts.chains.as_ref().unwrap().buffers, &s.parts.plan);
    let threes = |b: lambdahat::plan::Buf| (b, 0, vec![3.0; plan.buffers[b.0].len]);
    let floats = [buffers.params, buffers.memory, buffers.anchor].map(threes);
    let batch = Batch {
        floats: floats.into(),
        ..Batch::default()
    };
    s.exec.submit(&batch).unwrap();
    estimates(&finish(s))
}

#[test]
fn what_chains_leave_on_the_device_does_not_matter() {
    for text in each(TMS, &["sgld", "rmsprop", "mala"]) {
        let clean = estimates(&finish(session(&text, EngineChoice::Cpu)));
        assert_eq!(poisoned(&text, |s| s), clean, "{text}");
        // Planted: steps counted from 1 on are no first steps, and what was left is taken for theirs.
        let late = |s: Step| Step {
            index: s.index + 1,
            ..s
        };
        let s = meddled(session(&text, EngineChoice::Cpu), |_| (), late);
        assert_ne!(poisoned(&text, late), estimates(&finish(s)), "{text}");
    }
}
