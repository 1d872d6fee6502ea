//! In-context Markov chains (Edelman et al. 2024): every sequence comes from a chain of its own, drawn
//! anew, so that nothing but the sequence itself says what follows what.
//!
//! A row of a chain is drawn as the gaps between sorted uniform integers: every α-th of kα − 1 of them
//! leaves k gaps that are Dirichlet(α, …, α). So chains and symbols are integers to the last bit, and a
//! transition probability is exact in f64.

use super::tokens::class;
use crate::math::Stream;
use crate::math::philox::Draws;

/// How the rows of a chain hang together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Each is drawn by itself.
    Own,
    /// Each step adds a shift, modulo k, from one distribution: the rows are turns of each other. The
    /// chain is doubly stochastic, all symbols are equally frequent. With two symbols these are all
    /// doubly stochastic chains.
    Turned,
}

/// The distribution of sequences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Markov {
    /// Symbols k.
    pub symbols: usize,
    /// Symbols of a sequence.
    pub ctx: usize,
    /// How the rows hang together.
    pub rows: Rows,
    /// α of the Dirichlet distribution; at least 1.
    pub alpha: usize,
}

/// The chain of one sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    rows: Rows,
    /// `[row][k − 1]`, rising: where one symbol's share of the 2³² words ends.
    cuts: Vec<u32>,
    symbols: usize,
}

impl Chain {
    fn row(&self, from: u32) -> &[u32] {
        let row = if self.rows == Rows::Own {
            from as usize
        } else {
            0
        };
        &self.cuts[row * (self.symbols - 1)..][..self.symbols - 1]
    }

    fn next(&self, from: u32, word: u32) -> u32 {
        let drawn = self.row(from).iter().filter(|&&cut| cut <= word).count() as u32;
        match self.rows {
            Rows::Own => drawn,
            Rows::Turned => (from + drawn) % self.symbols as u32,
        }
    }

    /// Probability that `to` follows `from`.
    #[must_use]
    pub fn probability(&self, from: u32, to: u32) -> f64 {
        let (row, k) = (self.row(from), self.symbols as u32);
        let place = match self.rows {
            Rows::Own => to,
            Rows::Turned => (to + k - from) % k,
        } as usize;
        let low = place.checked_sub(1).map_or(0, |i| u64::from(row[i]));
        let high = row.get(place).map_or(1 << 32, |&cut| u64::from(cut));
        (high - low) as f64 / (1_u64 << 32) as f64
    }
}

/// What can be known of the next symbol without having learned anything: from a sequence's own past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Predictor {
    /// 1/k.
    Uniform,
    /// How often each symbol came: (n_j + α)/(n + kα).
    Unigram,
    /// How often each symbol came after the present one: (n_ij + α)/(n_i + kα). Where each row is drawn
    /// by itself this is Bayes' answer: no predictor has a lower loss on average.
    Bigram,
    /// How often each shift came: Bayes' answer where the rows are turns of each other.
    Shift,
}

impl Markov {
    /// Words of a chain's rows; every sequence takes as many, and `ctx` for its symbols.
    fn chain(&self, draws: &mut Draws) -> Chain {
        let (k, alpha) = (self.symbols, self.alpha);
        let rows = if self.rows == Rows::Own { k } else { 1 };
        let mut cuts = Vec::with_capacity(rows * (k - 1));
        for _ in 0..rows {
            let mut words: Vec<u32> = (1..k * alpha).map(|_| draws.word()).collect();
            words.sort_unstable();
            cuts.extend(words.iter().skip(alpha - 1).step_by(alpha));
        }
        Chain {
            rows: self.rows,
            cuts,
            symbols: k,
        }
    }

    /// Appends `batch·ctx` symbols, then as many classes, and returns the chains. The first symbol is
    /// uniform, so that it says nothing of its chain. Sequence i is a pure function of (seed, stream,
    /// step, i), whatever the size of the batch.
    pub fn batch(
        &self,
        seed: u32,
        stream: Stream,
        step: u32,
        batch: usize,
        out: &mut Vec<u32>,
    ) -> Vec<Chain> {
        let mut draws = Draws::new(seed, stream, step);
        let chains = (0..batch).map(|_| {
            let chain = self.chain(&mut draws);
            let mut symbol = draws.index(self.symbols as u32);
            out.push(symbol);
            for _ in 1..self.ctx {
                symbol = chain.next(symbol, draws.word());
                out.push(symbol);
            }
            chain
        });
        let chains = chains.collect();
        let classes = (0..self.ctx).map(|t| self.class(t));
        (0..batch).for_each(|_| out.extend(classes.clone()));
        chains
    }

    /// The class of the target of position `t`: the first half of a sequence's targets, and the second.
    #[must_use]
    pub fn class(&self, t: usize) -> u32 {
        match t + 1 {
            target if target >= self.ctx => class::NONE,
            target if target <= self.ctx / 2 => class::A,
            _ => class::B,
        }
    }

    /// What a predictor says at every position of a sequence, `[ctx][k]`: position t knows the symbols
    /// up to t and predicts the next.
    #[must_use]
    pub fn predict(&self, by: Predictor, symbols: &[u32]) -> Vec<f64> {
        let (k, alpha) = (self.symbols, self.alpha as f64);
        // Counts of what the predictor looks at, a row for each symbol it may depend on.
        let mut counts = vec![alpha; k * k];
        let mut out = Vec::with_capacity(symbols.len() * k);
        let mut before: Option<usize> = None;
        for &now in symbols {
            let now = now as usize;
            match (by, before) {
                (Predictor::Unigram, _) => counts[now] += 1.0,
                (Predictor::Bigram, Some(i)) => counts[i * k + now] += 1.0,
                (Predictor::Shift, Some(i)) => counts[(now + k - i) % k] += 1.0,
                _ => {}
            }
            before = Some(now);
            let row = if by == Predictor::Bigram { now * k } else { 0 };
            let row = &counts[row..row + k];
            let all: f64 = row.iter().sum();
            let turn = if by == Predictor::Shift { now } else { 0 };
            out.extend((0..k).map(|j| row[(j + k - turn) % k] / all));
        }
        out
    }

    /// Bayes' answer for these chains.
    #[must_use]
    pub fn bayes(&self) -> Predictor {
        match self.rows {
            Rows::Own => Predictor::Bigram,
            Rows::Turned => Predictor::Shift,
        }
    }
}

#[cfg(test)]
mod tests;
