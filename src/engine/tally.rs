//! Where time and submissions went: the rate shown, the time left, the counters of training.

use super::session::Session;
use crate::protocol::PerStep;

/// Where time and submissions went.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spent {
    /// Steps of steady batches, and their submissions.
    steady: (u64, u64),
    points: u64,
    points_s: f64,
    /// Steps and seconds of the last moments, for the rate shown.
    recent: (f64, f64),
}

impl Spent {
    /// A batch that trained. Its submissions count unless it was cut because nothing was measured.
    pub(super) fn trained(&mut self, steps: u64, submits: Option<u64>, seconds: f64) {
        if let Some(submits) = submits {
            self.steady.0 += steps;
            self.steady.1 += submits;
        }
        let keep = 0.5f64.powf(seconds);
        self.recent = (
            self.recent.0 * keep + steps as f64,
            self.recent.1 * keep + seconds,
        );
    }
    /// A λ̂ point.
    pub(super) fn sampled(&mut self, seconds: f64) {
        self.points += 1;
        self.points_s += seconds;
    }
}

impl Session {
    /// Training steps per second over the last moments.
    #[must_use]
    pub fn rate(&self) -> f64 {
        let (steps, seconds) = self.spent.recent;
        if seconds > 0.0 { steps / seconds } else { 0.0 }
    }

    /// Mean seconds of a λ̂ point so far.
    #[must_use]
    pub fn point_s(&self) -> Option<f64> {
        (self.spent.points > 0).then(|| self.spent.points_s / self.spent.points as f64)
    }

    /// Seconds to the end, λ̂ included; none before anything was measured.
    #[must_use]
    pub fn left_s(&self) -> Option<f64> {
        let rate = self.rate();
        if rate <= 0.0 {
            return None;
        }
        let then = self.then.as_ref().map_or(&[][..], |t| &t.parts.checkpoints);
        let own = self.parts.checkpoints.iter();
        let after = then.iter().filter(|&&c| c > self.parts.steps);
        let spared = self.ahead.as_ref().map_or(0..0, |a| a.spared.clone());
        let ahead = own.chain(after);
        let ahead = ahead.filter(|&&c| c > self.done && !spared.contains(&c));
        let ahead = ahead.count() + self.queue.len();
        let steps = (self.steps() - self.done).saturating_sub(spared.end - spared.start);
        let point_s = if self.spent.points > 0 {
            self.spent.points_s / self.spent.points as f64
        } else {
            0.0
        };
        let points = if self.parts.chains.is_some() {
            ahead as f64
        } else {
            0.0
        };
        Some(steps as f64 / rate + points * point_s)
    }

    /// Counters of training alone.
    #[must_use]
    pub fn per_step(&self) -> PerStep {
        let launches = self.parts.plan.programs[self.parts.train.program.0]
            .nodes
            .len() as f64;
        let now = self.exec.counters();
        let then = self.steady.unwrap_or(now);
        PerStep {
            dispatches_per_step: launches,
            submits_per_step: self.spent.steady.1 as f64 / self.spent.steady.0.max(1) as f64,
            pipelines_created: now
                .pipelines_created
                .saturating_sub(self.parts.plan.pipelines() as u64),
            bind_groups_created: now.bind_groups_created - then.bind_groups_created,
            buffers_created: now.buffers_created - then.buffers_created,
        }
    }
}
