//! Conformance of every listed experiment: its card, its constraints, its plan, a few real steps.
//! Each check returns what is wrong; `planted` shows that it can.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "labs/cards.rs"]
mod cards;
#[path = "labs/parts.rs"]
mod parts;
#[path = "labs/planted.rs"]
mod planted;
#[path = "labs/steps.rs"]
mod steps;

use cards::{card_faults, in_range, parsed, small};
use lambdahat::experiments::{self, CARDS, Card, Parts};
use lambdahat::knobs::{Kind, Knobs};
use lambdahat::math::Stream;
use lambdahat::math::philox::Draws;
use lambdahat::protocol::Fault;
use parts::parts_faults;
use steps::run_faults;

#[test]
fn every_card() {
    let faults: Vec<String> = CARDS
        .iter()
        .filter(|c| c.id != "tms")
        .flat_map(|c| card_faults(c))
        .collect();
    assert_eq!(faults, Vec::<String>::new());
}

/// Whatever a link says, the settled knobs are possible: in range, settled once for all, and
/// within a budget of memory.
#[test]
fn hostile_links_settle() {
    let mut draws = Draws::new(1, Stream::Probe, 0);
    for card in CARDS {
        for trial in 0..300 {
            let mut knobs = Knobs::defaults(card.knobs);
            for k in card.knobs {
                let end = if trial < 2 { trial } else { draws.index(4) };
                let text = match (k.kind, end) {
                    (Kind::Int { min, .. }, 0) => min.to_string(),
                    (Kind::Int { max, .. }, 1) => max.to_string(),
                    (Kind::Int { min, max }, 2) => (min
                        + draws.index((max - min).min(4_000_000_000) as u32) as i64)
                        .to_string(),
                    (Kind::Float { min, .. }, 0) => min.to_string(),
                    (Kind::Float { max, .. }, 1) => max.to_string(),
                    (Kind::List { min, size, .. }, 0) => vec![min.to_string(); size.0].join(","),
                    (Kind::List { max, size, .. }, 1) => vec![max.to_string(); size.1].join(","),
                    (Kind::Choice { options }, _) => {
                        options[draws.index(options.len() as u32) as usize].to_string()
                    }
                    _ => continue,
                };
                assert_eq!(knobs.set(k.key, &text), None);
            }
            let asked = knobs.query(true);
            let notices = (card.settle)(&mut knobs);
            let said = format!("{}: {asked} -> {} {notices:?}", card.id, knobs.query(true));
            let settled = knobs.clone();
            // A warning may stand; nothing more is replaced.
            let again = (card.settle)(&mut knobs);
            assert!(
                again.iter().all(|n| notices.contains(n)),
                "{again:?}: {said}"
            );
            assert_eq!(knobs, settled, "{said}");
            assert!(
                card.knobs
                    .iter()
                    .all(|k| knobs.get(k.key).is_some_and(|v| in_range(k, v))),
                "{said}"
            );
            assert!((card.cost)(&knobs).bytes <= 1 << 30, "{said}");
            if trial < 60 {
                let parts =
                    experiments::build(card.id, &knobs).unwrap_or_else(|e| panic!("{e}: {said}"));
                assert!(
                    parts.plan.bytes() <= 1 << 30,
                    "{} bytes: {said}",
                    parts.plan.bytes()
                );
                let greatest = parts.plan.buffers.iter().map(|b| 4 * b.len).max().unwrap();
                assert!(
                    greatest <= 128 << 20,
                    "{greatest} bytes in a buffer: {said}"
                );
                assert!(
                    parts.checkpoints.len() <= 1100,
                    "{} checkpoints: {said}",
                    parts.checkpoints.len()
                );
            }
        }
    }
}

/// Members of the family of transformers that no preset is.
const FAMILY: [&str; 5] = [
    "tied=on",
    "mlp=96&act=gelu&layers=1",
    "mlp=256&act=solu&chains=0",
    "mlp=128&act=solu&norm=layernorm&positions=learned&tied=on&replicas=3",
    "mlp=64&act=solu&norm=layernorm&positions=rotary&smear=on&tied=on&layers=4",
];

