//! What an experiment's run comes to, and what may give notice of it.

use crate::knobs::Knobs;
use serde::Serialize;

/// What may give notice of a run's event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Indicator {
    /// A series; a `*` stands for layer and head, and the best one counts. `llc` is λ̂ and `trace` the
    /// trace of the Hessian at its points; what begins with `winner.` is of the head that wins in the end.
    pub id: &'static str,
    /// Its name.
    pub label: &'static str,
}

/// An indicator.
#[must_use]
pub const fn indicator(id: &'static str, label: &'static str) -> Indicator {
    Indicator { id, label }
}

impl Indicator {
    /// Whether it takes the end of the run to know what to look at.
    #[must_use]
    pub fn hindsight(&self) -> bool {
        self.id.starts_with("winner.")
    }
}

/// When the behaviour of a card counts as changed, and from when on notice may be given of it.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// The change is at least this much, in its direction; 0, any change beyond jitter.
    pub least: fn(&Knobs) -> f64,
    /// Points count from there on, of the behaviour and of all that may give notice.
    pub after: Option<Clock>,
    /// What that is, in words: a sentence or two for the reader, and what the null runs are.
    pub told: &'static str,
    /// The setting that makes the null runs null; empty where it is chance.
    pub null: &'static str,
    /// When two models that began alike have ended alike, in words; empty where that is not asked.
    pub alike: &'static str,
}

/// The first step at which a series has come to a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    /// The series.
    pub id: &'static str,
    /// The value.
    pub level: f64,
    /// It comes down to it, from above.
    pub down: bool,
}

impl Clock {
    /// The step; none before the series has come there.
    #[must_use]
    pub fn step(&self, x: &[f64], y: &[f64]) -> Option<f64> {
        let there = |y: &f64| {
            if self.down {
                *y <= self.level
            } else {
                *y >= self.level
            }
        };
        x.get(y.iter().position(there)?).copied()
    }
}

impl Event {
    /// Any change beyond jitter, from the beginning on.
    pub const ANY: Self = Self {
        least: |_| 0.0,
        after: None,
        told: "",
        null: "",
        alike: "",
    };
}
