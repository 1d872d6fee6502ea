//! Where the path of the outputs bends, in the plane of its first two principal components: the angle
//! between where it came from and where it goes, 0° straight on, 180° back.
//!
//! Checkpoints scatter around the path, so neighbours say nothing: the legs of a bend go to the nearest
//! checkpoints on either side that are far enough away, a share of the whole figure or a multiple of the
//! scatter. A fast stretch has long legs, a rest none that end within it.
//!
//! The null is drift. In many dimensions the path of a random walk is the same arc every time, PCₖ of
//! checkpoint t of n being cos(πk(t + ½)/n)/sin(πk/2n) (Antognini and Sohl-Dickstein 2018), and that arc
//! bends too. A kink is what bends more than it does anywhere.

use std::f64::consts::{LN_2, PI};

/// Length of a leg, as a share of the greatest distance between two checkpoints.
const SHARE: f64 = 0.15;
/// And in standard deviations of the scatter, at least: it then moves an angle by 16° at most.
const LONG: f64 = 9.0;
/// In standard deviations of the scatter where there is most of it, at least: beside less nothing is seen.
const CLEAR: f64 = 6.0;
/// What is nearer than this share of a leg is at the same place.
const NEAR: f64 = 0.25;
/// Degrees beyond the arc that make a kink. Fewer than one in twenty random walks in a thousand
/// dimensions have one.
const KINK: f64 = 20.0;
/// Degrees from which a kink is a cusp: the path turns back.
const CUSP: f64 = 135.0;
/// Fewer checkpoints are no path.
const FEWEST: usize = 8;

/// How much the path bends at a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bend {
    /// The checkpoint.
    pub step: f64,
    /// Degrees.
    pub angle: f64,
    /// Standard deviation that the scatter of the checkpoints gives the angle, degrees.
    pub noise: f64,
    /// The first and the last step of a stay there of more than three checkpoints: it may have bent
    /// anywhere between them.
    pub rest: Option<[f64; 2]>,
    /// It bends more than drift and noise make a path bend, and of a stretch that does it is the place.
    pub kink: bool,
}

impl Bend {
    /// The path turns back there.
    #[must_use]
    pub fn cusp(&self) -> bool {
        self.kink && self.angle >= CUSP
    }
}

/// The bends of a path.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bends {
    /// At every checkpoint that has legs, in order.
    pub all: Vec<Bend>,
    /// Degrees of the sharpest bend of a random walk of as many checkpoints, with as long legs.
    pub arc: f64,
}

impl Bends {
    /// Degrees from which this bend would be a kink.
    #[must_use]
    pub fn needed(&self, bend: &Bend) -> f64 {
        self.arc + KINK.max(2.0 * bend.noise)
    }

    /// The kinks, in order.
    pub fn kinks(&self) -> impl Iterator<Item = &Bend> {
        self.all.iter().filter(|b| b.kink)
    }
}

/// The angle at a point, and the points its legs end at.
struct Legs {
    at: usize,
    ends: [usize; 2],
    angle: f64,
    lengths: [f64; 2],
}

/// The bends of a path: steps, rising, and coordinates `[checkpoint][PC1, PC2, …]`. None of fewer than
/// eight checkpoints, or where nothing moves.
#[must_use]
pub fn bends(steps: &[f64], points: &[[f64; 3]]) -> Bends {
    bends_within(steps, points, 0.0)
}

/// The same of one path in a figure with others, of whose greatest distance `figure` the legs are a share.
#[must_use]
pub fn bends_within(steps: &[f64], points: &[[f64; 3]], figure: f64) -> Bends {
    let n = steps.len().min(points.len());
    let path = flat(&points[..n]);
    let extent = extent(&path).max(figure);
    if n < FEWEST || !(extent > 0.0 && extent.is_finite()) {
        return Bends::default();
    }
    let [typical, sd] = scatter(steps, &path);
    let reach = (SHARE * extent).max(LONG * typical).max(CLEAR * sd);
    let walk = walk(n);
    let drift = legs(&walk, reach / extent * self::extent(&walk));
    let arc = drift.iter().fold(0.0, |top: f64, l| top.max(l.angle));
    let found = legs(&path, reach);
    let mut all: Vec<Bend> = Vec::with_capacity(found.len());
    let mut kink: Option<usize> = None;
    for (i, l) in found.iter().enumerate() {
        let [u, v] = l.lengths.map(f64::recip);
        let noise = (sd * (u * u + v * v + (u + v).powi(2)).sqrt()).to_degrees();
        let time = |l: &Legs| (l.ends[1] - l.ends[0], -l.angle);
        // Of those that lie within each other's legs, the one with the shortest time between its ends.
        let near = kink.filter(|k| l.at < found[*k].ends[1]);
        let is =
            l.angle > arc + KINK.max(2.0 * noise) && near.is_none_or(|k| time(l) < time(&found[k]));
        if is {
            near.inspect(|k| all[*k].kink = false);
            kink = Some(i);
        }
        all.push(Bend {
            step: steps[l.at],
            angle: l.angle,
            noise,
            rest: Some(stay(&path, l.at, NEAR * reach))
                .filter(|[a, b]| b - a >= 3)
                .map(|ends| ends.map(|t| steps[t])),
            kink: is,
        });
    }
    Bends { all, arc }
}

