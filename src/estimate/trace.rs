//! What the chains of one estimate left at every step.

use super::llc;
use crate::math::stats;
use crate::protocol::{SamplerSettings, TraceView};

/// Floats of one replica at one step in the losses read back: the loss, then two coordinates where
/// the experiment offers them.
const LOSSES: usize = 4;
/// Sums of one block: squares of force, pull, distance and noise, two of the acceptance, and force
/// times pull.
const SUMS: usize = 8;

/// Steps at the end of which every one is shown.
const TAIL: usize = 100;

/// One chain at one step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Row {
    /// Loss before the step's move.
    pub loss: f32,
    /// ‖w − w*‖².
    pub distance: f32,
    /// Probability with which the move that led here would be accepted, or was.
    pub accept: f32,
    /// Two coordinates to watch, or the mean losses of two classes of positions.
    pub at: [f32; 2],
}

/// Everything a diagnosis is made from. Chains come first, the anchor last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// The checkpoint.
    pub step: u64,
    /// How it was made.
    pub settings: SamplerSettings,
    /// Weights that move.
    pub moving: usize,
    /// ‖w*‖ over all weights.
    pub norm: f64,
    /// Whether `at` are coordinates.
    pub walks: bool,
    /// Classes of positions: `at` holds the mean loss of the first two, the last is the rest.
    pub classes: &'static [&'static str],
    /// The share of those two in the targets of each row's batch.
    pub shares: Vec<[f32; 2]>,
    /// `[step][chains + 1]`, burn-in included.
    pub rows: Vec<Row>,
    /// Rows a chain step apart are this many steps apart: more than 1 once thinned.
    pub every: u64,
    /// Sums over the draws of each chain: squares of force, pull and noise.
    pub forces: Vec<[f64; 3]>,
    /// Each replica's potential at the last step, in units where L(w*) is 0.
    potential: Vec<f64>,
    steps: u64,
}

impl Trace {
    /// A trace without steps.
    #[must_use]
    pub fn new(
        step: u64,
        settings: SamplerSettings,
        moving: usize,
        norm: f64,
        walks: bool,
    ) -> Self {
        let chains = settings.chains;
        Self {
            step,
            settings,
            moving,
            norm,
            walks,
            every: 1,
            forces: vec![[0.0; 3]; chains],
            potential: vec![0.0; chains],
            ..Self::default()
        }
    }

    /// Chains and the anchor.
    #[must_use]
    pub fn width(&self) -> usize {
        self.settings.chains + 1
    }
    /// Chain steps taken in.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }
    /// The rows of one step after another.
    pub fn each(&self) -> impl Iterator<Item = &[Row]> {
        self.rows.chunks_exact(self.width())
    }

    /// Takes in one step: `stats [chains + 1][4]`, `sums [chains + 1][blocks][8]`.
    pub fn push(&mut self, stats: &[f32], sums: &[f32]) {
        let (width, s) = (self.width(), &self.settings);
        let (nbeta, gamma, eps) = (s.nbeta, s.gamma, s.eps);
        let (mala, drawn) = (s.sampler == "mala", self.steps >= s.burnin);
        let loss = |r: usize| stats.get(LOSSES * r).copied().unwrap_or(f32::NAN);
        let anchor = f64::from(loss(s.chains));
        for r in 0..width {
            let mut sum = [0.0f64; SUMS];
            for block in sums[r * sums.len() / width..][..sums.len() / width].chunks_exact(SUMS) {
                for (total, &x) in sum.iter_mut().zip(block) {
                    *total += f64::from(x);
                }
            }
            let here = stats.get(LOSSES * r..).unwrap_or_default();
            let mut row = Row {
                loss: loss(r),
                distance: sum[2] as f32,
                accept: 1.0,
                at: std::array::from_fn(|k| here.get(1 + k).copied().unwrap_or(0.0)),
            };
            if let (Some(before), Some(forces)) =
                (self.potential.get_mut(r), self.forces.get_mut(r))
            {
                let now = nbeta * (f64::from(row.loss) - anchor) + 0.5 * gamma * sum[2];
                if mala {
                    row.accept = sum[4] as f32;
                } else if self.steps > 0 {
                    row.accept = accept(eps, sum[4], sum[5], *before, now) as f32;
                }
                *before = now;
                if drawn {
                    for (total, k) in forces.iter_mut().zip([0, 1, 3]) {
                        *total += sum[k];
                    }
                }
            }
            self.rows.push(row);
        }
        self.steps += 1;
    }

