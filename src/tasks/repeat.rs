//! The repeat task: a sample is `p` distinct random tokens, repeated to the end of the context.
//!
//! The period `p` is drawn for each sample, so no fixed offset predicts the repeats: a model must
//! look up where the present token stood before and copy what followed it.

use crate::math::Stream;
use crate::math::philox::Draws;

/// Class words of a position: what its target, the token after it, is counted in.
pub mod class {
    /// A target inside the first period.
    pub use crate::tasks::tokens::class::A as FIRST;
    /// A target that the context determines.
    pub use crate::tasks::tokens::class::B as REPEAT;
    pub use crate::tasks::tokens::class::NONE;
    /// Counted in the mean only: the first token of the second period, which nothing announces.
    pub use crate::tasks::tokens::class::PLAIN;
}

/// The distribution of samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// Tokens are in 0..vocab.
    pub vocab: usize,
    /// Tokens of a sample.
    pub ctx: usize,
    /// Least period.
    pub pmin: usize,
    /// Greatest period; at most `vocab`.
    pub pmax: usize,
}

impl Repeat {
    /// Appends `batch·ctx` tokens, then `batch·ctx` class words, and returns the periods.
    ///
    /// Each sample consumes the same number of random words, so sample `i` is a pure function of
    /// (seed, stream, step, i), whatever the size of the batch.
    pub fn batch(
        &self,
        seed: u32,
        stream: Stream,
        step: u32,
        batch: usize,
        out: &mut Vec<u32>,
    ) -> Vec<usize> {
        let mut draws = Draws::new(seed, stream, step);
        let mut deck: Vec<u32> = Vec::with_capacity(self.vocab);
        let periods: Vec<usize> = (0..batch)
            .map(|_| {
                let span = (self.pmax - self.pmin + 1) as u32;
                let p = self.pmin + draws.index(span) as usize;
                self.first_period(&mut draws, &mut deck);
                out.extend((0..self.ctx).map(|t| deck[t % p]));
                p
            })
            .collect();
        for &p in &periods {
            out.extend((0..self.ctx).map(|t| self.class(p, t)));
        }
        periods
    }

    /// Puts `pmax` distinct tokens, uniform without replacement, at the front of the deck: a
    /// partial Fisher-Yates shuffle, always `pmax` draws long.
    fn first_period(&self, draws: &mut Draws, deck: &mut Vec<u32>) {
        deck.clear();
        deck.extend(0..self.vocab as u32);
        for i in 0..self.pmax.min(self.vocab) {
            let j = i + draws.index((self.vocab - i) as u32) as usize;
            deck.swap(i, j);
        }
    }

    /// The class of position `t` in a sample of period `p`: that of its target, token `t + 1`.
    #[must_use]
    pub fn class(&self, p: usize, t: usize) -> u32 {
        match t + 1 {
            target if target >= self.ctx => class::NONE,
            target if target < p => class::FIRST,
            target if target == p => class::PLAIN,
            _ => class::REPEAT,
        }
    }

    /// Loss of the uniform guess: ln V nats.
    #[must_use]
    pub fn uniform(&self) -> f64 {
        (self.vocab as f64).ln()
    }

    /// The least loss on first-period targets, nats: after `t` distinct tokens the next is uniform
    /// over the other V − t, so its target costs ln(V − t). Mean over all such targets (t in
    /// 1..p) of all periods, each period as likely as another.
    #[must_use]
    pub fn floor(&self) -> f64 {
        self.pooled(|p| (1..p).map(|t| ((self.vocab - t) as f64).ln()).collect())
    }

    /// Loss on repeats of a model that knows only which tokens the context holds and gives each of
    /// the `p` of them 1/p: ln p nats. Mean over all repeat targets (positions p+1..ctx) of all
    /// periods, each period as likely as another.
    #[must_use]
    pub fn unigram(&self) -> f64 {
        self.pooled(|p| vec![(p as f64).ln(); (self.ctx - 1).saturating_sub(p)])
    }

