//! Polish first: descent from the checkpoint to the point that is sampled, which neither training nor
//! another estimate sees.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::app::link;
use lambdahat::engine::{Session, Source};
use lambdahat::exec::Batch;
use lambdahat::experiments::truth::truth;
use lambdahat::experiments::{self, Lab, Observation, Of};
use lambdahat::kernels::{Replica, Step};
use lambdahat::protocol::{EngineChoice, LlcPoint};
use pollster::block_on;

/// A lab that starts beside where it would.
struct Beside {
    lab: Box<dyn Lab>,
    by: f32,
}

impl Lab for Beside {
    fn initial(&self) -> Vec<f32> {
        self.lab.initial().iter().map(|w| w + self.by).collect()
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
        self.lab.chain_replicas(checkpoint, follow)
    }
}

/// Runs a link whose weights start `by` beside where they would.
fn run(text: &str, engine: EngineChoice, by: f32) -> Session {
    run_polished(text, engine, by, 0)
}

/// The same with a descent first, which the gallery does not offer: its weights start at a minimum.
fn run_polished(text: &str, engine: EngineChoice, by: f32, polish: u64) -> Session {
    let link = link::parse(text);
    assert!(link.notices.is_empty(), "{text}: {:?}", link.notices);
    let (source, _) = block_on(Source::find(engine, true)).expect("an engine");
    let mut parts = experiments::build(link.experiment, &link.knobs).unwrap();
    let lab = parts.lab;
    parts.lab = Box::new(Beside { lab, by });
    if polish > 0 {
        parts.chains.as_mut().unwrap().settings.polish = polish;
    }
    let exec = block_on(source.exec(&parts.plan)).unwrap();
    let mut s = Session::new(parts, exec);
    s.begin().unwrap();
    while block_on(s.pump()).unwrap() {}
    s
}

fn meets(text: &str, got: &LlcPoint) -> bool {
    let target = truth(&link::parse(text).knobs).value.unwrap();
    let se = got.se.max(got.between_se.unwrap());
    println!("{text}: {:.4} ± {se:.4}, target {target:.4}", got.value);
    (got.value - target).abs() <= 3.0 * se && se < 0.05
}

#[test]
fn off_the_minimum_the_polished_estimate_is_the_exact_one() {
    let rough = "#/truth?h=1,0.5,0.25&gamma=50&burnin=500&draws=4000&eps=2e-4";
    // Two chains have fewer replicas than the descent has rates.
    for chains in [2, 8] {
        let text = format!("{rough}&chains={chains}");
        let polished = |by| run_polished(&text, EngineChoice::Cpu, by, 60).history.llc[0].clone();
        let got = polished(0.4);
        assert!(meets(&text, &got));
        // It went to the minimum, 0.4 away along each weight, and the loss fell by ½Σh·0.4².
        let [moved, fallen] = got.polished.unwrap();
        assert!((moved - 0.4 * 3f64.sqrt()).abs() < 1e-3, "{moved}");
        assert!((fallen - 0.5 * 1.75 * 0.16).abs() < 1e-5, "{fallen}");
        assert!(got.init_loss < 1e-6 && got.curvature.unwrap().gradient_sq < 1e-6);
        // Planted: without it the chains slide down from where they start, and λ̂ is no such thing.
        let raw = run(&text, EngineChoice::Cpu, 0.4).history.llc[0].clone();
        assert!(!meets(&text, &raw) && raw.value < -10.0 && raw.polished.is_none());
        // At the minimum there is nothing to descend.
        let there = polished(0.0);
        let plain = run(&text, EngineChoice::Cpu, 0.0).history.llc[0].clone();
        assert_eq!((there.value, there.polished), (plain.value, Some([0.0; 2])));
    }
}

const TMS: &str =
    "#/tms?replicas=2&member=1&n=60&steps=60&every=20&log=0&chains=2&burnin=3&draws=6&mbatch=10";

#[test]
fn training_does_not_notice_and_streaming_data_have_a_fixed_batch() {
    for engine in [EngineChoice::Cpu, EngineChoice::Gpu] {
        let (with, without) = (
            run(&format!("{TMS}&polish=5"), engine, 0.0),
            run(TMS, engine, 0.0),
        );
        let again = run(&format!("{TMS}&polish=5"), engine, 0.0);
        let trained = |s: &Session| {
            let weights = s.history.checkpoints.iter().map(|c| c.weights.clone());
            (weights.collect::<Vec<_>>(), s.history.series.clone())
        };
        assert_eq!(trained(&with), trained(&without), "{engine:?}");
        assert_eq!(with.history.llc, again.history.llc, "{engine:?}");
        for (a, b) in with.history.llc.iter().zip(&without.history.llc) {
            let [moved, fallen] = a.polished.unwrap();
            assert!(moved > 0.0 && fallen > 0.0 && a.value != b.value);
        }
    }
}

#[test]
fn what_does_not_move_is_not_polished() {
    // The biases alone: the descent must end where they are best, which is not where all are.
    let of = |part: &str| {
        let text = format!("{TMS}&polish=40&part={part}");
        run(&text, EngineChoice::Cpu, 0.0).history.llc[1].clone()
    };
    let [all, part] = ["all", "b"].map(|p| of(p).polished.unwrap());
    assert!(part[1] > 0.0 && part[1] < all[1], "{part:?} {all:?}");
}
