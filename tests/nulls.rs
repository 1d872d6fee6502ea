//! The recorded null runs that the thresholds of "Who leads?" come from: made by the program itself.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::app::leads::{self, Nulls};
use lambdahat::app::link::{self, Link};
use lambdahat::app::run::Run;
use lambdahat::app::study;
use lambdahat::cli::asked::seen;
use lambdahat::engine::history::History;
use lambdahat::engine::studying::begin;
use lambdahat::engine::{Session, Source};
use lambdahat::experiments::{self, Card};
use lambdahat::knobs::Value;
use lambdahat::protocol::{EngineChoice, RunId};
use pollster::block_on;
use std::collections::BTreeMap;
use std::rc::Rc;

/// One-layer models, which cannot form an induction head.
const TINY: &str =
    "#/induction?v=1&layers=1&d_model=32&heads=2&vocab=32&ctx=32&pmin=6&pmax=14&steps=2500";
const DEFAULT: &str = "#/induction?v=1&layers=1";
const MARKOV: &str = "#/markov?v=1&layers=1&d_model=16&ctx=48&lr=3e-3";

const TEXT: &str = "#/text?v=1&layers=1&d_model=32&heads=2&ctx=64&pmin=6&pmax=20";

/// A run natively, to its end.
fn ended(text: &str) -> (Session, Source, Link) {
    let link = link::parse(text);
    assert!(link.notices.is_empty(), "{text}: {:?}", link.notices);
    let (source, _) = block_on(Source::find(EngineChoice::Cpu, true)).unwrap();
    let parts = experiments::build(link.experiment, &link.knobs).unwrap();
    let exec = block_on(source.exec(&parts.plan)).unwrap();
    let mut session = Session::new(parts, exec);
    session.begin().unwrap();
    while block_on(session.pump()).unwrap() {}
    (session, source, link)
}

/// Whether a model of superposition keeps its polygon and every +.
fn keeps(history: &History, replica: usize) -> bool {
    history.jumps.iter().all(|j| j.replica != replica)
}

/// A link without its seed: null runs that share it are of one setting.
fn seedless(text: &str) -> String {
    let mut link = link::parse(text);
    link.knobs.put("seed", Value::Int(0));
    link.text(true)
}

/// Adds null runs to `www/nulls.json`, link by link: some to set thresholds on, the others held out.
/// Links that are there are not run again. Models for which `null` does not hold are left out.
fn record(links: &[String], held: &[String], null: fn(&History, usize) -> bool) {
    for (texts, held) in [(links, false), (held, true)] {
        for text in texts {
            let there = std::fs::read_to_string("www/nulls.json").unwrap();
            let mut all: Vec<Nulls> = serde_json::from_str(&there).unwrap();
            let own = |n: &Nulls| n.links.first().map(|l| seedless(l)) == Some(seedless(text));
            let at = all.iter().position(own).unwrap_or_else(|| {
                all.push(Nulls::default());
                all.len() - 1
            });
            let set = &mut all[at];
            if set.links.contains(text) {
                continue;
            }
            let (mut session, _, link) = ended(text);
            let card = experiments::card(link.experiment).unwrap();
            for r in 0..session.parts.train.replicas.len() {
                if !null(&session.history, r) || !session.follow_replica(r) {
                    continue;
                }
                while block_on(session.pump()).unwrap() {}
                let run = seen(&session, &link);
                for (id, d) in leads::departures(&run, card, r as u32) {
                    let rounded = (d * 1000.0).ceil() / 1000.0;
                    let to = if held { &mut set.held } else { &mut set.quiet };
                    to.entry(id.into()).or_default().push(rounded);
                }
            }
            println!("{text}");
            set.links.push(link.text(true));
            set.version = lambdahat::VERSION.into();
            let all = serde_json::to_string(&all).unwrap();
            std::fs::write("www/nulls.json", format!("{all}\n")).unwrap();
        }
    }
}

/// The link with these seeds.
fn seeds(base: &str, seeds: impl Iterator<Item = u32>) -> Vec<String> {
    seeds.map(|s| format!("{base}&seed={s}")).collect()
}

/// Run these by name, natively, one after the other.
#[test]
#[ignore = "makes the recorded file"]
fn record_induction() {
    let links = seeds(TINY, 1..=8);
    record(&links, &seeds(TINY, 101..=108), |_, _| true);
}

#[test]
#[ignore = "makes the recorded file"]
fn record_induction_default() {
    let links = seeds(DEFAULT, 1..=8);
    record(&links, &seeds(DEFAULT, 101..=108), |_, _| true);
}

#[test]
#[ignore = "makes the recorded file"]
fn record_markov() {
    let links = seeds(MARKOV, 1..=8);
    record(&links, &seeds(MARKOV, 101..=108), |_, _| true);
}

#[test]
#[ignore = "makes the recorded file"]
fn record_text() {
    let links = seeds(TEXT, 1..=8);
    record(&links, &seeds(TEXT, 101..=108), |_, _| true);
}

#[test]
#[ignore = "makes the recorded file"]
fn record_tms() {
    let of = |seed| format!("#/tms?v=1&seed={seed}&replicas=64");
    let (links, held) = ([1000, 1100, 1200].map(of), [2000, 2100, 2200].map(of));
    record(&links, &held, keeps);
}

#[test]
#[ignore = "makes the recorded file"]
fn record_grok() {
    let of = |seed| {
        format!(
            "#/grok?v=1&wd=0&steps=12000&seed={seed}&replicas=8&chains=1&burnin=100&draws=400&every=200"
        )
    };
    record(&[of(1000)], &[of(2000)], |_, _| true);
}

