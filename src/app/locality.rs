//! Whether the chains of λ̂ still know where they started.

use crate::protocol::LlcPoint;

/// Below this slope, the mean loss under the chains no longer follows w*.
pub const LEFT_BELOW: f64 = 0.25;
/// Fewer estimates than this say nothing about it.
const ENOUGH: usize = 4;

/// How much of a change of L(w*) from checkpoint to checkpoint shows in the mean loss under the
/// chains: the least-squares slope of one on the other, near 1 for local chains and near 0 for
/// chains that have forgotten w*. (The ratio of the two ranges would do without noise; with it, the
/// range of a dozen means is mostly noise.) None while there are too few points, or while L(w*) has
/// moved so little, compared with how far the chains rise above it, that a slope says nothing.
#[must_use]
pub fn slope(points: &[LlcPoint]) -> Option<f64> {
    let sound: Vec<(f64, f64)> = points
        .iter()
        .map(|p| (p.init_loss, p.mean_loss))
        .filter(|p| p.0.is_finite() && p.1.is_finite())
        .collect();
    if sound.len() < ENOUGH {
        return None;
    }
    let n = sound.len() as f64;
    let mean = |f: fn(&(f64, f64)) -> f64| sound.iter().map(f).sum::<f64>() / n;
    let (at, under, rise) = (mean(|p| p.0), mean(|p| p.1), mean(|p| (p.1 - p.0).abs()));
    let (low, high) = sound.iter().fold((f64::MAX, f64::MIN), |(low, high), p| {
        (low.min(p.0), high.max(p.0))
    });
    let across: f64 = sound.iter().map(|p| (p.0 - at) * (p.1 - under)).sum();
    let along: f64 = sound.iter().map(|p| (p.0 - at).powi(2)).sum();
    (high - low > 0.25 * rise && along > 0.0).then(|| across / along)
}

/// Whether the chains have left w*: what they see no longer depends on where they started.
#[must_use]
pub fn left(points: &[LlcPoint]) -> bool {
    slope(points).is_some_and(|s| s < LEFT_BELOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(pairs: &[(f64, f64)]) -> Vec<LlcPoint> {
        pairs
            .iter()
            .map(|&(init_loss, mean_loss)| LlcPoint {
                init_loss,
                mean_loss,
                ..LlcPoint::default()
            })
            .collect()
    }

    #[test]
    fn a_mirror_of_the_loss_is_called_one() {
        // TMS at nβ 144.8, γ 1: the mean under the chains is the same wherever they start.
        let mirror = points(&[
            (0.111, 0.126),
            (0.097, 0.126),
            (0.069, 0.125),
            (0.062, 0.125),
            (0.048, 0.126),
        ]);
        assert!(left(&mirror));
        // The same with the noise of a run: the range of the means is over a quarter of L(w*)'s.
        let noisy = points(&[
            (0.102, 0.127),
            (0.103, 0.123),
            (0.056, 0.121),
            (0.057, 0.121),
            (0.057, 0.124),
            (0.057, 0.129),
            (0.062, 0.118),
            (0.062, 0.117),
        ]);
        assert!(left(&noisy));
        let local = points(&[
            (0.111, 0.116),
            (0.097, 0.104),
            (0.069, 0.075),
            (0.062, 0.070),
            (0.048, 0.056),
        ]);
        assert!(!left(&local));
    }

    #[test]
    fn a_plateau_says_nothing() {
        let plateau = points(&[
            (0.0972, 0.105),
            (0.0973, 0.105),
            (0.0972, 0.105),
            (0.0971, 0.105),
        ]);
        assert_eq!(slope(&plateau), None);
        assert_eq!(slope(&points(&[(1.0, 2.0)])), None);
        assert_eq!(slope(&points(&[(f64::NAN, 2.0); 9])), None);
    }
}