    /// Losses of the draws, `[draw][chains + 1]`.
    #[must_use]
    pub fn draws(&self) -> Vec<f32> {
        let first = self.settings.burnin.div_ceil(self.every.max(1)) as usize;
        self.each().skip(first).flatten().map(|r| r.loss).collect()
    }

    /// Bytes it holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.rows.len() * size_of::<Row>()
    }

    /// Keeps every other step.
    pub fn thin(&mut self) {
        let width = self.width();
        let kept = self.rows.chunks_exact(width).step_by(2).flatten();
        self.rows = kept.copied().collect();
        self.shares = self.shares.iter().step_by(2).copied().collect();
        self.every *= 2;
    }

    /// At most `most` rows of it, for drawing, and the running estimate.
    #[must_use]
    pub fn view(&self, most: usize) -> TraceView {
        let (chains, nbeta) = (self.settings.chains, self.settings.nbeta);
        let all: Vec<&[Row]> = self.each().collect();
        let apart = all.len().div_ceil(most.max(1)).max(1);
        let kept: Vec<usize> = (0..all.len()).step_by(apart).collect();
        let x: Vec<f64> = kept
            .iter()
            .map(|&k| (k as u64 * self.every) as f64)
            .collect();
        // A chain that failed ends where it did.
        let stands = |c: usize| {
            let lost = kept.iter().position(|&k| !all[k][c].loss.is_finite());
            lost.unwrap_or(kept.len())
        };
        let series = |c: usize, f: &dyn Fn(&Row) -> f64| -> Vec<f64> {
            kept[..stands(c)].iter().map(|&k| f(&all[k][c])).collect()
        };
        let draws = self.draws();
        let whole = llc::standing(&draws, chains);
        let first = all.len() - draws.len() / (chains + 1);
        let mean: Vec<f64> = whole.chain_mean();
        // One autocorrelation time serves all rows: the error of the first n draws is sd·√(τ/n).
        let time = stats::autocorrelation_time(&mean);
        let mut sums = [0.0; 3];
        let errors: Vec<[f64; 2]> = mean
            .iter()
            .map(|x| {
                sums = [sums[0] + 1.0, sums[1] + x, sums[2] + x * x];
                let [n, mean] = [sums[0], sums[1] / sums[0]];
                let variance = (sums[2] / n - mean * mean).max(0.0);
                [nbeta * mean, nbeta * (variance * time / n).sqrt()]
            })
            .collect();
        let running = kept
            .iter()
            .filter(|&&k| k >= first && !whole.chains.is_empty())
            .map(|&k| errors[k - first]);
        // Once thinned, no two rows are a step apart.
        let tail = if self.walks && self.every == 1 {
            chains
        } else {
            0
        };
        let last = &all[all.len().saturating_sub(TAIL + 1)..];
        TraceView {
            step: self.step,
            done: self.steps,
            tail: (0..tail)
                .map(|c| {
                    let stands = last.iter().take_while(|r| r[c].loss.is_finite());
                    stands.map(|r| r[c].at.map(f64::from)).collect()
                })
                .collect(),
            settings: self.settings.clone(),
            losses: (0..chains)
                .map(|c| series(c, &|r| f64::from(r.loss)))
                .collect(),
            anchor: series(chains, &|r| f64::from(r.loss)),
            distance: (0..chains)
                .map(|c| series(c, &|r| f64::from(r.distance).sqrt()))
                .collect(),
            walk: (0..if self.walks { chains } else { 0 })
                .map(|c| {
                    kept[..stands(c)]
                        .iter()
                        .map(|&k| all[k][c].at.map(f64::from))
                        .collect()
                })
                .collect(),
            running: running.collect(),
            x,
            point: None,
        }
    }
}