    /// Mean over the targets of all periods together, as the loss pools them over a batch.
    fn pooled(&self, of: impl Fn(usize) -> Vec<f64>) -> f64 {
        let all: Vec<f64> = (self.pmin..=self.pmax).flat_map(of).collect();
        all.iter().sum::<f64>() / all.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::tokens;

    const TASK: Repeat = Repeat {
        vocab: 16,
        ctx: 20,
        pmin: 4,
        pmax: 9,
    };

    /// What is wrong with a batch, judged from its tokens and classes alone.
    fn fault(task: &Repeat, words: &[u32], batch: usize) -> Option<String> {
        let (tokens, classes) = words.split_at(batch * task.ctx);
        for s in 0..batch {
            let tok = &tokens[s * task.ctx..][..task.ctx];
            let cls = &classes[s * task.ctx..][..task.ctx];
            let Some(p) = (1..task.ctx).find(|&t| tok[t] == tok[0]) else {
                return Some("no period".into());
            };
            if !(task.pmin..=task.pmax).contains(&p) {
                return Some(format!("period {p}"));
            }
            if tok.iter().any(|&x| x as usize >= task.vocab) {
                return Some("a token outside the vocabulary".into());
            }
            if (1..p).any(|t| tok[..t].contains(&tok[t])) {
                return Some("a token twice in the first period".into());
            }
            if (p..task.ctx).any(|t| tok[t] != tok[t - p]) {
                return Some("a repeat that does not repeat".into());
            }
            for (t, &class) in cls.iter().enumerate() {
                let target = t + 1;
                let want = if target == task.ctx {
                    0
                } else if target == p {
                    1
                } else if target < p {
                    2
                } else {
                    3
                };
                if class != want {
                    return Some(format!("class {class} at {t}, period {p}"));
                }
            }
        }
        None
    }

    fn words() -> Vec<u32> {
        let mut out = Vec::new();
        TASK.batch(3, Stream::Data, 11, 40, &mut out);
        out
    }

    #[test]
    fn samples_repeat_and_classes_name_the_targets() {
        let good = words();
        assert_eq!(good.len(), 2 * 40 * TASK.ctx);
        assert_eq!(fault(&TASK, &good, 40), None);
    }

    #[test]
    fn the_check_rejects_planted_faults() {
        let n = 40 * TASK.ctx;
        let mut last_token = words();
        last_token[n - 1] = (last_token[n - 1] + 1) % 16;
        assert!(fault(&TASK, &last_token, 40).is_some());
        let mut last_class = words();
        last_class[2 * n - 1] = class::REPEAT;
        assert!(fault(&TASK, &last_class, 40).is_some());
        // Classes one position late: those of the token itself rather than of its target.
        let mut late = words();
        late[n..].rotate_right(1);
        assert!(fault(&TASK, &late, 40).is_some());
        // Drawn with replacement: the same token twice in the first period.
        let mut twice = words();
        twice[2] = twice[1];
        assert!(fault(&TASK, &twice, 40).is_some());
    }

    #[test]
    fn a_sample_does_not_depend_on_its_batch_and_steps_differ() {
        let of = |step, batch| {
            let mut out = Vec::new();
            TASK.batch(3, Stream::Data, step, batch, &mut out);
            out
        };
        assert_eq!(of(11, 40)[..7 * TASK.ctx], of(11, 7)[..7 * TASK.ctx]);
        assert_ne!(of(11, 7), of(12, 7));
        let mut other = Vec::new();
        TASK.batch(3, Stream::HeldOut, 11, 7, &mut other);
        assert_ne!(of(11, 7), other);
    }

    #[test]
    fn random_tokens_are_uniform_and_do_not_repeat() {
        let (mut out, n) = (Vec::new(), 8000);
        tokens::random([TASK.vocab, TASK.ctx, n], 1, Stream::ChainData, 3, &mut out);
        let (tokens, classes) = out.split_at(n * TASK.ctx);
        for token in 0..16 {
            let share = tokens.iter().filter(|&&x| x == token).count() as f64 / tokens.len() as f64;
            assert!((share - 1.0 / 16.0).abs() < 0.003, "token {token}: {share}");
        }
        // A token tells nothing of the one p places on, whatever p: those of the task tell all.
        let again = |tokens: &[u32], p: usize| {
            let rows = tokens.chunks(TASK.ctx);
            let pairs = rows.flat_map(|r| r.iter().zip(&r[p..]));
            let same: Vec<bool> = pairs.map(|(a, b)| a == b).collect();
            same.iter().filter(|&&s| s).count() as f64 / same.len() as f64
        };
        let mut own = Vec::new();
        TASK.batch(1, Stream::ChainData, 3, n, &mut own);
        for p in TASK.pmin..=TASK.pmax {
            assert!((again(tokens, p) - 1.0 / 16.0).abs() < 0.003);
            assert!(again(&own[..n * TASK.ctx], p) > 0.15);
        }
        let targets = classes.iter().filter(|&&c| c == class::PLAIN).count();
        let last = classes
            .chunks(TASK.ctx)
            .all(|c| c[TASK.ctx - 1] == class::NONE);
        assert!(last && targets == n * (TASK.ctx - 1));
    }

    #[test]
    fn periods_and_tokens_are_uniform() {
        let mut out = Vec::new();
        let n = 12_000;
        let periods = TASK.batch(1, Stream::Data, 0, n, &mut out);
        for p in TASK.pmin..=TASK.pmax {
            let share = periods.iter().filter(|&&q| q == p).count() as f64 / n as f64;
            assert!((share - 1.0 / 6.0).abs() < 0.015, "period {p}: {share}");
        }
        // The second token is uniform over the vocabulary too: a shuffle that drew j from the whole
        // deck, or from i+1 on, would not be.
        for token in 0..16 {
            for at in [0, 1, 3] {
                let hits = (0..n).filter(|s| out[s * TASK.ctx + at] == token).count();
                let share = hits as f64 / n as f64;
                assert!(
                    (share - 1.0 / 16.0).abs() < 0.01,
                    "token {token} at {at}: {share}"
                );
            }
        }
    }

    #[test]
    fn levels() {
        // One period of 3 in a vocabulary of 5 and a context of 8: targets at 1 and 2 cost ln 4 and
        // ln 3, the four at 4..8 ln 3 each.
        let one = Repeat {
            vocab: 5,
            ctx: 8,
            pmin: 3,
            pmax: 3,
        };
        assert!((one.floor() - (4f64.ln() + 3f64.ln()) / 2.0).abs() < 1e-12);
        assert!((one.unigram() - 3f64.ln()).abs() < 1e-12);
        // Two periods are pooled target by target, as the kernel pools a batch.
        let two = Repeat { pmax: 4, ..one };
        assert!(
            (two.floor() - (2.0 * 4f64.ln() + 2.0 * 3f64.ln() + 2f64.ln()) / 5.0).abs() < 1e-12
        );
        assert!((two.unigram() - (4.0 * 3f64.ln() + 3.0 * 4f64.ln()) / 7.0).abs() < 1e-12);
        // The default of the experiment.
        let default = Repeat {
            vocab: 128,
            ctx: 48,
            pmin: 12,
            pmax: 24,
        };
        assert!((default.uniform() - 4.852).abs() < 1e-3);
        assert!(default.unigram() < default.floor() && default.floor() < default.uniform());
    }

    /// The floor is what the exact conditional distribution costs on sampled data.
    #[test]
    fn the_floor_is_reached_by_the_exact_model() {
        let n = 4000;
        let mut out = Vec::new();
        let periods = TASK.batch(5, Stream::HeldOut, 0, n, &mut out);
        let costs: Vec<f64> = periods
            .iter()
            .flat_map(|&p| (1..p).map(|t| ((16 - t) as f64).ln()))
            .collect();
        let mean = costs.iter().sum::<f64>() / costs.len() as f64;
        assert!(
            (mean - TASK.floor()).abs() < 0.01,
            "{mean} {}",
            TASK.floor()
        );
        assert!((mean - TASK.uniform()).abs() > 0.1);
    }
}
