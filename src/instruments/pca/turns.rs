//! Where the path of the outputs turns: the angle between where it came from and where it goes, in
//! the whole space of the outputs, beside the angle that noise alone gives a straight path.
//!
//! With outputs x_t, the legs of checkpoint t are u = x_t − x_a and v = x_b − x_t, and its turn is the
//! angle between them: 0° straight on, 180° back. A projection bends and folds a path by itself, so
//! the angle is taken from inner products and not from the plane that is drawn.
//!
//! Checkpoints scatter around the path by a variance V (summed over outputs), told from how far each
//! lies off the chord of its neighbours. Legs reach until they are well above it; where eight checkpoints
//! do not reach that far, their ends are means over three or five, which scatter less. Of a straight path
//! with that scatter, |u|² = s² + 2V and ⟨u, v⟩ = s_u·s_v − V: x_t is in both, with opposite signs.
//! The increments of a random walk are at right angles, all of them: its turns are 90°.

use super::Pca;
use crate::protocol::Turn;

/// A leg is long enough at this many times V: noise then turns a straight path by 35°.
const REACH: f64 = 16.0;
/// Checkpoints of a leg, at least and at most.
const LEGS: [usize; 2] = [2, 8];
/// Checkpoints around each end of a leg whose mean stands for it, on either side: as few as it takes.
const AROUND: [usize; 3] = [0, 1, 2];
/// Degrees above noise, and above what is usual for the path, that make a kink.
const KINK: f64 = 30.0;

impl Pca {
    pub(super) fn product(&self, s: usize, t: usize) -> f64 {
        let (s, t) = (s.max(t), s.min(t));
        self.products[s * (s + 1) / 2 + t]
    }

    /// ⟨x_b − x_a, x_d − x_c⟩.
    fn between(&self, u: [usize; 2], v: [usize; 2]) -> f64 {
        self.between_means(u, v, 0)
    }

    /// The same of the means over the checkpoints up to `h` away from each.
    fn between_means(&self, [a, b]: [usize; 2], [c, d]: [usize; 2], h: usize) -> f64 {
        let around = |t: usize| t - h..=t + h;
        let p = |s: usize, t: usize| {
            let all = around(s).flat_map(|s| around(t).map(move |t| self.product(s, t)));
            all.sum::<f64>() / ((2 * h + 1) as f64).powi(2)
        };
        p(b, d) - p(b, c) - p(a, d) + p(a, c)
    }

    /// V, by the median of what single checkpoints say: a few bends do not count.
    fn scatter(&self) -> f64 {
        let mut all: Vec<f64> = (1..self.len().saturating_sub(1))
            .map(|t| {
                let (a, b) = (
                    self.steps[t] - self.steps[t - 1],
                    self.steps[t + 1] - self.steps[t],
                );
                let w = a / (a + b);
                // x_t less the chord: (1−w)(x_t − x_{t−1}) − w(x_{t+1} − x_t).
                let (u, v) = ([t - 1, t], [t, t + 1]);
                let off = (1.0 - w).powi(2) * self.between(u, u)
                    - 2.0 * w * (1.0 - w) * self.between(u, v)
                    + w * w * self.between(v, v);
                off / (1.0 + w * w + (1.0 - w).powi(2))
            })
            .collect();
        median(&mut all).max(0.0)
    }

    /// The legs of a checkpoint, in checkpoints, where both are long enough: between means over those up
    /// to `h` away, which scatter by V/(2h + 1) and of which no two share one.
    fn legs(&self, t: usize, h: usize, scatter: f64) -> Option<[usize; 2]> {
        let v = scatter / (2 * h + 1) as f64;
        let long = |leg| self.between_means(leg, leg, h) > REACH * v;
        let mut reach = LEGS[0].max(2 * h + 1)..=LEGS[1];
        let back = reach
            .clone()
            .find(|&k| t >= k + h && t + h < self.len() && long([t - k, t]))?;
        let on = reach.find(|&k| t + k + h < self.len() && long([t, t + k]))?;
        Some([back, on])
    }

    /// The turn at every checkpoint whose legs are long enough, in order, kinks marked.
    #[must_use]
    pub fn turns(&self) -> Vec<Turn> {
        let (n, scatter) = (self.len(), self.scatter());
        let mut found: Vec<(usize, usize, Turn)> = Vec::new();
        for t in 0..n {
            let legs = |h: usize| self.legs(t, h, scatter).map(|legs| (h, legs));
            let Some((h, [back, on])) = AROUND.into_iter().find_map(legs) else {
                continue;
            };
            let (u, w) = ([t - back, t], [t, t + on]);
            let v = scatter / (2 * h + 1) as f64;
            let between = |u, w| self.between_means(u, w, h);
            let size = (between(u, u) * between(w, w)).sqrt();
            let straight = |leg| (between(leg, leg) - 2.0 * v).max(0.0).sqrt();
            let angle = |inner: f64| (inner / size).clamp(-1.0, 1.0).acos().to_degrees();
            let turn = Turn {
                step: self.steps[t],
                angle: angle(between(u, w)),
                noise: angle(straight(u) * straight(w) - v),
                kink: false,
            };
            if turn.angle.is_finite() && turn.noise.is_finite() {
                found.push((t, back.max(on) + h, turn));
            }
        }
        let usual = median(&mut found.iter().map(|f| f.2.angle).collect::<Vec<_>>());
        let kinks: Vec<bool> = found
            .iter()
            .map(|(t, reach, turn)| {
                let near = found.iter().filter(|(s, _, _)| s.abs_diff(*t) <= *reach);
                let top = near.fold(0.0, |top: f64, (_, _, other)| top.max(other.angle));
                turn.angle >= top && turn.angle > turn.noise.max(usual) + KINK
            })
            .collect();
        let marked = found.into_iter().zip(kinks);
        marked
            .map(|((_, _, turn), kink)| Turn { kink, ..turn })
            .collect()
    }
}