/// What a card says a run takes is what its plan takes.
#[test]
fn the_cost_on_the_card_is_that_of_the_plan() {
    for card in CARDS {
        let family = card.knobs.iter().any(|k| k.key == "tied");
        let others = FAMILY.iter().filter(|_| family);
        let presets = card.presets.iter().map(|p| p.query);
        for query in presets.chain(others.copied()) {
            let (knobs, _) = parsed(card, query);
            let (cost, parts) = (
                (card.cost)(&knobs),
                experiments::build(card.id, &knobs).unwrap(),
            );
            let said = format!("{} {query}: {cost:?}, plan {}", card.id, parts.plan.bytes());
            assert_eq!(cost.params as usize, parts.arena.len(), "{said}");
            assert_eq!(cost.steps, parts.steps, "{said}");
            let points = if parts.chains.is_some() {
                parts.checkpoints.len()
            } else {
                0
            };
            assert_eq!(cost.points as usize, points, "{said}");
            let ratio = cost.bytes as f64 / parts.plan.bytes() as f64;
            assert!((0.9..1.5).contains(&ratio), "{ratio}: {said}");
        }
    }
}

fn lab(card: &Card) -> Parts {
    experiments::build(card.id, &small(card)).unwrap_or_else(|e| panic!("{}: {e}", card.id))
}

#[test]
fn labs() {
    for card in CARDS {
        assert_eq!(
            parts_faults(&lab(card)),
            Vec::<String>::new(),
            "{}",
            card.id
        );
        assert_eq!(
            run_faults(card, lab(card), |_| ()),
            Vec::<String>::new(),
            "{}",
            card.id
        );
    }
}

/// An activation without an MLP is named, and nothing else is.
#[test]
fn an_activation_without_an_mlp_is_named() {
    for card in CARDS
        .iter()
        .filter(|c| c.knobs.iter().any(|k| k.key == "act"))
    {
        let (knobs, notices) = parsed(card, "act=solu");
        assert_eq!(knobs.word("act"), "relu");
        assert!(notices.iter().any(|n| n.contains("mlp = 0")), "{notices:?}");
        for fine in ["mlp=32&act=solu", "mlp=32", "tied=on"] {
            let (knobs, notices) = parsed(card, fine);
            assert!(notices.is_empty(), "{fine}: {notices:?}");
            assert_eq!(knobs.query(false), fine, "{fine}");
        }
    }
}

/// Every preset builds, and its tables hold together (nothing is run).
#[test]
fn presets_build() {
    for card in CARDS {
        for preset in card.presets {
            let parts = experiments::build(card.id, &parsed(card, preset.query).0).unwrap();
            assert_eq!(
                parts_faults(&parts),
                Vec::<String>::new(),
                "{} {}",
                card.id,
                preset.id
            );
        }
    }
}

#[test]
fn an_unlisted_experiment_is_a_bad_link() {
    let knobs = Knobs::defaults(CARDS[0].knobs);
    assert!(matches!(
        experiments::build("nothing", &knobs),
        Err(lambdahat::protocol::Fault::BadLink(_))
    ));
}

/// Knobs that nobody settled may ask for more than there is; what is said of it is more than the limit.
#[test]
fn what_does_not_fit_says_what_is_too_large() {
    for (id, chains) in [("text", "64"), ("induction", "64")] {
        let mut knobs = Knobs::defaults(experiments::card(id).unwrap().knobs);
        knobs.set("chains", chains);
        knobs.set("mbatch", "64");
        let built = experiments::build(id, &knobs);
        let Err(Fault::OutOfMemory { needed, limit }) = built else {
            panic!("{id}");
        };
        assert!(needed > limit, "{id}: {needed} of {limit}");
    }
}
