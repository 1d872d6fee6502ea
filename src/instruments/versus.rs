//! Two models token by token: Δ = max(lp_a, −F) − max(lp_b, −F) of every target, nats, lp being the
//! log-probability a model gives it. The floor F keeps one wild mistake of either model from deciding
//! the picture (Nanda 2022, 200 concrete open problems, 1.13). Above 0, A does better.
//!
//! Each floored log-probability is rounded to 2⁻³² nats, so that sums of Δ are exact in any order and
//! the parts of a difference add up to the whole.

use super::lexical::{KINDS, kinds};
use crate::protocol::TokenSet;
use serde::Serialize;

/// Steps of a nat that Δ is made of.
const GRID: f64 = 4_294_967_296.0;
/// The class of targets in text, where tokens are pieces of one.
const TEXT: u32 = 2;
/// Ranges of positions.
const RANGES: usize = 8;

/// Δ of one target. A log-probability that is not a number counts as being under the floor.
#[must_use]
pub fn delta(lp: [f64; 2], floor: f64) -> f64 {
    let [a, b] = lp.map(|lp| (lp.max(-floor) * GRID).round() / GRID);
    a - b
}

/// A target token.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Target {
    /// The sequence it is in.
    pub sequence: usize,
    /// Its place there, from 1 on: the first token is nobody's target.
    pub position: usize,
    /// The token.
    pub token: u32,
    /// What it is: its class, 1 to 3.
    pub kind: u32,
    /// What kind of token it is by its text ([`super::lexical::KINDS`]); one more where it is in no text.
    pub lexical: usize,
    /// How often it stood in the sequence before.
    pub seen: usize,
    /// Log-probabilities A and B give it, nats.
    pub lp: [f64; 2],
    /// Δ.
    pub delta: f64,
}

/// Every target of the sequences, from the log-probabilities `[sequence][ctx]` at the position before it.
#[must_use]
pub fn targets(set: &TokenSet, lp: [&[f32]; 2], floor: f64) -> Vec<Target> {
    let ctx = set.ctx.max(1);
    let mut out = Vec::with_capacity(set.tokens.len());
    let of = |window| kinds(&set.texts, window);
    let lexical: Vec<usize> = match set.texts.is_empty() {
        true => vec![0; set.tokens.len()],
        false => set.tokens.chunks(ctx).flat_map(of).collect(),
    };
    for (at, (&class, (&a, &b))) in set.classes.iter().zip(lp[0].iter().zip(lp[1])).enumerate() {
        let (sequence, position) = (at / ctx, at % ctx + 1);
        let Some(&token) = set.tokens.get(at + 1).filter(|_| (1..=3).contains(&class)) else {
            continue;
        };
        let before = &set.tokens[sequence * ctx..sequence * ctx + position];
        let lp = [f64::from(a), f64::from(b)];
        out.push(Target {
            sequence,
            position,
            token,
            kind: class,
            lexical: if class == TEXT {
                lexical[at + 1]
            } else {
                KINDS.len()
            },
            seen: before.iter().filter(|&&t| t == token).count(),
            lp,
            delta: delta(lp, floor),
        });
    }
    out
}

/// How targets are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Its class, such as first period or repeat.
    Kind,
    /// What kind of token it is by its text, where it has one.
    Lexical,
    /// How often the token stood there before.
    Seen,
    /// Ranges of positions.
    Position,
    /// The token itself.
    Token,
}

impl By {
    /// All of them, with a name for files and one for people.
    const ALL: [(Self, &'static str, &'static str); 5] = [
        (Self::Kind, "kind", "what it is"),
        (Self::Seen, "seen", "how often it was seen before"),
        (Self::Position, "position", "position"),
        (Self::Token, "token", "target token"),
        (Self::Lexical, "lexical", "kind of token"),
    ];

