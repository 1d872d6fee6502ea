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
use lambdahat::kernels::{Call, Replica, Slot, Step};
use lambdahat::math::philox::{Draws, Stream};
use lambdahat::protocol::{EngineChoice, LlcPoint, TraceView};
use lambdahat::tasks::repeat::class;
use pollster::block_on;

const ENGINES: [EngineChoice; 2] = [EngineChoice::Cpu, EngineChoice::Gpu];

const DLN: &str = "#/truth?target=dln&chains=3&burnin=4&draws=6";
const TINY: &str =
    "#/induction?preset=tiny&steps=6&every=3&log=0&chains=2&burnin=3&draws=7&mbatch=2&batch=4";
const TMS: &str = "#/tms?replicas=1&n=60&steps=6&every=3&log=0&chains=2&burnin=3&draws=6&mbatch=60";

/// A link of each sampler that its experiment offers.
fn each(text: &str, samplers: &[&str]) -> Vec<String> {
    // RMSprop's steps are longer, which a link that is too bold is told.
    let eps = |&sampler: &&str| {
        if sampler == "rmsprop" {
            "&eps=1e-5"
        } else {
            ""
        }
    };
    let link = |sampler| format!("{text}&sampler={sampler}{}", eps(&sampler));
    samplers.iter().copied().map(link).collect()
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

/// What stands in the samplers' memory before the chains, and the index of their first step.
#[derive(Clone, Copy, Default)]
struct Before {
    left: f32,
    first: u32,
}

/// Weights, losses and sums after each of the first ten steps of the chains around `center`.
fn ten(
    text: &str,
    engine: EngineChoice,
    center: &[f32],
    before: Before,
    change: impl Fn(&mut Replica),
) -> Vec<[Vec<f32>; 3]> {
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
                let memory = parts.plan.buffers[buffers.memory.0].len;
                let left = vec![before.left; memory];
                batch.floats.push((buffers.memory, 0, left));
            }
            let mut words = Vec::new();
            parts.lab.feed(of, step, &mut words);
            batch.words.push((job.feed, 0, words));
            let mut entry = parts.lab.step(of, step);
            entry.index += before.first;
            batch.runs.push(Run {
                program: job.program,
                steps: vec![entry],
            });
            let weights = 0..center.len() * table.len();
            batch.reads.push((buffers.params, weights));
            batch.reads.push((job.stats, 0..STATS * table.len()));
            batch.reads.push((buffers.sums, 0..chains.sums_width()));
            let ticket = exec.submit(&batch).unwrap();
            let reads = exec.wait(ticket).await.unwrap();
            out.push(reads.try_into().unwrap());
        }
        out
    })
}

