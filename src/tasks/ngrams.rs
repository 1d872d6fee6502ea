//! What counting can know of a text: how often each token comes, comes behind another one, and behind
//! another two. Counts are exact; what they are mixed with where they are few is fixed.
//!
//! P₁(c) = (n_c + ½)/(N + V/2); P₂(c|b) = (n_bc + κP₁(c))/(n_b + κ); P₃(c|ab) = (n_abc + κP₂(c|b))/(n_ab + κ):
//! each is Bayes' answer under a Dirichlet prior of weight κ around the one before it (MacKay and Peto
//! 1995), with κ = [`KAPPA`].

/// Weight of the shorter context, in tokens.
pub const KAPPA: f64 = 2.0;
/// Bits of a token in a key: vocabularies are of at most 1024.
const BITS: u32 = 10;
const MASK: u32 = (1 << BITS) - 1;

/// Counts of a text.
#[derive(Clone, Debug, Default)]
pub struct Ngrams {
    one: Vec<f64>,
    /// `b·2¹⁰ + c` of every pair, sorted: counts are lengths of ranges.
    two: Vec<u32>,
    /// `a·2²⁰ + b·2¹⁰ + c` of every three, sorted.
    three: Vec<u32>,
}

impl Ngrams {
    /// Counts a text of tokens in 0..vocab.
    #[must_use]
    pub fn fit(tokens: &[u32], vocab: usize) -> Self {
        let mut one = vec![0.5; vocab];
        for &t in tokens {
            one[t as usize] += 1.0;
        }
        let all: f64 = one.iter().sum();
        one.iter_mut().for_each(|p| *p /= all);
        let keys = |n: usize| {
            let key = |w: &[u32]| w.iter().fold(0, |key, &t| key << BITS | t);
            let mut keys: Vec<u32> = tokens.windows(n).map(key).collect();
            keys.sort_unstable();
            keys
        };
        Self {
            one,
            two: keys(2),
            three: keys(3),
        }
    }

    /// Probabilities of what follows, `[vocab]`, from the last `n − 1` tokens of `context`; from fewer,
    /// where there are fewer.
    #[must_use]
    pub fn predict(&self, n: usize, context: &[u32]) -> Vec<f64> {
        let mut out = self.one.clone();
        for (n, keys) in [(1, &self.two), (2, &self.three)].into_iter().take(n - 1) {
            let Some(last) = context.len().checked_sub(n).map(|from| &context[from..]) else {
                break;
            };
            let prefix = last.iter().fold(0, |key, &t| key << BITS | t) << BITS;
            let from = keys.partition_point(|&k| k < prefix);
            let to = from + keys[from..].partition_point(|&k| k <= prefix | MASK);
            let over = (to - from) as f64 + KAPPA;
            out.iter_mut().for_each(|p| *p *= KAPPA / over);
            for &key in &keys[from..to] {
                out[(key & MASK) as usize] += 1.0 / over;
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 0 1 0 1 0 2 over three tokens, by hand.
    #[test]
    fn counts_of_a_text_written_out() {
        let grams = Ngrams::fit(&[0, 1, 0, 1, 0, 2], 3);
        let near = |a: &[f64], b: [f64; 3]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12);
        let one = [3.5 / 7.5, 2.5 / 7.5, 1.5 / 7.5];
        assert!(near(&grams.predict(1, &[1, 0]), one));
        // Behind 0: 1 twice, 2 once.
        let two = [
            2.0 * one[0] / 5.0,
            (2.0 + 2.0 * one[1]) / 5.0,
            (1.0 + 2.0 * one[2]) / 5.0,
        ];
        assert!(near(&grams.predict(2, &[1, 0]), two));
        // Behind 1 0: 1 once, 2 once.
        let three = [
            2.0 * two[0] / 4.0,
            (1.0 + 2.0 * two[1]) / 4.0,
            (1.0 + 2.0 * two[2]) / 4.0,
        ];
        assert!(near(&grams.predict(3, &[1, 0]), three));
        // What never came leaves the shorter context; too short a context counts as far as it goes.
        assert!(near(&grams.predict(3, &[2, 0]), two) && near(&grams.predict(3, &[0]), two));
        assert!(near(&grams.predict(3, &[]), one));
        // Planted fault: contexts the wrong way round.
        assert!(!near(&grams.predict(3, &[0, 1]), three));
    }

    #[test]
    fn every_prediction_is_a_distribution() {
        let text: Vec<u32> = (0..4000_u32).map(|i| (i * i / 7) % 50).collect();
        let grams = Ngrams::fit(&text, 64);
        for context in [[3, 4], [63, 62], [0, 0]] {
            for n in 1..=3 {
                let p = grams.predict(n, &context);
                assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-9);
                assert!(p.iter().all(|&p| p > 0.0));
            }
        }
    }
}