    /// Those of some sequences: tokens that are numbers have no kind of their own.
    #[must_use]
    pub fn there(set: &TokenSet) -> &'static [(Self, &'static str, &'static str)] {
        &Self::ALL[..if set.texts.is_empty() { 4 } else { 5 }]
    }

    /// The number of the group of a target.
    fn group(self, t: &Target, ctx: usize) -> usize {
        match self {
            Self::Kind => t.kind as usize,
            Self::Lexical => t.lexical,
            Self::Seen => t.seen,
            Self::Position => (t.position - 1) * RANGES / ctx.saturating_sub(1).max(1),
            Self::Token => t.token as usize,
        }
    }
}

/// Targets that belong together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// What they have in common.
    pub name: String,
    /// How many.
    pub count: usize,
    /// Their Δ together, nats.
    pub sum: f64,
    /// Their mean Δ, nats a token.
    pub mean: f64,
    /// Its standard error, from the scatter between sequences, which are independent of each other.
    pub se: f64,
    /// Their part of the whole difference; none where there is none.
    pub share: Option<f64>,
}

/// Sum, mean and standard error of Δ over some targets of `sequences`: the ratio estimator, with whole
/// sequences as what is drawn.
fn put_together<'a>(name: String, of: impl Iterator<Item = &'a Target>, sequences: usize) -> Group {
    let mut rows = vec![(0.0, 0_usize); sequences];
    for t in of {
        if let Some(row) = rows.get_mut(t.sequence) {
            *row = (row.0 + t.delta, row.1 + 1);
        }
    }
    let sum: f64 = rows.iter().map(|r| r.0).sum();
    let count: usize = rows.iter().map(|r| r.1).sum();
    let (n, mean) = (sequences as f64, sum / count.max(1) as f64);
    let off = rows.iter().map(|r| (r.0 - mean * r.1 as f64).powi(2));
    let scatter = off.sum::<f64>() * n / (n - 1.0).max(1.0);
    Group {
        name,
        count,
        sum,
        mean,
        se: scatter.sqrt() / count.max(1) as f64,
        share: None,
    }
}

/// All targets as one.
#[must_use]
pub fn whole(targets: &[Target], sequences: usize) -> Group {
    put_together("all targets".into(), targets.iter(), sequences)
}

/// The groups there are, those that carry most of the difference first. Their sums are the whole's, to
/// the bit.
#[must_use]
pub fn groups(targets: &[Target], by: By, set: &TokenSet) -> Vec<Group> {
    let sequences = set.periods.len();
    let all = whole(targets, sequences).sum;
    let mut numbers: Vec<usize> = targets.iter().map(|t| by.group(t, set.ctx)).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let group = |number: usize| {
        let of = || targets.iter().filter(|t| by.group(t, set.ctx) == number);
        let ends = of().map(|t| t.position);
        let name = match by {
            By::Kind => set
                .names
                .get(number.wrapping_sub(1))
                .cloned()
                .unwrap_or_default(),
            By::Lexical => KINDS.get(number).map_or("not in text", |k| k.title).into(),
            By::Seen => match number {
                0 => "never".into(),
                1 => "once".into(),
                2 => "twice".into(),
                n => format!("{n} times"),
            },
            By::Position => format!(
                "{} to {}",
                ends.clone().min().unwrap_or(0),
                ends.max().unwrap_or(0)
            ),
            By::Token => match set.texts.get(number) {
                Some(text) => format!("{text:?}"),
                None => format!("token {number}"),
            },
        };
        let mut found = put_together(name, of(), sequences);
        found.share = (all != 0.0).then(|| found.sum / all);
        found
    };
    let mut out: Vec<Group> = numbers.into_iter().map(group).collect();
    crate::math::order::sort_by(&mut out, |a, b| b.sum.abs().total_cmp(&a.sum.abs()));
    out
}

/// Mean Δ at every position that has targets: positions, means and standard errors, nats a token.
#[must_use]
pub fn by_position(targets: &[Target], set: &TokenSet) -> [Vec<f64>; 3] {
    let mut out = [const { Vec::new() }; 3];
    for position in 1..set.ctx {
        let of = targets.iter().filter(|t| t.position == position);
        let all = put_together(String::new(), of, set.periods.len());
        if all.count > 0 {
            for (column, x) in out.iter_mut().zip([position as f64, all.mean, all.se]) {
                column.push(x);
            }
        }
    }
    out
}

