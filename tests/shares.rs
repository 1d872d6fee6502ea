//! Composition on data from a run: what earlier heads, tokens and positions wrote makes the whole of what
//! later heads read.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{ended, session_with};
use lambdahat::engine::Session;
use lambdahat::experiments::Parts;

const TINY: &str = "#/induction?d_model=16&heads=2&vocab=12&ctx=14&pmin=4&pmax=6&batch=5&steps=30&every=15&log=0&lr=0.02&warmup=0&chains=0";

fn run(more: &str, change: impl Fn(&mut Parts)) -> Session {
    ended(session_with(&format!("{TINY}{more}"), change))
}

/// The last values of the series that begin so.
fn last(s: &Session, start: &str) -> Vec<(String, f64)> {
    let own = s
        .history
        .series
        .iter()
        .filter(|(id, _)| id.starts_with(start));
    own.map(|(id, s)| (id.clone(), *s.y.last().unwrap()))
        .collect()
}

/// The greatest that is left over.
fn rest(s: &Session, start: &str) -> f64 {
    let all = last(s, &format!("{start}share."));
    assert!(!all.is_empty(), "no shares");
    let rest = all.iter().filter(|(id, _)| id.contains(".rest."));
    rest.map(|(_, y)| y.abs()).fold(0.0, f64::max)
}

#[test]
fn what_was_written_makes_the_whole_of_what_is_read() {
    for more in ["", "&positions=shortformer", "&smear=on", "&layers=3"] {
        let s = run(more, |_| {});
        assert!(rest(&s, "") < 1e-4, "{more}: {}", rest(&s, ""));
        // Something does come from heads.
        let heads = last(&s, "share.v.0.");
        assert!(
            heads.iter().any(|(_, y)| y.abs() > 0.01),
            "{more}: {heads:?}"
        );
    }
    // An MLP, and a trained LayerNorm's bias, are what is left.
    assert!(rest(&run("&layers=3&mlp=16", |_| {}), "") > 1e-3);
    let normed = rest(&run("&norm=layernorm", |_| {}), "");
    assert!(normed > 1e-6 && normed < 0.3, "{normed}");
    // Planted fault: activations of other rows.
    let shifted = run("", |parts| {
        let (_, range) = parts.probes.reads.last_mut().unwrap();
        *range = range.start + 48..range.end;
    });
    assert!(rest(&shifted, "") > 1e-2, "{}", rest(&shifted, ""));
}
