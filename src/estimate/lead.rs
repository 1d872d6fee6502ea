//! Who leads? For each indicator, the first step at which it leaves its own past, against the step at
//! which the behaviour itself changes; over several runs, with thresholds set on runs in which nothing
//! happens.
//!
//! An alarm uses what came before it and nothing else: a point is compared with the median and the
//! median absolute deviation of the points just before it. Measures that know the end of a run are for
//! the caller to mark.

use crate::math::philox::{Draws, Stream};
use crate::math::stats;

/// Points of its past that an indicator is compared with.
pub const WINDOW: usize = 8;
/// Bootstrap replicates behind an interval.
const REPLICATES: u32 = 500;
/// Pieces of equal time that a curve's beginning is made of.
const PIECES: u32 = 64;
/// Standard deviations of a normal variable in its median absolute deviation.
const MAD: f64 = 1.4826;

/// Where a behaviour goes from how it was to how it ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transition {
    /// The first step from which two points in a row have a tenth of the way done.
    pub t10: f64,
    /// Half of it.
    pub t50: f64,
    /// Nine tenths of it.
    pub t90: f64,
}

impl Transition {
    /// Of a curve over steps: from the median of the first fifth of its steps to the median of the last
    /// tenth of its points. A share of the way is done where two points in a row lie beyond it. None for a
    /// curve whose way is less than ten times its own jitter at the end: nothing has happened in it.
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
        let tail = &y[n - (n / 10).max(3)..n];
        let (low, high) = (beginning(x, y), stats::median(tail));
        let way = high - low;
        if way.is_nan() || way.abs() <= 10.0 * deviation(tail) || way * least < least * least {
            return None;
        }
        let done = |share: f64| {
            (1..n)
                .find(|&i| [i - 1, i].iter().all(|&j| (y[j] - low) / way >= share))
                .map(|i| x[i - 1])
        };
        Some(Self {
            t10: done(0.1)?,
            t50: done(0.5)?,
            t90: done(0.9)?,
        })
    }

    /// How long it takes: log₁₀(t90/t10), the 10-90 % width in decades of steps.
    #[must_use]
    pub fn width(&self) -> f64 {
        (self.t90.max(1.0) / self.t10.max(1.0)).log10()
    }
}

/// The median of a curve over the first fifth of its steps, each step alike: where points are dense at the
/// beginning, as on a logarithmic grid, those of the first few steps do not outvote the rest.
fn beginning(x: &[f64], y: &[f64]) -> f64 {
    let n = x.len().min(y.len());
    let fifth = (x[n - 1] - x[0]) / 5.0;
    let at = |k: u32| {
        let step = x[0] + fifth * (f64::from(k) + 0.5) / f64::from(PIECES);
        y[x[..n].partition_point(|x| *x <= step).max(1) - 1]
    };
    stats::median(&(0..PIECES).map(at).collect::<Vec<_>>())
}

/// Median absolute deviation, as a standard deviation.
fn deviation(values: &[f64]) -> f64 {
    let middle = stats::median(values);
    let off: Vec<f64> = values.iter().map(|v| (v - middle).abs()).collect();
    MAD * stats::median(&off)
}

/// How far each point from the `WINDOW`-th on is from the points before it, in their deviations. A past
/// without any jitter is given a thousandth of its size.
fn departures(y: &[f64]) -> impl Iterator<Item = f64> + '_ {
    y.windows(WINDOW + 1).map(|w| {
        let (past, now) = (&w[..WINDOW], w[WINDOW]);
        let middle = stats::median(past);
        let jitter = deviation(past).max(1e-3 * middle.abs()).max(1e-12);
        (now - middle).abs() / jitter
    })
}

/// The step of the first of two points in a row that depart by more than `threshold`. None if that
/// never happens.
#[must_use]
pub fn alarm(x: &[f64], y: &[f64], threshold: f64) -> Option<f64> {
    let far: Vec<f64> = departures(y).collect();
    let at = far
        .windows(2)
        .position(|w| w.iter().all(|d| *d > threshold))?;
    x.get(at + WINDOW).copied()
}

/// The greatest departure of a curve from its own past that lasted for two points, in deviations: a
/// threshold there or above gives no alarm.
#[must_use]
pub fn departure(y: &[f64]) -> f64 {
    let far: Vec<f64> = departures(y).collect();
    far.windows(2).map(|w| w[0].min(w[1])).fold(0.0, f64::max)
}

/// The lowest threshold at which no more than one in twenty of these runs gives an alarm: from the
/// greatest departure of each that lasted. Runs in which nothing happens; of fewer than twenty, none
/// gives one.
#[must_use]
pub fn threshold(nulls: &[f64]) -> f64 {
    let above = |h: f64| nulls.iter().filter(|d| **d > h).count();
    let quiet = nulls
        .iter()
        .copied()
        .filter(|h| above(*h) * 20 <= nulls.len());
    quiet.fold(f64::INFINITY, f64::min)
}