/// The arc that a random walk in many dimensions makes of so many checkpoints.
fn walk(n: usize) -> Vec<[f64; 2]> {
    let pc = |k: f64, t: usize| {
        let half = PI * k / (2.0 * n as f64);
        ((2 * t + 1) as f64 * half).cos() / half.sin()
    };
    (0..n).map(|t| [pc(1.0, t), pc(2.0, t)]).collect()
}

/// In the plane of the first two components.
fn flat(points: &[[f64; 3]]) -> Vec<[f64; 2]> {
    points.iter().map(|p| [p[0], p[1]]).collect()
}

/// The greatest distance between two points of a figure.
#[must_use]
pub fn figure(points: &[[f64; 3]]) -> f64 {
    extent(&flat(points))
}

fn distance(a: [f64; 2], b: [f64; 2]) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

/// The greatest distance between two points.
fn extent(path: &[[f64; 2]]) -> f64 {
    let from = |a: &[f64; 2]| path.iter().map(|b| distance(*a, *b)).fold(0.0, f64::max);
    path.iter().map(from).fold(0.0, f64::max)
}

/// Standard deviation of a checkpoint around the path, in a coordinate: from how far each lies off the
/// chord of its neighbours; by the median, which of a plane's normal distances is √(2 ln 2) of that, so
/// that a few bends do not count. Of the whole path, and of the third that scatters most: what rests for
/// most of a run does not make exact what it did before.
fn scatter(steps: &[f64], path: &[[f64; 2]]) -> [f64; 2] {
    let off = |t: usize| {
        let w = (steps[t] - steps[t - 1]) / (steps[t + 1] - steps[t - 1]);
        let chord = [0, 1].map(|k| (1.0 - w) * path[t - 1][k] + w * path[t + 1][k]);
        let normal = (2.0 * LN_2 * (1.0 + w * w + (1.0 - w).powi(2))).sqrt();
        distance(path[t], chord) / normal
    };
    let all: Vec<f64> = (1..path.len() - 1).map(off).collect();
    let third = all.len().div_ceil(3);
    let median = |part: &[f64]| {
        let mut part = part.to_vec();
        crate::math::order::ascending(&mut part);
        part[part.len() / 2]
    };
    let most = all.chunks(third).map(median).fold(0.0, f64::max);
    [median(&all), most]
}

/// The angle at every point that has points so far away on both sides.
fn legs(path: &[[f64; 2]], reach: f64) -> Vec<Legs> {
    let far = |t: usize, s: &usize| distance(path[t], path[*s]) >= reach;
    let at = |t: usize| {
        let a = (0..t).rev().find(|s| far(t, s))?;
        let b = (t + 1..path.len()).find(|s| far(t, s))?;
        let [u, v] = [[a, t], [t, b]].map(|[a, b]| [0, 1].map(|k| path[b][k] - path[a][k]));
        let (cross, inner) = (u[0] * v[1] - u[1] * v[0], u[0] * v[0] + u[1] * v[1]);
        Some(Legs {
            at: t,
            ends: [a, b],
            angle: cross.abs().atan2(inner).to_degrees(),
            lengths: [u, v].map(|w| w[0].hypot(w[1])),
        })
    };
    (0..path.len()).filter_map(at).collect()
}

