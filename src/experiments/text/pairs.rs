//! Pairs of models that are worth comparing token by token.

use crate::experiments::versus::Pair;

/// Pairs worth comparing.
pub const PAIRS: &[Pair] = &[
    Pair::bump(
        "One run, two checkpoints: after nine tenths of the drop of the loss on repeats, and before a tenth of it. Does the text gain anything from what was learned on repeats?",
    ),
    Pair::of(
        ["1-2", "2 layers against 1"],
        "One layer cannot look up what came before: the difference should be the repeats, and little of the text.",
        "layers=2",
        "layers=1",
    ),
    Pair::of(
        ["2-3", "3 layers against 2"],
        "What does a third layer read in the text that two do not?",
        "layers=3",
        "layers=2",
    ),
    Pair::of(
        ["3-4", "4 layers against 3"],
        "As before, one layer up.",
        "layers=4",
        "layers=3",
    ),
    Pair::of(
        ["mix", "half repeats against text alone"],
        "The same model trained on half as much text, the other half being repeats: what does it lose on text, and what does it gain?",
        "mix=0.5",
        "mix=0",
    ),
];

/// What the kinds of targets are.
pub const KINDS: &str = "text: targets in windows of text; repeat: targets that the context determines, in sequences that repeat; first: the other targets of those, which nothing determines.";
