//! Pairs of models that are worth comparing token by token.

use crate::experiments::versus::Pair;

/// Pairs worth comparing.
pub const PAIRS: &[Pair] = &[
    Pair {
        id: "bump",
        title: "before and after the drop",
        help: "One run, two checkpoints: after nine tenths of its drop, and before a tenth of it. Which symbols does counting pairs predict better than counting symbols?",
        a: "",
        b: "",
        bump: true,
    },
    Pair {
        id: "1-2",
        title: "2 layers against 1",
        help: "One layer never leaves the shelf: what do two predict better, and how much context does it take?",
        a: "layers=2",
        b: "layers=1",
        bump: false,
    },
];

/// What the kinds of targets are.
pub const KINDS: &str = "early: targets in the first half of the sequence; late: those in the second, with more behind them to count.";
