//! Answers on their way to the page, and the last whole one of each kind, which stays with the record of
//! the run: what was asked for once need not be asked for again after a reload.

use super::asking::Asks;
use crate::json;
use crate::protocol::Told;
use std::mem::discriminant;

/// Characters that a record spends on answers, at most.
const MOST: usize = 1 << 20;

/// Nothing more of it will come.
fn whole(told: &Told) -> bool {
    match told {
        Told::Paths(p) => p.done == p.all,
        Told::Completed(c) => c.done == c.all,
        Told::Tokens(_) | Told::Stored(_) => true,
    }
}

/// Puts an answer in the place of that of its kind.
fn put(all: &mut Vec<Told>, told: Told) {
    all.retain(|t| discriminant(t) != discriminant(&told));
    all.push(told);
}

impl Asks {
    /// Hands an answer over, so far as it is there.
    pub(super) fn tell(&mut self, told: Told) {
        if whole(&told) {
            put(&mut self.kept, told.clone());
            self.over += 1;
        }
        put(&mut self.found, told);
    }

    /// The whole ones, for a record; none where they would be too long.
    pub(super) fn text(&self) -> Result<String, String> {
        let text = json::write(&self.kept)?;
        Ok(if text.len() > MOST {
            String::new()
        } else {
            text
        })
    }

    /// From a record: the page is told of them again.
    pub(super) fn restore(&mut self, text: &str) {
        self.kept = json::read(text).unwrap_or_default();
        self.found.clone_from(&self.kept);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::protocol::{Completed, Paths, Plane, Tokens};

    fn paths(done: usize) -> Told {
        let plane = Plane {
            steps: vec![0.0, 50.0],
            members: vec![vec![[0.1 + 0.2, -1.0 / 3.0, 1e-300], [2.0, 3.0, -0.0]]],
            explained: [0.7, 0.2, 0.1],
            ..Plane::default()
        };
        Told::Paths(Paths {
            done,
            all: 2,
            logits: (done == 2).then_some(plane),
            ..Paths::default()
        })
    }

    #[test]
    fn the_last_whole_answer_of_each_kind_comes_back_to_the_bit() {
        let tokens = |step| {
            Told::Tokens(Tokens {
                step,
                losses: vec![0.1, 1e-30],
                ..Tokens::default()
            })
        };
        let half = Told::Completed(Completed {
            done: 1,
            all: 9,
            ..Completed::default()
        });
        let mut asks = Asks::default();
        for told in [tokens(50), paths(1), paths(2), half, tokens(100), paths(1)] {
            asks.tell(told);
        }
        assert_eq!((asks.found.len(), asks.over), (3, 3));
        let text = asks.text().unwrap();
        let mut back = Asks::default();
        back.restore(&text);
        // Neither what was under way nor what another has taken the place of.
        assert_eq!(back.found, [paths(2), tokens(100)]);
        assert_eq!(back.text().unwrap(), text);
        // Planted: another digit is another answer, and damage is none.
        back.restore(&text.replace("0.30000000000000004", "0.3000000000000001"));
        assert_ne!(back.found, asks.kept);
        back.restore(&text[1..]);
        assert!(back.found.is_empty());
        // Too many numbers are left to be asked for again.
        asks.tell(Told::Tokens(Tokens {
            losses: vec![0.123; 300_000],
            ..Tokens::default()
        }));
        assert_eq!(asks.text().unwrap(), "");
    }
}
