//! Who leads? For each indicator, the first step at which it leaves its own past, against the step at
//! which the behaviour itself changes; over several runs, with thresholds set on runs in which nothing
//! happens.
//!
//! An alarm uses what came before it and nothing else: a point is compared with the median and the
//! median absolute deviation of the points just before it. Measures that know the end of a run are for
//! the caller to mark.

pub use super::transition::Transition;
use crate::math::philox::{Draws, Stream};
use crate::math::stats;

/// Points of its past that an indicator is compared with.
pub const WINDOW: usize = 8;
/// Bootstrap replicates behind an interval.
const REPLICATES: u32 = 500;
/// Standard deviations of a normal variable in its median absolute deviation.
const MAD: f64 = 1.4826;

/// Median absolute deviation, as a standard deviation.
pub(super) fn deviation(values: &[f64]) -> f64 {
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

/// The step at which two points in a row have departed by more than `threshold`: that of the second, for
/// before it there is no alarm. None if that never happens.
#[must_use]
pub fn alarm(x: &[f64], y: &[f64], threshold: f64) -> Option<f64> {
    let far: Vec<f64> = departures(y).collect();
    let at = far
        .windows(2)
        .position(|w| w.iter().all(|d| *d > threshold))?;
    x.get(at + WINDOW + 1).copied()
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
    fn one_outlier_is_no_alarm() {
        let (x, mut y) = drop_at(1e9, 3);
        y[40] = 9.0;
        assert_eq!(alarm(&x, &y, 10.0), None);
        y[41] = 9.0;
        // At the second: one point earlier it could not have been told from an outlier.
        assert_eq!(alarm(&x, &y, 10.0), Some(410.0));
        assert_eq!(alarm(&x[..41], &y[..41], 10.0), None);
    }

    #[test]
    fn an_alarm_knows_nothing_of_what_comes_later() {
        let (x, y) = drop_at(500.0, 5);
        let whole = alarm(&x, &y, 10.0).unwrap();
        let cut = x.iter().position(|s| *s == whole).unwrap() + 1;
        assert_eq!(alarm(&x[..cut], &y[..cut], 10.0), Some(whole));
        // Planted fault: dated at the first of the two points, where it could not have sounded.
        let early = x[cut - 2];
        assert!(
            x[..cut - 1].contains(&early) && alarm(&x[..cut - 1], &y[..cut - 1], 10.0).is_none()
        );
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
            assert!((520.0..=540.0).contains(&at), "seed {seed}: {at}");
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
