//! What may give notice of a transition is there for every model of a run, not for the one that is followed
//! alone, and each curve is that of the run of its seed alone, bit for bit.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{ended, session, session_on};
use lambdahat::app::{link, refined, study, winners};
use lambdahat::engine::report::report;
use lambdahat::engine::studying::begin;
use lambdahat::engine::{Session, Source};
use lambdahat::experiments;
use lambdahat::knobs::Knobs;
use lambdahat::protocol::{CellResult, Curved, EngineChoice, StudySpec};
use pollster::block_on;
use std::collections::BTreeMap;

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

/// The null of composition is of the first model and of the one that is
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

/// Runs whose chains have batches of their own, and in `grok` move a part.
const SAMPLED: [&str; 3] = [
    "#/induction?d_model=16&heads=2&vocab=12&ctx=14&pmin=4&pmax=6&batch=5&steps=20&every=10&log=0&lr=0.02&warmup=0&chains=3&burnin=2&draws=4&mbatch=2",
    "#/tms?steps=20&n=200&batch=20&every=10&log=0&chains=3&burnin=2&draws=4&mbatch=50",
    "#/grok?p=7&embed=4&hidden=6&batch=8&mbatch=16&steps=20&every=10&log=0&chains=2&burnin=2&draws=4&part=embed&polish=3",
];

/// λ̂, its error and the curvature, to the bit.
fn bits(value: f64, se: f64, c: Curved) -> [u64; 6] {
    [value, se, c.h_max, c.trace, c.trace_se, c.gradient_sq].map(f64::to_bits)
}

/// What a study of every model finds: `[model][checkpoint]`.
fn studied(
    engine: EngineChoice,
    text: &str,
    change: impl Fn(&mut StudySpec),
) -> Vec<Vec<[u64; 6]>> {
    let link = link::parse(text);
    let (source, _) = block_on(Source::find(engine, true)).unwrap();
    let mut all = ended(session_on(engine, text, |_| ()));
    let steps: Vec<u64> = all.history.llc.iter().map(|p| p.step).collect();
    let mut spec = study::members(&link.knobs, &steps);
    change(&mut spec);
    all.begin_study(block_on(begin(&source, link, spec)).unwrap());
    let all = ended(all);
    let done = &all.study().unwrap().done;
    let found = done
        .iter()
        .map(|r| bits(r.value.unwrap(), r.se, r.curvature.unwrap()));
    let found: Vec<[u64; 6]> = found.collect();
    found.chunks(steps.len()).map(<[_]>::to_vec).collect()
}

#[test]
fn lambda_and_curvature_are_those_of_each_seed_alone() {
    for engine in [EngineChoice::Cpu, EngineChoice::Gpu] {
        for base in SAMPLED {
            let text = format!("{base}&seed=7&replicas=3");
            let found = studied(engine, &text, |_| ());
            for (member, found) in found.iter().enumerate() {
                let alone = format!("{base}&seed={}&replicas=1", 7 + member);
                let alone = ended(session_on(engine, &alone, |_| ()));
                let want = alone.history.llc.iter();
                let want: Vec<[u64; 6]> = want
                    .map(|p| bits(p.value, p.se, p.curvature.unwrap()))
                    .collect();
                assert_eq!((want.len(), found), (3, &want), "{base}: {member}");
            }
            // Planted: another model, another checkpoint, and chains more, whose job has more probes.
            assert!(found[0][1] != found[1][1] && found[0][1] != found[0][2]);
            let more = studied(engine, &text, |spec| spec.chains += 2);
            assert_ne!(found[0][1][3], more[0][1][3], "{base}");
        }
    }
}

/// Weights that stay the same, and yet each checkpoint has probes of its own, which are those of the run.
#[test]
fn probes_are_those_of_the_checkpoint() {
    let text = "#/tms?replicas=2&jitter=0&lr=0&n=200&steps=20&every=10&log=0&chains=3&burnin=2&draws=4&mbatch=200";
    let found = studied(EngineChoice::Cpu, text, |_| ());
    let traces: Vec<u64> = found[1].iter().map(|b| b[3]).collect();
    assert!(traces[0] != traces[1] && traces[1] != traces[2]);
}

/// Refined λ̂ of one head of every model is that of its seed alone, whose study asks for all heads.
#[test]
fn refined_curves_of_winners_are_those_of_each_seed_alone() {
    let text = format!("{}&seed=7&replicas=2", SAMPLED[0]);
    let link = link::parse(&text);
    let (source, _) = block_on(Source::find(EngineChoice::Cpu, true)).unwrap();
    // Which head wins differs from model to model.
    let heads = ["blocks.1.attn.head.1", "blocks.1.attn.head.0"];
    let refined = |text: &str, spec: &dyn Fn(&Knobs, &[u64]) -> StudySpec| {
        let link = link::parse(text);
        let mut s = ended(session(text));
        let steps: Vec<u64> = s.history.llc.iter().map(|p| p.step).collect();
        let spec = spec(&link.knobs, &steps);
        s.begin_study(block_on(begin(&source, link, spec)).unwrap());
        let s = ended(s);
        let study = s.study().unwrap();
        let bits = |r: &CellResult| {
            let cell = &study.spec.cells[r.cell as usize];
            let key = (cell.replica.unwrap_or(0), cell.part.clone(), cell.step);
            (key, r.value.unwrap().to_bits())
        };
        study.done.iter().map(bits).collect::<BTreeMap<_, _>>()
    };
    let all = refined(&text, &|knobs, steps| {
        winners::cells(knobs, steps, heads.iter().map(|h| Some((*h).to_string()))).unwrap()
    });
    assert_eq!((all.len(), link.knobs.int("replicas")), (6, 2));
    for (member, head) in (0..).zip(heads) {
        let alone = format!("{}&seed={}", SAMPLED[0], 7 + member);
        let alone = refined(&alone, &|knobs, steps| refined::spec(knobs, steps).unwrap());
        for step in [0, 10, 20] {
            let of = |head: &str| alone[&(0, head.to_string(), step)];
            let found = all[&(member, head.to_string(), step)];
            assert_eq!(found, of(head), "{member} {step}");
            // Planted: the other head's.
            assert_ne!(found, of(heads[1 - member as usize]));
        }
    }
}
