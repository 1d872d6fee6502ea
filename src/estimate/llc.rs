//! The local learning coefficient from the losses of SGLD chains (Lau et al. 2023, arXiv
//! 2308.12108): λ̂(w*) = nβ(E[L(w)] − L(w*)), at the nβ, γ and ε of the chains.
//!
//! Each step of a trace is the loss of a minibatch *before* the update at that step, of every chain
//! and of the anchor, which stays at w* and sees the same minibatch: differences are taken on the
//! same samples. With no burn-in the first draw is therefore w* itself, a difference of 0.

use crate::math::stats;
use crate::protocol::LlcPoint;

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

/// Estimates λ̂ from `trace [draws][chains + 1]`, the anchor last, burn-in already dropped.
///
/// A chain with any loss that is not finite is set aside; so are all if the anchor has one. A draw
/// that is incomplete at the end of the trace is ignored.
#[must_use]
pub fn llc(trace: &[f32], chains: usize, nbeta: f64) -> Llc {
    let draws: Vec<&[f32]> = trace.chunks_exact(chains + 1).collect();
    let anchor: Vec<f64> = draws.iter().map(|d| f64::from(d[chains])).collect();
    let differences: Vec<Vec<f64>> = (0..chains)
        .map(|c| {
            draws
                .iter()
                .zip(&anchor)
                .map(|(d, a)| f64::from(d[c]) - a)
                .collect::<Vec<_>>()
        })
        .filter(|series| series.iter().all(|x| x.is_finite()))
        .collect();
    let stood = differences.len();
    let series: Vec<f64> = (0..draws.len())
        .map(|t| differences.iter().map(|d| d[t]).sum::<f64>() / stood as f64)
        .collect();
    let per_chain: Vec<f64> = differences.iter().map(|d| nbeta * stats::mean(d)).collect();
    let time = stats::autocorrelation_time(&series);
    let below = differences.iter().flatten().filter(|&&x| x < 0.0).count();
    let init_loss = stats::mean(&anchor);
    Llc {
        value: nbeta * stats::mean(&series),
        se: nbeta * stats::standard_error(&series),
        between_se: stats::sd(&per_chain) / (stood as f64).sqrt(),
        init_loss,
        init_se: stats::standard_error(&anchor),
        mean_loss: init_loss + stats::mean(&series),
        per_chain,
        failed: chains - stood,
        ess: draws.len() as f64 / time,
        time,
        rhat: stats::rhat(&differences),
        below: below as f64 / (stood * draws.len()) as f64,
    }
}

/// Root mean square of ‖w − w*‖ over chains, divided by ‖w*‖, from `weights [chains + 1][params]`
/// with w* last. Chains that are not finite are left out; NaN if all are or w* is 0.
#[must_use]
pub fn distance(weights: &[f32], params: usize) -> f64 {
    let mut rows: Vec<&[f32]> = weights.chunks_exact(params.max(1)).collect();
    let Some(anchor) = rows.pop() else {
        return f64::NAN;
    };
    let norm = |row: &[f32], from: Option<&[f32]>| -> f64 {
        row.iter()
            .enumerate()
            .map(|(i, &w)| (f64::from(w) - from.map_or(0.0, |a| f64::from(a[i]))).powi(2))
            .sum()
    };
    let squares: Vec<f64> = rows
        .iter()
        .map(|row| norm(row, Some(anchor)))
        .filter(|x| x.is_finite())
        .collect();
    (stats::mean(&squares) / norm(anchor, None)).sqrt()
}

impl Llc {
    /// As the page receives it; `distance` from [`distance`].
    #[must_use]
    pub fn point(&self, step: u64, distance: f64) -> LlcPoint {
        LlcPoint {
            step,
            value: self.value,
            se: self.se,
            init_loss: self.init_loss,
            mean_loss: self.mean_loss,
            distance,
            per_chain: self.per_chain.clone(),
            failed_chains: self.failed as u32,
        }
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

    #[test]
    fn relative_distance() {
        let d = distance(&[3.0, 5.0, 3.0, 3.0, 3.0, 4.0], 2);
        assert!((d - 0.2).abs() < 1e-12, "{d}");
        assert!((distance(&[f32::NAN, 0.0, 3.0, 5.0, 3.0, 4.0], 2) - 0.2).abs() < 1e-12);
    }
}
