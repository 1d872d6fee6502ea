//! A short list of numbers as a knob's value: small enough to be copied like any other.

use serde::{Serialize, Serializer};

/// Most numbers in a list.
pub const MOST: usize = 12;

/// Up to [`MOST`] numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct List {
    len: usize,
    items: [f64; MOST],
}

impl List {
    /// A list of these numbers; what is beyond the twelfth is dropped.
    #[must_use]
    pub const fn of(from: &[f64]) -> Self {
        let mut items = [0.0; MOST];
        let mut len = 0;
        while len < from.len() && len < MOST {
            items[len] = from[len];
            len += 1;
        }
        Self { len, items }
    }
    /// Its numbers.
    #[must_use]
    pub fn numbers(&self) -> &[f64] {
        &self.items[..self.len]
    }
    /// Reads numbers between commas; nothing if one of them is no number, or there are too many.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let items: Option<Vec<f64>> = text
            .split(',')
            .map(|x| x.trim().parse().ok().filter(|x: &f64| !x.is_nan()))
            .collect();
        items.filter(|i| i.len() <= MOST).map(|i| Self::of(&i))
    }
    /// Each number held to a range, rounded if they are whole; `least` and `most` numbers, the last
    /// repeated to fill up. None if the list already was so.
    #[must_use]
    pub fn settled(
        &self,
        (min, max): (f64, f64),
        whole: bool,
        (least, most): (usize, usize),
    ) -> Option<Self> {
        let held = |x: &f64| {
            let x = x.clamp(min, max);
            if whole { x.round() } else { x }
        };
        let mut items: Vec<f64> = self.numbers().iter().map(held).take(most).collect();
        let last = items.last().copied().unwrap_or(min);
        items.resize(items.len().max(least), last);
        Some(Self::of(&items)).filter(|l| l != self)
    }
}

impl Serialize for List {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.numbers().serialize(s)
    }
}
