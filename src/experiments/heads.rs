//! What is known of attention heads: the instruments' definitions, and what a head is called by what
//! they say. Knows series by their ids alone, so that page and engine say the same.

pub use super::definitions::{BESIDE, INSTRUMENTS, Instrument, TEXT};
use super::roles::{targets, way};
pub use crate::instruments::gauge::flat;

use crate::instruments::lexical::KINDS;
use serde::Serialize;
use std::cmp::Ordering;

/// Share of attention from which a head is named for its pattern; where even attention scores more than
/// nothing, the share of what is left above that.
pub const NAMED: f64 = 0.3;
/// Nats that ablation must add to the loss on repeats, or on all targets, for a head to matter.
pub const MATTERS: f64 = 0.1;

/// What heads are called for their patterns: induction, previous token, duplicate token.
pub const LABELS: [&str; 3] = [
    "induction head",
    "previous-token head",
    "duplicate-token head",
];

/// A head at one step. A value is none where it was not measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Head {
    /// Its layer.
    pub layer: usize,
    /// Its number there.
    pub head: usize,
    /// Previous-token score.
    pub prev_token: Option<f64>,
    /// Prefix-matching score.
    pub prefix_matching: Option<f64>,
    /// Duplicate-token score.
    pub duplicate_token: Option<f64>,
    /// Copying score of its OV circuit.
    pub copying: Option<f64>,
    /// Nats its zero ablation adds to the loss on repeats, or on all targets ([`counted`]).
    pub ablation: Option<f64>,
    /// Nats its pattern-preserving ablation adds to it.
    pub preserving: Option<f64>,
    /// What it is called.
    pub label: &'static str,
    /// How it matters, in words ([`super::roles`]); empty where it does not, or where that was not measured.
    pub way: String,
}

/// Series that are of no card, or of some only: id, unit, name.
const PLACES: [(&str, &str, &str); 4] = [
    ("loss.early", "nats", "loss at early positions"),
    ("loss.late", "nats", "loss at late positions"),
    (
        "loss.train",
        "",
        "minibatch loss, mean since the last point",
    ),
    ("kl.late", "nats", "KL of the model at late positions"),
];

/// What a head would score that attends evenly, where that is told: previous token, prefix matching,
/// duplicate token ([`crate::instruments::even`]).
pub const EVEN: [&str; 3] = [
    "heads.even.prev_token",
    "heads.even.prefix_matching",
    "heads.even.duplicate_token",
];

/// The loss that ablation is counted in: that on repeats, where there are repeats, or that on all
/// targets.
#[must_use]
pub fn counted(value: impl Fn(&str) -> Option<f64>) -> &'static str {
    match value("heads.0.0.ablation.repeat") {
        Some(_) => "repeat",
        None => "loss",
    }
}

/// Every head that has scores, from the value of a series at the step asked for.
#[must_use]
pub fn heads(value: impl Fn(&str) -> Option<f64>) -> Vec<Head> {
    let mut out = Vec::new();
    let on = counted(&value);
    let even = EVEN.map(|id| value(id).unwrap_or(0.0));
    let (mut layer, mut head) = (0, 0);
    loop {
        let of = |key: &str| value(&format!("heads.{layer}.{head}.{key}"));
        let prev_token = of(INSTRUMENTS[0].key);
        if prev_token.is_none() {
            if head == 0 {
                break;
            }
            (layer, head) = (layer + 1, 0);
            continue;
        }
        let mut found = Head {
            layer,
            head,
            prev_token,
            prefix_matching: of("prefix_matching"),
            duplicate_token: of("duplicate_token"),
            copying: of("copying"),
            ablation: of(&format!("ablation.{on}")),
            preserving: of(&format!("preserving.{on}")),
            label: "",
            way: String::new(),
        };
        found.label = label(&found, of("ablation.loss"), on, &even);
        out.push(found);
        head += 1;
    }
    for i in 0..out.len() {
        let later = out.iter().filter(|h| h.layer > out[i].layer);
        let way = way(&out[i], later.map(|h| [h.layer, h.head]), &value);
        out[i].way = way;
    }
    out
}

/// The heads that are no induction heads and matter all the same: without them the loss ([`counted`])
/// rises by [`MATTERS`] or more. The greatest first.
#[must_use]
pub fn others(found: &[Head]) -> Vec<&Head> {
    let matters = |h: &&Head| h.label != LABELS[0] && h.ablation.is_some_and(|a| a >= MATTERS);
    let mut all: Vec<&Head> = found.iter().filter(matters).collect();
    crate::math::order::sort_by(&mut all, |a, b| {
        b.ablation
            .partial_cmp(&a.ablation)
            .unwrap_or(Ordering::Equal)
    });
    all
}

