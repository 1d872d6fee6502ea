//! Where a curve goes from how it was to how it ends, and how fast.

use super::lead::{WINDOW, deviation};
use crate::math::stats;

/// Pieces of equal time that a curve's beginning is made of.
const PIECES: u32 = 64;
/// Points that a beginning has at least.
const FEWEST: usize = 3;

/// Where a behaviour goes from how it was to how it ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transition {
    /// The step from which a tenth of the way is done: the one after the last two points in a row before
    /// `t50` that lie below it.
    pub t10: f64,
    /// Half of it, for two points in a row.
    pub t50: f64,
    /// The first step from there on with nine tenths of it done, for two points in a row.
    pub t90: f64,
}

/// Where a curve ends, and how far it must go for a change to count.
struct End {
    /// The median of the last tenth of its points.
    level: f64,
    /// Ten times its jitter there.
    jitter: f64,
    /// The least way, with its direction; 0, any.
    least: f64,
}

impl End {
    fn of(y: &[f64], least: f64) -> Self {
        let tail = &y[y.len() - (y.len() / 10).max(3)..];
        Self {
            level: stats::median(tail),
            jitter: 10.0 * deviation(tail),
            least,
        }
    }

    /// The way from a level to the end, where it counts.
    fn way(&self, from: f64) -> Option<f64> {
        let way = self.level - from;
        let short = way.is_nan() || way.abs() <= self.jitter;
        (!short && way * self.least >= self.least * self.least).then_some(way)
    }
}

impl Transition {
    /// Of a curve over steps: from the median of the first fifth of its steps to the median of the last
    /// tenth of its points. Where half of that way is done sooner, from the median of what lies before it.
    /// None for a curve whose way is less than ten times its own jitter at the end: nothing has happened
    /// in it.
    #[must_use]
    pub fn of(x: &[f64], y: &[f64]) -> Option<Self> {
        Self::at_least(x, y, 0.0)
    }

    /// The same for a curve that goes at least as far as `least`, in its direction; 0, any way.
    #[must_use]
    pub fn at_least(x: &[f64], y: &[f64], least: f64) -> Option<Self> {
        let n = x.len().min(y.len());
        if n < 2 * WINDOW {
            return None;
        }
        let (x, y) = (&x[..n], &y[..n]);
        let to = End::of(y, least);
        // Half the beginning each time, until half of the way lies behind it.
        let fifth = (x[n - 1] - x[0]) / 5.0;
        let mut long = fifth;
        while x.partition_point(|s| *s <= x[0] + long) >= FEWEST {
            let from = |level| Self::from(x, y, level, &to, x[0] + long);
            if let Some(found) = from(beginning(x, y, long)) {
                // Once it is known how long it rests, its level is that of the whole rest.
                let rest = (found.t10 - x[0]).min(fifth);
                let whole = (rest > long).then(|| from(beginning(x, y, rest)));
                return whole.flatten().or(Some(found));
            }
            long /= 2.0;
        }
        None
    }

    /// From a level to the end; none where that is no way, or half of it is done before step `after`.
    fn from(x: &[f64], y: &[f64], level: f64, to: &End, after: f64) -> Option<Self> {
        let way = to.way(level)?;
        let done = |i: usize, share: f64| (y[i] - level) / way >= share;
        let twice = |i: &usize, share: f64| done(*i, share) && done(i + 1, share);
        let last = x.len() - 1;
        let begin = x.partition_point(|s| *s < after).max(1);
        if begin >= last || twice(&(begin - 1), 0.5) {
            return None;
        }
        let half = (begin..last).find(|i| twice(i, 0.5))?;
        let most = (half..last).find(|i| twice(i, 0.9))?;
        // Outwards from the half: what the curve did long before is no part of its way.
        let below = (1..half).rfind(|&i| !done(i, 0.1) && !done(i - 1, 0.1))?;
        Some(Self {
            t10: x[below + 1],
            t50: x[half],
            t90: x[most],
        })
    }

    /// Whether a curve without a transition has changed as much within the first fifth of its steps all the
    /// same: too soon to tell when.
    #[must_use]
    pub fn unclear(x: &[f64], y: &[f64], least: f64) -> bool {
        let n = x.len().min(y.len());
        if n < 2 * FEWEST || Self::at_least(x, y, least).is_some() {
            return false;
        }
        let to = End::of(&y[..n], least);
        let early = x[..n].partition_point(|s| *s <= x[0] + (x[n - 1] - x[0]) / 5.0);
        let mut pairs = y[..early].windows(2);
        pairs.any(|w| w.iter().all(|y| to.way(*y).is_some()))
    }

    /// How long it takes: log₁₀(t90/t10), the 10-90 % width in decades of steps.
    #[must_use]
    pub fn width(&self) -> f64 {
        (self.t90.max(1.0) / self.t10.max(1.0)).log10()
    }
}

