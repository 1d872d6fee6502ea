//! A one-input tanh net whose truth is zero.

use super::put;
use crate::optim::Launch;
use crate::{Call, Kernel, read, write};
use lambdahat_math::Real;

/// L = Σ_k q_k·½f(x_k)² with f(x) = Σ_h b_h tanh(a_h x), and its gradient. `nodes [2][points]`: x,
/// then q (at most 64 points); `weights` and `grads [replica][a [hidden], b [hidden]]`; `stats
/// [slot][replica][4]`.
pub const TANH: Kernel = Kernel {
    name: "truth/tanh",
    source: crate::shader!("../../../shaders/truth/tanh.wgsl"),
    consts: &["hidden", "points"],
    params: &[],
    bindings: &[
        read("nodes"),
        read("weights"),
        write("grads"),
        write("stats"),
    ],
    grid: |_| [1, 1],
    needs: |c, _, r| {
        let count = r * 2 * c[0] as usize;
        vec![2 * c[1] as usize, count, count, 4 * r]
    },
    tolerance: 2e-5,
    twin: crate::twin!(tanh),
};

/// tanh as the shader computes it: a continued fraction near 0, the exponential elsewhere.
fn squash<T: Real>(v: T) -> T {
    let q = v * v;
    if q < T::of(0.25) {
        let inner = [9.0, 7.0, 5.0, 3.0, 1.0].map(T::of);
        let fraction = inner[1..].iter().fold(inner[0], |below, &n| n + q / below);
        return v / fraction;
    }
    let e = (v + v).max(T::of(-80.0)).min(T::of(80.0)).exp();
    T::one() - T::of(2.0) / (e + T::one())
}

fn tanh<T: Real>(mut call: Call<'_, T>) {
    let [hidden, points] = call.consts();
    let (slot, replicas) = (call.step.slot as usize, call.replicas.len());
    let [nodes, weights, grads, stats] = call.slots();
    let (nodes, weights, grads, stats) = (nodes.f(), weights.f(), grads.out(), stats.out());
    let (xs, qs) = nodes.split_at(points);
    for r in 0..replicas {
        let w = &weights[2 * hidden * r..][..2 * hidden];
        let (a, b) = w.split_at(hidden);
        let grads = &mut grads[2 * hidden * r..][..2 * hidden];
        grads.fill(T::zero());
        let mut loss = T::zero();
        for (&x, &q) in xs.iter().zip(qs) {
            let units = a.iter().zip(b);
            let f = units.fold(T::zero(), |f, (&a, &b)| f + b * squash(a * x));
            loss += T::of(0.5) * q * f * f;
            for h in 0..hidden {
                let t = squash(a[h] * x);
                grads[h] += q * f * (b[h] * (T::one() - t * t) * x);
                grads[hidden + h] += q * f * t;
            }
        }
        put(stats, slot * replicas + r, loss, w);
    }
}

/// Launches that device checks run.
#[must_use]
pub fn cases() -> Vec<Launch> {
    vec![
        (vec![4, 16], vec![], 9, "four units"),
        (vec![16, 64], vec![], 2, "sixteen"),
        (vec![1, 3], vec![], 1, "one unit"),
    ]
}