/// The targets that changed most, by their index: those A does better on, then those B does.
#[must_use]
pub fn ranked(targets: &[Target], most: usize) -> [Vec<usize>; 2] {
    [1.0, -1.0].map(|sign| {
        let worth = |i: &usize| sign * targets[*i].delta;
        let mut all: Vec<usize> = (0..targets.len()).filter(|i| worth(i) > 0.0).collect();
        crate::math::order::sort_by(&mut all, |a, b| {
            worth(b).total_cmp(&worth(a)).then(a.cmp(b))
        });
        all.truncate(most);
        all
    })
}

/// Mean losses of A and B over all targets, without a floor, nats a token.
#[must_use]
pub fn losses(targets: &[Target]) -> [f64; 2] {
    let mean = |of: usize| {
        let sum: f64 = targets.iter().map(|t| -t.lp[of]).sum();
        sum / targets.len().max(1) as f64
    };
    [mean(0), mean(1)]
}

/// Targets of A and of B that lie under the floor.
#[must_use]
pub fn under(targets: &[Target], floor: f64) -> [usize; 2] {
    // What is no number is under it too.
    let low = |lp: f64| lp < -floor || lp.is_nan();
    let of = |k: usize| targets.iter().filter(|t| low(t.lp[k])).count();
    [of(0), of(1)]
}

/// What a missing head takes of the difference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Removed {
    /// Whose head: A (0) or B (1).
    pub side: usize,
    /// Its name.
    pub name: String,
    /// Mean Δ that is left without it, nats a token.
    pub left: f64,
    /// Mean Δ that went with it, nats a token.
    pub removed: f64,
    /// Its standard error, from the scatter between sequences of what each lost.
    pub se: f64,
    /// The part of the mean Δ that went with it, 1 for all; none where there was no difference.
    pub share: Option<f64>,
}

/// Each copy of A and B that lacks heads; those without which the two are nearest come first.
#[must_use]
pub fn removed(
    set: &TokenSet,
    lp: [&[f32]; 2],
    lacking: [&[(&str, &[f32])]; 2],
    floor: f64,
) -> Vec<Removed> {
    let (before, sequences) = (targets(set, lp, floor), set.periods.len());
    let all = whole(&before, sequences).mean;
    let mut out = Vec::new();
    for (side, copies) in lacking.into_iter().enumerate() {
        for (name, own) in copies {
            let then = if side == 0 {
                [own, lp[1]]
            } else {
                [lp[0], own]
            };
            let without = targets(set, then, floor);
            let left = whole(&without, sequences).mean;
            // The same target with and without the head: what both share cancels.
            let lost = before.iter().zip(&without).map(|(a, b)| Target {
                delta: a.delta - b.delta,
                ..*a
            });
            let lost = whole(&lost.collect::<Vec<_>>(), sequences);
            out.push(Removed {
                side,
                name: (*name).to_string(),
                left,
                removed: lost.mean,
                se: lost.se,
                share: (all != 0.0).then(|| 1.0 - left / all),
            });
        }
    }
    crate::math::order::sort_by(&mut out, |a, b| a.left.abs().total_cmp(&b.left.abs()));
    out
}

/// How many targets of each kind have a Δ in each bin of `width` nats: the left edge of the first bin,
/// then `[bin][class − 1]`. Zero is the middle of a bin.
#[must_use]
pub fn histogram(targets: &[Target], width: f64) -> (f64, Vec<[usize; 3]>) {
    let bin = |d: f64| (d / width).round() as i64;
    let bins = targets.iter().map(|t| bin(t.delta));
    let (Some(low), Some(high)) = (bins.clone().min(), bins.max()) else {
        return (0.0, Vec::new());
    };
    let mut out = vec![[0; 3]; usize::try_from(high - low + 1).unwrap_or(1)];
    for t in targets {
        let at = usize::try_from(bin(t.delta) - low).unwrap_or(0);
        out[at][(t.kind as usize).clamp(1, 3) - 1] += 1;
    }
    ((low as f64 - 0.5) * width, out)
}

#[cfg(test)]
mod tests;
