//! MALA: Langevin proposals that are accepted or rejected.

use super::{Launch, SUMS, moves, sum};
use crate::{Call, Kernel, Replica, read, read_u32, update, word, write};
use lambdahat_math::Real;
use lambdahat_math::philox::{Stream, normal, philox4x32, unit, word as draw};

/// Losses of one replica at one step, all of which follow the state that is kept.
const LOSSES: usize = 4;

/// The Metropolis-adjusted Langevin algorithm (Roberts & Tweedie 1996) on
/// U = nβ·L + (γ/2)‖w − w*‖², exact where L is: full batches, no minibatch noise.
///
/// `weights` come in as the proposal at which `grads` and `stats` were just computed. It is taken
/// with probability α = min(1, exp(−(ε/8)S₁ + (√ε/2)S₂ + U₋ − U)), S₁ = Σ(∇U + ∇U₋)²,
/// S₂ = Σ(∇U + ∇U₋)ξ₋ over the state before and its noise; else the state before stands. `stats
/// [slot][replica][4]` become those of the state that stands, and `weights` the next proposal,
/// w − (ε/2)∇U + √ε·ξ. Step 0 takes what it is given: w*. A proposal without a finite α is refused.
///
/// `memory [replica][3·count + 4]` holds the standing state, its ∇U, the noise of the proposal and
/// the state's four losses. One workgroup a replica; masks as in SGLD, `sums [slot][replica][1][8]`
/// as in [`SUMS`], at the state that stands.
pub const MALA: Kernel = Kernel {
    name: "optim/mala",
    source: crate::shader!("../../../shaders/optim/mala.wgsl"),
    consts: &["count", "splits"],
    params: &[word("anchors")],
    bindings: &[
        read("grads"),
        read("anchor"),
        read_u32("groups"),
        update("weights"),
        update("memory"),
        update("stats"),
        write("sums"),
    ],
    grid: |_| [1, 1],
    needs: |c, p, r| {
        let n = c[0] as usize;
        vec![
            r * n * c[1] as usize,
            p[0] as usize * n,
            n,
            r * n,
            r * (3 * n + LOSSES),
            r * LOSSES,
            r * SUMS,
        ]
    },
    tolerance: 2e-5,
    twin: crate::twin!(mala),
};

/// log α of the move from the state before to the proposal, in the order of the shader.
struct Move<T> {
    both: T,
    noisy: T,
    nearer: T,
}

fn mala<T: Real>(mut call: Call<'_, T>) {
    let [count, splits] = call.consts();
    let anchors = call.offset(0);
    let (step, table) = (call.step, call.replicas);
    let [grads, anchor, groups, weights, memory, stats, sums] = call.slots();
    let (grads, anchor, groups) = (grads.f(), anchor.f(), groups.u());
    let (weights, memory) = (weights.out(), memory.out());
    let (stats, sums) = (stats.out(), sums.out());
    let half = T::of(0.5);
    for (r, replica) in table.iter().enumerate() {
        let [eps, nbeta, gamma] = [replica.eps, replica.nbeta, replica.gamma].map(T::of32);
        let at = step.slot as usize * table.len() + r;
        let stats = &mut stats[at * LOSSES..][..LOSSES];
        let out = &mut sums[at * SUMS..][..SUMS];
        let row = (replica.anchor as usize).min(anchors.saturating_sub(1));
        let centre = &anchor[row * count..][..count];
        let partials = &grads[r * splits * count..][..splits * count];
        let weights = &mut weights[r * count..][..count];
        let width = 3 * count + LOSSES;
        let (state, rest) = memory[r * width..][..width].split_at_mut(count);
        let (gradients, rest) = rest.split_at_mut(count);
        let (noises, held) = rest.split_at_mut(count);
        let free = |i: &usize| moves(replica, groups[*i]);
        let gradient = |i: usize, w: T| nbeta * sum(partials, count, i) + gamma * (w - centre[i]);

        let mut way = Move {
            both: T::zero(),
            noisy: T::zero(),
            nearer: T::zero(),
        };
        for i in (0..count).filter(free) {
            let both = gradient(i, weights[i]) + gradients[i];
            way.both += both * both;
            way.noisy += both * noises[i];
            let (was, is) = (state[i] - centre[i], weights[i] - centre[i]);
            way.nearer += (was - is) * (was + is);
        }
        let log = half * eps.sqrt() * way.noisy - T::of(0.125) * eps * way.both
            + nbeta * (held[0] - stats[0])
            + half * gamma * way.nearer;
        let forced = step.index == 0 || replica.eps == 0.0;
        let alpha = if forced {
            T::one()
        } else if log.is_finite() {
            log.min(T::zero()).exp()
        } else {
            T::zero()
        };
        let taken = forced || unit::<T>(draw(replica.seed, Stream::Accept, step.index, 0)) < alpha;
        if taken {
            held.copy_from_slice(stats);
        } else {
            stats.copy_from_slice(held);
        }

        out.fill(T::zero());
        (out[4], out[5]) = (alpha, if taken { T::one() } else { T::zero() });
        for i in (0..count).filter(free) {
            if taken {
                gradients[i] = gradient(i, weights[i]);
                state[i] = weights[i];
            }
            let delta = state[i] - centre[i];
            let pull = gamma * delta;
            let force = gradients[i] - pull;
            let xi = noise(replica, step.index, i);
            out[0] += force * force;
            out[1] += pull * pull;
            out[2] += delta * delta;
            out[3] += xi * xi;
            out[6] += force * pull;
            noises[i] = xi;
            if replica.eps != 0.0 {
                weights[i] = state[i] - half * eps * gradients[i] + eps.sqrt() * xi;
            }
        }
    }
}

/// The noise of parameter `i` at a step, the same as SGLD's.
fn noise<T: Real>(replica: &Replica, index: u32, i: usize) -> T {
    let key = [replica.seed, Stream::Noise as u32];
    normal(philox4x32([i as u32 / 4, index, 0, 0], key)[i % 4])
}

/// Launches of [`MALA`] that device checks run.
#[must_use]
pub fn cases() -> Vec<Launch> {
    vec![
        (vec![18, 1], vec![1], 9, "tms"),
        (vec![603, 4], vec![2], 5, "splits, ragged, two anchors"),
    ]
}