/// The first and the last of the points in a row around one that are no farther from it.
fn stay(path: &[[f64; 2]], at: usize, near: f64) -> [usize; 2] {
    let there = |t: &usize| distance(path[*t], path[at]) <= near;
    let first = (0..at).rev().take_while(there).last().unwrap_or(at);
    let last = (at..path.len()).take_while(there).last().unwrap_or(at);
    [first, last]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instruments::pca::Pca;
    use crate::math::philox::{Draws, Stream};

    /// A path of 60 checkpoints with that scatter.
    fn path(scatter: f64, seed: u32, at: impl Fn(f64) -> [f64; 2]) -> Bends {
        let mut draws = Draws::new(seed, Stream::Probe, 9);
        let steps: Vec<f64> = (0..60).map(|t| f64::from(t) * 10.0).collect();
        let mut noisy = |t: f64| at(t).map(|x| x + scatter * draws.normal());
        let points = steps
            .iter()
            .map(|s| noisy(s / 10.0))
            .map(|[x, y]| [x, y, 0.0]);
        bends(&steps, &points.collect::<Vec<_>>())
    }

    /// The bends of a random walk.
    fn walked(dimensions: usize, seed: u32) -> Bends {
        let (mut draws, mut pca) = (Draws::new(seed, Stream::Probe, 11), Pca::default());
        let mut row = vec![0.0f32; dimensions];
        for t in 0..60 {
            row.iter_mut().for_each(|x| *x += draws.normal() as f32);
            assert!(pca.push(t, &row));
        }
        let found = pca.update();
        bends(&found.steps, &found.pcs)
    }

    #[test]
    fn a_corner_and_a_cusp_are_found_where_they_are() {
        for (scatter, seed) in [(0.0, 1), (0.3, 2), (0.5, 3)] {
            let corner = path(scatter, seed, |t| [t.min(25.0), (t - 25.0).max(0.0)]);
            let found: Vec<&Bend> = corner.kinks().collect();
            assert_eq!(found.len(), 1, "{scatter}");
            assert!((found[0].step - 250.0).abs() <= 20.0 && !found[0].cusp());
            assert!((found[0].angle - 90.0).abs() < 3.0 + 3.0 * found[0].noise);
            let back = path(scatter, seed, |t| [30.0 - (t - 30.0).abs(), 0.0]);
            let top: Vec<&Bend> = back.kinks().collect();
            assert!(top.len() == 1 && top[0].cusp() && (top[0].step - 300.0).abs() <= 20.0);
        }
    }

    #[test]
    fn a_straight_path_bends_as_noise_says_and_an_arc_has_no_kink() {
        for seed in 0..10 {
            let line = path(0.8, seed, |t| [t, 0.4 * t]);
            assert!(line.all.len() > 30 && line.kinks().next().is_none());
            let mean = |f: fn(&Bend) -> f64| {
                let all: f64 = line.all.iter().map(f).sum();
                (all / line.all.len() as f64).sqrt()
            };
            let (angle, noise) = (mean(|b| b.angle.powi(2)), mean(|b| b.noise.powi(2)));
            assert!(
                noise > 5.0 && (0.5..1.5).contains(&(angle / noise)),
                "{angle} {noise}"
            );
            let arc = path(0.1, seed, |t| {
                [20.0 * (t / 20.0).cos(), 20.0 * (t / 20.0).sin()]
            });
            assert!(arc.all.len() > 30 && arc.kinks().next().is_none());
        }
    }

    #[test]
    fn a_random_walk_bends_as_its_arc_does() {
        let all: Vec<Bends> = (0..20).map(|seed| walked(1000, seed)).collect();
        let kinked = all.iter().filter(|b| b.kinks().next().is_some()).count();
        assert!(kinked <= 1, "{kinked} of 20");
        // The closed form is what walks tend to.
        let top = |b: &Bends| b.all.iter().fold(0.0, |top: f64, b| top.max(b.angle));
        let mean = all.iter().map(|b| top(b) - b.arc).sum::<f64>() / 20.0;
        assert!((0.0..8.0).contains(&mean), "{mean}");
        // Planted: in a plane a walk has kinks anywhere, and they are seen.
        let flat = (0..5).filter(|s| walked(2, *s).kinks().next().is_some());
        assert!(flat.count() >= 4);
    }

    #[test]
    fn what_jitters_and_then_rests_has_no_kink() {
        let jitter = |seed: u32, figure: f64| {
            let mut draws = Draws::new(seed, Stream::Probe, 10);
            let steps: Vec<f64> = (0..60).map(f64::from).collect();
            let at = |t: &f64| [0; 2].map(|_| if *t < 25.0 { draws.normal() } else { 0.0 });
            let points: Vec<[f64; 3]> = steps.iter().map(at).map(|[x, y]| [x, y, 0.0]).collect();
            bends_within(&steps, &points, figure).kinks().count()
        };
        assert_eq!((0..20).map(|seed| jitter(seed, 0.0)).sum::<usize>(), 0);
        // Nor has a small one beside others that go far.
        assert_eq!((0..20).map(|seed| jitter(seed, 60.0)).sum::<usize>(), 0);
    }

    #[test]
    fn a_kink_at_a_rest_is_told_with_both_its_ends() {
        // Along, 20 checkpoints at rest, then up.
        let at = |t: f64| [t.min(20.0), (t - 40.0).max(0.0)];
        let found = path(0.0, 1, at);
        let kinks: Vec<&Bend> = found.kinks().collect();
        let [from, to] = kinks[0].rest.unwrap();
        assert!(
            kinks.len() == 1 && (190.0..=200.0).contains(&from) && (400.0..=410.0).contains(&to)
        );
        // One that is passed at speed is at its step.
        let corner = path(0.0, 1, |t| [t.min(25.0), (t - 25.0).max(0.0)]);
        assert!(corner.kinks().count() == 1 && corner.kinks().all(|k| k.rest.is_none()));
    }

    #[test]
    fn what_does_not_move_does_not_bend() {
        assert_eq!(path(0.0, 1, |_| [0.0, 0.0]), Bends::default());
        assert_eq!(bends(&[], &[]), Bends::default());
    }
}