/// Who leads, as the page says it: prints the table of a link.
#[test]
#[ignore = "prints a table"]
fn table() {
    let text = std::env::var("LINK").expect("LINK");
    let (mut session, source, link) = ended(&text);
    let card = experiments::card(link.experiment).unwrap();
    let steps: Vec<u64> = session.history.llc.iter().map(|p| p.step).collect();
    let spec = study::members(&link.knobs, &steps);
    session.begin_study(block_on(begin(&source, link.clone(), spec)).unwrap());
    while block_on(session.pump()).unwrap() {}
    let run = seen(&session, &link);
    let members = lambdahat::app::seeds::members(&run, card);
    for m in &members {
        println!("{m:?}");
    }
    for r in leads::rows(&run, card, &members, leads::nulls()) {
        println!(
            "{}\n  {:?}\n  alarm {:?}\n  half {:?}\n  apart {}",
            r.indicator.id, r.threshold, r.lead, r.half, r.apart
        );
    }
}

fn faults(nulls: &Nulls) -> Vec<String> {
    let mut out = Vec::new();
    let own = |c: &&&Card| nulls.about(c);
    let Some(card) = experiments::CARDS.iter().find(own) else {
        return vec!["no links".into()];
    };
    for text in &nulls.links {
        let link = link::parse(text);
        if !link.notices.is_empty() || link.text(true) != *text {
            out.push(format!(
                "{text}: reads {} with {:?}",
                link.text(true),
                link.notices
            ));
        }
        if seedless(text) != seedless(&nulls.links[0]) {
            out.push(format!("{text}: another setting"));
        }
    }
    // One layer has no pairs of heads, and no head that wins.
    let nowhere = |id: &str| id.starts_with("winner.") || id.starts_with("composition.");
    for held in [false, true] {
        let known = card.leads.iter().filter(|i| !nowhere(i.id));
        let all: Vec<&[f64]> = known.map(|i| nulls.of(i.id, held)).collect();
        let runs = all.first().map_or(0, |d| d.len());
        // A measure that never leaves its past departs by nothing; one that never does in any run is none.
        let whole = |d: &&&[f64]| d.len() == runs && d.iter().any(|d| *d > 0.0);
        // Held-out runs may not be recorded yet; the page says so.
        if held && runs == 0 {
            continue;
        }
        if runs < 8 || all.iter().any(|d| !whole(&d)) {
            out.push(format!("{} {held}: {all:?}", card.id));
        }
    }
    out
}

#[test]
fn the_recorded_nulls_are_of_links_that_open_and_cover_every_indicator() {
    let all = leads::nulls();
    assert!(all.len() >= 2);
    for nulls in all {
        assert_eq!(faults(nulls), Vec::<String>::new());
        // Planted: a run that is not there, and one held out.
        let last = |all: &mut BTreeMap<String, Vec<f64>>| all.values_mut().last().map(Vec::pop);
        let mut fewer = nulls.clone();
        last(&mut fewer.quiet).unwrap();
        assert_eq!(faults(&fewer).len(), 1);
        let mut fewer = nulls.clone();
        if last(&mut fewer.held).is_some() {
            assert_eq!(faults(&fewer).len(), 1);
        }
        // A link that is not read as it stands, and one of another setting.
        for (more, fault) in [("&furlongs=9", "with ["), ("&steps=77", "another setting")] {
            let mut other = nulls.clone();
            *other.links.last_mut().unwrap() += more;
            assert!(faults(&other).iter().any(|f| f.contains(fault)), "{more}");
        }
    }
}

#[test]
fn a_short_null_run_departs_little_and_a_jump_is_seen() {
    let (session, _, link) = ended(
        "#/induction?layers=1&d_model=16&heads=2&vocab=12&ctx=12&pmin=3&pmax=5&batch=4&steps=60&every=6&log=0&chains=1&burnin=2&draws=4&mbatch=2",
    );
    let card = experiments::card(link.experiment).unwrap();
    let mut run = seen(&session, &link);
    let quiet = leads::departures(&run, card, 0);
    // All but what one layer does not have.
    assert_eq!(quiet.len(), card.leads.len() - 3);
    let icl = run.series.get_mut("icl").unwrap();
    let icl = Rc::make_mut(icl);
    let n = icl.y.len();
    icl.y[n - 2..].iter_mut().for_each(|y| *y -= 50.0);
    let jumped = leads::departures(&run, card, 0);
    let of = |all: &[(&str, f64)]| all.iter().find(|d| d.0 == "icl").unwrap().1;
    assert!(
        of(&jumped) > 5.0 * of(&quiet),
        "{} {}",
        of(&jumped),
        of(&quiet)
    );
}

#[test]
fn a_run_at_other_settings_than_the_null_runs_is_told_from_one_at_theirs() {
    let of = |text: &str| {
        let link = link::parse(text);
        let run = Run::new(RunId(1), link.text(true), link.knobs.clone(), 1);
        let card = experiments::card(link.experiment).unwrap();
        leads::apart(&run, card, leads::near(&run, card, leads::nulls()).unwrap())
    };
    // The ones that have what they lack, of any seed: tiny by the tiny ones, the default by its own.
    let two = TINY.replace("layers=1", "layers=2");
    assert_eq!(of(&format!("{two}&seed=9&replicas=8")), Vec::<&str>::new());
    assert_eq!(of("#/induction?v=1&seed=9"), Vec::<&str>::new());
    // Planted: one other setting of each.
    assert_eq!(of(&format!("{two}&eps=3e-4")).len(), 1);
    assert_eq!(of("#/induction?v=1&vocab=50").len(), 1);
}
