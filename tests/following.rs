//! The model that is followed has every number of the run of its seed alone: followed from the beginning,
//! from the middle, or once the run is over; and nobody else's.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{ended, session, session_on};
use lambdahat::app::link;
use lambdahat::engine::Session;
use lambdahat::engine::record::{capture, restore};
use lambdahat::engine::report::report;
use lambdahat::experiments;
use lambdahat::protocol::{EngineChoice, Figure, Series};
use pollster::block_on;
use std::collections::BTreeMap;

const TINY: &str = "#/induction?d_model=16&heads=2&vocab=12&ctx=14&pmin=4&pmax=6&batch=5&steps=30&every=10&log=0&lr=0.02&warmup=0&chains=0";
/// Its tokens are pieces of a text: there is a matched copying check beside ablation.
const TEXT: &str =
    "#/text?d_model=16&heads=2&ctx=24&pmin=5&pmax=9&batch=4&steps=4&every=2&log=0&chains=0";

/// Bits of every curve of a member, by its name alone.
type Curves = BTreeMap<String, [Vec<u64>; 4]>;

fn curves(s: &Session, member: usize) -> Curves {
    let start = match member {
        0 => String::new(),
        r => format!("replicas/{r}/"),
    };
    let own = |id: &str| {
        let id = id.strip_prefix(&start)?;
        (!id.starts_with("replicas/")).then(|| id.to_string())
    };
    let bits = |v: &Vec<f64>| v.iter().map(|x| x.to_bits()).collect();
    let all = s.history.series.iter();
    all.filter_map(|(id, Series { x, y, lo, hi })| Some((own(id)?, [x, y, lo, hi].map(bits))))
        .collect()
}

fn weights(s: &Session) -> Vec<u32> {
    let all = s.history.checkpoints.iter();
    all.flat_map(|c| c.weights.iter().map(|w| w.to_bits()))
        .collect()
}

/// Pumps until the run has come to a step.
fn upto(mut s: Session, step: u64) -> Session {
    while s.step() < step {
        assert!(block_on(s.pump()).unwrap());
    }
    s
}

/// Rows of logit-PCA with their steps.
fn rows(s: &Session) -> Vec<(u64, Vec<u32>)> {
    let bits = |row: &[f32]| row.iter().map(|z| z.to_bits()).collect();
    let all = s.history.pca.rows();
    all.map(|(step, row)| (step, bits(&row))).collect()
}

fn follow(mut s: Session, member: usize) -> Session {
    assert!(s.follow_replica(member));
    s
}

/// What differs, by name.
fn faults(want: &Curves, got: &Curves) -> Vec<String> {
    let ids: std::collections::BTreeSet<_> = want.keys().chain(got.keys()).collect();
    ids.into_iter()
        .filter(|id| want.get(*id) != got.get(*id))
        .cloned()
        .collect()
}

#[test]
fn a_member_has_every_number_of_its_seed() {
    for base in [TINY, TEXT] {
        let alone = ended(session(&format!("{base}&seed=9")));
        let want = curves(&alone, 0);
        let three = format!("{base}&seed=7&replicas=3");
        let plain = ended(session(&three));
        let two = format!("{three}&member=2");
        let early = |link: &str| upto(session(link), 1);
        let middle = alone.parts.steps / 2;
        let all = [
            ended(session(&two)),
            ended(follow(upto(session(&three), middle), 2)),
            ended(follow(ended(session(&three)), 2)),
            // To and fro: what was missed meanwhile is measured.
            ended(follow(upto(follow(early(&two), 0), middle), 2)),
            ended(follow(upto(follow(early(&three), 2), middle), 1)),
        ];
        for (i, s) in all.iter().enumerate() {
            // Another one was followed in the end; it is asked below.
            if i < 4 {
                assert_eq!(
                    faults(&want, &curves(s, 2)),
                    Vec::<String>::new(),
                    "{base} {i}"
                );
                assert_eq!(rows(s), rows(&alone), "{base} {i}");
            }
            assert_eq!(weights(s), weights(&plain), "{base} {i}");
        }
        let ablated = |id: &&String| id.contains(".ablation.");
        assert!(want.keys().filter(ablated).count() >= 12, "{base}");
        if base == TEXT {
            assert!(want.contains_key("copied"));
        }
        // The first, where another one was followed from the beginning, and it only later.
        let first = ended(follow(ended(session(&two)), 0));
        assert_eq!(
            faults(&curves(&plain, 0), &curves(&first, 0)),
            Vec::<String>::new()
        );
        // Planted: the numbers of another member are refused, one by one.
        assert_ne!(rows(&plain), rows(&alone));
        let other = curves(&all[4], 1);
        let wrong = faults(&want, &other);
        assert!(
            wrong.iter().filter(ablated).count() >= 12,
            "{base}: {wrong:?}"
        );
        // A record has them; one that was written before they were measured gets them.
        let mut record = capture(&all[0], &two).unwrap();
        record
            .series
            .retain(|d| !d.id.contains("ablation") || d.id.contains("1.ablation"));
        let mut again = session(&two);
        restore(&mut again, &record).unwrap();
        assert_eq!(
            faults(&want, &curves(&ended(again), 2)),
            Vec::<String>::new()
        );
    }
}

