//! Whether the chains of λ̂ still know where they started, and what holds them.

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

/// What a setting of the sampler makes of λ̂.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Regime {
    /// The chains have forgotten w*.
    Mirror,
    /// They remember part of it.
    Mixed,
    /// The spring alone holds them.
    Spring,
    /// They stay with w*, and λ̂ is not that null, as far as it is known.
    Local,
    /// λ̂ cannot be told from 0.
    Noise,
    /// It cannot be told.
    Unknown,
}

/// Between Mixed and Local: at a slope of 1 the chains follow w* wholly.
const LOCAL_FROM: f64 = 0.75;
/// Largest mean distance of λ̂ from (nβ/2γ)·tr H, as a share of the latter, at which the spring holds.
const SPRING: f64 = 0.25;

impl Regime {
    /// Of a curve of λ̂ at one nβ and γ. Spring: λ̂ is the null (nβ/2γ)·tr H, to which nβE[L − L(w*)]
    /// tends where γ is far above nβ times every curvature, at all its checkpoints with a curvature.
    #[must_use]
    pub fn of(points: &[LlcPoint], nbeta: f64, gamma: f64) -> Self {
        match slope(points) {
            Some(s) if s < LEFT_BELOW => return Self::Mirror,
            Some(s) if s < LOCAL_FROM => return Self::Mixed,
            _ => {}
        }
        let sum = |f: fn(&LlcPoint) -> f64| points.iter().map(f).sum::<f64>();
        if points.len() >= ENOUGH && sum(|p| p.value.abs()) < 2.0 * sum(|p| p.se) {
            return Self::Noise;
        }
        let known = points
            .iter()
            .filter_map(|p| Some((p, 0.5 * nbeta / gamma * p.curvature?.trace)));
        let known: Vec<(&LlcPoint, f64)> = known.filter(|k| k.1.is_finite()).collect();
        // Less what the errors explain.
        let beyond = |&(p, null): &(&LlcPoint, f64)| ((p.value - null).abs() - 2.0 * p.se).max(0.0);
        let off: f64 = known.iter().map(beyond).sum();
        let null: f64 = known.iter().map(|(_, null)| null.abs()).sum();
        if known.len() >= ENOUGH && off <= SPRING * null {
            Self::Spring
        } else if slope(points).is_some() {
            Self::Local
        } else {
            Self::Unknown
        }
    }

    /// In one word, and in a sentence.
    #[must_use]
    pub fn told(self) -> (&'static str, &'static str) {
        match self {
            Self::Mirror => (
                "mirror",
                "The chains have forgotten w*: λ̂ is a constant minus nβ times the loss, its mirror.",
            ),
            Self::Mixed => (
                "mixed",
                "The chains remember part of w*: λ̂ mixes the loss with the geometry around w*.",
            ),
            Self::Spring => (
                "spring",
                "The spring holds every direction: λ̂ is (nβ/2γ)·tr H and says no more than the trace of the Hessian.",
            ),
            Self::Local => ("local", "The chains stay with w*: λ̂ is a local quantity."),
            Self::Noise => (
                "noise",
                "λ̂ cannot be told from 0 here: more chains or draws would show it.",
            ),
            Self::Unknown => (
                "unclear",
                "Too few points, or a loss that has hardly moved, to tell whether the chains stay with w*.",
            ),
        }
    }
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
        assert_eq!(Regime::of(&mirror, 144.8, 1.0), Regime::Mirror);
        assert_eq!(Regime::of(&local, 144.8, 100.0), Regime::Local);
        assert_eq!(Regime::of(&local[..2], 1.0, 1.0), Regime::Unknown);
    }

    #[test]
    fn a_curve_that_is_its_null_is_held_by_the_spring() {
        // Induction at nβ 300, γ 1000: λ̂ and (nβ/2γ)·tr H over training.
        let curve = |scale: f64| -> Vec<LlcPoint> {
            let seen = [
                (4.5, 1.9, 1.5),
                (4.0, 11.5, 10.0),
                (3.4, 37.6, 41.0),
                (2.4, 65.0, 62.0),
                (2.0, 42.0, 35.0),
            ];
            let point = |&(loss, value, null): &(f64, f64, f64)| LlcPoint {
                init_loss: loss,
                mean_loss: loss + value / 300.0,
                value,
                curvature: Some(crate::protocol::Curved {
                    trace: scale * null * 2000.0 / 300.0,
                    ..Default::default()
                }),
                ..LlcPoint::default()
            };
            seen.iter().map(point).collect()
        };
        assert_eq!(Regime::of(&curve(1.0), 300.0, 1000.0), Regime::Spring);
        // A trace thrice as large, or none, is another matter.
        assert_eq!(Regime::of(&curve(3.0), 300.0, 1000.0), Regime::Local);
        let mut bare = curve(1.0);
        bare.iter_mut().for_each(|p| p.curvature = None);
        assert_eq!(Regime::of(&bare, 300.0, 1000.0), Regime::Local);
        assert_eq!(Regime::of(&curve(1.0), 300.0, 0.0), Regime::Local);
        // Errors larger than λ̂ leave nothing to judge; small ones change nothing.
        let blurred = |se: f64| {
            let mut points = curve(1.0);
            points.iter_mut().for_each(|p| p.se = se);
            Regime::of(&points, 300.0, 1000.0)
        };
        assert_eq!(
            (blurred(40.0), blurred(1.0)),
            (Regime::Noise, Regime::Spring)
        );
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
