//! Knobs as the cards write them down.

use super::{Digest, Group, Kind, Knob, List, Value, When};

/// A branch may change how a model is trained and sampled; its shape, its data and what they follow
/// from stay, unless the card says otherwise.
const fn changes(group: Group) -> bool {
    matches!(group, Group::Training | Group::Sampler)
}

/// What people read and the program does not: in the page it comes with `index.html`, among what the terms
/// mean (`www/terms.json`), and is no part of the program.
#[must_use]
pub const fn told(text: &'static str) -> &'static str {
    if cfg!(target_arch = "wasm32") {
        ""
    } else {
        text
    }
}

const fn knob(
    (key, label): (&'static str, &'static str),
    group: Group,
    kind: Kind,
    default: Value,
    help: &'static str,
) -> Knob {
    Knob {
        key,
        label,
        symbol: "",
        kind,
        default,
        unit: "",
        help: told(help),
        group,
        then: changes(group),
        when: None,
    }
}

/// A whole-number knob.
#[must_use]
pub const fn int(
    key: &'static str,
    label: &'static str,
    group: Group,
    range: (i64, i64),
    default: i64,
    help: &'static str,
) -> Knob {
    let kind = Kind::Int {
        min: range.0,
        max: range.1,
    };
    knob((key, label), group, kind, Value::Int(default), help)
}
/// A number knob.
#[must_use]
pub const fn float(
    key: &'static str,
    label: &'static str,
    group: Group,
    range: (f64, f64),
    default: f64,
    help: &'static str,
) -> Knob {
    let kind = Kind::Float {
        min: range.0,
        max: range.1,
    };
    knob((key, label), group, kind, Value::Float(default), help)
}
/// A knob that takes one of a few words.
#[must_use]
pub const fn choice(
    key: &'static str,
    label: &'static str,
    group: Group,
    options: &'static [&'static str],
    default: &'static str,
    help: &'static str,
) -> Knob {
    let kind = Kind::Choice { options };
    knob((key, label), group, kind, Value::Word(default), help)
}

/// A knob that names a text; none by default.
#[must_use]
pub const fn digest(
    key: &'static str,
    label: &'static str,
    group: Group,
    help: &'static str,
) -> Knob {
    let kind = Kind::Digest;
    knob((key, label), group, kind, Value::Digest(Digest(0)), help).fixed()
}

/// A knob that takes a list of numbers: `range` of each, whether they are whole, fewest and most.
#[must_use]
pub const fn list(
    key: &'static str,
    label: &'static str,
    group: Group,
    (range, whole, size): ((f64, f64), bool, (usize, usize)),
    default: &[f64],
    help: &'static str,
) -> Knob {
    let kind = Kind::List {
        min: range.0,
        max: range.1,
        whole,
        size,
    };
    knob(
        (key, label),
        group,
        kind,
        Value::List(List::of(default)),
        help,
    )
}

impl Knob {
    /// Only where the knob `key` is at one of `words`.
    #[must_use]
    pub const fn when(mut self, key: &'static str, words: &'static [&'static str]) -> Self {
        self.when = Some(When { key, words });
        self
    }
    /// A branch may change it.
    #[must_use]
    pub const fn then(mut self) -> Self {
        self.then = true;
        self
    }
    /// A branch keeps it.
    #[must_use]
    pub const fn fixed(mut self) -> Self {
        self.then = false;
        self
    }
    /// With the symbol of the papers.
    #[must_use]
    pub const fn symbol(mut self, symbol: &'static str) -> Self {
        self.symbol = symbol;
        self
    }
    /// With a unit.
    #[must_use]
    pub const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }
}
