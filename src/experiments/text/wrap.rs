//! Whether a model counts the characters of a line: what it says where a word ends, in lines that are short
//! still and in lines that are nearly full. Where words end is where a line may end at all, so the two differ
//! by the column alone, and not by how many words end there.

use super::reading::COLUMNS;
use crate::experiments::Reading;
use crate::math::stats::{mean, sd};
use crate::tasks::tokenizer::columns;

/// Fewest words on either side.
const FEWEST: usize = 6;
/// Twice the logarithm of the likelihood that a column must gain: one in 16 000 for one column by chance,
/// and over a hundred are tried.
const GAIN: f64 = 16.0;

/// Counts, by column (behind so many characters of a line, longer lines at [`COLUMNS`]), the places of a
/// text and those at which the line ends. Places before the first line end have no column. The quotient is P(line end | column): whoever knows
/// the true probability of what follows, given all of the text before, gives the line's end this much in
/// the mean over the places of a column (the expectation of a conditional expectation).
pub(super) fn line_ends(texts: &[String], tokens: &[u32], out: &mut Vec<[u32; 2]>) {
    out.resize(COLUMNS + 1, [0; 2]);
    let next = tokens.iter().skip(1);
    for (column, &next) in columns(texts, tokens).into_iter().zip(next) {
        if let Some(column) = column {
            let here = &mut out[column.min(COLUMNS)];
            here[0] += 1;
            here[1] += u32::from(texts[next as usize] == "\n");
        }
    }
}

/// The length that a quarter of the lines reach which hold anything; 0 where there is no line.
pub(super) fn long(lines: &[[u32; 2]]) -> usize {
    let ends = || lines.iter().skip(1).map(|l| l[1]);
    let all: u32 = ends().sum();
    let mut behind = all;
    let short = ends().take_while(|n| {
        behind -= n;
        4 * behind >= all
    });
    if all == 0 { 0 } else { 1 + short.count() }
}

/// A word that ends in the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ending {
    /// Characters of the line so far.
    pub(super) column: usize,
    /// What the model gives to the end of the line, of what it gives to that and to another word.
    pub(super) said: f64,
    /// Whether the line does end there.
    pub(super) ends: bool,
}

/// The logarithm of the likelihood of `k` of `n` at its own rate.
fn likelihood(k: usize, n: usize) -> f64 {
    let term = |k: usize| match k {
        0 => 0.0,
        k => k as f64 * (k as f64 / n as f64).ln(),
    };
    term(k) + term(n - k)
}

/// The column from which on lines end that did not before, by the text alone: the best of all places to
/// cut in two. None where no column is such.
fn width(all: &[Ending]) -> Option<usize> {
    let count = |of: &dyn Fn(&Ending) -> bool| all.iter().filter(|e| of(e)).count();
    let (n, k) = (all.len(), count(&|e| e.ends));
    let mut best = None;
    for column in 1..=COLUMNS {
        let before = count(&|e| e.column < column);
        let ended = count(&|e| e.column < column && e.ends);
        let behind = n - before;
        let rises = (k - ended) * before > ended * behind;
        if before.min(behind) < FEWEST || !rises {
            continue;
        }
        let gain =
            2.0 * (likelihood(ended, before) + likelihood(k - ended, behind) - likelihood(k, n));
        if gain > best.map_or(GAIN, |(most, _)| most) {
            best = Some((gain, column));
        }
    }
    best.map(|(_, column)| column)
}

