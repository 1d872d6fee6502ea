//! Chains around one checkpoint: all of them and the anchor are replicas of the same dispatches, on
//! copies of the weights. The trained model is not touched, and nothing of one estimate reaches
//! another: chains start at w*, with seeds and batches that depend on the checkpoint alone.

use super::approach::Approach;
use super::pacing::{Pacer, Portion};
use super::passes::Passes;
use super::stiffness::Stiffness;
use crate::estimate::diagnosis::diagnose;
use crate::estimate::trace::Trace;
use crate::exec::{Batch, Exec};
use crate::experiments::chains::Sampler;
use crate::experiments::{ChainJob, Of, Parts};
use crate::protocol::{Fault, LlcPoint};
use web_time::Instant;

/// One estimate under way.
#[derive(Debug)]
pub struct Sampling {
    /// The checkpoint's step.
    pub checkpoint: u64,
    /// The replica whose checkpoint it is.
    pub follow: usize,
    /// What comes first: the way to w*, and the curvature there.
    approach: Approach,
    /// Measures, once the chains are done, what a preconditioner makes of the curvature.
    stiffness: Option<Stiffness>,
    /// Where the chains ended, ‖w−w*‖²/‖w*‖² each.
    ends: Vec<f64>,
    /// What the chains have left so far.
    pub trace: Trace,
    /// Launches so far: a step each, and a look at each draw that has a batch of its own.
    passed: u64,
    /// Losses and class shares of the look before the step that is due.
    looked: Option<(Vec<f32>, Option<[f32; 2]>)>,
    /// Seconds it has run, pauses not counted.
    seconds: f64,
}

impl Sampling {
    /// Prepares an estimate around `center`, the weights of replica `follow` at `checkpoint`.
    #[must_use]
    pub fn new(parts: &Parts, chains: &ChainJob, at: (u64, usize), center: Vec<f32>) -> Self {
        let (checkpoint, follow) = at;
        let mut trace = Trace::new(
            checkpoint,
            chains.settings.told(),
            chains.moving(),
            norm(&center),
            parts.lab.walks(),
        );
        trace.classes = parts.lab.classes();
        Self {
            checkpoint,
            follow,
            approach: Approach::new(parts, chains, at, (chains.moves(), true), center),
            stiffness: None,
            ends: Vec::new(),
            trace,
            passed: 0,
            looked: None,
            seconds: 0.0,
        }
    }

