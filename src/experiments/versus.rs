//! Models that can be compared token by token: which experiments have tokens, the fixed sequences, the
//! program that asks a model about them, and the pairs that are worth comparing.

use super::{induction, markov, text, transformer};
use crate::exec::Batch;
use crate::kernels::Replica;
use crate::knobs::{Group, Knobs, told};
use crate::plan::{Buf, Plan, Prog};
use crate::protocol::{Fault, TokenSet};
use std::ops::Range;

/// A copy of the model, and the heads it lacks by their number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// `head 1.3`, `all heads of block 1`; empty for the unchanged model.
    pub name: String,
    /// Heads it lacks, layer by layer.
    pub lacks: Range<usize>,
}

/// A program that asks copies of one model about the fixed sequences.
#[derive(Debug)]
pub struct Scorer {
    /// Its buffers and its one program.
    pub plan: Plan,
    /// The program.
    pub program: Prog,
    /// Copies that run side by side; all share the weights.
    pub replicas: usize,
    /// Every copy, the unchanged model first.
    pub copies: Vec<Copy>,
    /// `[params]`.
    pub params: Buf,
    /// `[replica][layer·head]`.
    pub head_scale: Buf,
    /// Heads of the whole model.
    pub heads: usize,
    /// `[replica][sequence·ctx]`, nats.
    pub losses: Buf,
    /// Where the sequences go.
    pub feed: Buf,
    /// They.
    pub set: TokenSet,
}

impl Scorer {
    /// Writes the weights of one model and the sequences.
    #[must_use]
    pub fn begin(&self, weights: &[f32]) -> Batch {
        let words = [&self.set.tokens[..], &self.set.classes[..]].concat();
        Batch {
            words: vec![(self.feed, 0, words)],
            floats: vec![(self.params, 0, weights.to_vec())],
            ..Batch::default()
        }
    }

    /// The replica table: all share everything but their head scales.
    #[must_use]
    pub fn table(&self) -> Vec<Replica> {
        vec![Replica::default(); self.replicas]
    }

    /// Makes the copies those from number `first` on, as many as go side by side, and reads their losses;
    /// the program is the caller's to run.
    #[must_use]
    pub fn portion(&self, first: usize) -> Batch {
        let mut scales = vec![1.0; self.replicas * self.heads];
        let copies = self.copies.iter().skip(first);
        for (scales, copy) in scales.chunks_exact_mut(self.heads).zip(copies) {
            scales[copy.lacks.clone()].fill(0.0);
        }
        let rows = self.set.tokens.len();
        Batch {
            floats: vec![(self.head_scale, 0, scales)],
            reads: vec![(self.losses, 0..self.replicas * rows)],
            ..Batch::default()
        }
    }
}

/// Asks a model of those settings about the sequences of that seed.
///
/// # Errors
/// `BadLink` where there are no tokens, or the model cannot be; `Internal` for a mistake.
pub fn scorer(id: &str, knobs: &Knobs, set: u32) -> Result<Scorer, Fault> {
    match id {
        "induction" => transformer::scorer(knobs, &induction::lab::task(knobs), set),
        "markov" => transformer::scorer(knobs, &markov::card::task(knobs), set),
        "text" => transformer::scorer(knobs, &text::lab::world(knobs)?, set),
        other => Err(Fault::BadLink(format!(
            "{other} has no tokens to compare one by one"
        ))),
    }
}

/// A pair that is worth comparing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Its name for tests.
    pub id: &'static str,
    /// Its name.
    pub title: &'static str,
    /// What to expect, in a sentence.
    pub help: &'static str,
    /// What A is, as in a link.
    pub a: &'static str,
    /// What B changes of that.
    pub b: &'static str,
    /// A is the run after its transition, B the same before.
    pub bump: bool,
}

impl Pair {
    /// Two models that differ in a setting.
    #[must_use]
    pub const fn of(
        [id, title]: [&'static str; 2],
        help: &'static str,
        a: &'static str,
        b: &'static str,
    ) -> Self {
        let bump = false;
        Self {
            id,
            title,
            help: told(help),
            a,
            b,
            bump,
        }
    }

    /// One run, two checkpoints.
    #[must_use]
    pub const fn bump(help: &'static str) -> Self {
        let pair = Self::of(["bump", "before and after the drop"], help, "", "");
        Self { bump: true, ..pair }
    }
}

/// The ready-made pairs of an experiment; none where models cannot be compared token by token.
#[must_use]
pub fn pairs(id: &str) -> &'static [Pair] {
    match id {
        "induction" => induction::pairs::PAIRS,
        "markov" => markov::pairs::PAIRS,
        "text" => text::pairs::PAIRS,
        _ => &[],
    }
}

/// What the kinds of targets of an experiment are.
#[must_use]
pub fn kinds(id: &str) -> &'static str {
    match id {
        "induction" => {
            "first: targets inside the first period, which nothing determines; start: the first token of the second period, which nothing announces; repeat: what the context determines."
        }
        "markov" => markov::pairs::KINDS,
        "text" => text::pairs::KINDS,
        _ => "",
    }
}

/// Why two models cannot be compared token by token; none if they can.
#[must_use]
pub fn refusal([a, b]: [(&str, &Knobs); 2]) -> Option<String> {
    if let Some((id, _)) = [a, b].into_iter().find(|(id, _)| pairs(id).is_empty()) {
        return Some(format!("{id} has no tokens to compare one by one."));
    }
    if a.0 != b.0 {
        return Some(format!("{} and {} have different tokens.", a.0, b.0));
    }
    let task = a.1.schema().iter().filter(|k| k.group == Group::Data);
    let differ: Vec<String> = task
        .filter_map(|k| Some((k.key, a.1.get(k.key)?, b.1.get(k.key)?)))
        .filter(|(_, a, b)| a != b)
        .map(|(key, a, b)| format!("{key} {} and {}", a.text(), b.text()))
        .collect();
    (!differ.is_empty()).then(|| {
        format!(
            "The two were not trained on the same task ({}): there is no sequence to ask both about.",
            differ.join(", ")
        )
    })
}
