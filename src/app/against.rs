//! What a link says of a comparison: what B changes of A, which checkpoints, how the two are compared.
//!
//! The link is that of A with `with=`, so that one reader reads it, what both share is written once, and a
//! page that knows no comparisons opens A.

use super::link::{self, Link};
use crate::protocol::{At, Side, VersusSpec};
use std::fmt::Write as _;

/// Nats under which log-probabilities are not told apart, unless the reader says otherwise.
pub const FLOOR: f64 = 5.0;
/// Floors that can be asked for, nats.
pub const MOST: (f64, f64) = (0.1, 50.0);

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
        b.file = b.file.filter(|_| self.with.is_empty());
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
        let differ = differ.collect::<Vec<_>>().join(";");
        // What B changes of the run of a file is a run of its link; nothing but the file cannot be said.
        let said = a.file == b.file || b.file.is_none() && !differ.is_empty();
        (said && a.experiment == b.experiment).then_some(differ)
    }
}
