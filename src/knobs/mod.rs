//! Knobs: the schema of an experiment's settings. From it come the form, the link, the checks,
//! `lambdahat list` and the table in the story.

mod digest;
mod list;
mod make;

use crate::protocol::Notice;
pub use digest::Digest;
pub use list::List;
pub use make::{choice, digest, float, int, list, told};
use serde::Serialize;

/// Where a knob stands in the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// The model.
    Model,
    /// The data.
    Data,
    /// The optimiser.
    Training,
    /// SGLD and its cadence.
    Sampler,
}

/// What values a knob takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Kind {
    /// A whole number in min..=max.
    Int {
        /// Least.
        min: i64,
        /// Greatest.
        max: i64,
    },
    /// A number in min..=max.
    Float {
        /// Least.
        min: f64,
        /// Greatest.
        max: f64,
    },
    /// One of a few words.
    Choice {
        /// The words.
        options: &'static [&'static str],
    },
    /// The name of a text.
    Digest,
    /// Numbers between commas, each in min..=max.
    List {
        /// Least of each.
        min: f64,
        /// Greatest of each.
        max: f64,
        /// They are whole.
        whole: bool,
        /// Fewest and most numbers.
        size: (usize, usize),
    },
}

/// A value. Choices are stored as the schema's own word.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// Of an Int knob.
    Int(i64),
    /// Of a Float knob.
    Float(f64),
    /// Of a Choice knob.
    Word(&'static str),
    /// Of a Digest knob.
    Digest(Digest),
    /// Of a List knob.
    List(List),
}

/// One setting.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Knob {
    /// Key in links.
    pub key: &'static str,
    /// Name in the form.
    pub label: &'static str,
    /// The symbol of the papers, or empty.
    pub symbol: &'static str,
    /// Values.
    #[serde(flatten)]
    pub kind: Kind,
    /// Default.
    pub default: Value,
    /// Unit, or empty.
    pub unit: &'static str,
    /// One sentence: what it is, and what it does.
    pub help: &'static str,
    /// Where it stands.
    pub group: Group,
    /// Whether a branch may change it: `then.KEY` in links.
    pub then: bool,
    /// When it applies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
}

/// The condition under which a knob means anything: that another is at one of these words. The form
/// shows it only then; the link and the checks treat it like any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct When {
    /// The other knob.
    pub key: &'static str,
    /// Its words.
    pub words: &'static [&'static str],
}

/// Settings of one experiment: a value for every knob of its schema.
#[derive(Clone, Debug, PartialEq)]
pub struct Knobs {
    schema: &'static [Knob],
    values: Vec<Value>,
}

impl PartialEq for Knob {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Value {
    /// As written in a link.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Value::Int(i) => i.to_string(),
            Value::Float(x) => float_text(x),
            Value::Word(w) => w.to_string(),
            Value::Digest(name) => name.text(),
            Value::List(list) => {
                let items: Vec<String> = list.numbers().iter().map(|&x| float_text(x)).collect();
                items.join(",")
            }
        }
    }
}

/// The shortest text that reads back as the same number.
fn float_text(x: f64) -> String {
    let plain = format!("{x}");
    let exp = format!("{x:e}");
    if exp.len() < plain.len() { exp } else { plain }
}

impl Knob {
    /// Reads a value; the notice says what was wrong with it and what is used instead.
    pub fn read(&self, text: &str) -> (Value, Option<Notice>) {
        let unreadable = |what: &str| {
            let shown: String = text.chars().take(40).collect();
            (
                self.default,
                Some(Notice::about(
                    self.key,
                    format!(
                        "{}: “{shown}” is not {what}; using {}.",
                        self.key,
                        self.default.text()
                    ),
                )),
            )
        };
        let clamped = |v: Value| {
            let shown: String = text.chars().take(40).collect();
            (
                v,
                Some(Notice::about(
                    self.key,
                    format!("{}: {shown} is out of range; using {}.", self.key, v.text()),
                )),
            )
        };
        match self.kind {
            Kind::Int { min, max } => match text.trim().parse::<i64>() {
                Ok(i) if (min..=max).contains(&i) => (Value::Int(i), None),
                Ok(i) => clamped(Value::Int(i.clamp(min, max))),
                Err(_) => match text.trim().parse::<f64>() {
                    // 1e3 is a whole number too; so is one too long for 64 bits, which is clamped.
                    Ok(x) if x.is_finite() && x.fract() == 0.0 => {
                        let i = x.clamp(min as f64, max as f64) as i64;
                        if i as f64 == x {
                            (Value::Int(i), None)
                        } else {
                            clamped(Value::Int(i))
                        }
                    }
                    _ => unreadable("a whole number"),
                },
            },
            Kind::Float { min, max } => match text.trim().parse::<f64>() {
                Ok(x) if (min..=max).contains(&x) => (Value::Float(x), None),
                Ok(x) if !x.is_nan() => clamped(Value::Float(x.clamp(min, max))),
                _ => unreadable("a number"),
            },
            Kind::Choice { options } => match options.iter().find(|o| **o == text.trim()) {
                Some(o) => (Value::Word(o), None),
                None => unreadable(&format!("one of {}", options.join(", "))),
            },
            Kind::Digest => match Digest::parse(text.trim()) {
                Some(name) => (Value::Digest(name), None),
                None => unreadable("the first sixteen digits of a SHA-256"),
            },
            Kind::List {
                min,
                max,
                whole,
                size,
            } => match List::parse(text) {
                Some(list) => match list.settled((min, max), whole, size) {
                    Some(held) => clamped(Value::List(held)),
                    None => (Value::List(list), None),
                },
                None => unreadable("numbers between commas"),
            },
        }
    }
}

