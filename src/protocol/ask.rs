//! Questions about stored checkpoints that take an evaluation each: paths of several models in one
//! plane, and the loss of every held-out token.

use serde::{Deserialize, Serialize};

/// A question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Ask {
    /// Paths of all models, by their logits and by their per-token losses.
    Paths,
    /// The held-out tokens with their losses at this checkpoint.
    Tokens(u64),
    /// Texts that go on from this one.
    Complete(Prompt),
    /// The path of the model that is followed, and those of stored runs.
    Stored,
}

/// A text to go on from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prompt {
    /// The checkpoint that writes.
    pub step: u64,
    /// What is there already.
    pub text: String,
    /// Tokens are drawn from softmax(logits/temperature); 0, the likeliest.
    pub temperature: f64,
    /// Of the draws.
    pub seed: u32,
    /// Tokens to write; 0 stops what is being written.
    pub length: usize,
}

impl Prompt {
    /// What is gone on from before anything else was typed: stories begin so.
    pub const BEGINNING: &str = "One day Anna";
}

impl Default for Prompt {
    fn default() -> Self {
        Self {
            step: 0,
            text: Self::BEGINNING.into(),
            temperature: 0.8,
            seed: 1,
            length: 200,
        }
    }
}

/// Texts so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Completed {
    /// The checkpoint.
    pub step: u64,
    /// The prompt, as the model read it, and what it wrote.
    pub texts: Vec<String>,
    /// Tokens written, of so many.
    pub done: usize,
    /// All of them.
    pub all: usize,
    /// Characters of the prompt that are no token of the model.
    pub outside: usize,
}

/// Its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Told {
    /// See [`Ask::Paths`].
    Paths(Paths),
    /// See [`Ask::Tokens`].
    Tokens(Tokens),
    /// See [`Ask::Complete`].
    Completed(Completed),
    /// See [`Ask::Stored`].
    Stored(Plane),
}

/// Paths so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Paths {
    /// Checkpoints evaluated.
    pub done: usize,
    /// All of them.
    pub all: usize,
    /// Models beside those that are shown.
    pub left_out: usize,
    /// By the logits, once all are evaluated.
    pub logits: Option<Plane>,
    /// By the loss of each token, where losses are of tokens.
    pub losses: Option<Plane>,
}

/// Paths in the plane of their common principal components.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plane {
    /// Checkpoints, rising: of all models; or of one after the other, where they are not the same.
    pub steps: Vec<f64>,
    /// By model, its coordinates at each of them.
    pub members: Vec<Vec<[f64; 3]>>,
    /// Share of each component.
    pub explained: [f64; 3],
    /// Share that each component of as many random walks has.
    pub walk: [f64; 3],
    /// Of runs that have names, theirs.
    #[serde(default)]
    pub names: Vec<String>,
}

impl Plane {
    /// Checkpoints of one of the models.
    #[must_use]
    pub fn at(&self, model: usize) -> &[f64] {
        let long = |m: &Vec<_>| m.len();
        let first = match self.members.first() {
            Some(first) if first.len() < self.steps.len() => {
                self.members.iter().take(model).map(long).sum()
            }
            _ => 0,
        };
        let n = self.members.get(model).map_or(0, long);
        self.steps.get(first..first + n).unwrap_or_default()
    }
}

/// Held-out tokens with their losses.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tokens {
    /// The checkpoint.
    pub step: u64,
    /// Tokens of a sequence.
    pub ctx: usize,
    /// Sequence after sequence.
    pub tokens: Vec<u32>,
    /// Class of the target behind each token: 0 no target, 1 neither, 2 A, 3 B.
    pub classes: Vec<u32>,
    /// Loss on that target, nats.
    pub losses: Vec<f32>,
    /// The three likeliest tokens behind each, where tokens are pieces of a text, and how likely.
    #[serde(default)]
    pub tops: Vec<u32>,
    /// See `tops`.
    #[serde(default)]
    pub chances: Vec<f32>,
}