/// How an indicator does over several runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lead {
    /// Runs that had a transition.
    pub runs: usize,
    /// Those of them with an alarm.
    pub given: usize,
    /// Those of them in which the alarm came before half of it was done.
    pub before: usize,
    /// Median of (step half done) − (step of the alarm) over the runs with an alarm, in steps; negative
    /// where the alarm comes late. None without any.
    pub median: Option<f64>,
    /// Its 95 % interval by bootstrap over runs; none of fewer than three.
    pub interval: Option<(f64, f64)>,
}

/// From the steps at which the behaviour was half done and the indicator gave its alarm, run by run.
#[must_use]
pub fn lead(runs: &[(f64, Option<f64>)], seed: u32) -> Lead {
    let leads: Vec<f64> = runs.iter().filter_map(|(t, a)| Some(t - (*a)?)).collect();
    let mut draws = Draws::new(seed, Stream::Probe, 78);
    let interval = (leads.len() >= 3).then(|| {
        let mut medians: Vec<f64> = (0..REPLICATES)
            .map(|_| {
                let again: Vec<f64> = leads
                    .iter()
                    .map(|_| leads[draws.index(leads.len() as u32) as usize])
                    .collect();
                stats::median(&again)
            })
            .collect();
        crate::math::order::ascending(&mut medians);
        let at = |q: f64| medians[(q * (medians.len() - 1) as f64).round() as usize];
        (at(0.025), at(0.975))
    });
    Lead {
        runs: runs.len(),
        given: leads.len(),
        before: leads.iter().filter(|l| **l > 0.0).count(),
        median: (!leads.is_empty()).then(|| stats::median(&leads)),
        interval,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

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
        assert!(stats::median(&y[..y.len() / 5]) > 4.4 && beginning(&x, &y) < 4.01);
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

    #[test]
    fn one_outlier_is_no_alarm() {
        let (x, mut y) = drop_at(1e9, 3);
        y[40] = 9.0;
        assert_eq!(alarm(&x, &y, 10.0), None);
        y[41] = 9.0;
        assert_eq!(alarm(&x, &y, 10.0), Some(400.0));
    }

    #[test]
    fn an_alarm_knows_nothing_of_what_comes_later() {
        let (x, y) = drop_at(500.0, 5);
        let whole = alarm(&x, &y, 10.0).unwrap();
        let cut = x.iter().position(|s| *s == whole).unwrap() + 2;
        assert_eq!(alarm(&x[..cut], &y[..cut], 10.0), Some(whole));
        // Planted fault: a z-score by the median and deviation of the whole run does not pass this.
        let hindsight = |y: &[f64]| (y[cut - 1] - stats::median(y)).abs() / deviation(y);
        assert!((hindsight(&y) - hindsight(&y[..cut])).abs() > 1.0);
    }

    #[test]
    fn a_threshold_from_null_runs_keeps_them_quiet_and_hears_the_drop() {
        let nulls: Vec<_> = (10..29).map(|seed| drop_at(1e9, seed)).collect();
        let far: Vec<f64> = nulls.iter().map(|(_, y)| departure(y)).collect();
        let h = threshold(&far);
        assert!(nulls.iter().all(|(x, y)| alarm(x, y, h).is_none()));
        // Half the threshold would have given false alarms.
        assert!(nulls.iter().any(|(x, y)| alarm(x, y, 0.5 * h).is_some()));
        // Of forty, two may.
        let more: Vec<f64> = (1..=40).map(f64::from).collect();
        assert_eq!(threshold(&more), 38.0);
        for seed in 40..50 {
            let (x, y) = drop_at(500.0, seed);
            let at = alarm(&x, &y, h).unwrap();
            assert!((510.0..=530.0).contains(&at), "seed {seed}: {at}");
        }
    }

    #[test]
    fn leads_are_counted_from_the_middle_of_the_transition() {
        let early = lead(
            &[
                (550.0, Some(450.0)),
                (600.0, Some(520.0)),
                (580.0, Some(460.0)),
                (500.0, None),
            ],
            1,
        );
        assert_eq!((early.runs, early.given, early.before), (4, 3, 3));
        assert_eq!(early.median, Some(100.0));
        let (low, high) = early.interval.unwrap();
        assert!((80.0..=100.0).contains(&low) && (100.0..=120.0).contains(&high));
        let late = lead(&[(550.0, Some(570.0)), (550.0, Some(590.0))], 1);
        assert_eq!(
            (late.given, late.before, late.median, late.interval),
            (2, 0, Some(-30.0), None)
        );
        assert_eq!(lead(&[(550.0, None)], 1).median, None);
    }
}
