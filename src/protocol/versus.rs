//! Two models compared token by token: what is asked for, how far it is, what was found.

use super::SeriesDelta;
use serde::{Deserialize, Serialize};

/// Which checkpoint of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum At {
    /// The last one.
    #[default]
    Last,
    /// That of this step.
    Step(u64),
    /// The last one before a tenth of the run's transition is done.
    Before,
    /// The first one after nine tenths of it are done.
    After,
}

impl At {
    /// `last`, `before`, `after`, or a step.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text.trim() {
            "last" => Self::Last,
            "before" => Self::Before,
            "after" => Self::After,
            step => Self::Step(step.parse().ok()?),
        })
    }
    /// As [`At::parse`] reads it.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::Last => "last".into(),
            Self::Before => "before".into(),
            Self::After => "after".into(),
            Self::Step(step) => step.to_string(),
        }
    }
}

/// One of the two models.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// The link of its run.
    pub link: String,
    /// Which of its checkpoints.
    pub at: At,
}

/// What is compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersusSpec {
    /// A and B.
    pub sides: [Side; 2],
    /// Which held-out sequences: the seed they are drawn with, whatever the runs' own.
    pub set: u32,
}

/// Held-out sequences that both models are asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenSet {
    /// Tokens are in 0..vocab.
    pub vocab: usize,
    /// Tokens of a sequence.
    pub ctx: usize,
    /// `[sequence][ctx]`.
    pub tokens: Vec<u32>,
    /// `[sequence][ctx]`: the class of each position's target; 0, it has none.
    pub classes: Vec<u32>,
    /// Names of the classes 1, 2 and 3.
    pub names: [String; 3],
    /// After how many tokens each sequence repeats; 0, it does not.
    pub periods: Vec<usize>,
    /// The text of every token; empty where tokens are numbers.
    #[serde(default)]
    pub texts: Vec<String>,
}

/// A model without some of its heads, on the same sequences.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Lacking {
    /// `head 1.3`, or `all heads of block 1`.
    pub name: String,
    /// Log-probability of every target, `[sequence][ctx]`, nats.
    pub lp: Vec<f32>,
}

/// What one model says of the sequences.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// The step of its checkpoint.
    pub step: u64,
    /// What it was trained on.
    pub device: String,
    /// Log-probability of every target, `[sequence][ctx]`, nats; 0 at a last position, which has none.
    pub lp: Vec<f32>,
    /// The same without each head, then without each block's heads.
    pub lacking: Vec<Lacking>,
}

/// Both of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// The sequences.
    pub set: TokenSet,
    /// A and B.
    pub sides: [Scored; 2],
}

/// How far a comparison is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum VersusStage {
    /// It waits for the run on the page.
    #[default]
    Waiting,
    /// A (0) or B (1) is trained.
    Training {
        /// Which.
        side: usize,
        /// Steps done.
        step: u64,
        /// Of so many.
        steps: u64,
    },
    /// Both are there, and are asked.
    Scoring,
    /// Done.
    Done,
    /// It could not be done, in one sentence.
    Failed(String),
}

/// A comparison as the page sees it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VersusView {
    /// What is compared.
    pub spec: VersusSpec,
    /// How far it is.
    pub stage: VersusStage,
    /// Seconds left of the training under way, if known.
    pub left_s: Option<f64>,
    /// The behaviour of A and B over training, as far as it is known.
    pub curves: [SeriesDelta; 2],
    /// What was found.
    pub found: Option<Compared>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_has_one_name() {
        for at in [At::Last, At::Before, At::After, At::Step(450)] {
            assert_eq!(At::parse(&at.text()), Some(at));
        }
        assert_eq!(At::parse("-3"), None);
        assert_eq!(At::parse("first"), None);
    }
}
