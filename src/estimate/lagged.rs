//! Does one thing go with another, some time later? Rank correlation of what drives with what responds,
//! against a null that keeps how both develop.
//!
//! Two curves that only rise while a model trains are correlated whatever ties them. The null here
//! therefore leaves every curve as it is and exchanges *which* responder belongs to which driver: what
//! all have in common with time stays in it.

use crate::math::philox::{Draws, Stream};

/// Ways of exchanging up to which all are tried; else so many are drawn.
const ALL: usize = 5040;
/// Draws where there are more.
const DRAWN: usize = 999;

/// Curves on the same steps; NaN where there is no value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curves {
    /// What drives: a curve, and the number of its responder.
    pub drivers: Vec<(Vec<f64>, usize)>,
    /// What responds: a curve, and its class; only responders of one class are exchanged.
    pub responders: Vec<(Vec<f64>, usize)>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lagged {
    /// By driver, its points (driver, response `lag` later) with the index of the driver's step.
    pub points: Vec<(usize, usize, [f64; 2])>,
    /// Spearman's ρ over all points; none of fewer than four, or where nothing varies.
    pub rho: Option<f64>,
    /// ρ with responders exchanged: every way but the one there is, rising.
    pub null: Vec<f64>,
    /// Share of all ways, the one there is among them, in which |ρ| is at least as great.
    pub p: f64,
}

/// Ranks from 0; equal values share the mean of theirs.
fn ranks(x: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..x.len()).collect();
    crate::math::order::sort_by(&mut order, |&a, &b| x[a].total_cmp(&x[b]));
    let mut out = vec![0.0; x.len()];
    let mut from = 0;
    while from < order.len() {
        let same = order[from..]
            .iter()
            .take_while(|&&i| x[i] == x[order[from]])
            .count();
        let rank = from as f64 + (same - 1) as f64 / 2.0;
        order[from..from + same].iter().for_each(|&i| out[i] = rank);
        from += same;
    }
    out
}

/// Spearman's rank correlation; none of fewer than four points, or where one does not vary.
#[must_use]
pub fn spearman(points: &[[f64; 2]]) -> Option<f64> {
    if points.len() < 4 {
        return None;
    }
    let [x, y] = [0, 1].map(|k| ranks(&points.iter().map(|p| p[k]).collect::<Vec<_>>()));
    let middle = (points.len() - 1) as f64 / 2.0;
    let dot = |a: &[f64], b: &[f64]| -> f64 {
        a.iter()
            .zip(b)
            .map(|(a, b)| (a - middle) * (b - middle))
            .sum()
    };
    let size = (dot(&x, &x) * dot(&y, &y)).sqrt();
    (size > 0.0).then(|| dot(&x, &y) / size)
}

/// A curve's changes from each step to the next; NaN at the last.
#[must_use]
pub fn changes(y: &[f64]) -> Vec<f64> {
    let next = y.iter().skip(1).copied().chain([f64::NAN]);
    y.iter().zip(next).map(|(now, next)| next - now).collect()
}

impl Curves {
    /// The points under an exchange of responders.
    fn points(&self, lag: i64, exchange: &[usize]) -> Vec<(usize, usize, [f64; 2])> {
        let mut out = Vec::new();
        for (d, (x, whose)) in self.drivers.iter().enumerate() {
            let Some((y, _)) = exchange.get(*whose).and_then(|&r| self.responders.get(r)) else {
                continue;
            };
            for (t, &x) in x.iter().enumerate() {
                let later = usize::try_from(t as i64 + lag).ok().and_then(|t| y.get(t));
                if let Some(&y) = later.filter(|y| y.is_finite() && x.is_finite()) {
                    out.push((d, t, [x, y]));
                }
            }
        }
        out
    }

    /// Every way of exchanging responders within their classes, the one there is first; or some, drawn.
    fn exchanges(&self) -> Vec<Vec<usize>> {
        let own: Vec<usize> = (0..self.responders.len()).collect();
        let mut classes: Vec<Vec<usize>> = Vec::new();
        for (r, (_, class)) in self.responders.iter().enumerate() {
            // Those that nothing drives are not in the points: exchanging them changes nothing.
            if self.drivers.iter().all(|d| d.1 != r) {
                continue;
            }
            match classes
                .iter_mut()
                .find(|c| self.responders[c[0]].1 == *class)
            {
                Some(members) => members.push(r),
                None => classes.push(vec![r]),
            }
        }
        let ways =
            |n: usize| (1..=n).try_fold(1usize, |all, k| all.checked_mul(k).filter(|w| *w <= ALL));
        let all = classes.iter().try_fold(1usize, |all, c| {
            all.checked_mul(ways(c.len())?).filter(|w| *w <= ALL)
        });
        let mut out = vec![own.clone()];
        if all.is_some() {
            for members in &classes {
                let orders = orders(members);
                out = out
                    .iter()
                    .flat_map(|base| {
                        orders.iter().map(|order| {
                            let mut next = base.clone();
                            members.iter().zip(order).for_each(|(&m, &o)| next[m] = o);
                            next
                        })
                    })
                    .collect();
            }
            return out;
        }
        let mut draws = Draws::new(1, Stream::Probe, 91);
        for _ in 0..DRAWN {
            let mut next = own.clone();
            for members in &classes {
                for i in (1..members.len()).rev() {
                    next.swap(members[i], members[draws.index(i as u32 + 1) as usize]);
                }
            }
            out.push(next);
        }
        out
    }

