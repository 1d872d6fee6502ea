//! What a training step costs beside its arithmetic: launches, submissions, and GPU objects made in
//! the steady state. Fails when one of them rises.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::app::link;
use lambdahat::engine::{Session, Source};
use lambdahat::exec::Batch;
use lambdahat::experiments::{self, Parts};
use lambdahat::protocol::{EngineChoice, PerStep, Phase};
use pollster::block_on;

const SMALL: &str = "#/induction?layers=1&vocab=32&ctx=16&mlp=4&norm=layernorm&batch=32&pmin=4&pmax=8&steps=8&every=4&log=0&chains=2&burnin=3&draws=5&mbatch=2";
const FULL: &str = "#/induction?chains=0&steps=2&batch=1";
/// A step takes well under 25 ms here, and evaluations are far apart, as in a whole run.
const FAST: &str = "#/tms?replicas=2&n=40&steps=2000&every=1000&log=0&chains=2&burnin=20&draws=200&mbatch=10&batch=4";

fn start(text: &str, change: impl Fn(&mut Parts)) -> Session {
    let link = link::parse(text);
    assert!(link.notices.is_empty(), "{text}: {:?}", link.notices);
    let (source, _) = block_on(Source::find(EngineChoice::Gpu, true)).expect("a GPU");
    let mut parts = experiments::build(link.experiment, &link.knobs).unwrap();
    change(&mut parts);
    let exec = block_on(source.exec(&parts.plan)).unwrap();
    let mut s = Session::new(parts, exec);
    s.begin().unwrap();
    s
}

fn finish(s: &mut Session) -> PerStep {
    while block_on(s.pump()).unwrap() {}
    assert_eq!(s.phase(), Phase::Done);
    s.per_step()
}

/// What is more than allowed.
fn risen(c: &PerStep, dispatches: f64, submits: f64) -> Vec<&'static str> {
    let created = [
        ("pipelines", c.pipelines_created),
        ("bind groups", c.bind_groups_created),
        ("buffers", c.buffers_created),
    ];
    let mut out: Vec<_> = created
        .into_iter()
        .filter_map(|(what, n)| (n > 0).then_some(what))
        .collect();
    if c.dispatches_per_step > dispatches {
        out.push("dispatches");
    }
    // Nothing measured is no proof.
    if c.submits_per_step > submits || c.submits_per_step <= 0.0 {
        out.push("submissions");
    }
    out
}

#[test]
fn a_step_stays_within_its_launches_and_makes_nothing() {
    for (text, most) in [(SMALL, 24.0), (FULL, 28.0)] {
        let c = finish(&mut start(text, |_| {}));
        // Two steps measure nothing; how often a slow adapter submits says nothing.
        let c = PerStep {
            submits_per_step: 0.1,
            ..c
        };
        assert!(risen(&c, most, 0.25).is_empty(), "{text}: {c:?}");
    }
    // Planted: one launch of the step twice.
    let c = finish(&mut start(SMALL, |parts| {
        let step = &mut parts.plan.programs[parts.train.program.0].nodes;
        let last = step.last().unwrap().clone();
        step.resize(25, last);
    }));
    assert!(
        risen(&c, 24.0, f64::INFINITY).contains(&"dispatches"),
        "{c:?}"
    );
}

#[test]
fn fast_steps_go_together() {
    let mut s = start(FAST, |_| {});
    let c = finish(&mut s);
    assert!(risen(&c, 2.0, 0.25).is_empty(), "{c:?}");
    // Planted: more reads under way than a run ever has need buffers of their own.
    let stats = s.parts.train.stats;
    for _ in 0..8 {
        s.exec
            .submit(&Batch {
                reads: vec![(stats, 0..4)],
                ..Batch::default()
            })
            .unwrap();
    }
    assert_eq!(risen(&s.per_step(), 2.0, 0.25), ["buffers"]);
    // Planted: a step at a time.
    let mut s = start(&FAST.replace("steps=2000", "steps=60"), |_| {});
    while s.step() < 60 {
        s.single_step();
        block_on(s.pump()).unwrap();
    }
    assert_eq!(risen(&s.per_step(), 2.0, 0.25), ["submissions"]);
    // Bind groups are made in one place, which a run does not reach.
    let planted = PerStep {
        pipelines_created: 1,
        bind_groups_created: 1,
        ..c
    };
    assert_eq!(risen(&planted, 2.0, 0.25), ["pipelines", "bind groups"]);
}

/// A batch of `steps` steps of training and, if wanted, the evaluation.
fn batch(parts: &Parts, evaluates: bool) -> Batch {
    let of = |job: &experiments::Job| lambdahat::exec::Run {
        program: job.program,
        steps: vec![parts.lab.step(experiments::Of::Train, 0)],
    };
    let eval = parts.eval.iter().filter(|_| evaluates);
    Batch {
        runs: [&parts.train].into_iter().chain(eval).map(of).collect(),
        ..Batch::default()
    }
}

#[test]
fn a_pipeline_is_made_when_its_program_first_runs_and_never_again() {
    let mut s = start(SMALL, |_| {});
    let made = |s: &Session| s.exec.counters().pipelines_created;
    let run = |s: &mut Session, evaluates| {
        let batch = batch(&s.parts, evaluates);
        let ticket = s.exec.submit(&batch).unwrap();
        block_on(s.exec.wait(ticket)).unwrap();
        made(s)
    };
    assert_eq!(made(&s), 0, "something was made before anything ran");
    let train = run(&mut s, false);
    let all = s.parts.plan.pipelines() as u64;
    assert!(0 < train && train < all, "{train} of {all}");
    assert_eq!(run(&mut s, false), train, "made twice");
    let both = run(&mut s, true);
    assert!(train < both && both < all, "{both} of {all}");
    // A whole run needs all of them, once.
    let mut s = start(SMALL, |_| {});
    finish(&mut s);
    assert_eq!(made(&s), all);
    // Planted: a second executor on the same plan makes what the plan does not account for.
    let mut plan = s.parts.plan.clone();
    plan.programs.truncate(1);
    assert!(plan.pipelines() < s.parts.plan.pipelines());
    s.parts.plan = plan;
    assert_eq!(risen(&s.per_step(), 24.0, 0.25)[0], "pipelines");
}
