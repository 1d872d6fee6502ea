//! SGLD around one checkpoint: all chains and the anchor are replicas of the same dispatches, on
//! copies of the weights. The trained model is not touched, and nothing of one estimate reaches
//! another: chains start at w*, with seeds and batches that depend on the checkpoint alone.

use super::pacing::{Pacer, Portion};
use crate::estimate::llc::llc;
use crate::exec::{Batch, Exec, Run};
use crate::experiments::{Of, Parts, STATS};
use crate::protocol::{Fault, LlcPoint};
use web_time::Instant;

/// One estimate under way.
#[derive(Debug)]
pub struct Sampling {
    /// The checkpoint's step.
    pub checkpoint: u64,
    /// The replica whose checkpoint it is.
    pub follow: usize,
    /// w*, `[params]`.
    center: Vec<f32>,
    next: u64,
    /// Losses of the recorded draws, `[draw][chains + 1]`, the anchor last.
    losses: Vec<f32>,
    started: Instant,
}

impl Sampling {
    /// Prepares an estimate around `center`, the weights of replica `follow` at `checkpoint`.
    #[must_use]
    pub fn new(checkpoint: u64, follow: usize, center: Vec<f32>) -> Self {
        Self {
            checkpoint,
            follow,
            center,
            next: 0,
            losses: Vec::new(),
            started: Instant::now(),
        }
    }

    /// How long it has run, in seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// Runs the next portion; the estimate, when that was the last.
    ///
    /// # Errors
    /// Device lost or out of memory.
    pub async fn pump(
        &mut self,
        parts: &Parts,
        exec: &mut Exec,
        pacer: &mut Pacer,
    ) -> Result<Option<LlcPoint>, Fault> {
        let Some(chains) = &parts.chains else {
            return Ok(None);
        };
        let job = &chains.job;
        let (settings, buffers) = (chains.settings, chains.buffers);
        let replicas = settings.replicas();
        let total = settings.steps();
        let mut batch = Batch::default();
        if self.next == 0 {
            exec.set_replicas(
                job.program,
                &parts.lab.chain_replicas(self.checkpoint, self.follow),
            );
            batch
                .floats
                .push((buffers.params, 0, self.center.repeat(replicas)));
            batch.floats.push((buffers.anchor, 0, self.center.clone()));
        }
        let Portion { steps, cuts } = pacer.portion((total - self.next).min(job.slots as u64));
        let steps = steps.min(job.slots as u64);
        let of = Of::Chains {
            checkpoint: self.checkpoint,
            follow: self.follow,
        };
        let mut words = Vec::new();
        for s in self.next..self.next + steps {
            parts.lab.feed(of, s, &mut words);
        }
        batch.words.push((job.feed, 0, words));
        batch.runs.push(Run {
            program: job.program,
            steps: (0..steps)
                .map(|i| crate::kernels::Step {
                    slot: i as u32,
                    ..parts.lab.step(of, self.next + i)
                })
                .collect(),
        });
        batch.cuts = cuts;
        let width = replicas * STATS;
        batch.reads.push((job.stats, 0..width * steps as usize));
        let last = self.next + steps == total;
        if last {
            batch
                .reads
                .push((buffers.params, 0..self.center.len() * settings.chains));
        }
        let clock = Instant::now();
        let ticket = exec.submit(&batch)?;
        let reads = exec.wait(ticket).await?;
        pacer.record(Portion { steps, cuts }, clock.elapsed().as_secs_f64() * 1e3);
        let stats = reads.first().map(Vec::as_slice).unwrap_or_default();
        for (i, row) in stats.chunks_exact(width).enumerate() {
            if self.next + i as u64 >= settings.burnin {
                self.losses.extend(row.chunks_exact(STATS).map(|s| s[0]));
            }
        }
        self.next += steps;
        if !last {
            return Ok(None);
        }
        let ends = reads.get(1).map(Vec::as_slice).unwrap_or_default();
        let found = llc(&self.losses, settings.chains, settings.nbeta);
        Ok(Some(LlcPoint {
            step: self.checkpoint,
            value: found.value,
            se: found.se,
            init_loss: found.init_loss,
            mean_loss: found.mean_loss,
            distance: relative_distance(ends, &self.center),
            per_chain: found.per_chain,
            failed_chains: found.failed as u32,
        }))
    }
}

/// Root mean square over the chains that stayed finite of ‖w−w*‖, relative to ‖w*‖.
fn relative_distance(ends: &[f32], center: &[f32]) -> f64 {
    let norm: f64 = center.iter().map(|&w| f64::from(w).powi(2)).sum();
    let squares: Vec<f64> = ends
        .chunks_exact(center.len().max(1))
        .map(|w| {
            w.iter()
                .zip(center)
                .map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2))
                .sum::<f64>()
        })
        .filter(|d| d.is_finite())
        .collect();
    if squares.is_empty() || norm == 0.0 {
        return 0.0;
    }
    (squares.iter().sum::<f64>() / squares.len() as f64 / norm).sqrt()
}

#[cfg(test)]
mod tests {
    use super::relative_distance;

    #[test]
    fn distance_is_relative_and_skips_lost_chains() {
        let d = relative_distance(&[3.0, 0.0, 0.0, 5.0, f32::NAN, 0.0], &[3.0, 4.0]);
        // (0,−4) and (−3,1): squares 16 and 10, mean 13, over 25.
        assert!((d - (13.0f64 / 25.0).sqrt()).abs() < 1e-12);
        assert_eq!(relative_distance(&[], &[1.0]), 0.0);
    }
}