    /// How long it has run, in seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.seconds
    }

    /// Runs the next portion of at most `most` steps. True when that was the last; `point` is then
    /// the estimate, none if no chain stood.
    ///
    /// # Errors
    /// Device lost or out of memory.
    pub async fn pump(
        &mut self,
        parts: &Parts,
        exec: &mut Exec,
        pacer: &mut Pacer,
        most: u64,
        point: &mut Option<LlcPoint>,
    ) -> Result<bool, Fault> {
        let Some(chains) = &parts.chains else {
            return Ok(true);
        };
        let clock = Instant::now();
        let on_its_way = self.approach.pump(parts, exec).await?;
        self.seconds += clock.elapsed().as_secs_f64();
        if on_its_way {
            return Ok(false);
        }
        let center = &self.approach.center;
        if let Some(stiffness) = &mut self.stiffness {
            let clock = Instant::now();
            let found = stiffness.pump(parts, exec).await?;
            self.seconds += clock.elapsed().as_secs_f64();
            if let Some(found) = found {
                *point = self.point(found);
            }
            return Ok(found.is_some());
        }
        let (job, settings, buffers) = (&chains.job, chains.settings, chains.buffers);
        let passes = Passes::new(settings.burnin, settings.draws, settings.apart);
        let (next, total) = (self.passed, passes.count());
        let mut batch = Batch::default();
        if next == 0 {
            let table = parts.lab.chain_replicas(self.checkpoint, self.follow);
            exec.set_replicas(job.program, &table);
            self.trace.norm = norm(center);
            let start = center.repeat(settings.replicas());
            batch.floats.push((buffers.params, 0, start));
            batch.floats.push((buffers.anchor, 0, center.clone()));
        }
        let room = (total - next).min(job.slots as u64).min(most);
        let Portion { steps, cuts } = pacer.portion(room);
        let steps = steps.min(room);
        let of = Of::Chains {
            checkpoint: self.checkpoint,
            follow: self.follow,
        };
        let (mut words, mut shares) = (Vec::new(), Vec::new());
        for pass in next..next + steps {
            let from = words.len();
            passes.feed(parts, of, pass, &mut words);
            let some = !self.trace.classes.is_empty();
            shares.push(some.then(|| parts.lab.shares(&words[from..])));
        }
        batch.words.push((job.feed, 0, words));
        batch.runs.push(passes.run(parts, chains, of, next, steps));
        batch.cuts = cuts;
        let (losses, sums) = (chains.stats_width(), chains.sums_width());
        batch.reads.push((job.stats, 0..losses * steps as usize));
        batch.reads.push((buffers.sums, 0..sums * steps as usize));
        let last = next + steps == total;
        let preconditioned = settings.sampler == Sampler::Rmsprop;
        if last {
            let ends = 0..center.len() * settings.chains;
            batch.reads.push((buffers.params, ends));
            if preconditioned {
                let each = settings.sampler.memory(center.len());
                let memory = 0..each * settings.chains;
                batch.reads.push((buffers.memory, memory));
            }
        }
        let clock = Instant::now();
        let ticket = exec.submit(&batch)?;
        let mut reads = exec.wait(ticket).await?.into_iter();
        let took = clock.elapsed().as_secs_f64();
        self.seconds += took;
        pacer.record(Portion { steps, cuts }, took * 1e3);
        let [stats, forces, ends, memory] =
            std::array::from_fn(|_| reads.next().unwrap_or_default());
        let rows = stats.chunks_exact(losses).zip(forces.chunks_exact(sums));
        for ((pass, (stats, forces)), share) in (next..).zip(rows).zip(shares) {
            if passes.looks(pass) {
                self.looked = Some((stats.to_vec(), share));
                continue;
            }
            let (stats, share) = self.looked.take().unwrap_or((stats.to_vec(), share));
            self.trace.push(&stats, forces);
            self.trace.shares.extend(share);
        }
        self.passed += steps;
        if !last {
            return Ok(false);
        }
        self.ends = relative_squares(&ends, center);
        if preconditioned {
            self.stiffness = Some(Stiffness::new(chains, of, center, &memory));
            return Ok(false);
        }
        // MALA has no bias to index.
        let plain = settings.sampler == Sampler::Sgld;
        let measured = self.approach.curved.map(|c| c.h_max.max(0.0));
        let steepest = parts.lab.curvature().or(measured).filter(|_| plain);
        *point = self.point(steepest.map(|h| settings.nbeta * h + settings.gamma));
        Ok(true)
    }

    /// The estimate, given the greatest curvature that the chains felt; none if no chain stood.
    fn point(&self, curvature: Option<f64>) -> Option<LlcPoint> {
        let mut point = diagnose(&self.trace, &self.ends, curvature)?;
        (point.curvature, point.polished) = (self.approach.curved, self.approach.polished);
        Some(point)
    }
}

/// ‖w‖.
fn norm(w: &[f32]) -> f64 {
    w.iter().map(|&w| f64::from(w).powi(2)).sum::<f64>().sqrt()
}

/// ‖w−w*‖²/‖w*‖² of each chain; not finite where the chain is not, or w* is 0.
fn relative_squares(ends: &[f32], center: &[f32]) -> Vec<f64> {
    let norm: f64 = center.iter().map(|&w| f64::from(w).powi(2)).sum();
    let square = |w: &[f32]| -> f64 {
        let pairs = w.iter().zip(center);
        pairs
            .map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2))
            .sum()
    };
    ends.chunks_exact(center.len().max(1))
        .map(|w| square(w) / norm)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::relative_squares;

    #[test]
    fn distance_is_relative() {
        let d = relative_squares(&[3.0, 0.0, 0.0, 5.0, f32::NAN, 0.0], &[3.0, 4.0]);
        // (0,−4) and (−3,1): squares 16 and 10, over 25.
        assert!((d[0] - 0.64).abs() < 1e-12 && (d[1] - 0.4).abs() < 1e-12 && d[2].is_nan());
        assert!(relative_squares(&[], &[1.0]).is_empty());
    }
}