    /// The correlation `lag` steps later, and its null.
    #[must_use]
    pub fn lagged(&self, lag: i64) -> Lagged {
        let values =
            |points: &[(usize, usize, [f64; 2])]| points.iter().map(|p| p.2).collect::<Vec<_>>();
        let all = self.exchanges();
        let points = self.points(lag, &all[0]);
        let rho = spearman(&values(&points));
        let mut null: Vec<f64> = all[1..]
            .iter()
            .filter_map(|e| spearman(&values(&self.points(lag, e))))
            .collect();
        let own = rho.map_or(f64::INFINITY, f64::abs);
        let beyond = null.iter().filter(|r| r.abs() >= own - 1e-12).count();
        crate::math::order::ascending(&mut null);
        Lagged {
            points,
            rho,
            p: (beyond + 1) as f64 / (null.len() + 1) as f64,
            null,
        }
    }
}

/// All orders of some numbers, the given one first.
fn orders(of: &[usize]) -> Vec<Vec<usize>> {
    if of.len() < 2 {
        return vec![of.to_vec()];
    }
    let mut out = Vec::new();
    for i in 0..of.len() {
        let mut rest = of.to_vec();
        let first = rest.remove(i);
        out.extend(orders(&rest).into_iter().map(|mut o| {
            o.insert(0, first);
            o
        }));
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ranks_by_hand() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 9.0]), [1.5, 0.0, 1.5, 3.0]);
        let points = [[1.0, 2.0], [2.0, 1.0], [3.0, 4.0], [4.0, 3.0], [5.0, 5.0]];
        // 1 − 6·Σd²/(n(n² − 1)) with d = 1, 1, 1, 1, 0.
        assert!((spearman(&points).unwrap() - 0.8).abs() < 1e-12);
        // Only the order counts.
        assert_eq!(
            spearman(&points.map(|[x, y]| [x.exp(), y.powi(3)])),
            spearman(&points)
        );
        assert_eq!(spearman(&points.map(|[x, _]| [x, 1.0])), None);
        assert_eq!(changes(&[1.0, 4.0, 2.0])[..2], [3.0, -2.0]);
    }

    /// Four responders that all rise with time, each with jumps of its own, and drivers that have the
    /// jumps of theirs two steps before, or (where `tied` is false) jumps of their own.
    fn planted(tied: bool, seed: u32) -> Curves {
        let mut draws = Draws::new(seed, Stream::Probe, 3);
        let mut bumps = || (0..42).map(|_| draws.normal()).collect::<Vec<f64>>();
        let trend = |t: usize| 0.3 * t as f64;
        let mut all = Curves::default();
        for r in 0..4 {
            let own = bumps();
            let other = bumps();
            let driver = if tied { &own } else { &other };
            all.responders
                .push(((0..40).map(|t| trend(t) + own[t]).collect(), 0));
            all.drivers
                .push(((0..40).map(|t| trend(t) + driver[t + 2]).collect(), r));
        }
        all
    }

    #[test]
    fn what_is_tied_stands_out_at_its_lag_and_a_common_trend_does_not() {
        let tied = planted(true, 5);
        let at = tied.lagged(2);
        assert_eq!((at.null.len(), at.points.len()), (23, 4 * 38));
        assert!((at.p - 1.0 / 24.0).abs() < 1e-12, "{}", at.p);
        assert!(at.rho.unwrap() > 0.95);
        assert!(tied.lagged(0).rho.unwrap() < at.rho.unwrap() - 0.02);
        // The trend alone makes ρ large, and the null just as large: planted fault for a null of 0.
        let mut small = 0;
        for seed in 10..30 {
            let free = planted(false, seed).lagged(2);
            assert!(free.rho.unwrap() > 0.8 && free.null[0] > 0.8);
            small += usize::from(free.p <= 0.05);
        }
        assert!(small <= 3, "{small} of 20");
    }

    #[test]
    fn only_responders_of_a_class_are_exchanged() {
        let mut all = planted(true, 1);
        all.responders[2].1 = 7;
        all.responders[3].1 = 7;
        assert_eq!(all.lagged(0).null.len(), 3);
        // A responder without a driver takes no part.
        all.drivers.retain(|d| d.1 != 3);
        assert_eq!(all.lagged(0).null.len(), 1);
        let all = planted(true, 1);
        // A negative lag looks the other way, and beyond the curve nothing is left.
        assert_eq!(all.lagged(-3).points.len(), 4 * 37);
        assert_eq!((all.lagged(99).rho, all.lagged(99).points.len()), (None, 0));
        // Eight of a class have more ways than are tried.
        let mut many = planted(true, 1);
        many.responders.extend(planted(true, 2).responders);
        let more = planted(true, 2).drivers.into_iter();
        many.drivers.extend(more.map(|(y, r)| (y, r + 4)));
        assert_eq!(many.lagged(0).null.len(), DRAWN);
    }
}
