//! Where in the text the loss is: by the kind of the token to come, and by the column of its line; and
//! pairs of windows for the matched copying check.

use super::lab::Reader;
use super::wrap::{self, Ending};
use crate::experiments::Reading;
use crate::experiments::transformer::{Seen, spread};
use crate::instruments::lexical::{KINDS, kinds, means};
use crate::math::Stream;
use crate::math::philox::Draws;
use crate::math::stats::{mean, sd};
use crate::tasks::tokenizer::columns;
use crate::tasks::tokens::class;

/// Columns that are told apart: longer lines end here.
pub(super) const COLUMNS: usize = 120;
/// Targets behind a column, at least: the scatter of fewer says nothing.
const FEWEST: usize = 4;
/// Step of the held-out stream that pairs are drawn at: runs evaluate on step 0, comparisons ask about 1.
const STEP: u32 = 2;

/// The held-out windows of text, position by position.
#[derive(Debug)]
pub(super) struct Passage {
    vocab: usize,
    /// By row: the kind of the target; none where there is none, or it is no text.
    kinds: Vec<Option<usize>>,
    /// By row: how many characters of the line there are; none where nobody can know, or it is no text.
    columns: Vec<Option<usize>>,
    /// By row: whether the target is the end of a line.
    ends: Vec<bool>,
    newline: Option<usize>,
    /// By token: whether it begins with a space, and so another word.
    spaced: Vec<bool>,
    /// By row: whether a word ends there, another one or a line's end being the target.
    word_ends: Vec<bool>,
}

impl Passage {
    /// Of the sequences of an evaluation, `[sequence][ctx]`.
    pub(super) fn new(texts: &[String], vocab: usize, ctx: usize, of: [&[u32]; 2]) -> Self {
        let [tokens, classes] = of;
        let newline = texts.iter().position(|t| t == "\n");
        let (mut kind, mut column) = (Vec::new(), Vec::new());
        for window in tokens.chunks_exact(ctx) {
            let own = kinds(texts, window);
            kind.extend(own.into_iter().skip(1).map(Some).chain([None]));
            column.extend(columns(texts, window));
        }
        let of_text = |row: usize| classes[row] == class::A;
        let next = |row: usize| tokens.get(row + 1).map(|&t| t as usize);
        let rows = 0..tokens.len();
        let spaced: Vec<bool> = texts.iter().map(|t| t.starts_with(' ')).collect();
        let ends_word = |row: usize| {
            next(row).is_some_and(|t| Some(t) == newline || spaced.get(t) == Some(&true))
        };
        Self {
            vocab,
            word_ends: rows.clone().map(ends_word).collect(),
            ends: rows
                .map(|row| newline.is_some() && next(row) == newline)
                .collect(),
            kinds: (0..)
                .zip(kind)
                .map(|(row, k)| k.filter(|_| of_text(row)))
                .collect(),
            columns: (0..)
                .zip(column)
                .map(|(row, c)| c.filter(|_| of_text(row)))
                .collect(),
            newline,
            spaced,
        }
    }

    /// `loss.class.newline` and its like: the mean loss on targets of each kind there is.
    pub(super) fn by_kind(&self, losses: &[f32]) -> Vec<(String, f64)> {
        let rows = self.kinds.iter().zip(losses);
        let found = means(rows.map(|(&kind, &loss)| (kind, f64::from(loss))));
        let there = KINDS.iter().zip(found).filter(|(_, (_, n))| *n > 0);
        there
            .map(|(kind, (loss, _))| (format!("loss.class.{}", kind.key), loss))
            .collect()
    }

