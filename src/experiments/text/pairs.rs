//! Pairs of models that are worth comparing token by token.

use crate::experiments::versus::Pair;

/// Pairs worth comparing.
pub const PAIRS: &[Pair] = &[
    Pair {
        id: "bump",
        title: "before and after the drop",
        help: "One run, two checkpoints: after nine tenths of the drop of the loss on repeats, and before a tenth of it. Does the text gain anything from what was learned on repeats?",
        a: "",
        b: "",
        bump: true,
    },
    Pair {
        id: "1-2",
        title: "2 layers against 1",
        help: "One layer cannot look up what came before: the difference should be the repeats, and little of the text.",
        a: "layers=2",
        b: "layers=1",
        bump: false,
    },
    Pair {
        id: "2-3",
        title: "3 layers against 2",
        help: "What does a third layer read in the text that two do not?",
        a: "layers=3",
        b: "layers=2",
        bump: false,
    },
    Pair {
        id: "3-4",
        title: "4 layers against 3",
        help: "As before, one layer up.",
        a: "layers=4",
        b: "layers=3",
        bump: false,
    },
    Pair {
        id: "mix",
        title: "half repeats against text alone",
        help: "The same model trained on half as much text, the other half being repeats: what does it lose on text, and what does it gain?",
        a: "mix=0.5",
        b: "mix=0",
        bump: false,
    },
];

/// What the kinds of targets are.
pub const KINDS: &str = "text: targets in windows of text; repeat: targets that the context determines, in sequences that repeat; first: the other targets of those, which nothing determines.";
