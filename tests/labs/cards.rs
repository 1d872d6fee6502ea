//! What can be wrong with a card.

use lambdahat::experiments::Card;
use lambdahat::knobs::{Kind, Knob, Knobs, Value};

/// Small values of the knobs that make a run long or large, for whichever experiment has them.
const SMALL: &str = "steps=6&batch=4&chains=2&burnin=2&draws=3&mbatch=2&every=2&d_model=16&heads=2&vocab=16\
    &ctx=12&pmin=3&pmax=5&replicas=3&n=40";

pub fn small(card: &Card) -> Knobs {
    let mut knobs = Knobs::defaults(card.knobs);
    for (key, value) in SMALL.split('&').filter_map(|kv| kv.split_once('=')) {
        // What is below a card's least value is set to that.
        let knob = card.knobs.iter().find(|k| k.key == key);
        if let Some(knob) = knob {
            let least = |n: i64| matches!(knob.kind, Kind::Int { min, .. } if n < min);
            let low = value.parse().is_ok_and(least);
            assert!(knobs.set(key, value).is_none() || low, "{}: {key}", card.id);
        }
    }
    (card.settle)(&mut knobs);
    knobs
}

pub fn parsed(card: &Card, query: &str) -> (Knobs, Vec<String>) {
    let mut knobs = Knobs::defaults(card.knobs);
    let mut notices = Vec::new();
    for pair in query.split('&').filter(|p| !p.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        notices.extend(knobs.set(key, value));
    }
    notices.extend((card.settle)(&mut knobs));
    (knobs, notices.into_iter().map(|n| n.text).collect())
}

pub fn in_range(knob: &Knob, value: Value) -> bool {
    match (knob.kind, value) {
        (Kind::Int { min, max }, Value::Int(i)) => (min..=max).contains(&i),
        (Kind::Float { min, max }, Value::Float(x)) => (min..=max).contains(&x),
        (Kind::Choice { options }, Value::Word(w)) => options.contains(&w),
        (Kind::Digest, Value::Digest(_)) => true,
        (
            Kind::List {
                min,
                max,
                whole,
                size,
            },
            Value::List(list),
        ) => list.settled((min, max), whole, size).is_none(),
        _ => false,
    }
}

/// What is wrong with a card.
pub fn card_faults(card: &Card) -> Vec<String> {
    let mut out = Vec::new();
    let mut check = |ok: bool, what: &dyn Fn() -> String| {
        if !ok {
            out.push(format!("{}: {}", card.id, what()));
        }
    };
    for (i, k) in card.knobs.iter().enumerate() {
        check(!card.knobs[..i].iter().any(|o| o.key == k.key), &|| {
            format!("{} twice", k.key)
        });
        check(in_range(k, k.default), &|| {
            format!("{}: default out of range", k.key)
        });
        check(k.help.len() > 20 && k.help.ends_with('.'), &|| {
            format!("{}: help is no sentence", k.key)
        });
        check(!k.label.is_empty(), &|| format!("{}: no label", k.key));
    }
    for key in ["seed", "chains", "nbeta", "gamma", "eps", "burnin", "draws"] {
        check(card.knobs.iter().any(|k| k.key == key), &|| {
            format!("no knob {key}")
        });
    }
    check(
        card.presets.first().is_some_and(|p| p.query.is_empty()),
        &|| "the first preset is not the default".into(),
    );
    for (i, p) in card.presets.iter().enumerate() {
        let (knobs, notices) = parsed(card, p.query);
        check(notices.is_empty(), &|| {
            format!("preset {}: {notices:?}", p.id)
        });
        let keys = |q: &str| {
            q.split('&')
                .filter_map(|kv| kv.split('=').next())
                .map(String::from)
                .collect::<Vec<_>>()
        };
        check(keys(&knobs.query(false)) == keys(p.query), &|| {
            format!(
                "preset {}: {} names a default, or leaves the schema's order",
                p.id, p.query
            )
        });
        check(!card.presets[..i].iter().any(|o| o.id == p.id), &|| {
            format!("preset {} twice", p.id)
        });
        check(p.help.ends_with('.'), &|| {
            format!("preset {}: help is no sentence", p.id)
        });
        let cost = (card.cost)(&knobs);
        check(
            cost.params > 0
                && cost.bytes > 0
                && cost.flops_per_step * cost.steps as f64
                    + cost.flops_per_point * cost.points as f64
                    > 0.0,
            &|| format!("preset {}: a run for nothing {cost:?}", p.id),
        );
        let lines = (card.reference)(&knobs);
        check(
            !lines.is_empty() && lines.iter().all(|l| l.y.is_finite() && !l.label.is_empty()),
            &|| format!("preset {}: reference lines", p.id),
        );
    }
    let light = card
        .light
        .is_none_or(|l| card.presets.iter().any(|p| p.id == l));
    check(light, &|| "the light preset is not listed".into());
    check(card.losses.iter().any(|s| s.id == "loss"), &|| {
        "no series `loss`".into()
    });
    check(
        card.claim.ends_with('.') && !card.look_for.is_empty(),
        &|| "no claim or nothing to look for".into(),
    );
    let story = format!(
        "{}/src/experiments/{}/story.md",
        env!("CARGO_MANIFEST_DIR"),
        card.id
    );
    let words = std::fs::read_to_string(story).map_or(0, |s| s.split_whitespace().count());
    check((50..=600).contains(&words), &|| {
        format!("a story of {words} words")
    });
    out
}
