//! Whether the chains of λ̂ still know where they started.

use crate::protocol::LlcPoint;

/// Below this share of the spread of L(w*), the mean loss under the chains no longer follows w*.
pub const LEFT_BELOW: f64 = 0.25;
/// Fewer estimates than this say nothing about it.
const ENOUGH: usize = 4;

/// The spread (greatest minus least) over checkpoints of the mean loss under the chains, as a share
/// of the spread of L(w*). None while there are too few points, or while L(w*) has moved so little,
/// compared with how far the chains rise above it, that the share would be noise over noise.
#[must_use]
pub fn share(points: &[LlcPoint]) -> Option<f64> {
    let sound: Vec<&LlcPoint> = points
        .iter()
        .filter(|p| p.init_loss.is_finite() && p.mean_loss.is_finite())
        .collect();
    if sound.len() < ENOUGH {
        return None;
    }
    let spread = |f: fn(&LlcPoint) -> f64| {
        let (low, high) = sound
            .iter()
            .map(|p| f(p))
            .fold((f64::MAX, f64::MIN), |(low, high), v| {
                (low.min(v), high.max(v))
            });
        high - low
    };
    let rise = sound
        .iter()
        .map(|p| (p.mean_loss - p.init_loss).abs())
        .sum::<f64>()
        / sound.len() as f64;
    let (at, under) = (spread(|p| p.init_loss), spread(|p| p.mean_loss));
    (at > 0.25 * rise && at > 0.0).then(|| under / at)
}

/// Whether the chains have left w*: what they see no longer depends on where they started.
#[must_use]
pub fn left(points: &[LlcPoint]) -> bool {
    share(points).is_some_and(|s| s < LEFT_BELOW)
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
        assert_eq!(share(&plateau), None);
        assert_eq!(share(&points(&[(1.0, 2.0)])), None);
        assert_eq!(share(&points(&[(f64::NAN, 2.0); 9])), None);
    }
}