/// The median of a curve over its first steps, this many, each step alike: where points are dense at the
/// beginning, as on a logarithmic grid, those of the first few steps do not outvote the rest.
fn beginning(x: &[f64], y: &[f64], long: f64) -> f64 {
    let at = |k: u32| {
        let step = x[0] + long * (f64::from(k) + 0.5) / f64::from(PIECES);
        y[x.partition_point(|x| *x <= step).max(1) - 1]
    };
    stats::median(&(0..PIECES).map(at).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::math::philox::{Draws, Stream};

    /// A curve on 100 points, 10 steps apart: 4 before `at`, 0 from `at + 100` on, with jitter.
    fn drop_at(at: f64, seed: u32) -> (Vec<f64>, Vec<f64>) {
        let mut draws = Draws::new(seed, Stream::Probe, 0);
        let x: Vec<f64> = (0..100).map(|i| 10.0 * f64::from(i)).collect();
        let y = x
            .iter()
            .map(|x| 4.0 * (1.0 - (x - at) / 100.0).clamp(0.0, 1.0) + 0.01 * draws.normal())
            .collect();
        (x, y)
    }

    #[test]
    fn an_early_drop_is_found_too() {
        // The first fifth ends at step 198.
        for at in [100.0, 50.0, 20.0] {
            let (x, y) = drop_at(at - 5.0, 7);
            let found = Transition::at_least(&x, &y, -3.0).unwrap();
            assert!((found.t50 - at - 50.0).abs() <= 10.0, "{at}: {found:?}");
            assert!(
                found.t10 >= at && found.t90 <= at + 100.0,
                "{at}: {found:?}"
            );
            assert!(!Transition::unclear(&x, &y, -3.0));
        }
        // Planted: by the median of the first fifth the last of these never came so far.
        let (x, y) = drop_at(15.0, 7);
        let to = End::of(&y, -3.0);
        assert_eq!(to.way(beginning(&x, &y, 198.0)), None);
        // Nothing lies before a drop at the second point, and that is told apart from no change.
        let (x, mut y) = drop_at(-200.0, 7);
        y[..2].fill(4.0);
        assert_eq!(Transition::at_least(&x, &y, -3.0), None);
        assert!(Transition::unclear(&x, &y, -3.0));
        // What never changes is not unclear, and neither is what changes by too little.
        let (x, y) = drop_at(1e9, 7);
        assert!(!Transition::unclear(&x, &y, -3.0) && !Transition::unclear(&x, &y, 0.0));
        let (x, y) = drop_at(-5.0, 7);
        assert!(!Transition::unclear(&x, &y, -4.2) && !Transition::unclear(&x, &y, 3.0));
    }

    #[test]
    fn a_width_is_measured_outwards_from_the_half() {
        // It begins a quarter of the way down, and comes up to the shelf within 30 steps.
        let (x, mut y) = drop_at(495.0, 1);
        for (i, y) in y[..3].iter_mut().enumerate() {
            *y = 3.0 + 0.3 * i as f64;
        }
        let found = Transition::of(&x, &y).unwrap();
        assert_eq!((found.t10, found.t50, found.t90), (510.0, 550.0, 590.0));
        // Planted: the first two points with a tenth done are those of the start.
        assert!(y[..2].iter().all(|y| (y - 4.0) / -4.0 >= 0.1));
    }

    #[test]
    fn what_falls_before_a_shelf_is_no_part_of_the_way() {
        // Dense at first: 5 falls to 4 within 60 steps, rests there, and falls to 0 at step 1000.
        let x: Vec<f64> = (0..60)
            .chain((60..2000).step_by(20))
            .map(f64::from)
            .collect();
        let y = |x: &f64| match *x {
            x if x < 60.0 => 5.0 - x / 60.0,
            x => 4.0 / (1.0 + ((x - 1000.0) / 20.0).exp()),
        };
        let y: Vec<f64> = x.iter().map(y).collect();
        let found = Transition::of(&x, &y).unwrap();
        assert!(
            found.t10 > 900.0 && (found.t50 - 1000.0).abs() <= 20.0,
            "{found:?}"
        );
        // Planted: points counted alike begin above the shelf.
        assert!(stats::median(&y[..y.len() / 5]) > 4.4 && beginning(&x, &y, 396.0) < 4.01);
    }

    #[test]
    fn a_drop_is_found_where_it_is() {
        let (x, y) = drop_at(495.0, 1);
        let t = Transition::of(&x, &y).unwrap();
        assert_eq!((t.t10, t.t50, t.t90), (510.0, 550.0, 590.0));
        assert!((t.width() - (590.0f64 / 510.0).log10()).abs() < 1e-12);
        // Upside down it is the same transition.
        let up: Vec<f64> = y.iter().map(|y| 7.0 - y).collect();
        assert_eq!(Transition::of(&x, &up), Some(t));
    }

    #[test]
    fn a_change_too_small_or_the_other_way_is_no_event() {
        let (x, y) = drop_at(495.0, 1);
        let there = |least: f64| Transition::at_least(&x, &y, least).is_some();
        assert_eq!(
            [-3.9, -4.1, 3.9, 0.0].map(there),
            [true, false, false, true]
        );
    }

    #[test]
    fn jitter_alone_is_no_transition() {
        for seed in 0..20 {
            let (x, y) = drop_at(1e9, seed);
            assert_eq!(Transition::of(&x, &y), None, "seed {seed}");
        }
    }
}
