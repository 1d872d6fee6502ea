//! RMSprop's discretisation index: what its longer steps make of the curvature is measured, told
//! before the run where it may be too much, and flagged after it where it is.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::app::link;
use lambdahat::engine::{Session, Source};
use lambdahat::experiments;
use lambdahat::math::stats;
use lambdahat::protocol::{EngineChoice, LlcPoint};
use pollster::block_on;

/// The last estimate of a link, and what is told of it before it runs.
fn run(text: &str, engine: EngineChoice) -> (LlcPoint, Vec<String>) {
    let link = link::parse(text);
    let (source, _) = block_on(Source::find(engine, true)).expect("an engine");
    let parts = experiments::build(link.experiment, &link.knobs).unwrap();
    let exec = block_on(source.exec(&parts.plan)).unwrap();
    let mut s = Session::new(parts, exec);
    s.begin().unwrap();
    while block_on(s.pump()).unwrap() {}
    let told = link.notices.into_iter().map(|n| n.text).collect();
    (s.history.llc.last().unwrap().clone(), told)
}

#[test]
fn the_index_is_that_of_the_steps_it_makes() {
    let (h, nbeta, gamma, eps) = (1.0, 1000.0, 10.0, 2.5e-4);
    let text = format!(
        "#/truth?h={h},0.1&nbeta={nbeta}&gamma={gamma}&eps={eps:e}&chains=8&burnin=1000&draws=6000&sampler=rmsprop"
    );
    let (got, told) = run(&text, EngineChoice::Cpu);
    // Along a direction V settles near h²·E[w²], and E[w²] is 1/a, times 1/(1 − εGa/4) by the very
    // bias; so G = 1/(h·√E[w²] + 0.1) is a fixed point.
    let a = |h: f64| nbeta * h + gamma;
    let gain = |h: f64| {
        let next = |g: f64| 1.0 / (h / (a(h) * (1.0 - 0.25 * eps * g * a(h))).sqrt() + 0.1);
        (0..50).fold(1.0, |g, _| 0.5 * (g + next(g)))
    };
    let plain = 0.25 * eps * a(h);
    let due = plain * gain(h);
    let index = got.index.unwrap();
    println!("index {index:.3}, due {due:.3}, SGLD's {plain:.3}");
    // Of each weight the chain with the longest step counts: the index bounds that of every chain.
    let fits = |index: f64| (0.98..1.15).contains(&(index / due));
    assert!(fits(index), "{index} {due}");
    // One chain alone has no such excess, only the noise of its own V.
    let alone: Vec<f64> = (1..=12)
        .map(|seed| {
            let one = text.replace("chains=8", "chains=1");
            let one = one.replace("draws=6000", "draws=2");
            let (got, _) = run(&format!("{one}&seed={seed}"), EngineChoice::Cpu);
            got.index.unwrap() / due
        })
        .collect();
    let (mean, sd) = (stats::mean(&alone), stats::sd(&alone));
    println!(
        "one chain: {mean:.3} ± {sd:.3} of what is due, all eight {:.3}",
        index / due
    );
    assert!((mean - 1.0).abs() < 3.0 * sd / (alone.len() as f64).sqrt() && sd < 0.08);
    assert!(index / due > mean && index / due < mean + 4.0 * sd);
    // Planted: SGLD's own index, and the bound at V = 0, are both refused by that.
    assert!(!fits(plain) && !fits(10.0 * plain));
    // The bias it foretells is there: each direction counts 1/(1 − εGa/4) times.
    let biased = |gain: &dyn Fn(f64) -> f64| {
        let term = |h: f64| 0.5 * nbeta * h / (a(h) * (1.0 - 0.25 * eps * gain(h) * a(h)));
        term(h) + term(0.1)
    };
    let (with, without) = (biased(&gain), biased(&|_| 1.0));
    println!(
        "λ̂ {:.3}, foretold {with:.3}, as if SGLD {without:.3}",
        got.value
    );
    assert!((got.value / with - 1.0).abs() < 0.05 && (got.value / without - 1.0).abs() > 0.3);
    assert!(told.iter().any(|n| n.contains("RMSprop")), "{told:?}");
    assert!(got.warnings.iter().any(|w| w.contains("ε·a/4")));
    // SGLD at the same step is well within its limits, and nothing is said.
    let (sgld, told) = run(&text.replace("rmsprop", "sgld"), EngineChoice::Cpu);
    assert!(told.is_empty() && !sgld.warnings.iter().any(|w| w.contains("ε·a/4")));
    assert!((sgld.index.unwrap() - plain).abs() < 1e-9);
}

#[test]
fn the_default_step_of_superposition_is_flagged_and_a_tenth_of_it_is_not() {
    let text = "#/tms?replicas=1&steps=100&every=0&log=0&sampler=rmsprop";
    for engine in [EngineChoice::Cpu, EngineChoice::Gpu] {
        let (got, told) = run(text, engine);
        println!("{engine:?}: λ̂ {:.2}, index {:?}", got.value, got.index);
        assert!(got.index.unwrap() > 0.5, "{got:?}");
        assert!(got.warnings.iter().any(|w| w.contains("ε·a/4")));
        assert!(told.iter().any(|n| n.contains("RMSprop")), "{told:?}");
    }
    let (got, told) = run(&format!("{text}&eps=2e-5"), EngineChoice::Cpu);
    assert!(told.is_empty() && got.index.unwrap() < 0.15, "{told:?}");
    assert!(!got.warnings.iter().any(|w| w.contains("ε·a/4")));
}
