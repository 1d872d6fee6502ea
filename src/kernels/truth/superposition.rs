//! The toy model of superposition on its whole distribution, integrated exactly.

use super::put;
use crate::optim::Launch;
use crate::{Call, Kernel, read, write};
use lambdahat_math::Real;

/// L = E Σ_j (x_j − y_j)² for y = ReLU(WᵀWx + b), x = u·e_i with i uniform and u uniform on 0..1, and
/// its gradient, both exact (`model::tms::population_loss` is the same integral in f64). `weights`
/// and `grads [replica][W [2][features], b [features]]`, at most 10 features; `stats
/// [slot][replica][4]`.
pub const SUPERPOSITION: Kernel = Kernel {
    name: "truth/superposition",
    source: crate::shader!("../../../shaders/truth/superposition.wgsl"),
    consts: &["features"],
    params: &[],
    bindings: &[read("weights"), write("grads"), write("stats")],
    grid: |_| [1, 1],
    needs: |c, _, r| {
        let count = r * 3 * c[0] as usize;
        vec![count, count, 4 * r]
    },
    tolerance: 2e-5,
    twin: crate::twin!(superposition),
};

/// The piece of 0..1 on which au + b > 0. No quotient is formed that could overflow.
fn piece<T: Real>(a: T, b: T) -> (T, T) {
    let (zero, one) = (T::zero(), T::one());
    match (a >= zero, b > zero) {
        (true, _) if b >= zero => (zero, one),
        (true, _) => (if -b >= a { one } else { -b / a }, one),
        (false, true) => (zero, if b >= -a { one } else { b / -a }),
        (false, false) => (zero, zero),
    }
}

fn superposition<T: Real>(mut call: Call<'_, T>) {
    let [c] = call.consts();
    let count = 3 * c;
    let (slot, replicas) = (call.step.slot as usize, call.replicas.len());
    let [weights, grads, stats] = call.slots();
    let (weights, grads, stats) = (weights.f(), grads.out(), stats.out());
    let (two, scale) = (T::of(2.0), T::one() / T::of(c as f64));
    for r in 0..replicas {
        let w = &weights[r * count..][..count];
        let grads = &mut grads[r * count..][..count];
        grads.fill(T::zero());
        let mut total = T::zero();
        for i in 0..c {
            for j in 0..c {
                let a = w[i] * w[j] + w[c + i] * w[c + j];
                let b = w[2 * c + j];
                let own = if i == j { T::one() } else { T::zero() };
                let (s, t) = piece(a, b);
                // ∫ 1, u and u² over the piece.
                let one = t - s;
                let first = one * (s + t) / two;
                let second = one * (s * s + s * t + t * t) / T::of(3.0);
                let p = a - own;
                total += p * p * second
                    + two * p * b * first
                    + b * b * one
                    + own * (T::of(1.0 / 3.0) - second);
                let slope = scale * two * (p * second + b * first);
                for side in [0, c] {
                    grads[side + i] += slope * w[side + j];
                    grads[side + j] += slope * w[side + i];
                }
                grads[2 * c + j] += scale * two * (p * first + b * one);
            }
        }
        put(stats, slot * replicas + r, total * scale, w);
    }
}

/// Launches that device checks run.
#[must_use]
pub fn cases() -> Vec<Launch> {
    vec![
        (vec![6], vec![], 9, "six features"),
        (vec![10], vec![], 3, "ten"),
        (vec![3], vec![], 1, "three"),
    ]
}