/// The path too, of every experiment with members: what logit-PCA looks at is drawn once for all seeds.
#[test]
fn the_path_is_that_of_the_seed() {
    let tms = "#/tms?n=60&mbatch=20&steps=60&every=20&log=0&chains=0";
    let grok = "#/grok?p=7&embed=4&hidden=8&batch=8&mbatch=8&steps=40&every=20&log=0&chains=0";
    for base in [tms, grok, TINY] {
        let alone = ended(session(&format!("{base}&seed=8&replicas=1")));
        let first = ended(session(&format!("{base}&seed=7&replicas=2")));
        // Planted: the first member's.
        assert_ne!(rows(&first), rows(&alone), "{base}");
        let later = ended(follow(first, 1));
        assert!(rows(&later).len() >= 3);
        assert_eq!(rows(&later), rows(&alone), "{base}");
    }
}

/// The same on the GPU engine, to the bit: ablation, copying, composition on data, and the heads of the
/// report, followed from the beginning and once the run is over.
#[test]
fn a_member_has_every_number_of_its_seed_on_the_gpu() {
    let on = |text: &str| session_on(EngineChoice::Gpu, text, |_| ());
    let (base, link) = (TEXT, format!("{TEXT}&seed=7&replicas=2"));
    let heads = |s: &Session| {
        let link = link::parse(&link);
        let card = experiments::card(link.experiment).unwrap();
        report(&link, card, s, Vec::new()).heads
    };
    let alone = ended(on(&format!("{base}&seed=8")));
    let (want, all) = (curves(&alone, 0), heads(&alone));
    for of in [
        "ablation",
        "preserving",
        "copied",
        "heads.",
        "composition.",
        "share.",
    ] {
        assert!(
            want.keys().any(|id| id.contains(of)),
            "no {of}: {:?}",
            want.keys()
        );
    }
    assert!(all.len() == 4 && all.iter().all(|h| h.ablation.is_some()));
    let first = ended(on(&link));
    // Planted: the first member's.
    let wrong = faults(&want, &curves(&first, 0));
    assert!(
        wrong.iter().filter(|id| id.contains("ablation")).count() >= 12,
        "{wrong:?}"
    );
    assert_ne!(heads(&first), all);
    for s in [
        ended(on(&format!("{link}&member=1"))),
        ended(follow(first, 1)),
    ] {
        assert_eq!(faults(&want, &curves(&s, 1)), Vec::<String>::new());
        assert_eq!(heads(&s), all);
        assert_eq!(rows(&s), rows(&alone));
    }
}

/// After a reload the weights alone are left: whoever is followed then has path and picture too.
#[test]
fn another_one_is_followed_after_a_reload() {
    let link = format!("{TINY}&seed=7&replicas=3");
    let whole = ended(follow(ended(session(&link)), 1));
    let record = capture(&ended(session(&link)), &link).unwrap();
    let mut again = session(&link);
    restore(&mut again, &record).unwrap();
    let again = ended(follow(again, 1));
    assert_eq!(rows(&again), rows(&whole));
    assert_eq!(again.history.figure, whole.history.figure);
    assert_eq!(curves(&again, 1), curves(&whole, 1));
    // Planted: the path of the one that was followed before.
    assert_ne!(rows(&ended(session(&link))), rows(&whole));
}

#[test]
fn picture_and_report_are_those_of_the_member() {
    let text = format!("{TINY}&seed=7&replicas=3");
    let heads = |text: &str, s: &Session| {
        let link = link::parse(text);
        let card = experiments::card(link.experiment).unwrap();
        report(&link, card, s, Vec::new()).heads
    };
    let alone = ended(session(&format!("{TINY}&seed=9")));
    let want = heads(&text, &alone);
    assert!(
        want.len() == 4
            && want
                .iter()
                .all(|h| h.ablation.is_some() && h.copying.is_some())
    );
    let before = ended(session(&text));
    let (first, picture) = (heads(&text, &before), before.history.figure.clone());
    let later = follow(before, 2);
    assert_eq!(later.history.figure, None);
    let later = ended(later);
    assert_eq!(heads(&text, &later), want);
    assert_eq!(later.history.figure, alone.history.figure);
    assert!(matches!(picture, Some(Figure::Attention { .. })));
    // Planted: the first model's.
    assert_ne!(first, want);
    assert_ne!(picture, alone.history.figure);
}
