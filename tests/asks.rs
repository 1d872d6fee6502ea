//! Questions about stored checkpoints: paths of several models and losses of tokens, which leave the run
//! as it was.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{ended, session};
use lambdahat::engine::Session;
use lambdahat::protocol::{Ask, Paths, Tokens, Told};
use pollster::block_on;

const TINY: &str = "#/induction?d_model=16&heads=2&vocab=12&ctx=14&pmin=4&pmax=6&batch=5&steps=30&every=5&log=0&lr=0.02&warmup=0&chains=0&replicas=3&seed=4";

fn paths(s: &mut Session) -> Paths {
    s.ask(Ask::Paths);
    while block_on(s.pump()).unwrap() {}
    let found = s.answers().into_iter().find_map(|t| match t {
        Told::Paths(p) => Some(p),
        _ => None,
    });
    found.unwrap()
}

fn tokens(s: &mut Session, step: u64) -> Option<Tokens> {
    s.ask(Ask::Tokens(step));
    while block_on(s.pump()).unwrap() {}
    s.answers().into_iter().find_map(|t| match t {
        Told::Tokens(t) => Some(t),
        _ => None,
    })
}

#[test]
fn models_are_compared_on_the_same_data_and_the_run_does_not_notice() {
    let plain = ended(session(TINY));
    // Asked in the middle of the run, and again at its end.
    let mut asked = session(TINY);
    while asked.step() < 12 {
        block_on(asked.pump()).unwrap();
    }
    asked.ask(Ask::Paths);
    let mut asked = ended(asked);
    assert_eq!(plain.history.series, asked.history.series);
    let weights = |s: &Session| s.history.checkpoints.last().unwrap().weights.clone();
    assert_eq!(weights(&plain), weights(&asked));
    let found = paths(&mut asked);
    assert_eq!((found.done, found.all, found.left_out), (7, 7, 0));
    let (logits, losses) = (found.logits.unwrap(), found.losses.unwrap());
    assert_eq!((logits.members.len(), logits.steps.len()), (3, 7));
    assert!(losses.members.iter().all(|m| m.len() == 7));
    // The path by losses of the first model alone is the same up to its place in the plane.
    let alone = &mut ended(session(&TINY.replace("&replicas=3", "")));
    let one = paths(alone).losses.unwrap();
    let length = |m: &[[f64; 3]]| -> f64 {
        m.windows(2)
            .map(|w| {
                (0..3)
                    .map(|k| (w[1][k] - w[0][k]).powi(2))
                    .sum::<f64>()
                    .sqrt()
            })
            .sum()
    };
    let (a, b) = (length(&one.members[0]), length(&losses.members[0]));
    assert!(b > 0.0 && b <= a * 1.001, "{a} {b}");
    // A seed's model on the first one's data is not that seed's own evaluation: planted fault.
    let other = &mut ended(session(
        &TINY.replace("&replicas=3", "").replace("seed=4", "seed=5"),
    ));
    let own = paths(other).losses.unwrap();
    let apart: f64 = own.members[0]
        .iter()
        .zip(&losses.members[1])
        .map(|(a, b)| (a[0].abs() - b[0].abs()).abs())
        .sum();
    assert!(apart > 1e-3);
}

#[test]
fn losses_of_tokens_have_the_means_that_the_evaluation_says() {
    let s = &mut ended(session(TINY));
    for (follow, start) in [(0, ""), (2, "replicas/2/")] {
        assert!(s.follow_replica(follow));
        let found = tokens(s, 15).unwrap();
        assert_eq!((found.step, found.ctx, found.tokens.len()), (15, 14, 70));
        let mean = |classes: &[u32]| {
            let of = found
                .losses
                .iter()
                .zip(&found.classes)
                .filter(|(_, c)| classes.contains(c));
            let (sum, n) = of.fold((0.0, 0.0), |(s, n), (l, _)| (s + f64::from(*l), n + 1.0));
            sum / n
        };
        for (id, classes) in [
            ("loss", &[1, 2, 3][..]),
            ("loss.first", &[2]),
            ("loss.repeat", &[3]),
        ] {
            let series = &s.history.series[&format!("{start}{id}")];
            let at = series.x.iter().position(|x| *x == 15.0).unwrap();
            assert!(
                (mean(classes) - series.y[at]).abs() < 1e-5,
                "{start}{id}: {} {}",
                mean(classes),
                series.y[at]
            );
        }
    }
    assert!(tokens(s, 7).is_none());
}
