//! How much work goes into one submission: a pure function of measured times.
//!
//! Windows resets a GPU that is busy for 2 s and browsers lose patience earlier, so a submission is
//! planned at about 30 ms and never above 100 ms. While a step takes under 25 ms at least four go
//! together: submissions have a price of their own.

/// Planned length of a submission, in ms.
const TARGET_MS: f64 = 30.0;
/// No submission is planned longer, in ms.
const LIMIT_MS: f64 = 100.0;
/// Steps that go together while they fit into [`LIMIT_MS`].
const TOGETHER: u64 = 4;

/// Submissions the first step is cut into: one a launch, since nothing is known of any of them.
const FIRST_CUTS: usize = usize::MAX;

/// What to submit next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Portion {
    /// Steps in one batch.
    pub steps: u64,
    /// Submissions a step is cut into; more than 1 only for a single step.
    pub cuts: usize,
}

/// Learns how long a step takes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pacer {
    step_ms: Option<f64>,
    last: u64,
}

impl Pacer {
    /// The next portion, at most `left` steps (there is always at least one).
    #[must_use]
    pub fn portion(&self, left: u64) -> Portion {
        let Some(ms) = self.step_ms else {
            // Nothing measured yet: one step, in pieces that no driver takes for a hang.
            return Portion {
                steps: 1,
                cuts: FIRST_CUTS,
            };
        };
        let ms = ms.max(1e-3);
        let mut steps = (TARGET_MS / ms) as u64;
        if ms * TOGETHER as f64 <= LIMIT_MS {
            steps = steps.max(TOGETHER);
        }
        // Growth is gradual, so that one lucky measurement cannot plan a second's work.
        let steps = steps
            .clamp(1, (4 * self.last).max(TOGETHER))
            .min(left.max(1));
        let cuts = if steps == 1 && ms > LIMIT_MS {
            (ms / TARGET_MS).ceil() as usize
        } else {
            1
        };
        Portion { steps, cuts }
    }

    /// A portion took `ms`, from the end of the one before it (or its own start) to its end.
    pub fn record(&mut self, portion: Portion, ms: f64) {
        let now = ms / portion.steps.max(1) as f64;
        // A slower step is believed at once, a faster one by half: the limit matters more.
        self.step_ms = Some(match self.step_ms {
            Some(old) if now < old => 0.5 * (old + now),
            _ => now,
        });
        self.last = portion.steps;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pumps a pacer against a device whose step takes `ms(i)`; returns the portions.
    fn play(n: usize, ms: impl Fn(usize) -> f64) -> Vec<(Portion, f64)> {
        let mut pacer = Pacer::default();
        (0..n)
            .map(|i| {
                let p = pacer.portion(u64::MAX);
                let t = ms(i) * p.steps as f64;
                pacer.record(p, t);
                (p, t)
            })
            .collect()
    }

    #[test]
    fn a_steady_device_gets_about_thirty_ms() {
        for ms in [0.02, 0.5, 3.0, 7.0] {
            let last = play(20, |_| ms)[19];
            assert!((15.0..=33.0).contains(&last.1), "{ms}: {last:?}");
        }
    }

    #[test]
    fn four_steps_go_together_below_25_ms_and_never_above_100() {
        for ms in [8.0, 15.0, 24.9] {
            let (p, t) = play(10, |_| ms)[9];
            assert!(p.steps >= 4 && t <= 100.0, "{ms}: {p:?}");
        }
        let (p, t) = play(10, |_| 40.0)[9];
        assert!(p.steps <= 2 && t <= 100.0, "{p:?}");
    }

    #[test]
    fn a_long_step_is_cut() {
        let (p, _) = play(5, |_| 600.0)[4];
        assert_eq!(p, Portion { steps: 1, cuts: 20 });
    }

    #[test]
    fn a_device_that_slows_down_is_believed_at_once() {
        let all = play(40, |i| if i < 20 { 0.1 } else { 20.0 });
        assert!(all[21].1 <= 100.0, "{:?}", all[21]);
    }

    #[test]
    fn growth_is_gradual() {
        let all = play(8, |_| 0.001);
        for w in all.windows(2) {
            assert!(w[1].0.steps <= (4 * w[0].0.steps).max(4));
        }
    }
}
