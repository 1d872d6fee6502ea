//! A comparison of two models, token by token, as the page shows it and as files: what was found, at a
//! floor of the reader's choice. Pure.

use super::against::Against;
use super::link::Link;
pub use crate::instruments::versus::{
    By, Group, Removed, Target, by_position, groups, histogram, ranked,
};
use crate::instruments::versus::{losses, removed, targets, under, whole};
use crate::plot::number::significant;
use crate::protocol::{At, Compared, TokenSet, VersusSpec};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Tokens of the ranked lists in files.
const TOP: usize = 50;
/// Nats of a bin of the histogram.
pub const BIN: f64 = 0.25;

/// Everything that is shown of a comparison, at a floor.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// Every target.
    pub targets: Vec<Target>,
    /// All of them together.
    pub whole: Group,
    /// Mean losses of A and B without a floor, nats a token.
    pub losses: [f64; 2],
    /// Targets of A and B under the floor.
    pub under: [usize; 2],
    /// Heads by what their absence removes.
    pub removed: Vec<Removed>,
    /// The floor.
    pub floor: f64,
}

impl Told {
    /// Of what was found.
    #[must_use]
    pub fn of(found: &Compared, floor: f64) -> Self {
        let lp = [0, 1].map(|i| found.sides[i].lp.as_slice());
        let all = targets(&found.set, lp, floor);
        let [a, b] = [0, 1].map(|i| {
            let copies = found.sides[i].lacking.iter();
            copies
                .map(|c| (c.name.as_str(), c.lp.as_slice()))
                .collect::<Vec<_>>()
        });
        Self {
            whole: whole(&all, found.set.periods.len()),
            losses: losses(&all),
            under: under(&all, floor),
            removed: removed(&found.set, lp, [&a, &b], floor),
            targets: all,
            floor,
        }
    }
}

impl Told {
    /// Whether A and B differ on average by more than two standard errors: else there is no whole that
    /// groups and heads could be shares of.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.whole.mean.abs() > 2.0 * self.whole.se
    }

    /// Copies without heads that are nearer to the other model than the whole one is, the nearest first.
    /// A head that much else needs only turns the difference round: its absence explains nothing.
    pub fn nearer(&self) -> impl Iterator<Item = &Removed> {
        let all = self.whole.mean.abs();
        self.removed.iter().filter(move |r| r.left.abs() < all)
    }

    /// Those without which the other model is the better one, by more than this one was: in words, none if there
    /// are none. They matter, and say nothing of the difference.
    #[must_use]
    pub fn beyond(&self) -> Option<String> {
        let all = self.whole.mean;
        let turned = |r: &&Removed| r.left * all < 0.0 && r.left.abs() >= all.abs();
        let told = |r: &Removed| {
            let of = ["A", "B"][r.side.min(1)];
            format!("{} of {of} ({} left)", r.name, significant(r.left, 2))
        };
        // Without a difference there is nothing to turn round.
        let all = self.removed.iter().filter(|_| self.differs());
        let found: Vec<String> = all.filter(turned).map(told).collect();
        (!found.is_empty()).then(|| {
            format!("Left out, as without them the difference turns round and is as large or larger: {}.", found.join(", "))
        })
    }
}

/// Tokens of a target's sequence, with what a reader needs to see it in its context.
fn in_context(t: &Target, set: &TokenSet) -> Value {
    let mut row = json!(t);
    let from = t.sequence * set.ctx;
    row["period"] = json!(set.periods.get(t.sequence));
    row["tokens"] = json!(set.tokens.get(from..from + set.ctx));
    row
}

/// The comparison as JSON: totals, groups, the most changed tokens, heads, and every target.
#[must_use]
pub fn json(found: &Compared, spec: &VersusSpec, floor: f64) -> Value {
    let told = Told::of(found, floor);
    let set = &found.set;
    let by = By::there(set).iter();
    let by = by.map(|(by, id, _)| (id.to_string(), json!(groups(&told.targets, *by, set))));
    let [a, b] = ranked(&told.targets, TOP).map(|all| {
        all.into_iter()
            .map(|i| in_context(&told.targets[i], set))
            .collect::<Vec<_>>()
    });
    let (from, bins) = histogram(&told.targets, BIN);
    let side = |i: usize| {
        let (asked, is) = (&spec.sides[i], &found.sides[i]);
        json!({ "link": asked.link, "at": asked.at.text(), "step": is.step, "device": is.device,
            "loss": told.losses[i], "under_floor": told.under[i] })
    };
    json!({
        "version": crate::VERSION,
        "a": side(0),
        "b": side(1),
        "set": spec.set,
        "sequences": set.periods.len(),
        "floor": floor,
        "unit": "nats",
        "kinds": set.names,
        "delta": "max(lp_a, -floor) - max(lp_b, -floor); above 0, A does better",
        "total": told.whole,
        "groups": Value::Object(crate::json::object(&mut by.into_iter())),
        "top": { "a_better": a, "b_better": b },
        "heads": told.removed,
        "histogram": { "from": from, "width": BIN, "kinds": set.names, "counts": bins },
        "targets": told.targets,
    })
}

/// Every target as a row.
#[must_use]
pub fn csv(found: &Compared, floor: f64) -> String {
    let mut out = String::from("sequence,position,token,kind,seen,lp_a,lp_b,delta\n");
    for t in Told::of(found, floor).targets {
        let Target {
            sequence,
            position,
            token,
            seen,
            lp: [a, b],
            delta,
            ..
        } = t;
        let kind = &found.set.names[(t.kind as usize).clamp(1, 3) - 1];
        let _ = writeln!(
            out,
            "{sequence},{position},{token},{kind},{seen},{a},{b},{delta}"
        );
    }
    out
}

/// Sides of a comparison in words: what differs, or the steps of one run.
#[must_use]
pub fn names(against: &Against, a: &Link, steps: Option<[u64; 2]>) -> [String; 2] {
    let b = against.other(a);
    let differ = |one: &Link, other: &Link| {
        let keys = one
            .knobs
            .schema()
            .iter()
            .filter(|k| one.knobs.get(k.key) != other.knobs.get(k.key));
        let said =
            keys.filter_map(|k| Some(format!("{} {}", k.label, one.knobs.get(k.key)?.text())));
        said.collect::<Vec<_>>().join(", ")
    };
    let step = |i: usize| match (steps, against.at[i]) {
        (Some(steps), _) => format!("step {}", crate::plot::number::grouped(steps[i])),
        (None, At::Step(step)) => format!("step {}", crate::plot::number::grouped(step)),
        (None, at) => at.text(),
    };
    let words = [differ(a, &b), differ(&b, a)];
    if words[0].is_empty() {
        return [step(0), step(1)];
    }
    let plain = against.at == [At::Last; 2];
    let [x, y] = words;
    if plain {
        [x, y]
    } else {
        [format!("{x}, {}", step(0)), format!("{y}, {}", step(1))]
    }
}
