//! What predictions are held against: what counting one, two or three tokens of the text says, on the
//! held-out windows that the model is tested on.

use super::lab::Reader;
use super::reading::Passage;
use crate::experiments::heads;
use crate::experiments::transformer::{Seen, World, spread};
use crate::instruments::even;
use crate::math::Stream;
use crate::tasks::tokens::class;

/// Names of the predictors, by how many tokens they count.
const NAMES: [&str; 3] = ["unigram", "bigram", "trigram"];

/// A predictor at the held-out positions.
#[derive(Debug)]
struct Said {
    /// Its probabilities where predictions are judged, `[row][vocab]`.
    p: Vec<f32>,
    /// Mean of Σ p ln p over these rows, nats.
    entropy: f64,
    /// Mean loss on all held-out targets of text, nats.
    loss: f64,
}

/// The held-out sequences of a seed, as predictors and even attention see them.
#[derive(Debug)]
pub(super) struct Held {
    vocab: usize,
    /// Of the rows that are judged, which are of text and have a target.
    rows: Vec<usize>,
    said: Vec<Said>,
    even: [f64; 3],
    /// Targets of the classes text and repeat, and of neither.
    counts: [usize; 3],
    pub(super) passage: Passage,
}

impl Held {
    pub(super) fn new(reader: &Reader, seed: u32, batch: usize, rows: usize) -> Self {
        let (ctx, vocab) = (reader.repeat.ctx, reader.vocab);
        let mut tokens = Vec::new();
        reader.batch(seed, Stream::HeldOut, 0, batch, &mut tokens);
        let classes = tokens.split_off(batch * ctx);
        let judged = spread(batch * ctx, rows).into_iter();
        let rows: Vec<(usize, usize)> = judged
            .map(|row| row as usize)
            .enumerate()
            .filter(|(_, row)| classes[*row] == class::A)
            .collect();
        let grams = &reader.read.counts(vocab).grams;
        let context = |row: usize| &tokens[row - row % ctx..=row];
        let said = (1..=3).map(|n| {
            let p: Vec<f32> = rows
                .iter()
                .flat_map(|(_, row)| grams.predict(n, context(*row)))
                .map(|p| p as f32)
                .collect();
            let entropy: f64 = p.iter().map(|&p| f64::from(p) * f64::from(p).ln()).sum();
            let of_text = (0..batch * ctx).filter(|&row| classes[row] == class::A);
            let cost = |row: usize| -grams.predict(n, context(row))[tokens[row + 1] as usize].ln();
            let (sum, all) = of_text.fold((0.0, 0), |(s, n), row| (s + cost(row), n + 1));
            Said {
                p,
                entropy: entropy / rows.len().max(1) as f64,
                loss: sum / f64::from(all.max(1)),
            }
        });
        let count = |is: &dyn Fn(u32) -> bool| classes.iter().filter(|&&c| is(c)).count();
        Self {
            vocab,
            said: said.collect(),
            even: even::scores(&tokens, ctx, |row| classes[row] == class::B),
            counts: [
                count(&|c| c == class::A),
                count(&|c| c == class::B),
                count(&|c| c == class::PLAIN),
            ],
            rows: rows.into_iter().map(|(at, _)| at).collect(),
            passage: Passage::new(&reader.texts(), vocab, ctx, [&tokens, &classes]),
        }
    }

    /// Mean KL(q‖model) in nats of each predictor q over the rows that are judged; none where no logits
    /// were read.
    fn distances(&self, logits: &[f32]) -> Option<[f64; 3]> {
        let (v, mut cross) = (self.vocab, [0.0; 3]);
        for (i, &row) in self.rows.iter().enumerate() {
            let z = logits.get(row * v..(row + 1) * v)?;
            let top = z.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let log = z.iter().map(|&z| (z - top).exp()).sum::<f32>().ln() + top;
            for (cross, said) in cross.iter_mut().zip(&self.said) {
                let p = said.p[i * v..(i + 1) * v].iter();
                let here: f32 = p.zip(z).map(|(p, z)| p * (z - log)).sum();
                *cross += f64::from(here);
            }
        }
        let n = self.rows.len() as f64;
        (n > 0.0).then(|| [0, 1, 2].map(|i| self.said[i].entropy - cross[i] / n))
    }

    /// The series of an evaluation.
    pub(super) fn values(&self, seen: &Seen) -> Vec<(String, f64)> {
        let mut out = Vec::new();
        for (name, said) in NAMES.iter().zip(&self.said) {
            out.push((format!("level.{name}"), said.loss));
        }
        if let Some(far) = self.distances(seen.judged) {
            for (name, far) in NAMES.iter().zip(far) {
                out.push((format!("kl.{name}"), far));
            }
        }
        if let [all, text, repeat, ..] = seen.stats {
            let [a, b, rest] = self.counts.map(|n| n as f64);
            let sum = f64::from(*all) * (a + b + rest);
            let first = (sum - f64::from(*text) * a - f64::from(*repeat) * b) / rest.max(1.0);
            out.push(("loss.first".into(), first));
        }
        out.extend(self.passage.by_kind(seen.losses));
        let even = heads::EVEN.into_iter().zip(self.even);
        out.extend(even.map(|(id, y)| (id.into(), y)));
        out
    }
}
