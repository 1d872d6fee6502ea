//! SGLD, plain and preconditioned.

use super::{BLOCK, LOOK, Launch, SUMS, moves, sum};
use crate::{Call, Kernel, float, read, read_u32, update, word, write};
use lambdahat_math::Real;
use lambdahat_math::philox::{Stream, normal, philox4x32};

/// Stochastic gradient Langevin dynamics around w* (Lau et al. 2023, arXiv 2308.12108):
/// Δw = −(ε/2)G[nβ·g + γ(w − w*)] + √(εG)·N(0, I), with nβ, γ, ε, seed and the row of w* of each
/// replica. The noise of parameter i at a step is a function of (seed, step, i) alone.
///
/// G is 1, or with `precondition` that of RMSprop-SGLD (Li et al. 2016, arXiv 1512.07666, without
/// its Γ term): 1/(√V + `damping`), V ← `alpha`·V + (1 − `alpha`)g², where g is the gradient of the
/// mean loss alone. V moves while the step's `schedule` is not 0 and is frozen where it is: a V that
/// adapts has another stationary law.
///
/// With a `schedule` of [`LOOK`] nothing is done: the losses before it are all that is wanted.
///
/// A parameter whose group (`groups [count]`, below 64) is masked out, and every parameter of a
/// replica with ε = 0, is not written: its bits stay. `anchor` is `[anchors][count]`. `memory
/// [replica][2 + precondition][count]` holds ∇U and noise of the previous step, then V; step 0 takes
/// it for zero. `sums [slot][replica][count/256][8]` are described at [`SUMS`].
pub const SGLD: Kernel = Kernel {
    name: "optim/sgld",
    source: crate::shader!("../../../shaders/optim/sgld.wgsl"),
    consts: &["count", "splits", "precondition"],
    params: &[word("anchors"), float("alpha"), float("damping")],
    bindings: &[
        read("grads"),
        read("anchor"),
        read_u32("groups"),
        update("weights"),
        update("memory"),
        write("sums"),
    ],
    grid: |c| [c[0].div_ceil(BLOCK as u32), 1],
    needs: |c, p, r| {
        let n = c[0] as usize;
        vec![
            r * n * c[1] as usize,
            p[0] as usize * n,
            n,
            r * n,
            r * n * (2 + c[2].min(1) as usize),
            r * n.div_ceil(BLOCK) * SUMS,
        ]
    },
    tolerance: 2e-5,
    twin: crate::twin!(sgld),
};

fn sgld<T: Real>(mut call: Call<'_, T>) {
    let [count, splits, precondition] = call.consts();
    let (precondition, rows) = (precondition > 0, 2 + precondition.min(1));
    let (anchors, alpha, damping) = (call.offset(0), call.float(1), call.float(2));
    let (step, table) = (call.step, call.replicas);
    let [grads, anchor, groups, weights, memory, sums] = call.slots();
    let (grads, anchor, groups) = (grads.f(), anchor.f(), groups.u());
    let (weights, memory, sums) = (weights.out(), memory.out(), sums.out());
    let width = count.div_ceil(BLOCK) * SUMS;
    let slot = step.slot as usize * table.len() * width;
    if step.schedule == LOOK {
        return;
    }
    for (r, replica) in table.iter().enumerate() {
        let (eps, nbeta, gamma) = (
            T::of32(replica.eps),
            T::of32(replica.nbeta),
            T::of32(replica.gamma),
        );
        let (half, noise) = (T::of(0.5) * eps, eps.sqrt());
        let row = (replica.anchor as usize).min(anchors.saturating_sub(1));
        let centre = &anchor[row * count..][..count];
        let partials = &grads[r * splits * count..][..splits * count];
        let weights = &mut weights[r * count..][..count];
        let (gradients, rest) = memory[r * rows * count..][..rows * count].split_at_mut(count);
        let (noises, squares) = rest.split_at_mut(count);
        let out = &mut sums[slot + r * width..][..width];
        out.fill(T::zero());
        for (block, weights) in weights.chunks_mut(4).enumerate() {
            let key = [replica.seed, Stream::Noise as u32];
            let words = philox4x32([block as u32, step.index, 0, 0], key);
            let out = &mut out[4 * block / BLOCK * SUMS..][..SUMS];
            for (k, (w, &word)) in weights.iter_mut().zip(&words).enumerate() {
                let i = 4 * block + k;
                if !moves(replica, groups[i]) {
                    continue;
                }
                let g = sum(partials, count, i);
                let delta = *w - centre[i];
                let (force, pull) = (nbeta * g, gamma * delta);
                let drift = force + pull;
                let xi: T = normal(word);
                let (mut gain, mut root) = (T::one(), T::one());
                let (mut before, mut root_before) = (T::one(), T::one());
                if precondition {
                    let v = &mut squares[i];
                    let was = if step.index == 0 { T::zero() } else { *v };
                    let adapts = step.schedule != 0.0;
                    *v = if adapts {
                        alpha * was + (T::one() - alpha) * g * g
                    } else {
                        was
                    };
                    gain = T::one() / (v.sqrt() + damping);
                    root = gain.sqrt();
                    before = T::one() / (was.sqrt() + damping);
                    root_before = before.sqrt();
                }
                if step.index > 0 {
                    let both = drift + gradients[i];
                    out[4] += before * both * both;
                    out[5] += root_before * both * noises[i];
                }
                (gradients[i], noises[i]) = (drift, xi);
                for (k, x) in [force * force, pull * pull, delta * delta, xi * xi]
                    .into_iter()
                    .enumerate()
                {
                    out[k] += x;
                }
                out[6] += force * pull;
                if replica.eps != 0.0 {
                    *w = *w - half * gain * drift + noise * root * xi;
                }
            }
        }
    }
}

/// Launches of [`SGLD`] that device checks run.
#[must_use]
pub fn cases() -> Vec<Launch> {
    let with = |anchors: u32| vec![anchors, 0.99f32.to_bits(), 0.1f32.to_bits()];
    vec![
        (vec![18, 1, 0], with(1), 9, "tms"),
        (vec![1030, 4, 0], with(2), 3, "splits, ragged, two anchors"),
        (vec![1030, 2, 1], with(1), 3, "preconditioned"),
    ]
}