    /// `column.7.loss`, `column.7.newline` and `column.7.ends`: behind so many characters of a line, the
    /// mean loss, the mean probability of a line's end, with a standard error either way, from the scatter
    /// between targets; and how often lines do end there, by counting in `lines`
    /// ([`wrap::line_ends`]). Behind them what [`wrap::step`] says.
    pub(super) fn by_column(&self, seen: &Seen, lines: &[[u32; 2]], long: usize) -> Vec<Reading> {
        let mut found: Vec<[Vec<f64>; 2]> = vec![Default::default(); COLUMNS + 1];
        let (judged, mut words) = (seen.judged.len() / self.vocab, Vec::new());
        let all = spread(self.kinds.len(), judged).into_iter();
        for (row, z) in all.zip(seen.judged.chunks_exact(self.vocab)) {
            let row = row as usize;
            let (Some(column), Some(newline), Some(&loss)) =
                (self.columns[row], self.newline, seen.losses.get(row))
            else {
                continue;
            };
            let top = z.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let p = |&z: &f32| (z - top).exp();
            let sum: f32 = z.iter().map(p).sum();
            if column > 0 && self.word_ends[row] {
                let spaces = z.iter().zip(&self.spaced).filter(|(_, s)| **s);
                let other: f32 = spaces.map(|(z, _)| p(z)).sum();
                words.push(Ending {
                    column,
                    said: f64::from(p(&z[newline]) / (p(&z[newline]) + other)),
                    ends: self.ends[row],
                });
            }
            let here = &mut found[column.min(COLUMNS)];
            here[0].push(f64::from(loss));
            here[1].push(f64::from(p(&z[newline]) / sum));
        }
        let mut out = Vec::new();
        let several = |(_, values): &(usize, &[Vec<f64>; 2])| values[0].len() >= FEWEST;
        for (column, values) in found.iter().enumerate().filter(several) {
            for (name, x) in ["loss", "newline"].into_iter().zip(values) {
                let (y, n) = (mean(x), x.len() as f64);
                let se = sd(x) / n.sqrt();
                out.push(Reading {
                    id: format!("column.{column}.{name}"),
                    y,
                    range: Some((y - se, y + se)),
                });
            }
        }
        for (column, [all, ends]) in lines.iter().enumerate().filter(|(_, n)| n[0] > 0) {
            out.push(Reading {
                id: format!("column.{column}.ends"),
                y: f64::from(*ends) / f64::from(*all),
                range: None,
            });
        }
        out.extend(wrap::step(&words, long));
        out
    }
}

/// Appends pairs for the matched copying check: in the first of each a span of text stands at its own
/// place and, copied, before it; in the second other text of the same length stands where the copy was.
/// Targets are the tokens of the later span from its second on: the first cannot be looked up.
pub(super) fn pairs(of: &Reader, seed: u32, group: u32, batch: usize, out: &mut Vec<u32>) {
    let ctx = of.repeat.ctx;
    let span = (ctx / 5).max(2);
    let mut draws = Draws::new(seed, Stream::HeldOut, STEP + group);
    let mut classes = Vec::with_capacity(batch * ctx);
    for _ in 0..batch / 2 {
        let (mut window, mut other) = (Vec::new(), Vec::new());
        of.read
            .text
            .window(Stream::HeldOut, &mut draws, ctx, &mut window);
        of.read
            .text
            .window(Stream::HeldOut, &mut draws, span, &mut other);
        let late = ctx - span - draws.index((ctx / 5) as u32) as usize;
        let early = draws.index((late - span) as u32) as usize;
        let copy = window[late..late + span].to_vec();
        for (from, class) in [(&copy, class::A), (&other, class::B)] {
            let begin = out.len();
            out.extend(&window);
            out[begin + early..begin + early + span].copy_from_slice(from);
            classes.extend((0..ctx).map(|i| match i {
                i if i + 1 == ctx => class::NONE,
                i if (late..late + span - 1).contains(&i) => class,
                _ => class::PLAIN,
            }));
        }
    }
    // An odd batch has one sequence more, which is of no pair.
    for _ in 0..batch % 2 {
        out.resize(out.len() + ctx, 0);
        classes.resize(classes.len() + ctx, class::NONE);
    }
    out.append(&mut classes);
}

#[cfg(test)]
mod tests;