impl Knobs {
    /// Every knob at its default.
    #[must_use]
    pub fn defaults(schema: &'static [Knob]) -> Self {
        Self {
            schema,
            values: schema.iter().map(|k| k.default).collect(),
        }
    }
    /// The schema.
    #[must_use]
    pub fn schema(&self) -> &'static [Knob] {
        self.schema
    }
    /// The value of a knob, if it exists.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Value> {
        self.schema
            .iter()
            .position(|k| k.key == key)
            .map(|i| self.values[i])
    }
    /// An Int knob of the schema; 0 if there is none of that name.
    #[must_use]
    pub fn int(&self, key: &str) -> i64 {
        match self.get(key) {
            Some(Value::Int(i)) => i,
            _ => 0,
        }
    }
    /// An Int knob as a size.
    #[must_use]
    pub fn size(&self, key: &str) -> usize {
        usize::try_from(self.int(key)).unwrap_or(0)
    }
    /// A Float knob of the schema; 0 if there is none of that name.
    #[must_use]
    pub fn float(&self, key: &str) -> f64 {
        match self.get(key) {
            Some(Value::Float(x)) => x,
            _ => 0.0,
        }
    }
    /// A Choice knob of the schema, or a Digest knob that names nothing; empty if there is none of that
    /// name.
    #[must_use]
    pub fn word(&self, key: &str) -> &'static str {
        match self.get(key) {
            Some(Value::Word(w)) => w,
            Some(Value::Digest(Digest(0))) => "none",
            _ => "",
        }
    }
    /// The name of a Digest knob of the schema; that of no text if there is none of that name.
    #[must_use]
    pub fn digest(&self, key: &str) -> Digest {
        match self.get(key) {
            Some(Value::Digest(name)) => name,
            _ => Digest(0),
        }
    }
    /// The numbers of a List knob of the schema; none if there is none of that name.
    #[must_use]
    pub fn list(&self, key: &str) -> Vec<f64> {
        match self.get(key) {
            Some(Value::List(list)) => list.numbers().to_vec(),
            _ => Vec::new(),
        }
    }
    /// Whether a knob applies as the others stand.
    #[must_use]
    pub fn applies(&self, knob: &Knob) -> bool {
        knob.when
            .is_none_or(|when| when.words.contains(&self.word(when.key)))
    }
    /// Sets a knob from its text form; unknown keys, unreadable and clamped values give a notice.
    pub fn set(&mut self, key: &str, text: &str) -> Option<Notice> {
        let Some(i) = self.schema.iter().position(|k| k.key == key) else {
            let shown: String = key.chars().take(40).collect();
            return Some(Notice::about(
                shown.clone(),
                format!("“{shown}” is no setting of this experiment; it was ignored."),
            ));
        };
        let (value, notice) = self.schema[i].read(text);
        self.values[i] = value;
        notice
    }
    /// Sets a knob to a value known to be in range (for `settle`).
    pub fn put(&mut self, key: &str, value: Value) {
        if let Some(i) = self.schema.iter().position(|k| k.key == key) {
            self.values[i] = value;
        }
    }
    /// `key=value` of every knob that differs from its default, in schema order, joined by `&`;
    /// the seed always, if `seed` is set.
    #[must_use]
    pub fn query(&self, seed: bool) -> String {
        self.schema
            .iter()
            .zip(&self.values)
            .filter(|(k, v)| k.default != **v || (seed && k.key == "seed"))
            .map(|(k, v)| format!("{}={}", k.key, v.text()))
            .collect::<Vec<_>>()
            .join("&")
    }
}