/// The greatest of the three attention scores names a head, from [`NAMED`] on; else ablation tells
/// whether it matters, from [`MATTERS`] on, and on which targets. `loss` is what ablation adds to the loss on all targets.
fn label(head: &Head, loss: Option<f64>, on: &str, even: &[f64; 3]) -> &'static str {
    let scores = [
        (head.prefix_matching, even[1], LABELS[0]),
        (head.prev_token, even[0], LABELS[1]),
        (head.duplicate_token, even[2], LABELS[2]),
    ];
    let known = scores
        .iter()
        .filter_map(|(score, even, name)| Some((((*score)? - even) / (1.0 - even), *name)));
    let greatest = known.max_by(|a, b| a.0.total_cmp(&b.0));
    match greatest {
        Some((score, name)) if score >= NAMED => name,
        _ if head.ablation.is_none() => "",
        _ => targets(head, loss, on).unwrap_or("idle"),
    }
}

/// Label and unit of a series of an instrument, by its id.
#[must_use]
pub fn series(id: &str) -> Option<(String, &'static str)> {
    if id == "icl" {
        return Some(("ICL score: late less early loss".into(), "nats"));
    }
    if let Some((_, unit, name)) = PLACES.iter().find(|p| p.0 == id) {
        return Some(((*name).into(), unit));
    }
    if let Some(key) = id.strip_prefix("loss.class.") {
        let kind = KINDS.iter().find(|k| k.key == key)?;
        return Some((format!("loss on: {}", kind.title), "nats"));
    }
    if let Some(rest) = id.strip_prefix("column.") {
        let (column, what) = rest.split_once('.')?;
        return Some(match what {
            "loss" => (format!("loss behind {column} characters of a line"), "nats"),
            "newline" => (format!("P(line end) behind {column} characters"), ""),
            _ => (
                format!("share of lines that end at {column} characters"),
                "",
            ),
        });
    }
    if let Some(rest) = id.strip_prefix("wrap.") {
        let name = match rest {
            "from" => "column from which on lines end",
            "long" => "length that a quarter of the lines reach",
            "before" => "P(line end | word ends) in short lines",
            "behind" => "P(line end | word ends) in full lines",
            "ends.before" => "share of words that end short lines",
            _ => "share of words that end full lines",
        };
        return Some((name.into(), ""));
    }
    if let Some(rest) = id.strip_prefix("copied") {
        return Some(match rest {
            "" => (
                "matched copying check: copied less control; ± 1 SE".into(),
                "nats",
            ),
            ".with" => ("loss on spans with an earlier copy".into(), "nats"),
            _ => ("loss on the same spans without it".into(), "nats"),
        });
    }
    if let Some(pair) = id.strip_prefix("composition.") {
        let (kind, pair) = pair.split_once('.')?;
        let (from, to) = pair.split_at(pair.match_indices('.').nth(1)?.0);
        let kind = kind.to_ascii_uppercase();
        let label = format!(
            "{kind}-composition, head {from} to {}; lo and hi: its null ± 1 sd",
            &to[1..]
        );
        return Some((label, ""));
    }
    if let Some((kind, pair)) = id.strip_prefix("share.").and_then(|s| s.split_once('.')) {
        let (rest, head) = pair.rsplit_once('.')?;
        let (from, layer) = rest.rsplit_once('.')?;
        let from = match from {
            "embed" => "tokens",
            "pos" => "positions",
            "rest" => "the rest",
            head => head,
        };
        return Some((
            format!("share of {kind} of head {layer}.{head} from {from}"),
            "",
        ));
    }
    if let Some(key) = id.strip_prefix("heads.even.") {
        let known = INSTRUMENTS.iter().find(|i| i.key == key)?;
        return Some((format!("{}, of even attention", known.title), known.unit));
    }
    if let Some(whose) = id.strip_prefix("norm") {
        let whose = whose.strip_prefix('.').unwrap_or("all weights");
        return Some((format!("norm of {whose}"), ""));
    }
    if let Some((whose, what)) = id.strip_prefix("spectrum.").and_then(|s| s.split_once('.')) {
        return Some(match what {
            "participation" => (format!("participation ratio of {whose}"), "directions"),
            k => (format!("singular value {k} of {whose}"), ""),
        });
    }
    if let Some(position) = id.strip_prefix("loss.position.") {
        return Some((format!("loss at position {position}"), "nats"));
    }
    let (whose, key) = match id.strip_prefix("heads.") {
        Some(rest) => {
            let at = rest.match_indices('.').nth(1)?.0;
            (format!("head {}", &rest[..at]), &rest[at + 1..])
        }
        None => {
            let (layer, key) = id.strip_prefix("blocks.")?.split_once('.')?;
            (format!("all heads of block {layer}"), key)
        }
    };
    if let Some(known) = INSTRUMENTS.iter().find(|i| i.key == key) {
        return Some((format!("{whose}: {}", known.title), known.unit));
    }
    let (way, what) = key.split_once('.')?;
    let way = INSTRUMENTS.iter().find(|i| i.key.starts_with(way))?;
    let what = match what {
        "icl" => "the ICL score",
        "loss" => "all targets",
        "late" => "late positions",
        other => other,
    };
    Some((format!("{whose}: {}, on {what}", way.title), "nats"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(prev: f64, prefix: f64, ablation: Option<f64>, loss: Option<f64>) -> &'static str {
        let values = [
            ("heads.0.0.prev_token", Some(prev)),
            ("heads.0.0.prefix_matching", Some(prefix)),
            ("heads.0.0.duplicate_token", Some(0.05)),
            ("heads.0.0.ablation.repeat", ablation),
            ("heads.0.0.ablation.loss", loss),
        ];
        let found = heads(|id| values.iter().find(|v| v.0 == id).and_then(|v| v.1));
        assert_eq!(found.len(), 1);
        found[0].label
    }

    #[test]
    fn a_head_is_called_by_what_it_does() {
        assert_eq!(named(0.05, 0.9, Some(0.0), None), "induction head");
        assert_eq!(named(0.45, 0.1, None, None), "previous-token head");
        assert_eq!(named(0.1, 0.29, Some(0.5), None), "matters on repeats");
        assert_eq!(
            named(0.1, 0.1, Some(-2.0), Some(0.2)),
            "matters off repeats"
        );
        assert_eq!(named(0.1, 0.1, Some(0.05), Some(0.0)), "idle");
        // Without an ablation nobody can say that a head is idle.
        assert_eq!(named(0.1, 0.1, None, None), "");
    }

    /// With two symbols half of what a head sees follows a copy: attending to that is no induction.
    #[test]
    fn even_attention_is_no_head() {
        let at = |prefix: f64, even: f64| {
            let values = [
                ("heads.0.0.prev_token", 0.05),
                ("heads.0.0.prefix_matching", prefix),
                ("heads.even.prefix_matching", even),
            ];
            heads(|id| values.iter().find(|v| v.0 == id).map(|v| v.1))[0].label
        };
        assert_eq!(at(0.5, 0.5), "");
        assert_eq!(at(0.5, 0.0), "induction head");
        assert_eq!(at(0.8, 0.5), "induction head");
    }

    #[test]
    fn what_matters_beside_induction_is_listed() {
        let head = |head, ablation, label| Head {
            head,
            ablation,
            label,
            ..Head::default()
        };
        let all = [
            head(0, Some(4.0), "induction head"),
            head(1, Some(0.2), "matters on repeats"),
            head(2, Some(3.0), "previous-token head"),
            head(3, Some(0.01), "previous-token head"),
            head(4, None, ""),
        ];
        let listed: Vec<usize> = others(&all).iter().map(|h| h.head).collect();
        assert_eq!(listed, [2, 1]);
    }

    #[test]
    fn heads_are_found_by_their_series() {
        let there = [
            "heads.0.0.prev_token",
            "heads.0.1.prev_token",
            "heads.1.0.prev_token",
        ];
        let found = heads(|id| there.contains(&id).then_some(0.5));
        let places: Vec<_> = found.iter().map(|h| (h.layer, h.head)).collect();
        assert_eq!(places, [(0, 0), (0, 1), (1, 0)]);
        assert!(heads(|_| None).is_empty());
    }

    #[test]
    fn series_have_names() {
        let name = |id| series(id).map(|(label, _)| label);
        assert_eq!(
            name("heads.0.3.prev_token").unwrap(),
            "head 0.3: previous token"
        );
        assert_eq!(
            name("heads.1.12.ablation.icl").unwrap(),
            "head 1.12: ablation, on the ICL score"
        );
        assert_eq!(
            name("blocks.1.preserving.repeat").unwrap(),
            "all heads of block 1: patterns kept"
        );
        let pair = name("composition.k.0.1.1.12").unwrap();
        assert!(
            pair.starts_with("K-composition, head 0.1 to 1.12;"),
            "{pair}"
        );
        assert_eq!(
            name("share.q.0.3.1.12").unwrap(),
            "share of q of head 1.12 from 0.3"
        );
        assert_eq!(
            name("share.v.embed.1.0").unwrap(),
            "share of v of head 1.0 from tokens"
        );
        assert_eq!(name("norm.embed.W_E").unwrap(), "norm of embed.W_E");
        assert_eq!(name("norm").unwrap(), "norm of all weights");
        assert_eq!(name("spectrum.W_U.3").unwrap(), "singular value 3 of W_U");
        assert_eq!(series("loss.position.7").unwrap().1, "nats");
        assert_eq!(name("loss.class.digit").unwrap(), "loss on: digit");
        assert_eq!(series("column.7.loss").unwrap().1, "nats");
        assert!(name("wrap.behind").unwrap().contains("full lines"));
        assert!(name("copied").unwrap().starts_with("matched copying"));
        assert_eq!(series("loss.first"), None);
    }
}
