//! A sum of monomials: quadratics, powers, normal crossings.

use super::put;
use crate::optim::Launch;
use crate::{Call, Kernel, read, read_u32, write};
use lambdahat_math::Real;

/// L = Σ_t c_t ∏_i w_i^(k_ti) with whole k ≥ 0, and its gradient. `coefficients [terms]`, `powers
/// [terms][count]`, `weights` and `grads [replica][count]`, `stats [slot][replica][4]`.
pub const MONOMIALS: Kernel = Kernel {
    name: "truth/monomials",
    source: crate::shader!("../../../shaders/truth/monomials.wgsl"),
    consts: &["count", "terms"],
    params: &[],
    bindings: &[
        read("coefficients"),
        read_u32("powers"),
        read("weights"),
        write("grads"),
        write("stats"),
    ],
    grid: |_| [1, 1],
    needs: |c, _, r| {
        let [count, terms] = [c[0], c[1]].map(|x| x as usize);
        vec![terms, terms * count, r * count, r * count, 4 * r]
    },
    tolerance: 2e-5,
    twin: crate::twin!(monomials),
};

fn monomials<T: Real>(mut call: Call<'_, T>) {
    let [count, terms] = call.consts();
    let (slot, replicas) = (call.step.slot as usize, call.replicas.len());
    let [coefficients, powers, weights, grads, stats] = call.slots();
    let (coefficients, powers, weights) = (coefficients.f(), powers.u(), weights.f());
    let (grads, stats) = (grads.out(), stats.out());
    let power = |x: T, k: u32| (0..k).fold(T::one(), |p, _| p * x);
    for r in 0..replicas {
        let w = &weights[r * count..][..count];
        // Term t without coordinate `but`.
        let term = |t: usize, but: usize| {
            let row = powers[t * count..][..count].iter().zip(w).enumerate();
            row.filter(|(i, _)| *i != but)
                .fold(coefficients[t], |p, (_, (&k, &x))| p * power(x, k))
        };
        for (j, g) in grads[r * count..][..count].iter_mut().enumerate() {
            *g = T::zero();
            for t in 0..terms {
                let k = powers[t * count + j];
                if k > 0 {
                    *g += T::of(f64::from(k)) * power(w[j], k - 1) * term(t, j);
                }
            }
        }
        let loss = (0..terms).fold(T::zero(), |sum, t| sum + term(t, count));
        put(stats, slot * replicas + r, loss, w);
    }
}

/// Launches that device checks run.
#[must_use]
pub fn cases() -> Vec<Launch> {
    vec![
        (vec![2, 1], vec![], 9, "a crossing"),
        (vec![1, 1], vec![], 2, "one coordinate"),
        (vec![70, 3], vec![], 2, "more coordinates than lanes"),
    ]
}

/// Words for `powers`: 0 to 4, seldom more than 0 where there are many coordinates.
#[must_use]
pub fn fill(consts: &[u32], _binding: &str, len: usize) -> Vec<u32> {
    let every = consts.first().map_or(1, |&count| 1 + count / 8);
    (0..len as u32)
        .map(|i| if i % every == 0 { i / every % 5 } else { 0 })
        .collect()
}
