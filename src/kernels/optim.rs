//! Optimisers and the sampler: one launch over the whole arena of every replica.
//!
//! Gradients come as partials `grads [replica][splits][count]`, which each kernel sums in the order
//! of the splits; `count` is the parameters of one replica.

use super::{Call, Kernel, float, read, read_u32, update, word};
use crate::math::Real;
use crate::math::philox::{Stream, normal, philox4x32};

/// SGD with momentum, PyTorch's convention (v = μv + g; w −= lr·v), weight decay decoupled.
///
/// The learning rate and the decay are the replica's, the factor of the learning rate the step's.
pub const SGD: Kernel = Kernel {
    name: "optim/sgd",
    source: include_str!("../../shaders/optim/sgd.wgsl"),
    consts: &["count", "splits"],
    params: &[float("momentum")],
    bindings: &[read("grads"), update("weights"), update("velocity")],
    grid: |c| [c[0].div_ceil(256), 1],
    needs: |c, _, r| {
        let n = r * c[0] as usize;
        vec![n * c[1] as usize, n, n]
    },
    tolerance: 1e-5,
    twin: crate::twin!(sgd),
};

fn sgd<T: Real>(mut call: Call<'_, T>) {
    let [count, splits] = call.consts();
    let momentum = call.float(0);
    let (schedule, table) = (T::of32(call.step.schedule), call.replicas);
    let [grads, weights, velocity] = call.slots();
    let (grads, weights, velocity) = (grads.f(), weights.out(), velocity.out());
    for (r, replica) in table.iter().enumerate() {
        let lr = T::of32(replica.lr) * schedule;
        let wd = T::of32(replica.wd);
        let partials = &grads[r * splits * count..][..splits * count];
        let rows = weights[r * count..][..count]
            .iter_mut()
            .zip(&mut velocity[r * count..][..count]);
        for (i, (w, v)) in rows.enumerate() {
            *v = momentum * *v + sum(partials, count, i);
            *w -= lr * (*v + wd * *w);
        }
    }
}

/// AdamW (Loshchilov & Hutter 2019, "Decoupled weight decay regularization") as PyTorch computes
/// it: `adam_eps` is added after the root of the bias-corrected second moment. The bias
/// corrections 1 − β^(t+1) come from the step.
pub const ADAMW: Kernel = Kernel {
    name: "optim/adamw",
    source: include_str!("../../shaders/optim/adamw.wgsl"),
    consts: &["count", "splits"],
    params: &[float("beta1"), float("beta2"), float("adam_eps")],
    bindings: &[read("grads"), update("weights"), update("m"), update("v")],
    grid: |c| [c[0].div_ceil(256), 1],
    needs: |c, _, r| {
        let n = r * c[0] as usize;
        vec![n * c[1] as usize, n, n, n]
    },
    tolerance: 1e-5,
    twin: crate::twin!(adamw),
};

fn adamw<T: Real>(mut call: Call<'_, T>) {
    let [count, splits] = call.consts();
    let (beta1, beta2, eps) = (call.float(0), call.float(1), call.float(2));
    let (step, table) = (call.step, call.replicas);
    let (bias1, bias2) = (T::of32(step.bias1), T::of32(step.bias2));
    let one = T::one();
    let [grads, weights, m, v] = call.slots();
    let (grads, weights, m, v) = (grads.f(), weights.out(), m.out(), v.out());
    for (r, replica) in table.iter().enumerate() {
        let lr = T::of32(replica.lr) * T::of32(step.schedule);
        let keep = one - lr * T::of32(replica.wd);
        let partials = &grads[r * splits * count..][..splits * count];
        let moments = m[r * count..][..count]
            .iter_mut()
            .zip(&mut v[r * count..][..count]);
        let rows = weights[r * count..][..count].iter_mut().zip(moments);
        for (i, (w, (m, v))) in rows.enumerate() {
            let g = sum(partials, count, i);
            *m = beta1 * *m + (one - beta1) * g;
            *v = beta2 * *v + (one - beta2) * g * g;
            *w = keep * *w - lr * (*m / bias1) / ((*v / bias2).sqrt() + eps);
        }
    }
}

