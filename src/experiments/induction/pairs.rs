//! Pairs of models that are worth comparing token by token.

use crate::experiments::versus::Pair;

/// Pairs worth comparing.
pub const PAIRS: &[Pair] = &[
    Pair::bump(
        "One run, two checkpoints: after nine tenths of its drop, and before a tenth of it. What was learned in between?",
    ),
    Pair::of(
        ["1-2", "2 layers against 1"],
        "An induction head needs a head of an earlier block to read from: what two layers do that one cannot should be the repeats, by more than 3 nats a token.",
        "layers=2",
        "layers=1",
    ),
    Pair::of(
        ["2-3", "3 layers against 2"],
        "Two layers already solve the task: is there anything left for a third?",
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
        ["smear", "1 layer, smeared keys against plain"],
        "Each key is mixed with the one before it, which is what a previous-token head would have brought (Olsson et al. 2022): one layer should then do what took two.",
        "layers=1;smear=on",
        "smear=off",
    ),
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