/// The probability with which a Metropolis test would accept a Langevin move (Roberts & Tweedie
/// 1996): `s1` = ΣG(∇U + ∇U₋)², `s2` = Σ√G(∇U + ∇U₋)ξ₋, potentials before and now. 0 if it cannot
/// be told.
#[must_use]
pub fn accept(eps: f64, s1: f64, s2: f64, before: f64, now: f64) -> f64 {
    let log = 0.5 * eps.sqrt() * s2 - 0.125 * eps * s1 + before - now;
    if log.is_finite() {
        log.min(0.0).exp()
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two chains a little above an anchor at 1, with forces of 3, 4 and 2.
    fn trace(steps: u64, loss: impl Fn(u64, usize) -> f32) -> Trace {
        let settings = SamplerSettings {
            nbeta: 10.0,
            eps: 0.01,
            chains: 2,
            burnin: 4,
            draws: steps - 4,
            sampler: "sgld".into(),
            ..SamplerSettings::default()
        };
        let mut trace = Trace::new(7, settings, 3, 1.0, true);
        for t in 0..steps {
            let stats: Vec<f32> = (0..3)
                .flat_map(|c| [loss(t, c), t as f32, c as f32, 0.0])
                .collect();
            // Two blocks of a replica add up.
            let block = [4.5, 8.0, 0.5, 2.0, 0.0, 0.0, 0.0, 0.0];
            trace.push(&stats, &block.repeat(6));
        }
        trace
    }

    /// U = ½|x|², whose gradient is x: the cases are devinterp's.
    #[test]
    fn acceptance_by_hand() {
        let cases = [
            ([0.0, 0.0], [1.5, 5.5], 0.1, 0.666_143_6),
            ([1.0, 1.0], [1.5, 0.5], 0.5, 0.969_233_2),
            ([0.0, 0.0], [10.5, 5.5], 0.1, 0.172_684_92),
            ([0.0, 0.0], [10.5, 5.5], 0.5, 0.000_153_59),
            ([1.0, 2.0], [1.5, 2.5], 0.1, 0.957_193_43),
        ];
        for (x, y, eps, exact) in cases {
            let (mut s1, mut s2, mut u) = (0.0, 0.0, [0.0, 0.0]);
            for (a, b) in std::iter::zip::<[f64; 2], [f64; 2]>(x, y) {
                let noise = (b - a + 0.5 * eps * a) / f64::sqrt(eps);
                s1 += (a + b).powi(2);
                s2 += (a + b) * noise;
                u = [u[0] + 0.5 * a * a, u[1] + 0.5 * b * b];
            }
            let got = accept(eps, s1, s2, u[0], u[1]);
            assert!((got - exact).abs() < 1e-5, "{got} {exact}");
            // Planted: with the potentials exchanged it is another number.
            let wrong = accept(eps, s1, s2, u[1], u[0]);
            assert!((wrong - exact).abs() > 1e-3);
        }
        assert_eq!(accept(0.1, f64::NAN, 0.0, 0.0, 0.0), 0.0);
        assert_eq!(accept(0.1, 0.0, 0.0, 5.0, 0.0), 1.0);
    }

    #[test]
    fn a_trace_keeps_what_its_chains_left() {
        let t = trace(12, |t, c| 1.0 + 0.1 * (2 - c) as f32 + (t % 2) as f32);
        assert_eq!((t.steps(), t.rows.len(), t.draws().len()), (12, 36, 24));
        assert_eq!(t.rows[0].distance, 1.0);
        assert_eq!(t.forces[1], [72.0, 128.0, 32.0], "draws alone count");
        // The potential does not change from step to step: the batches' noise cancels.
        assert!(t.rows.iter().all(|r| r.accept > 0.999_99));
        let view = t.view(100);
        assert_eq!((view.x.len(), view.running.len()), (12, 8));
        let last = view.running[7];
        assert!((last[0] - 1.5).abs() < 1e-5 && last[1] < 1e-5, "{last:?}");
        assert_eq!((view.losses.len(), view.anchor.len()), (2, 12));
        assert_eq!(view.walk[1][3], [3.0, 1.0]);
        assert_eq!((view.done, view.tail[1].len()), (12, 12));
    }

    #[test]
    fn what_is_shown_is_thinned_and_finite() {
        let mut t = trace(1000, |t, c| if c == 0 && t > 500 { f32::NAN } else { 1.5 });
        let view = t.view(100);
        assert_eq!((view.x.len(), view.x[1]), (100, 10.0));
        assert_eq!((view.losses[0].len(), view.losses[1].len()), (51, 100));
        assert!(view.losses.iter().flatten().all(|x| x.is_finite()));
        assert!(view.running.iter().flatten().all(|x| x.is_finite()));
        t.thin();
        assert_eq!((t.rows.len(), t.every), (1500, 2));
        assert_eq!(t.draws().len(), 3 * 498);
        assert_eq!(t.view(1000).x[1], 2.0);
        // No chain stands: there is no running estimate, and nothing panics.
        assert!(trace(9, |_, _| f32::NAN).view(5).running.is_empty());
        assert!(Trace::default().view(5).x.is_empty());
    }
}
