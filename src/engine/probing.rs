//! Losses and gradients at points of one's choosing, through the chains' own program: with step size
//! 0 its replicas stay where they are put, and leave their losses and gradients behind.

use crate::exec::{Batch, Exec, Run};
use crate::experiments::{Of, Parts, STATS};
use crate::kernels::{Replica, Step};
use crate::protocol::Fault;

/// Loss and gradient at one point.
pub(super) type Probed = (f64, Vec<f64>);

/// Probes `points`, each `[params]` and at most as many as the chains' job has replicas, on the data
/// that the job `of` has at step `index`. The other replicas stand at `center`.
///
/// # Errors
/// Device lost or out of memory.
pub(super) async fn probe(
    parts: &Parts,
    exec: &mut Exec,
    center: &[f32],
    points: &[Vec<f32>],
    of: Of,
    index: u64,
) -> Result<Vec<Probed>, Fault> {
    let (Some(chains), Of::Chains { checkpoint, follow }) = (&parts.chains, of) else {
        return Ok(Vec::new());
    };
    let (job, buffers, n) = (&chains.job, chains.buffers, center.len());
    let still = |r| Replica { eps: 0.0, ..r };
    let table: Vec<Replica> = parts.lab.chain_replicas(checkpoint, follow);
    let table: Vec<Replica> = table.into_iter().map(still).collect();
    exec.set_replicas(job.program, &table);
    let mut at = points.concat();
    while at.len() < table.len() * n {
        at.extend_from_slice(center);
    }
    let mut words = Vec::new();
    parts.lab.feed(of, index, &mut words);
    let mut batch = Batch::default();
    batch.floats.push((buffers.params, 0, at));
    batch.floats.push((buffers.anchor, 0, center.to_vec()));
    batch.words.push((job.feed, 0, words));
    // A first step: no sampler remembers anything, so MALA takes the point that it is given.
    let first = Step {
        index: 0,
        slot: 0,
        ..parts.lab.step(of, 0)
    };
    batch.runs.push(Run {
        program: job.program,
        steps: vec![first],
    });
    let each = buffers.splits * n;
    batch.reads.push((buffers.grads, 0..points.len() * each));
    batch.reads.push((job.stats, 0..points.len() * STATS));
    let ticket = exec.submit(&batch)?;
    let mut reads = exec.wait(ticket).await?.into_iter();
    let [grads, stats] = std::array::from_fn(|_| reads.next().unwrap_or_default());
    let found = (0..points.len()).map(|r| {
        let mut gradient = vec![0.0; n];
        // A short read would be a mistake of the program; zeros keep it from being a panic.
        let partials = grads.get(r * each..(r + 1) * each).unwrap_or_default();
        for part in partials.chunks_exact(n) {
            let sum = gradient.iter_mut().zip(part);
            sum.for_each(|(g, &p)| *g += f64::from(p));
        }
        let loss = stats.get(r * STATS).copied().unwrap_or(f32::NAN);
        (f64::from(loss), gradient)
    });
    Ok(found.collect())
}