/// `wrap.from`, that column; `wrap.before` and `wrap.behind`, the mean of what the model gives to the end of
/// the line where a word ends before it and from it on, with a standard error either way;
/// `wrap.ends.before` and `wrap.ends.behind`, how often lines do end there. Where no column is such
/// `wrap.from` is 0, and beside it stands `wrap.long` alone, the length that a quarter of the lines reach.
pub(super) fn step(all: &[Ending], long: usize) -> Vec<Reading> {
    let from = width(all);
    let alone = |id: &str, y: usize| Reading {
        id: id.into(),
        y: y as f64,
        range: None,
    };
    let mut out = vec![
        alone("wrap.from", from.unwrap_or(0)),
        alone("wrap.long", long),
    ];
    let Some(from) = from else {
        return out;
    };
    for (side, late) in [("before", false), ("behind", true)] {
        let here = || all.iter().filter(|e| (e.column >= from) == late);
        let said: Vec<f64> = here().map(|e| e.said).collect();
        let ends: Vec<f64> = here().map(|e| f64::from(u8::from(e.ends))).collect();
        let (y, se) = (mean(&said), sd(&said) / (said.len() as f64).sqrt());
        out.push(Reading {
            id: format!("wrap.{side}"),
            y,
            range: Some((y - se, y + se)),
        });
        out.push(Reading {
            id: format!("wrap.ends.{side}"),
            y: mean(&ends),
            range: None,
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of words of `1 + word % 7` letters, broken before `wrap`; the model says what `said` does.
    fn lines(wrap: usize, said: impl Fn(usize) -> f64) -> Vec<Ending> {
        let (mut all, mut column) = (Vec::new(), 0);
        for word in 0..400_usize {
            let next = 1 + (word + 1) * 5 % 7;
            column += 1 + word * 5 % 7;
            let ends = column + 1 + next > wrap;
            all.push(Ending {
                column,
                said: said(column),
                ends,
            });
            column = if ends { 0 } else { column + 1 };
        }
        all
    }

    fn value(all: &[Reading], id: &str) -> Option<f64> {
        all.iter().find(|r| r.id == id).map(|r| r.y)
    }

    #[test]
    fn the_width_is_found_and_one_that_counts_is_told() {
        let found = step(&lines(40, |column| f64::from(u8::from(column >= 33))), 0);
        let from = value(&found, "wrap.from").unwrap_or_default();
        assert!((33.0..=40.0).contains(&from), "{found:?}");
        let apart = |id: &str| {
            let [a, b] = ["before", "behind"].map(|side| format!("wrap.{id}{side}"));
            value(&found, &b).unwrap_or_default() - value(&found, &a).unwrap_or_default()
        };
        assert!(apart("ends.") > 0.7 && apart("") > 0.7, "{found:?}");
        // Planted fault: one that says the same everywhere makes no step on the same lines.
        let flat = step(&lines(40, |_| 0.15), 0);
        assert_eq!(value(&flat, "wrap.from"), Some(from));
        for side in ["wrap.before", "wrap.behind"] {
            assert!((value(&flat, side).unwrap_or_default() - 0.15).abs() < 1e-12);
        }
    }

    #[test]
    fn lines_without_a_width_have_no_step() {
        // Every seventh word ends its line, wherever it stands.
        let mut all = lines(40, |_| 0.5);
        for (i, e) in all.iter_mut().enumerate() {
            e.ends = i * 31 % 7 == 0;
            e.column = i * 17 % 90;
        }
        for none in [&all[..], &lines(40, |_| 0.5)[..8], &[]] {
            let found = step(none, 0);
            assert!(found.len() == 2 && value(&found, "wrap.from") == Some(0.0));
        }
    }

    #[test]
    fn line_ends_are_counted_by_hand() {
        let texts = ["?", "a", "b", " ", "\n"].map(String::from);
        // "ab↵ab a↵↵ab↵": what stands before the first line end belongs to no column.
        let tokens = [1, 2, 4, 1, 2, 3, 1, 4, 4, 1, 2, 4];
        let counted = |tokens: &[u32]| {
            let mut out = Vec::new();
            line_ends(&texts, tokens, &mut out);
            out
        };
        let found = counted(&tokens);
        assert_eq!(found[..5], [[3, 1], [2, 0], [2, 1], [1, 0], [1, 1]]);
        assert!(found[5..].iter().all(|n| n[0] == 0));
        // Lines of two and of four characters: a quarter reach four; of nothing, nothing.
        assert_eq!((long(&found), long(&found[..1])), (4, 0));
        // Planted fault: columns that are counted from the beginning of the window.
        assert_ne!(counted(&tokens[3..])[..5], found[..5]);
    }
}
