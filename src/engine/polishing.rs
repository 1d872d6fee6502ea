//! Descent from a checkpoint before its neighbourhood is sampled: λ̂ is then that of the polished
//! point. Steepest descent on a batch that stays the same, each step along the gradient by the best of
//! a few rates, which run side by side as replicas of the chains' own program. The checkpoint itself,
//! and what trains, are not touched.

use super::probing::{Probed, probe};
use crate::exec::Exec;
use crate::experiments::chains::{POLISH_BATCHES as BATCHES, POLISH_RATES as RATES};
use crate::experiments::{ChainJob, Of, Parts};
use crate::protocol::Fault;
use web_time::Instant;

/// The checkpoint whose chains would see that batch: there is none, so nothing else sees it, and it is
/// the same for all checkpoints.
const HELD_OUT: u64 = u32::MAX as u64;
/// Milliseconds of one portion.
const PORTION_MS: u128 = 30;
/// Length of the very first step at a rate of 1, relative to ‖w‖.
const FIRST: f64 = 1e-2;

/// A descent under way.
#[derive(Debug)]
pub struct Polishing {
    follow: usize,
    /// The checkpoint, `[params]`.
    from: Vec<f32>,
    /// Where the descent is.
    point: Vec<f32>,
    /// Loss and gradient there; none before the first step.
    here: Option<Probed>,
    /// The loss at the checkpoint.
    began: f64,
    rate: f64,
    left: u64,
    batches: u64,
    /// Which weights move.
    moves: Vec<bool>,
}

impl Polishing {
    /// Prepares the descent of a job from `from`, of replica `follow`, along the weights that `moves`
    /// says; none where nothing is asked for.
    #[must_use]
    pub fn new(
        parts: &Parts,
        chains: &ChainJob,
        (follow, moves): (usize, Vec<bool>),
        from: &[f32],
    ) -> Option<Self> {
        let feed = |step| {
            let mut words = Vec::new();
            parts.lab.feed(of(follow), step, &mut words);
            words
        };
        let same = || feed(0) == feed(1);
        (chains.settings.polish > 0).then(|| Self {
            follow,
            from: from.to_vec(),
            point: from.to_vec(),
            here: None,
            began: f64::NAN,
            rate: 0.0,
            left: chains.settings.polish,
            batches: if same() { 1 } else { BATCHES },
            moves,
        })
    }

    /// Takes steps for a while, so that the page is served between portions: one may take
    /// microseconds or a second. True when the last was taken.
    ///
    /// # Errors
    /// Device lost or out of memory.
    pub async fn portion(&mut self, parts: &Parts, exec: &mut Exec) -> Result<bool, Fault> {
        let clock = Instant::now();
        while clock.elapsed().as_millis() < PORTION_MS {
            if self.step(parts, exec).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes one step; true when that was the last.
    async fn step(&mut self, parts: &Parts, exec: &mut Exec) -> Result<bool, Fault> {
        let Some((loss, gradient)) = self.here.take() else {
            let here = std::slice::from_ref(&self.point);
            let here = self.at(parts, exec, here).await?.pop();
            let (loss, gradient) = here.unwrap_or((f64::NAN, Vec::new()));
            self.began = loss;
            let size = norm(self.point.iter().map(|&w| f64::from(w)));
            let slope = norm(gradient.iter().copied());
            self.rate = FIRST * if size > 0.0 { size } else { 1.0 } / slope;
            self.here = Some((loss, gradient));
            return Ok(!self.rate.is_finite());
        };
        let along = |rate: f64| -> Vec<f32> {
            let step = self.point.iter().zip(&gradient);
            step.map(|(&w, g)| (f64::from(w) - rate * g) as f32)
                .collect()
        };
        let points = RATES.map(|f| along(f * self.rate));
        let found = self.at(parts, exec, &points).await?;
        let lower = found.into_iter().zip(RATES).zip(points);
        let best = lower
            .filter(|((found, _), _)| found.0 < loss)
            .min_by(|((a, _), _), ((b, _), _)| a.0.total_cmp(&b.0));
        match best {
            Some(((found, factor), point)) => {
                (self.here, self.point) = (Some(found), point);
                self.rate *= factor;
            }
            // None of them lowers the loss: all were too long.
            None => {
                self.here = Some((loss, gradient));
                self.rate *= 0.5 * RATES[RATES.len() - 1];
            }
        }
        self.left -= 1;
        Ok(self.left == 0)
    }

    /// Where it ended, how far that is, ‖w − w₀‖, and by how much the loss has fallen on its way.
    #[must_use]
    pub fn end(&self) -> (Vec<f32>, [f64; 2]) {
        let pairs = || self.point.iter().zip(&self.from);
        let moved = norm(pairs().map(|(&a, &b)| f64::from(a) - f64::from(b)));
        let now = self.here.as_ref().map_or(self.began, |h| h.0);
        let told = |x: f64| if x.is_finite() { x } else { 0.0 };
        let all = [moved, self.began - now].map(told);
        (self.point.clone(), all)
    }

    /// Mean loss and gradient over the batches, at each of the points.
    async fn at(
        &self,
        parts: &Parts,
        exec: &mut Exec,
        points: &[Vec<f32>],
    ) -> Result<Vec<Probed>, Fault> {
        let room = parts.chains.as_ref().map_or(1, |c| c.settings.replicas());
        let share = 1.0 / self.batches as f64;
        let mut all = Vec::with_capacity(points.len());
        for some in points.chunks(room) {
            let mut sums = vec![(0.0, vec![0.0; self.point.len()]); some.len()];
            for index in 0..self.batches {
                let of = of(self.follow);
                let found = probe(parts, exec, &self.point, some, of, index).await?;
                for (sum, found) in sums.iter_mut().zip(found) {
                    sum.0 += share * found.0;
                    let pairs = sum.1.iter_mut().zip(&found.1).zip(&self.moves);
                    pairs
                        .filter(|(_, m)| **m)
                        .for_each(|((s, g), _)| *s += share * g);
                }
            }
            all.extend(sums);
        }
        Ok(all)
    }
}

fn of(follow: usize) -> Of {
    Of::Chains {
        checkpoint: HELD_OUT,
        follow,
    }
}

fn norm(x: impl Iterator<Item = f64>) -> f64 {
    x.map(|x| x * x).sum::<f64>().sqrt()
}
