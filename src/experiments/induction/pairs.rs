//! Pairs of models that are worth comparing token by token.

use crate::experiments::versus::Pair;

/// Pairs worth comparing.
pub const PAIRS: &[Pair] = &[
    Pair {
        id: "bump",
        title: "before and after the drop",
        help: "One run, two checkpoints: after nine tenths of its drop, and before a tenth of it. What was learned in between?",
        a: "",
        b: "",
        bump: true,
    },
    Pair {
        id: "1-2",
        title: "2 layers against 1",
        help: "An induction head needs a head of an earlier block to read from: what two layers do that one cannot should be the repeats, by more than 3 nats a token.",
        a: "layers=2",
        b: "layers=1",
        bump: false,
    },
    Pair {
        id: "2-3",
        title: "3 layers against 2",
        help: "Two layers already solve the task: is there anything left for a third?",
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
        id: "smear",
        title: "1 layer, smeared keys against plain",
        help: "Each key is mixed with the one before it, which is what a previous-token head would have brought (Olsson et al. 2022): one layer should then do what took two.",
        a: "layers=1;smear=on",
        b: "smear=off",
        bump: false,
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiments::versus::refusal;
    use crate::knobs::Knobs;

    #[test]
    fn pairs_differ_in_what_they_say() {
        for pair in PAIRS {
            let with = |queries: &[&str]| {
                let mut knobs = Knobs::defaults(super::super::card::CARD.knobs);
                for setting in queries.iter().flat_map(|q| q.split(';')) {
                    let (key, value) = setting.split_once('=').unwrap_or((setting, ""));
                    assert!(
                        key.is_empty() || knobs.set(key, value).is_none(),
                        "{setting}"
                    );
                }
                knobs
            };
            let (a, b) = (with(&[pair.a]), with(&[pair.a, pair.b]));
            assert_eq!(a == b, pair.bump, "{}", pair.id);
            assert_eq!(refusal([("induction", &a), ("induction", &b)]), None);
        }
    }
}