/// The middle value; 0 of none.
fn median(values: &mut [f64]) -> f64 {
    crate::math::order::ascending(values);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::philox::{Draws, Stream};

    const OUTPUTS: usize = 120;

    /// A path of 60 checkpoints with that scatter: `at` gives the first two coordinates.
    fn path(scatter: f64, seed: u32, at: impl Fn(f64) -> [f64; 2]) -> Vec<Turn> {
        placed(scatter, seed, at).turns()
    }

    fn placed(scatter: f64, seed: u32, at: impl Fn(f64) -> [f64; 2]) -> Pca {
        let mut draws = Draws::new(seed, Stream::Probe, 9);
        let mut pca = Pca::default();
        for t in 0..60 {
            let mut row: Vec<f32> = (0..OUTPUTS)
                .map(|_| (scatter * draws.normal()) as f32)
                .collect();
            let place = at(f64::from(t));
            (0..2).for_each(|k| row[k] += place[k] as f32);
            assert!(pca.push(t as u64 * 10, &row));
        }
        pca
    }

    fn kinks(turns: &[Turn]) -> Vec<f64> {
        turns.iter().filter(|t| t.kink).map(|t| t.step).collect()
    }

    #[test]
    fn a_corner_and_a_cusp_are_found_where_they_are() {
        for (scatter, seed) in [(0.0, 1), (0.02, 2), (0.05, 3)] {
            let corner = path(scatter, seed, |t| [t.min(25.0), (t - 25.0).max(0.0)]);
            assert_eq!(kinks(&corner).len(), 1, "{scatter}");
            assert!((kinks(&corner)[0] - 250.0).abs() <= 10.0);
            let back = path(scatter, seed, |t| [30.0 - (t - 30.0).abs(), 0.0]);
            let top = back.iter().find(|t| t.kink).unwrap();
            assert!(
                (top.step - 300.0).abs() <= 10.0 && top.angle > 150.0,
                "{top:?}"
            );
        }
    }

    #[test]
    fn means_see_the_corner_that_single_checkpoints_hide() {
        for seed in 0..5 {
            let pca = placed(0.3, seed, |t| [t.min(30.0), (t - 30.0).max(0.0)]);
            // Planted: without means no leg is long enough anywhere.
            assert!((0..60).all(|t| pca.legs(t, 0, pca.scatter()).is_none()));
            let turns = pca.turns();
            let corner = turns.iter().find(|t| t.kink).unwrap();
            assert!((corner.step - 300.0).abs() <= 30.0, "{seed}: {corner:?}");
            let far = |t: &&Turn| (t.step - 300.0).abs() > 110.0;
            let rest: Vec<&Turn> = turns.iter().filter(far).collect();
            let mean =
                |f: fn(&Turn) -> f64| rest.iter().map(|t| f(t)).sum::<f64>() / rest.len() as f64;
            let (angle, noise) = (mean(|t| t.angle), mean(|t| t.noise));
            assert!(
                rest.len() > 10 && (angle - noise).abs() < 10.0,
                "{angle} {noise}"
            );
        }
    }

    #[test]
    fn a_straight_path_turns_as_noise_says_and_has_no_kink() {
        for seed in 0..10 {
            let line = path(0.1, seed, |t| [t, 0.4 * t]);
            assert!(line.len() > 30 && kinks(&line).is_empty());
            let mean = |f: fn(&Turn) -> f64| line.iter().map(f).sum::<f64>() / line.len() as f64;
            let (angle, noise) = (mean(|t| t.angle), mean(|t| t.noise));
            assert!(
                noise > 15.0 && (angle - noise).abs() < 6.0,
                "{angle} {noise}"
            );
            // An arc, as every smooth path is one, has none either.
            let arc = path(0.02, seed, |t| {
                [20.0 * (t / 20.0).cos(), 20.0 * (t / 20.0).sin()]
            });
            assert!(arc.len() > 30 && kinks(&arc).is_empty());
        }
    }

    #[test]
    fn a_random_walk_turns_by_right_angles_and_has_no_kinks() {
        let mut all = Vec::new();
        for seed in 0..5 {
            let (mut draws, mut pca) = (Draws::new(seed, Stream::Probe, 11), Pca::default());
            let mut row = vec![0.0f32; OUTPUTS];
            for t in 0..60 {
                row.iter_mut().for_each(|x| *x += draws.normal() as f32);
                assert!(pca.push(t, &row));
            }
            let turns = pca.turns();
            assert!(kinks(&turns).is_empty());
            all.extend(turns.iter().map(|t| t.angle));
        }
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        assert!(
            all.len() > 20 && (mean - 90.0).abs() < 5.0,
            "{mean} of {}",
            all.len()
        );
    }

    #[test]
    fn what_does_not_move_does_not_turn() {
        assert!(path(0.1, 1, |_| [0.0, 0.0]).is_empty());
        assert!(Pca::default().turns().is_empty());
    }
}
