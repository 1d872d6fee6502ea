//! Pairs of models that are worth comparing token by token.

use crate::experiments::versus::Pair;

/// Pairs worth comparing.
pub const PAIRS: &[Pair] = &[
    Pair::bump(
        "One run, two checkpoints: after nine tenths of its drop, and before a tenth of it. Which symbols does counting pairs predict better than counting symbols?",
    ),
    Pair::of(
        ["1-2", "2 layers against 1"],
        "One layer never leaves the shelf: what do two predict better, and how much context does it take?",
        "layers=2",
        "layers=1",
    ),
];

/// What the kinds of targets are.
pub const KINDS: &str = "early: targets in the first half of the sequence; late: those in the second, with more behind them to count.";
