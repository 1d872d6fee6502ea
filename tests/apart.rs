//! Losses of draws on batches apart from those of the gradient: the chains walk as they would.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::app::link;
use lambdahat::engine::{Session, Source};
use lambdahat::experiments;
use lambdahat::protocol::{EngineChoice, LlcPoint};
use pollster::block_on;

const TMS: &str = "#/tms?replicas=1&lr=0&n=400&steps=2&every=2&log=0&chains=4&burnin=9&draws=200&mbatch=40&nbeta=200&gamma=50&eps=1e-3";
const INDUCTION: &str = "#/induction?layers=1&d_model=8&heads=2&vocab=12&ctx=12&pmin=4&pmax=5&batch=8&steps=4&every=4&log=0&chains=2&burnin=3&draws=8&mbatch=4";

/// The last λ̂ point, and the weights the run ends with.
fn run(text: &str, engine: EngineChoice) -> (LlcPoint, Vec<f32>) {
    let link = link::parse(text);
    assert!(link.notices.is_empty(), "{text}: {:?}", link.notices);
    let (source, _) = block_on(Source::find(engine, true)).expect("an engine");
    let parts = experiments::build(link.experiment, &link.knobs).unwrap();
    let exec = block_on(source.exec(&parts.plan)).unwrap();
    let mut s = Session::new(parts, exec);
    s.begin().unwrap();
    while block_on(s.pump()).unwrap() {}
    let weights = s.history.checkpoints.last().unwrap().weights.to_vec();
    (s.history.llc.last().unwrap().clone(), weights)
}

/// What says where chains went: the sizes of their forces, and how far they came.
fn path(p: &LlcPoint) -> Vec<u64> {
    let all = p.forces.iter().chain([&p.distance, &p.spread]);
    all.map(|x| x.to_bits()).collect()
}

#[test]
fn a_look_moves_nothing() {
    for text in [
        TMS,
        INDUCTION,
        &format!("{}&sampler=rmsprop", TMS.replace("1e-3", "5e-5")),
    ] {
        for engine in [EngineChoice::Cpu, EngineChoice::Gpu] {
            let (same, weights) = run(text, engine);
            let (apart, again) = run(&format!("{text}&ebatch=apart"), engine);
            assert_eq!(path(&apart), path(&same), "{text}");
            assert_eq!(again, weights);
            // Other samples were measured, with the same mean.
            assert_ne!(apart.value, same.value);
            let se = |p: &LlcPoint| p.se.max(p.between_se.unwrap());
            let error = se(&apart).hypot(se(&same));
            assert!((apart.value - same.value).abs() < 4.0 * error, "{text}");
            // The classes of positions still sum to the whole.
            let sum: f64 = apart.classes.iter().map(|c| c.value).sum();
            assert!(
                apart.classes.is_empty() || (sum - apart.value).abs() < 1e-3,
                "{sum}"
            );
            // Chains that walk otherwise are seen.
            let (moved, _) = run(&format!("{text}&ebatch=apart&seed=9"), engine);
            assert_ne!(path(&moved), path(&same));
        }
    }
}

#[test]
fn mala_has_one_batch() {
    let link = link::parse(&format!("{TMS}&mbatch=400&sampler=mala&ebatch=apart"));
    assert_eq!(link.knobs.word("ebatch"), "same");
    assert!(link.notices.iter().any(|n| n.text.starts_with("ebatch")));
}