/// Stochastic gradient Langevin dynamics around w* (Lau et al. 2023, arXiv 2308.12108):
/// Δw = −(ε/2)[nβ·g + γ(w − w*)] + √ε·N(0, I), with nβ, γ, ε, seed and the row of w* of each
/// replica. The noise of parameter i at a step is a function of (seed, step, i) alone.
///
/// A parameter whose group (`groups [count]`, below 64) is masked out, and every parameter of a
/// replica with ε = 0, is not written: its bits stay. `anchor` is `[anchors][count]`.
pub const SGLD: Kernel = Kernel {
    name: "optim/sgld",
    source: include_str!("../../shaders/optim/sgld.wgsl"),
    consts: &["count", "splits"],
    params: &[word("anchors")],
    bindings: &[
        read("grads"),
        read("anchor"),
        read_u32("groups"),
        update("weights"),
    ],
    grid: |c| [c[0].div_ceil(256), 1],
    needs: |c, p, r| {
        let n = c[0] as usize;
        vec![r * n * c[1] as usize, p[0] as usize * n, n, r * n]
    },
    tolerance: 2e-5,
    twin: crate::twin!(sgld),
};

fn sgld<T: Real>(mut call: Call<'_, T>) {
    let [count, splits] = call.consts();
    let anchors = call.offset(0);
    let (step, table) = (call.step, call.replicas);
    let [grads, anchor, groups, weights] = call.slots();
    let (grads, anchor, groups, weights) = (grads.f(), anchor.f(), groups.u(), weights.out());
    for (r, replica) in table.iter().enumerate() {
        if replica.eps == 0.0 {
            continue;
        }
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
        for (block, weights) in weights.chunks_mut(4).enumerate() {
            let key = [replica.seed, Stream::Noise as u32];
            let words = philox4x32([block as u32, step.index, 0, 0], key);
            for (k, (w, &word)) in weights.iter_mut().zip(&words).enumerate() {
                let i = 4 * block + k;
                let mask = if groups[i] < 32 {
                    replica.mask_lo
                } else {
                    replica.mask_hi
                };
                if (mask >> (groups[i] & 31)) & 1 == 0 {
                    continue;
                }
                let drift = nbeta * sum(partials, count, i) + gamma * (*w - centre[i]);
                *w = *w - half * drift + noise * normal(word);
            }
        }
    }
}

/// The gradient of parameter `i`: its partials `[splits][count]` in the order of the splits.
fn sum<T: Real>(partials: &[T], count: usize, i: usize) -> T {
    partials
        .iter()
        .skip(i)
        .step_by(count)
        .fold(T::zero(), |g, &x| g + x)
}

/// Consts, params, replicas and label of one launch for device checks.
pub type Launch = (Vec<u32>, Vec<u32>, usize, &'static str);

/// Launches of [`SGD`] that device checks run.
#[must_use]
pub fn sgd_cases() -> Vec<Launch> {
    let p = vec![0.9f32.to_bits()];
    vec![
        (vec![18, 1], p.clone(), 5, "tms"),
        (vec![1030, 3], p, 2, "splits, ragged"),
    ]
}

/// Launches of [`ADAMW`] that device checks run.
#[must_use]
pub fn adamw_cases() -> Vec<Launch> {
    let p: Vec<u32> = [0.9f32, 0.98, 1e-8].map(f32::to_bits).to_vec();
    vec![
        (vec![18, 1], p.clone(), 5, "tms"),
        (vec![1030, 8], p, 2, "splits, ragged"),
    ]
}

/// Launches of [`SGLD`] that device checks run.
#[must_use]
pub fn sgld_cases() -> Vec<Launch> {
    vec![
        (vec![18, 1], vec![1], 9, "tms"),
        (vec![1030, 4], vec![2], 3, "splits, ragged, two anchors"),
    ]
}

/// Words for the `groups` of [`SGLD`]: all sixty-four groups.
#[must_use]
pub fn fill(_consts: &[u32], _binding: &str, len: usize) -> Vec<u32> {
    (0..len).map(|i| (i as u32 * 7) % 64).collect()
}
