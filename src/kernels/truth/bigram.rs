//! A table of logits under its population cross-entropy.

use super::put;
use crate::optim::Launch;
use crate::{Call, Kernel, read, write};
use lambdahat_math::Real;

/// Largest vocabulary.
pub const MAX_VOCAB: usize = 16;

/// L = mean over contexts of KL(uniform ‖ softmax(row)): the cross-entropy above its minimum ln V,
/// so that small differences are not lost beside it. `weights` and `grads [replica][context][next]`,
/// `stats [slot][replica][4]`.
pub const BIGRAM: Kernel = Kernel {
    name: "truth/bigram",
    source: crate::shader!("../../../shaders/truth/bigram.wgsl"),
    consts: &["vocab"],
    params: &[],
    bindings: &[read("weights"), write("grads"), write("stats")],
    grid: |_| [1, 1],
    needs: |c, _, r| {
        let count = r * (c[0] * c[0]) as usize;
        vec![count, count, 4 * r]
    },
    tolerance: 2e-5,
    twin: crate::twin!(bigram),
};

/// Σ c_n x^n by Horner's rule.
fn polynomial<T: Real>(x: T, coefficients: &[f64]) -> T {
    let from_last = coefficients.iter().rev();
    from_last.fold(T::zero(), |sum, &c| sum * x + T::of(c))
}

/// e^d − 1 − d: the series where the difference would cancel.
fn excess<T: Real>(d: T) -> T {
    if d.abs() > T::of(0.5) {
        return d.exp() - T::one() - d;
    }
    let series = [
        1.0 / 2.0,
        1.0 / 6.0,
        1.0 / 24.0,
        1.0 / 120.0,
        1.0 / 720.0,
        1.0 / 5040.0,
        1.0 / 40320.0,
    ];
    d * d * polynomial(d, &series)
}

/// ln(1 + x) for x ≥ 0, as 2·atanh(x/(2 + x)).
fn log_one_plus<T: Real>(x: T) -> T {
    if x > T::one() {
        return (T::one() + x).ln();
    }
    let s = x / (T::of(2.0) + x);
    let odd = [
        1.0,
        1.0 / 3.0,
        0.2,
        1.0 / 7.0,
        1.0 / 9.0,
        1.0 / 11.0,
        1.0 / 13.0,
        1.0 / 15.0,
    ];
    T::of(2.0) * s * polynomial(s * s, &odd)
}

fn bigram<T: Real>(mut call: Call<'_, T>) {
    let [vocab] = call.consts();
    let count = vocab * vocab;
    let scale = T::one() / T::of(vocab as f64);
    let (slot, replicas) = (call.step.slot as usize, call.replicas.len());
    let [weights, grads, stats] = call.slots();
    let (weights, grads, stats) = (weights.f(), grads.out(), stats.out());
    for r in 0..replicas {
        let w = &weights[r * count..][..count];
        let mut loss = T::zero();
        let rows = w.chunks_exact(vocab);
        for (row, grads) in rows.zip(grads[r * count..].chunks_exact_mut(vocab)) {
            let mean = row.iter().fold(T::zero(), |s, &z| s + z) * scale;
            let above = row.iter().fold(T::zero(), |s, &z| s + excess(z - mean)) * scale;
            loss += log_one_plus(above);
            for (g, &z) in grads.iter_mut().zip(row) {
                let d = z - mean;
                *g = scale * scale * (d + excess(d) - above) / (T::one() + above);
            }
        }
        put(stats, slot * replicas + r, loss * scale, w);
    }
}

/// Launches that device checks run.
#[must_use]
pub fn cases() -> Vec<Launch> {
    vec![
        (vec![4], vec![], 9, "four tokens"),
        (vec![16], vec![], 2, "sixteen"),
        (vec![2], vec![], 1, "two"),
    ]
}