/// The greatest |a − b|/(1 + |b|) over the tolerance of the kernel that wrote the numbers.
fn margin(a: &[[Vec<f32>; 3]], b: &[[Vec<f32>; 3]]) -> f32 {
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
        let [cpu, gpu] = ENGINES.map(|e| ten(text, e, center, Before::default(), |_| ()));
        let got = margin(&gpu, &cpu);
        println!("{text}: {got} of the tolerance");
        assert!(got <= 1.0, "{text}: {got} of the tolerance");
        let moved = |r: &[Vec<f32>; 3]| r[0][..center.len()] != center[..];
        assert!(
            cpu.iter().skip(1).all(moved),
            "{text}: the chains stand still"
        );
        // Planted: other noise, and a step that is longer by a hundredth.
        let on_gpu = |change: fn(&mut Replica)| {
            ten(text, EngineChoice::Gpu, center, Before::default(), change)
        };
        let other = on_gpu(|r| r.seed += 1);
        assert!(margin(&other, &cpu) > 1.0, "{text}: other noise");
        let longer = on_gpu(|r| r.eps *= 1.01);
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

/// A lab whose chains get another table.
struct Meddled {
    lab: Box<dyn Lab>,
    table: fn(&mut Replica),
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
        self.lab.step(of, step)
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

#[test]
fn chains_that_are_wrong_are_refused_by_the_exact_test() {
    let with = |table: fn(&mut Replica)| {
        let Session {
            mut parts, exec, ..
        } = session(QUADRATIC, EngineChoice::Cpu);
        let lab = parts.lab;
        parts.lab = Box::new(Meddled { lab, table });
        let mut s = Session::new(parts, exec);
        s.begin().unwrap();
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

/// By how much the positions of no class are misjudged, from the mean and the two class means that
/// the kernel makes of random losses of the data in `words`, and the shares the lab tells of `told`.
fn misjudged(lab: &dyn Lab, words: &[u32], told: &[u32]) -> f64 {
    let classes = &words[words.len() / 2..];
    let targets = classes.iter().filter(|&&c| c != class::NONE).count();
    let mut draws = Draws::new(4, Stream::Probe, 0);
    let losses: Vec<f64> = classes
        .iter()
        .map(|&c| {
            if c == class::NONE {
                0.0
            } else {
                f64::from(c) + draws.unit()
            }
        })
        .collect();
    let mut stats = [0.0; STATS];
    (LOSS.twin.f64)(Call {
        consts: &[classes.len() as u32, targets as u32],
        params: &[1],
        step: Step::default(),
        replicas: &[Replica::default()],
        slots: vec![Slot::F(&losses), Slot::U(words), Slot::FMut(&mut stats)],
    });
    let [first, repeat] = lab.shares(told).map(f64::from);
    let rest = stats[0] - first * stats[1] - repeat * stats[2];
    let plain = losses
        .iter()
        .zip(classes)
        .filter(|(_, c)| **c == class::PLAIN);
    let exact = plain.map(|(x, _)| x).sum::<f64>() / targets as f64;
    (rest - exact).abs()
}

#[test]
fn the_classes_of_positions_add_up_to_the_estimate() {
    let s = finish(session(TINY, EngineChoice::Cpu));
    for p in &s.history.llc {
        let names: Vec<&str> = p.classes.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["first", "repeat", "start"]);
        let sum: f64 = p.classes.iter().map(|c| c.value).sum();
        assert!((sum - p.value).abs() < 1e-9, "{sum} {}", p.value);
        assert!(p.classes.iter().all(|c| c.value != 0.0 && c.se > 0.0));
    }
    let lab = &s.parts.lab;
    let feed = |step| {
        let mut words = Vec::new();
        let of = Of::Chains {
            checkpoint: 3,
            follow: 0,
        };
        lab.feed(of, step, &mut words);
        words
    };
    for step in 0..20 {
        let words = feed(step);
        assert!(misjudged(&**lab, &words, &words) < 1e-6);
    }
    // Planted: the shares of another batch, whose periods are others.
    let other = |step| misjudged(&**lab, &feed(step), &feed(step + 1));
    assert!((0..20).map(other).sum::<f64>() > 0.1);
    // Where the loss is not split, nothing is.
    let tms = finish(session(TMS, EngineChoice::Cpu));
    assert!(tms.history.llc.iter().all(|p| p.classes.is_empty()));
}

#[test]
fn what_chains_leave_on_the_device_does_not_matter() {
    for text in each(TMS, &["sgld", "rmsprop", "mala"]) {
        let s = finish(session(&text, EngineChoice::Cpu));
        let center = &s.history.checkpoints[0].weights;
        for engine in ENGINES {
            let with = |left, first| ten(&text, engine, center, Before { left, first }, |_| ());
            assert_eq!(with(f32::NAN, 0), with(0.0, 0), "{text} {engine:?}");
        }
        // Planted: steps counted from 1 on are no first steps, and what was left is taken for theirs.
        let engine = EngineChoice::Cpu;
        let with = |left, first| ten(&text, engine, center, Before { left, first }, |_| ());
        let sums = with(f32::NAN, 1) != with(0.0, 1);
        assert!(sums, "{text}");
    }
}
