//! Data-refined λ̂: the chains' loss on another distribution, while training stays as it is.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{ended, session};
use lambdahat::app::{link, words};
use lambdahat::engine::Session;
use lambdahat::experiments::Of;
use lambdahat::tasks::modular::Pairs;
use lambdahat::tasks::repeat::class;

const REPEAT: &str = "#/induction?d_model=16&heads=2&vocab=12&ctx=12&pmin=3&pmax=5&batch=4&steps=12&every=6&log=0&chains=2&burnin=2&draws=4&mbatch=2";
const GROK: &str =
    "#/grok?p=7&embed=4&hidden=8&batch=8&steps=12&every=6&chains=2&burnin=2&draws=4&mbatch=6";

fn run(text: &str) -> Session {
    ended(session(text))
}

fn feed(s: &Session, step: u64) -> Vec<u32> {
    let (checkpoint, follow) = (6, 0);
    let mut words = Vec::new();
    s.parts
        .lab
        .feed(Of::Chains { checkpoint, follow }, step, &mut words);
    words
}

#[test]
fn other_data_give_another_estimate_and_the_same_training() {
    for (text, own, other) in [(REPEAT, "own", "random"), (GROK, "train", "test")] {
        let with = |word: &str| run(&format!("{text}&on={word}"));
        let (plain, same, refined) = (run(text), with(own), with(other));
        assert_eq!(plain.history.llc, same.history.llc, "{text}");
        let trained = |s: &Session| {
            let weights = s.history.checkpoints.iter().map(|c| c.weights.clone());
            (weights.collect::<Vec<_>>(), s.history.series.clone())
        };
        assert_eq!(trained(&plain), trained(&refined), "{text}");
        for (a, b) in plain.history.llc.iter().zip(&refined.history.llc) {
            assert!(a.value != b.value && a.init_loss != b.init_loss);
            assert!(b.classes.is_empty(), "one class of targets is no split");
        }
        assert_eq!(refined.trace(6).settings.on, other);
        let setting = |s: &str| words::setting(&link::parse(s).knobs);
        let said = setting(&format!("{text}&on={other}"));
        assert!(said.ends_with(&format!("on {other} data")), "{said}");
        assert!(!setting(text).contains("data"));
    }
}

#[test]
fn the_data_are_what_they_are_said_to_be() {
    let random = run(&format!("{REPEAT}&on=random"));
    for step in 0..20 {
        let words = feed(&random, step);
        let (_, classes) = words.split_at(words.len() / 2);
        let mut plain = classes.chunks(12).flat_map(|c| &c[..11]);
        assert!(plain.all(|&c| c == class::PLAIN));
    }
    let pairs = Pairs::new(1, 7, 0.4);
    for (word, from) in [("train", &pairs.train), ("test", &pairs.test)] {
        let s = run(&format!("{GROK}&on={word}"));
        for step in 0..20 {
            assert!(
                feed(&s, step)[..6].iter().all(|p| from.contains(p)),
                "{word}"
            );
        }
        // All of them are one batch, which MALA takes.
        let n = from.len();
        let whole =
            format!("{GROK}&on={word}&sampler=mala").replace("mbatch=6", &format!("mbatch={n}"));
        assert_eq!(feed(&run(&whole), 3)[..n], from[..]);
    }
}
