//! Deep linear networks under their population loss.

use super::put;
use crate::optim::Launch;
use crate::{Call, Kernel, read, write};
use lambdahat_math::Real;

/// Widest layer, and most layers, the shader has workgroup memory for.
pub const SIDE: usize = 8;
/// Most layers.
pub const LAYERS: usize = 6;

/// L = ½‖W_L ⋯ W_1 − A‖², the population loss for inputs of unit covariance, and its gradient.
/// Widths `h0 … h6`, 0 where there is no layer; `truth` A `[h_L][h_0]`; `weights` and `grads
/// [replica][W_1 [h_1][h_0], W_2 [h_2][h_1], …]`; `stats [slot][replica][4]`.
pub const DEEP_LINEAR: Kernel = Kernel {
    name: "truth/deep_linear",
    source: crate::shader!("../../../shaders/truth/deep_linear.wgsl"),
    consts: &["h0", "h1", "h2", "h3", "h4", "h5", "h6"],
    params: &[],
    bindings: &[
        read("truth"),
        read("weights"),
        write("grads"),
        write("stats"),
    ],
    grid: |_| [1, 1],
    needs: |c, _, r| {
        let widths = layers(c);
        let count = r * size(&widths);
        let truth = widths.first().map_or(0, |a| a * widths[widths.len() - 1]);
        vec![truth, count, count, 4 * r]
    },
    tolerance: 2e-5,
    twin: crate::twin!(deep_linear),
};

/// The widths that are there.
fn layers(consts: &[u32]) -> Vec<usize> {
    let there = consts.iter().take_while(|&&h| h > 0);
    there.map(|&h| h as usize).collect()
}

/// Parameters of a network of those widths.
#[must_use]
pub fn size(widths: &[usize]) -> usize {
    widths.windows(2).map(|w| w[0] * w[1]).sum()
}

/// `a [rows][inner]` times `b [inner][columns]`.
fn times<T: Real>(a: &[T], b: &[T], inner: usize) -> Vec<T> {
    let columns = b.len() / inner;
    let mut out = Vec::with_capacity(a.len() / inner * columns);
    for row in a.chunks_exact(inner) {
        for c in 0..columns {
            let terms = row.iter().zip(b.iter().skip(c).step_by(columns));
            out.push(terms.fold(T::zero(), |s, (&x, &y)| s + x * y));
        }
    }
    out
}

/// The transpose of `a [rows][columns]`.
fn transposed<T: Real>(a: &[T], columns: usize) -> Vec<T> {
    (0..columns)
        .flat_map(|c| a.iter().skip(c).step_by(columns).copied())
        .collect()
}

fn deep_linear<T: Real>(mut call: Call<'_, T>) {
    let widths = layers(call.consts);
    let count = size(&widths);
    let (slot, replicas) = (call.step.slot as usize, call.replicas.len());
    let [truth, weights, grads, stats] = call.slots();
    let (truth, weights, grads, stats) = (truth.f(), weights.f(), grads.out(), stats.out());
    let h0 = widths[0];
    for r in 0..replicas {
        let w = &weights[r * count..][..count];
        let mut identity = vec![T::zero(); h0 * h0];
        identity
            .iter_mut()
            .step_by(h0 + 1)
            .for_each(|x| *x = T::one());
        let mut products = vec![identity];
        let mut at = 0;
        for pair in widths.windows(2) {
            let len = pair[0] * pair[1];
            let before = &products[products.len() - 1];
            products.push(times(&w[at..][..len], before, pair[0]));
            at += len;
        }
        let Some(mut error) = products.pop() else {
            continue;
        };
        error.iter_mut().zip(truth).for_each(|(e, &a)| *e -= a);
        let loss = error.iter().fold(T::zero(), |s, &e| s + e * e);
        put(stats, slot * replicas + r, T::of(0.5) * loss, w);
        // From the last layer back, `error` becomes (W_L ⋯ W_(l+1))ᵀE.
        for pair in widths.windows(2).rev() {
            let len = pair[0] * pair[1];
            at -= len;
            let before = transposed(&products.pop().unwrap_or_default(), h0);
            grads[r * count + at..][..len].copy_from_slice(&times(&error, &before, h0));
            error = times(&transposed(&w[at..][..len], pair[0]), &error, pair[1]);
        }
    }
}

/// Launches that device checks run.
#[must_use]
pub fn cases() -> Vec<Launch> {
    vec![
        (vec![3, 3, 3, 0, 0, 0, 0], vec![], 9, "two layers"),
        (vec![2, 8, 5, 7, 8, 3, 6], vec![], 2, "six unlike layers"),
        (vec![4, 1, 0, 0, 0, 0, 0], vec![], 2, "one layer"),
    ]
}
