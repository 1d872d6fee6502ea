//! A comparison of two models, token by token, as the page shows it and as files: what was found, at a
//! floor of the reader's choice. Pure.

use super::action::Effect;
use super::link::{self, Link};
use super::state::State;
use crate::instruments::versus::{
    By, Group, Removed, Target, groups, histogram, losses, ranked, removed, targets, under, whole,
};
use crate::protocol::{At, Compared, Side, TokenSet, VersusSpec, VersusView};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::rc::Rc;

/// Nats under which log-probabilities are not told apart, unless the reader says otherwise.
pub const FLOOR: f64 = 5.0;
/// Floors that can be asked for, nats.
pub const MOST: (f64, f64) = (0.1, 50.0);
/// Tokens of the ranked lists in files.
const TOP: usize = 50;
/// Nats of a bin of the histogram.
pub const BIN: f64 = 0.25;

/// What a link says beside its run: what B changes of it, and how the two are compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Against {
    /// What B changes of A: `layers=1;smear=on`.
    pub with: String,
    /// Checkpoints of A and of B.
    pub at: [At; 2],
    /// Seed of the sequences.
    pub set: u32,
    /// Nats.
    pub floor: f64,
}

impl Default for Against {
    fn default() -> Self {
        Self {
            with: String::new(),
            at: [At::Last; 2],
            set: 1,
            floor: FLOOR,
        }
    }
}

impl Against {
    /// B's run, which is A's with its changes.
    #[must_use]
    pub fn other(&self, a: &Link) -> Link {
        let mut b = a.clone();
        b.notices = link::apply_query(&mut b.knobs, &self.with.replace(';', "&"));
        if let Some(card) = crate::experiments::card(b.experiment) {
            b.notices.extend((card.settle)(&mut b.knobs));
        }
        b
    }

    /// `after,before`: checkpoints of A and of B.
    #[must_use]
    pub fn checkpoints(text: &str) -> Option<[At; 2]> {
        let (a, b) = text.split_once(',')?;
        Some([At::parse(a)?, At::parse(b)?])
    }

    /// As a link has it, behind A's own settings; what is usual is left out.
    #[must_use]
    pub fn query(&self) -> String {
        let mut out = format!("with={}", self.with);
        if self.at != [At::Last; 2] {
            let _ = write!(out, "&at={},{}", self.at[0].text(), self.at[1].text());
        }
        let usual = Self::default();
        if self.floor != usual.floor {
            let _ = write!(out, "&floor={}", self.floor);
        }
        if self.set != usual.set {
            let _ = write!(out, "&set={}", self.set);
        }
        out
    }

    /// One of the settings that belong to a comparison; none for any other key. A value that is none is
    /// told, and the usual one taken.
    pub fn read(&mut self, key: &str, value: &str) -> Option<Result<(), String>> {
        let wrong = |what: &str| {
            let shown: String = value.chars().filter(|c| !c.is_control()).take(40).collect();
            Err(format!("{key}: “{shown}” is not {what}; it was ignored."))
        };
        Some(match key {
            "with" => {
                self.with = value.into();
                Ok(())
            }
            "at" => match Self::checkpoints(value) {
                Some(at) => {
                    self.at = at;
                    Ok(())
                }
                None => wrong("two of last, before, after or a step, with a comma between"),
            },
            "floor" => match value.parse::<f64>() {
                Ok(floor) if (MOST.0..=MOST.1).contains(&floor) => {
                    self.floor = floor;
                    Ok(())
                }
                _ => wrong("a number of nats from 0.1 to 50"),
            },
            "set" => match value.parse() {
                Ok(set) => {
                    self.set = set;
                    Ok(())
                }
                Err(_) => wrong("a seed"),
            },
            _ => return None,
        })
    }

    /// What the engine is asked for.
    #[must_use]
    pub fn spec(&self, a: &Link) -> VersusSpec {
        let links = [a.text(true), self.other(a).text(true)];
        let [a, b] = links;
        VersusSpec {
            sides: [
                Side {
                    link: a,
                    at: self.at[0],
                },
                Side {
                    link: b,
                    at: self.at[1],
                },
            ],
            set: self.set,
        }
    }

    /// What changes from A to B, as [`Against::with`] has it; none where they are different experiments.
    #[must_use]
    pub fn between(a: &Link, b: &Link) -> Option<String> {
        let differ = a.knobs.schema().iter().filter_map(|k| {
            let (was, is) = (a.knobs.get(k.key)?, b.knobs.get(k.key)?);
            (was != is).then(|| format!("{}={}", k.key, is.text()))
        });
        (a.experiment == b.experiment).then(|| differ.collect::<Vec<_>>().join(";"))
    }
}

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
    let by = By::ALL.map(|(by, id, _)| (id.to_string(), json!(groups(&told.targets, by, set))));
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
        "groups": Value::Object(by.into_iter().collect()),
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

/// The page takes in how far a comparison is.
pub(super) fn told(state: &mut State, view: VersusView) -> Vec<Effect> {
    state.versus = Some(Rc::new(view));
    Vec::new()
}
