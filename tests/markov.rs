//! In-context Markov chains: what an evaluation says of the predictions, the lines they are held
//! against, and that a small model goes the way the card says.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::app::link;
use lambdahat::engine::{Session, Source};
use lambdahat::experiments::markov::card::{levels, task};
use lambdahat::experiments::markov::judge::{self, kl};
use lambdahat::experiments::{self, Panel};
use lambdahat::knobs::Knobs;
use lambdahat::math::Stream;
use lambdahat::protocol::{EngineChoice, Phase};
use lambdahat::tasks::markov::Predictor;
use pollster::block_on;

const TINY: &str = "#/markov?v=1&preset=tiny&chains=0&every=0&log=0";

fn knobs(text: &str) -> Knobs {
    let link = link::parse(text);
    assert!(link.notices.is_empty(), "{text}: {:?}", link.notices);
    link.knobs
}

fn run(text: &str) -> Session {
    let (source, _) = block_on(Source::find(EngineChoice::Cpu, true)).unwrap();
    let parts = experiments::build("markov", &knobs(text)).unwrap();
    let exec = block_on(source.exec(&parts.plan)).unwrap();
    let mut s = Session::new(parts, exec);
    s.begin().unwrap();
    while block_on(s.pump()).unwrap() {}
    assert_eq!(s.phase(), Phase::Done);
    s
}

/// Logits of a predictor on the held-out sequences, the probabilities' logarithms and a constant.
fn said(text: &str, by: Predictor) -> Vec<f32> {
    let (knobs, mut symbols) = (knobs(text), Vec::new());
    let (task, batch) = (task(&knobs), knobs.size("batch"));
    task.batch(1, Stream::HeldOut, 0, batch, &mut symbols);
    symbols.truncate(batch * task.ctx);
    let sequences = symbols.chunks(task.ctx);
    let all = sequences.flat_map(|s| task.predict(by, s));
    all.map(|p| (p.ln() + 3.0) as f32).collect()
}

fn value(all: &[(String, f64)], id: &str) -> f64 {
    all.iter().find(|v| v.0 == id).unwrap().1
}

#[test]
fn divergence_of_hand_made_numbers() {
    assert_eq!(kl(&[0.5, 0.5], &[0.5, 0.5]), 0.0);
    assert!((kl(&[1.0, 0.0], &[0.25, 0.75]) - 4f64.ln()).abs() < 1e-12);
    assert!(
        (kl(&[0.75, 0.25], &[0.5, 0.5]) - (0.75 * 1.5f64.ln() + 0.25 * 0.5f64.ln())).abs() < 1e-12
    );
}

/// A model that says what a predictor says is at no distance from it, and as far from the truth as the
/// line on the chart.
#[test]
fn a_predictor_lies_on_its_line() {
    for text in [TINY, "#/markov?v=1&preset=turned"] {
        let (knobs, batch) = (knobs(text), 64);
        let (task, lines) = (task(&knobs), levels(&knobs));
        for (by, line, own) in [
            (Predictor::Uniform, lines.uniform, None),
            (Predictor::Unigram, lines.unigram, Some("kl.unigram")),
            (Predictor::Bigram, lines.bigram, Some("kl.bigram")),
            (task.bayes(), lines.bayes, None),
        ] {
            let logits = said(text, by);
            assert_eq!(logits.len(), batch * task.ctx * task.symbols);
            let found = judge::values(&task, 1, &logits);
            assert!(
                (value(&found, "kl") - line.kl).abs() < 1e-5,
                "{by:?}: {found:?} {line:?}"
            );
            assert!((value(&found, "kl.late") - line.late).abs() < 1e-5);
            if let Some(own) = own {
                assert!(value(&found, own).abs() < 1e-6);
            }
            // Planted faults: one position late, and another seed's sequences.
            let mut late = logits.clone();
            late.rotate_right(task.symbols);
            let others = judge::values(&task, 2, &logits);
            for other in [judge::values(&task, 1, &late), others] {
                let far = own.is_some_and(|own| value(&other, own) > 1e-3);
                assert!(own.is_none() || far, "{by:?}: {other:?}");
            }
        }
        // Where all symbols are equally frequent, their counts are worse than nothing.
        let mut order = [lines.truth, lines.bayes, lines.unigram, lines.uniform];
        if text != TINY {
            order.swap(2, 3);
        }
        let rises = |w: &[judge::Level]| w[0].kl < w[1].kl && w[0].loss < w[1].loss;
        assert!(order.windows(2).all(rises), "{order:?}");
    }
}

/// The loss of an evaluation less that of the chains themselves is the KL, but for which symbols came.
#[test]
fn loss_and_divergence_agree() {
    let text = "#/markov?v=1&d_model=16&ctx=24&batch=256&steps=2&every=0&log=0&chains=0";
    let s = run(text);
    let last = |id: &str| *s.history.series[id].y.last().unwrap();
    let lines = levels(&knobs(text));
    let apart = last("loss") - lines.truth.loss - last("kl");
    assert!(apart.abs() < 0.02, "{apart}");
    // Planted fault: the divergence from something else than the chains.
    let other = last("loss") - lines.truth.loss - last("kl.bigram");
    assert!(other.abs() > 0.05, "{other}");
}

#[test]
fn lines_are_of_the_seed_that_is_followed() {
    let card = experiments::card("markov").unwrap();
    let of = |text: &str| (card.reference)(&knobs(text));
    let here = of(TINY);
    assert_eq!(here.iter().filter(|l| l.panel == Panel::Main).count(), 4);
    assert_eq!(here.iter().filter(|l| l.panel == Panel::Below).count(), 3);
    assert_ne!(here, of(&format!("{TINY}&seed=2")));
    assert_eq!(
        of(&format!("{TINY}&seed=2")),
        of(&format!("{TINY}&replicas=2&member=1"))
    );
    // The rows being turns of one another, what Bayes counts is another line.
    let turned = of(&format!("{TINY}&chain=turned"));
    assert!(turned.iter().any(|l| l.label == "shifts"));
}

/// Counting symbols first, then pairs: a shelf within 15 % of the unigram line, from which a drop leads
/// below twice the bigram line.
#[test]
fn a_tiny_model_counts_symbols_and_then_pairs() {
    let s = run(TINY);
    let lines = levels(&knobs(TINY));
    let kl = &s.history.series["kl"];
    let at = |step: f64| kl.y[kl.x.iter().position(|&x| x >= step).unwrap()];
    let shelf = (at(100.0) + at(150.0) + at(200.0)) / 3.0;
    let said = format!("{lines:?}, shelf {shelf}, end {}", at(1000.0));
    assert!((shelf / lines.unigram.kl - 1.0).abs() < 0.15, "{said}");
    assert!(
        at(1000.0) < 2.0 * lines.bigram.kl && at(1000.0) > lines.bigram.kl,
        "{said}"
    );
    let away = &s.history.series["kl.unigram"].y;
    assert!(
        away.iter().any(|&y| y < 0.03) && *away.last().unwrap() > 0.06,
        "{said}"
    );
    let heads = experiments::heads::heads(|id| s.history.series.get(id)?.y.last().copied());
    let labels: Vec<&str> = heads.iter().map(|h| h.label).collect();
    assert_eq!(labels, ["previous-token head", "induction head"], "{said}");
}
