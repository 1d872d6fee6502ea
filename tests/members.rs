//! What may give notice of a transition is there for every model of a run, not for the one that is followed
//! alone, and each curve is that of the run of its seed alone, bit for bit.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{ended, session};
use lambdahat::app::link;
use lambdahat::engine::Session;
use lambdahat::engine::report::report;
use lambdahat::experiments;

/// A small run of each experiment that is asked who leads; what it keeps of every model.
const RUNS: [(&str, &[&str]); 3] = [
    (
        "#/induction?d_model=16&heads=2&vocab=12&ctx=14&pmin=4&pmax=6&batch=5&steps=30&every=10&log=0&lr=0.02&warmup=0&chains=0",
        &[
            "loss",
            "loss.train",
            "norm",
            "icl",
            "composition.k.0.1.1.0",
            "composition.q.0.0.1.1",
            "composition.v.0.0.1.0",
        ],
    ),
    (
        "#/tms?steps=40&n=200&batch=20&every=20&log=0&chains=0",
        &["loss", "loss.train", "norm", "loss.population"],
    ),
    (
        "#/grok?p=7&embed=4&hidden=6&batch=8&mbatch=16&steps=30&every=10&log=0&chains=0",
        &["loss", "loss.train", "norm", "loss.test", "accuracy.test"],
    ),
];

/// Steps and bits of a curve of a member.
fn curve(s: &Session, member: usize, id: &str) -> Vec<(u64, u64)> {
    let id = match member {
        0 => id.to_string(),
        r => format!("replicas/{r}/{id}"),
    };
    let found = s.history.series.get(&id);
    let bits = |(x, y): (&f64, &f64)| (*x as u64, y.to_bits());
    found.map_or(Vec::new(), |s| s.x.iter().zip(&s.y).map(bits).collect())
}

#[test]
fn indicators_are_those_of_every_model() {
    for (base, ids) in RUNS {
        let text = format!("{base}&seed=7&replicas=3");
        let all = ended(session(&text));
        let link = link::parse(&text);
        let told = report(
            &link,
            experiments::card(link.experiment).unwrap(),
            &all,
            Vec::new(),
        );
        for member in 0..3 {
            let alone = ended(session(&format!("{base}&seed={}&replicas=1", 7 + member)));
            for id in ids {
                let (want, got) = (curve(&alone, 0, id), curve(&all, member, id));
                assert!(want.len() > 1, "{base}: {id}");
                assert_eq!(want, got, "{base}: {id} of {member}");
                // Planted: another model's curve is refused.
                assert_ne!(want, curve(&all, (member + 1) % 3, id), "{base}: {id}");
                // The files have it, with a name and the same points.
                let name = if member == 0 {
                    (*id).to_string()
                } else {
                    format!("replicas/{member}/{id}")
                };
                let written = &told.series[&name];
                assert!(written.points.y.len() == want.len() && !written.label.is_empty());
            }
        }
    }
}

/// The null of composition is the dear part of it: it is of the first model and of the one that is
/// followed, and comes and goes with being followed, over the whole curve.
#[test]
fn the_null_is_of_the_model_that_is_followed() {
    let id = "replicas/2/composition.k.0.1.1.0";
    let text = format!("{}&seed=7&replicas=3", RUNS[0].0);
    let lengths = |s: &Session| {
        let s = &s.history.series[id];
        [s.x.len(), s.y.len(), s.lo.len(), s.hi.len()]
    };
    let plain = ended(session(&text));
    let n = lengths(&plain)[0];
    assert_eq!(lengths(&plain), [n, n, 0, 0]);
    let before = plain.history.series[id].clone();
    let mut followed = plain;
    assert!(followed.follow_replica(2));
    let mut followed = ended(followed);
    assert_eq!(lengths(&followed), [n, n, n, n]);
    // Where it stands beside its null a score has the bits it had without.
    assert_eq!(before.y, followed.history.series[id].y);
    assert!(followed.follow_replica(1));
    assert_eq!(lengths(&ended(followed)), [n, n, 0, 0]);
}
