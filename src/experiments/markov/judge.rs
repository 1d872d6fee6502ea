//! What predictions are held against: the chains themselves, and what can be counted in the context.
//! All on the held-out sequences, so that the model and the predictors it is compared with have seen
//! the same symbols.

use crate::experiments::heads;
use crate::instruments::even;
use crate::math::Stream;
use crate::tasks::markov::{Chain, Markov, Predictor};
use std::cell::RefCell;

/// The held-out sequences of a run and their chains.
#[derive(Debug)]
struct HeldOut {
    chains: Vec<Chain>,
    symbols: Vec<u32>,
}

impl HeldOut {
    fn of(task: &Markov, seed: u32, batch: usize) -> Self {
        let mut symbols = Vec::new();
        let chains = task.batch(seed, Stream::HeldOut, 0, batch, &mut symbols);
        symbols.truncate(batch * task.ctx);
        Self { chains, symbols }
    }

    /// What the chains say at every position, `[batch·ctx][k]`.
    fn truth(&self, task: &Markov) -> Vec<f64> {
        let k = task.symbols as u32;
        let sequences = self.chains.iter().zip(self.symbols.chunks(task.ctx));
        let rows = sequences.flat_map(|(c, s)| s.iter().map(move |&from| (c, from)));
        rows.flat_map(|(c, from)| (0..k).map(move |to| c.probability(from, to)))
            .collect()
    }

    /// What a predictor says there.
    fn said(&self, task: &Markov, by: Predictor) -> Vec<f64> {
        let sequences = self.symbols.chunks(task.ctx);
        sequences.flat_map(|s| task.predict(by, s)).collect()
    }
}

/// KL(p‖q) in nats of two distributions; symbols that cannot come cost nothing.
#[must_use]
pub fn kl(p: &[f64], q: &[f64]) -> f64 {
    let of = |(&p, &q): (&f64, &f64)| if p > 0.0 { p * (p / q).ln() } else { 0.0 };
    p.iter().zip(q).map(of).sum()
}

/// Positions of a context at whose end a prediction is counted as late: the last tenth with a target.
fn late(ctx: usize) -> usize {
    (ctx - 1) - (ctx / 10).max(1)
}

/// Mean KL(p‖q) over the targets of all sequences from position `first` on; `p` and `q` are
/// `[batch·ctx][k]`.
fn mean_kl(task: &Markov, p: &[f64], q: &[f64], first: usize) -> f64 {
    let (k, ctx) = (task.symbols, task.ctx);
    let rows = p.chunks_exact(k).zip(q.chunks_exact(k)).enumerate();
    let with_target = rows.filter(|(n, _)| (first..ctx - 1).contains(&(n % ctx)));
    let (sum, n) = with_target.fold((0.0, 0), |(sum, n), (_, (p, q))| (sum + kl(p, q), n + 1));
    sum / f64::from(n.max(1))
}

/// Probabilities `[rows][k]` of logits.
fn softmax(logits: &[f32], k: usize) -> Vec<f64> {
    let mut out = Vec::with_capacity(logits.len());
    for row in logits.chunks_exact(k) {
        let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let powers = row.iter().map(|&z| f64::from(z - top).exp());
        let sum: f64 = powers.clone().sum();
        out.extend(powers.map(|p| p / sum));
    }
    out
}

/// The series of an evaluation: how far the predictions are from the truth, over all targets and over
/// the last tenth of positions, and how far from what the predictors say; and
/// what even attention would score.
#[must_use]
pub fn values(task: &Markov, seed: u32, logits: &[f32]) -> Vec<(String, f64)> {
    let batch = logits.len() / (task.ctx * task.symbols).max(1);
    if batch == 0 {
        return Vec::new();
    }
    let (held, model) = (
        HeldOut::of(task, seed, batch),
        softmax(logits, task.symbols),
    );
    let from = |p: &[f64], first| mean_kl(task, p, &model, first);
    let truth = held.truth(task);
    let by = |predictor| from(&held.said(task, predictor), 0);
    let mut out = vec![
        ("kl", from(&truth, 0)),
        ("kl.late", from(&truth, late(task.ctx))),
        ("kl.unigram", by(Predictor::Unigram)),
        ("kl.bigram", by(Predictor::Bigram)),
    ];
    if task.bayes() == Predictor::Shift {
        out.push(("kl.shift", by(Predictor::Shift)));
    }
    let even = even::scores(&held.symbols, task.ctx, |_| true);
    out.extend(heads::EVEN.into_iter().zip(even));
    out.into_iter().map(|(id, y)| (id.into(), y)).collect()
}

/// What a predictor costs on the held-out sequences.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Level {
    /// Mean loss, nats.
    pub loss: f64,
    /// Mean KL from the truth over all targets, nats.
    pub kl: f64,
    /// The same over the last tenth of positions.
    pub late: f64,
}

/// The predictors' levels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Levels {
    /// Every symbol is as likely as another.
    pub uniform: Level,
    /// What came how often.
    pub unigram: Level,
    /// What came how often after the present symbol.
    pub bigram: Level,
    /// Bayes' answer.
    pub bayes: Level,
    /// The chains themselves: the entropy of what comes next.
    pub truth: Level,
}

fn levels_of(task: &Markov, seed: u32, batch: usize) -> Levels {
    let held = HeldOut::of(task, seed, batch);
    let truth = held.truth(task);
    let level = |said: &[f64]| {
        let (k, ctx) = (task.symbols, task.ctx);
        let targets = held.symbols.iter().enumerate().filter(|(n, _)| n % ctx > 0);
        let cost = targets.map(|(n, &to)| -said[(n - 1) * k + to as usize].ln());
        Level {
            loss: cost.sum::<f64>() / (batch * (ctx - 1)) as f64,
            kl: mean_kl(task, &truth, said, 0),
            late: mean_kl(task, &truth, said, late(ctx)),
        }
    };
    let by = |predictor| level(&held.said(task, predictor));
    Levels {
        uniform: by(Predictor::Uniform),
        unigram: by(Predictor::Unigram),
        bigram: by(Predictor::Bigram),
        bayes: by(task.bayes()),
        truth: level(&truth),
    }
}

type Key = (Markov, u32, usize);

thread_local! {
    static LAST: RefCell<Option<(Key, Levels)>> = const { RefCell::new(None) };
}

/// The levels on the held-out sequences of that seed; charts ask for the same ones again and again.
#[must_use]
pub fn levels(task: &Markov, seed: u32, batch: usize) -> Levels {
    let key = (*task, seed, batch);
    LAST.with_borrow_mut(|last| match last {
        Some((of, levels)) if *of == key => *levels,
        _ => last.insert((key, levels_of(task, seed, batch))).1,
    })
}
