//! In which way a head matters, in a few words and no more than was measured. Knows series by their ids
//! alone, like `heads.rs`.

use super::heads::{Head, MATTERS, NAMED};

/// What a head is called that matters and has no pattern to be named for: by the targets that its
/// ablation costs.
pub const OTHERWISE: [&str; 3] = [
    "matters on repeats",
    "matters off repeats",
    "matters on all targets",
];
/// A later head's keys or queries are said to be fed from this share of their norm on.
const FED: f64 = 0.1;
/// A head works through the patterns of later heads where, with all patterns kept, ablation adds less
/// than this share of what it adds else.
const THROUGH: f64 = 0.5;

/// The targets on which it matters; none where it does not. `loss`: what ablation adds on all targets;
/// `on`: those that `head.ablation` is counted in.
pub(super) fn targets(head: &Head, loss: Option<f64>, on: &str) -> Option<&'static str> {
    let much = |nats: Option<f64>| nats.is_some_and(|nats| nats >= MATTERS);
    match (much(head.ablation), much(loss), on) {
        (true, _, "repeat") => Some(OTHERWISE[0]),
        // The mean over all targets rises and that over repeats does not: it is the others.
        (false, true, "repeat") => Some(OTHERWISE[1]),
        (false, false, _) => None,
        _ => Some(OTHERWISE[2]),
    }
}

/// How it does what it does, for a head whose ablation costs [`MATTERS`] or more; else empty. `later`:
/// layer and head of those that can read it.
pub(super) fn way(
    head: &Head,
    later: impl Iterator<Item = [usize; 2]>,
    value: impl Fn(&str) -> Option<f64>,
) -> String {
    let (Some(whole), Some(kept)) = (head.ablation.filter(|a| *a >= MATTERS), head.preserving)
    else {
        return String::new();
    };
    if kept >= THROUGH * whole {
        return match head.copying {
            Some(c) if c >= NAMED => "copies what it attends to",
            Some(c) if c <= -NAMED => "lowers what it attends to",
            _ => "by what it writes",
        }
        .into();
    }
    let mut most = (FED, String::new());
    for [layer, other] in later {
        for (kind, name) in [("k", "keys"), ("q", "queries")] {
            let id = format!("share.{kind}.{}.{}.{layer}.{other}", head.layer, head.head);
            if let Some(share) = value(&id).filter(|s| *s >= most.0) {
                let part = (100.0 * share).round();
                most = (share, format!("feeds {layer}.{other}’s {name}, {part} %"));
            }
        }
    }
    match most.1 {
        none if none.is_empty() => "through later heads’ patterns".into(),
        told => told,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::heads::heads;
    use super::*;

    /// What is said of head 0.0 of a model with three heads, by what was measured of it.
    fn said(values: &[(&str, f64)]) -> (&'static str, String) {
        let even = [
            ("heads.0.0.prev_token", 0.1),
            ("heads.1.0.prev_token", 0.1),
            ("heads.1.1.prev_token", 0.1),
        ];
        let all: Vec<(&str, f64)> = values.iter().chain(&even).copied().collect();
        let mut found = heads(|id| all.iter().find(|v| v.0 == id).map(|v| v.1));
        let first = found.swap_remove(0);
        (first.label, first.way)
    }

    #[test]
    fn a_head_matters_where_and_how_it_was_measured_to() {
        const REPEAT: (&str, f64) = ("heads.0.0.ablation.repeat", 0.4);
        const KEPT: (&str, f64) = ("heads.0.0.preserving.repeat", 0.35);
        const NOT_KEPT: (&str, f64) = ("heads.0.0.preserving.repeat", 0.1);
        let (label, way) = said(&[REPEAT, KEPT]);
        assert_eq!(
            (label, way.as_str()),
            ("matters on repeats", "by what it writes")
        );
        let way = |values: &[(&str, f64)]| said(values).1;
        let copying = |c| ("heads.0.0.copying", c);
        assert_eq!(
            way(&[REPEAT, KEPT, copying(0.6)]),
            "copies what it attends to"
        );
        assert_eq!(
            way(&[REPEAT, KEPT, copying(-0.6)]),
            "lowers what it attends to"
        );
        // What it writes is not what matters where the loss comes back with the patterns.
        let later = "through later heads’ patterns";
        assert_eq!(way(&[REPEAT, NOT_KEPT, copying(0.6)]), later);
        let edges = [("share.k.0.0.1.0", 0.2), ("share.q.0.0.1.1", 0.3)];
        let most = "feeds 1.1’s queries, 30 %";
        assert_eq!(way(&[REPEAT, NOT_KEPT, edges[0], edges[1]]), most);
        assert_eq!(way(&[REPEAT, NOT_KEPT, ("share.k.0.0.1.0", 0.05)]), later);
        // Values are no patterns, and what was not measured is not said.
        assert_eq!(way(&[REPEAT, NOT_KEPT, ("share.v.0.0.1.0", 0.9)]), later);
        assert_eq!(way(&[REPEAT]), "");
        assert_eq!(way(&[("heads.0.0.ablation.repeat", 0.05), KEPT]), "");
    }

    #[test]
    fn the_targets_are_those_that_rise() {
        let of = |repeat: Option<f64>, loss: f64| {
            let mut values = vec![("heads.0.0.ablation.loss", loss)];
            values.extend(repeat.map(|r| ("heads.0.0.ablation.repeat", r)));
            said(&values).0
        };
        assert_eq!(of(Some(0.5), 0.3), OTHERWISE[0]);
        assert_eq!(of(Some(0.0), 0.3), OTHERWISE[1]);
        assert_eq!(of(None, 0.3), OTHERWISE[2]);
        assert_eq!(of(Some(0.05), 0.05), "idle");
    }

    #[test]
    fn eight_words_at_most() {
        let ways = [
            "copies what it attends to",
            "through later heads’ patterns",
            "feeds 1.1’s queries, 30 %",
        ];
        for label in OTHERWISE {
            assert!(label.split(' ').count() <= 4);
        }
        for way in ways {
            // Both at once: the label names the targets, the way the rest.
            assert!(way.split(' ').count() <= 5, "{way}");
        }
    }
}
