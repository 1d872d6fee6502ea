//! The local learning coefficient from the losses of SGLD chains (Lau et al. 2023, arXiv
//! 2308.12108): λ̂(w*) = nβ(E[L(w)] − L(w*)), at the nβ, γ and ε of the chains.
//!
//! Each step of a trace is the loss of a minibatch *before* the update at that step, of every chain
//! and of the anchor, which stays at w* and sees the same minibatch: differences are taken on the
//! same samples. With no burn-in the first draw is therefore w* itself, a difference of 0.

use crate::math::stats;

/// An estimate with what a reader needs to judge it.
#[derive(Clone, Debug, PartialEq)]
pub struct Llc {
    /// λ̂ = nβ · mean over draws and standing chains of L(w) − L(w*); NaN if none stands.
    pub value: f64,
    /// Standard error: nβ·sd/√ESS of the series of differences averaged over chains.
    pub se: f64,
    /// Standard error from the spread between chains; NaN under two chains.
    pub between_se: f64,
    /// Mean L(w*) over the draws' batches.
    pub init_loss: f64,
    /// Its standard error over batches.
    pub init_se: f64,
    /// Mean loss under the standing chains.
    pub mean_loss: f64,
    /// Which chains stood.
    pub stood: Vec<usize>,
    /// λ̂ of each standing chain.
    pub per_chain: Vec<f64>,
    /// Chains set aside because a loss was not finite.
    pub failed: usize,
    /// Effective sample size of the series averaged over chains, in draws.
    pub ess: f64,
    /// Its autocorrelation time, in draws.
    pub time: f64,
    /// Rank-normalised split R̂ of the chains' differences.
    pub rhat: f64,
    /// Fraction of draws whose loss lies below L(w*) on the same batch.
    pub below: f64,
}

/// The chains of a trace that stayed finite, on what the anchor saw.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    /// Which chains, counted from 0.
    pub chains: Vec<usize>,
    /// Loss minus L(w*) of each of them, `[chain][draw]`.
    pub differences: Vec<Vec<f64>>,
    /// L(w*), by draw.
    pub anchor: Vec<f64>,
}

impl Standing {
    /// Mean over the chains, by draw; NaN if none stands.
    #[must_use]
    pub fn chain_mean(&self) -> Vec<f64> {
        let n = self.differences.len() as f64;
        (0..self.anchor.len())
            .map(|t| self.differences.iter().map(|d| d[t]).sum::<f64>() / n)
            .collect()
    }
}

/// Sets aside the chains of `trace [draws][chains + 1]` with a loss that is not finite.
#[must_use]
pub fn standing(trace: &[f32], chains: usize) -> Standing {
    let draws: Vec<&[f32]> = trace.chunks_exact(chains + 1).collect();
    let anchor: Vec<f64> = draws.iter().map(|d| f64::from(d[chains])).collect();
    let series = |c: usize| -> Vec<f64> {
        let both = draws.iter().zip(&anchor);
        both.map(|(d, a)| f64::from(d[c]) - a).collect()
    };
    let (chains, differences) = (0..chains)
        .map(|c| (c, series(c)))
        .filter(|(_, series)| series.iter().all(|x| x.is_finite()))
        .unzip();
    Standing {
        chains,
        differences,
        anchor,
    }
}

/// Estimates λ̂ from `trace [draws][chains + 1]`, the anchor last, burn-in already dropped.
///
/// A chain with any loss that is not finite is set aside; so are all if the anchor has one. A draw
/// that is incomplete at the end of the trace is ignored.
#[must_use]
pub fn llc(trace: &[f32], chains: usize, nbeta: f64) -> Llc {
    let standing = standing(trace, chains);
    let series = standing.chain_mean();
    let Standing {
        chains: stood,
        differences,
        anchor,
    } = standing;
    let per_chain: Vec<f64> = differences.iter().map(|d| nbeta * stats::mean(d)).collect();
    let time = stats::autocorrelation_time(&series);
    let below = differences.iter().flatten().filter(|&&x| x < 0.0).count();
    let init_loss = stats::mean(&anchor);
    Llc {
        value: nbeta * stats::mean(&series),
        se: nbeta * stats::standard_error(&series),
        between_se: stats::sd(&per_chain) / (stood.len() as f64).sqrt(),
        init_loss,
        init_se: stats::standard_error(&anchor),
        mean_loss: init_loss + stats::mean(&series),
        per_chain,
        failed: chains - stood.len(),
        ess: series.len() as f64 / time,
        time,
        rhat: stats::rhat(&differences),
        below: below as f64 / (stood.len() * series.len()) as f64,
        stood,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_on_the_same_batch() {
        // The anchor's loss jumps about by 10; the chains stay 0.2 and 0.4 above it.
        let trace: Vec<f32> = (0..64)
            .flat_map(|t| [0.2, 0.4, 0.0].map(|d| d + (t % 2) as f32 * 10.0))
            .collect();
        let got = llc(&trace, 2, 10.0);
        assert!((got.value - 3.0).abs() < 1e-4 && got.se < 1e-4, "{got:?}");
        assert!((got.per_chain[0] - 2.0).abs() < 1e-4 && (got.per_chain[1] - 4.0).abs() < 1e-4);
        assert!((got.between_se - 1.0).abs() < 1e-4);
        assert!((got.init_loss - 5.0).abs() < 1e-6 && (got.mean_loss - 5.3).abs() < 1e-5);
        assert_eq!((got.failed, got.below), (0, 0.0));
    }

    #[test]
    fn failed_chains_are_set_aside() {
        let mut trace: Vec<f32> = (0..32).flat_map(|_| [1.5, 1.25, 1.0]).collect();
        trace[3 * 20] = f32::NAN;
        let got = llc(&trace, 2, 4.0);
        assert_eq!((got.failed, got.per_chain.len(), got.value), (1, 1, 1.0));
        trace[3 * 20 + 2] = f32::INFINITY;
        let none = llc(&trace, 2, 4.0);
        assert!(none.failed == 2 && none.value.is_nan());
        // A negative λ̂ is shown as it is.
        let falling: Vec<f32> = (0..32).flat_map(|_| [0.5, 1.0]).collect();
        let got = llc(&falling, 1, 4.0);
        assert_eq!((got.value, got.below), (-2.0, 1.0));
    }
}
