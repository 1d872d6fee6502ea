//! The recorded null runs that the thresholds of "Who leads?" come from: made by the program itself.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::app::link;
use lambdahat::app::run::{Llc, Run, Series};
use lambdahat::app::seeds::{self, Nulls};
use lambdahat::engine::{Session, Source};
use lambdahat::experiments::{self, Card};
use lambdahat::protocol::{EngineChoice, RunId};
use pollster::block_on;
use std::collections::BTreeMap;
use std::rc::Rc;

/// One-layer models, which cannot form an induction head.
const TINY: &str =
    "#/induction?v=1&layers=1&d_model=32&heads=2&vocab=32&ctx=32&pmin=6&pmax=14&steps=2500";
const DEFAULT: &str = "#/induction?v=1&layers=1";
/// What is recorded, and how many seeds of it.
const LINKS: [(&str, u32); 2] = [(TINY, 8), (DEFAULT, 4)];

/// A run natively, as the page would see it.
fn seen(text: &str) -> (Run, &'static Card) {
    let link = link::parse(text);
    assert!(link.notices.is_empty(), "{text}: {:?}", link.notices);
    let (source, _) = block_on(Source::find(EngineChoice::Cpu, true)).unwrap();
    let parts = experiments::build(link.experiment, &link.knobs).unwrap();
    let exec = block_on(source.exec(&parts.plan)).unwrap();
    let mut session = Session::new(parts, exec);
    session.begin().unwrap();
    while block_on(session.pump()).unwrap() {}
    let mut run = Run::new(RunId(1), text.into(), link.knobs.clone(), session.step());
    for (id, s) in &session.history.series {
        let series = Series {
            x: s.x.clone(),
            y: s.y.clone(),
            ..Series::default()
        };
        run.series.insert(id.clone(), Rc::new(series));
    }
    run.llc = Rc::new(Llc::of(session.history.llc.clone()));
    (run, experiments::card(link.experiment).unwrap())
}

/// Writes `www/nulls.json`: run it by name, natively, about ten minutes.
#[test]
#[ignore = "makes the recorded file"]
fn record() {
    let mut departures: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let mut links = Vec::new();
    for (base, seeds) in LINKS {
        for seed in 1..=seeds {
            let text = format!("{base}&seed={seed}");
            let (run, card) = seen(&text);
            for (id, d) in seeds::departures(&run, card, 0) {
                let rounded = (d * 1000.0).ceil() / 1000.0;
                departures.entry(id.into()).or_default().push(rounded);
            }
            println!("{text}: {departures:?}");
            links.push(text);
        }
    }
    let all = serde_json::json!({ "version": lambdahat::VERSION, "links": links, "departures": departures });
    std::fs::write("www/nulls.json", format!("{all}\n")).unwrap();
}

fn faults(nulls: &Nulls, card: &Card) -> Vec<String> {
    let mut out = Vec::new();
    for text in &nulls.links {
        let link = link::parse(text);
        if !link.notices.is_empty() || link.text(true) != *text {
            out.push(format!(
                "{text}: reads {} with {:?}",
                link.text(true),
                link.notices
            ));
        }
    }
    for i in card.leads {
        match nulls.departures.get(i.id) {
            Some(d) if d.len() == nulls.links.len() && d.iter().all(|d| *d > 0.0) => {}
            other => out.push(format!("{}: {other:?}", i.id)),
        }
    }
    out
}

#[test]
fn the_recorded_nulls_are_of_links_that_open_and_cover_every_indicator() {
    let (nulls, card) = (seeds::nulls(), experiments::card("induction").unwrap());
    assert_eq!(faults(nulls, card), Vec::<String>::new());
    // Planted: a run that is not there, and a link that says something else.
    let mut fewer = nulls.clone();
    fewer.departures.get_mut("llc").unwrap().pop();
    assert_eq!(faults(&fewer, card).len(), 1);
    let mut other = nulls.clone();
    other.links[0] += "&layers=9";
    assert_eq!(faults(&other, card).len(), 1);
}

#[test]
fn a_short_null_run_departs_little_and_a_jump_is_seen() {
    let (mut run, card) = seen(
        "#/induction?layers=1&d_model=16&heads=2&vocab=12&ctx=12&pmin=3&pmax=5&batch=4&steps=60&every=6&log=0&chains=1&burnin=2&draws=4&mbatch=2",
    );
    let quiet = seeds::departures(&run, card, 0);
    assert_eq!(quiet.len(), card.leads.len());
    let icl = run.series.get_mut("icl").unwrap();
    let icl = Rc::make_mut(icl);
    let n = icl.y.len();
    icl.y[n - 2..].iter_mut().for_each(|y| *y -= 50.0);
    let jumped = seeds::departures(&run, card, 0);
    let of = |all: &[(&str, f64)]| all.iter().find(|d| d.0 == "icl").unwrap().1;
    assert!(
        of(&jumped) > 5.0 * of(&quiet),
        "{} {}",
        of(&jumped),
        of(&quiet)
    );
}
