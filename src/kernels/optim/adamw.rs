//! AdamW.

use super::{Launch, sum};
use crate::{Call, Kernel, float, read, update};
use lambdahat_math::Real;

/// AdamW (Loshchilov & Hutter 2019, "Decoupled weight decay regularization") as PyTorch computes
/// it: `adam_eps` is added after the root of the bias-corrected second moment. The bias
/// corrections 1 − β^(t+1) come from the step. With `l2` = 1 it is Adam (Kingma & Ba 2015): the
/// decay is not decoupled but added to the gradient, wd·w, and passes through both moments.
pub const ADAMW: Kernel = Kernel {
    name: "optim/adamw",
    source: crate::shader!("../../../shaders/optim/adamw.wgsl"),
    consts: &["count", "splits", "l2"],
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
    let [count, splits, l2] = call.consts();
    let (beta1, beta2, eps) = (call.float(0), call.float(1), call.float(2));
    let (step, table) = (call.step, call.replicas);
    let (bias1, bias2) = (T::of32(step.bias1), T::of32(step.bias2));
    let one = T::one();
    let [grads, weights, m, v] = call.slots();
    let (grads, weights, m, v) = (grads.f(), weights.out(), m.out(), v.out());
    for (r, replica) in table.iter().enumerate() {
        let lr = T::of32(replica.lr) * T::of32(step.schedule);
        let wd = T::of32(replica.wd);
        let (keep, pull) = if l2 == 1 {
            (one, wd)
        } else {
            (one - lr * wd, T::zero())
        };
        let partials = &grads[r * splits * count..][..splits * count];
        let moments = m[r * count..][..count]
            .iter_mut()
            .zip(&mut v[r * count..][..count]);
        let rows = weights[r * count..][..count].iter_mut().zip(moments);
        for (i, (w, (m, v))) in rows.enumerate() {
            let g = sum(partials, count, i) + pull * *w;
            *m = beta1 * *m + (one - beta1) * g;
            *v = beta2 * *v + (one - beta2) * g * g;
            *w = keep * *w - lr * (*m / bias1) / ((*v / bias2).sqrt() + eps);
        }
    }
}

/// Launches of [`ADAMW`] that device checks run.
#[must_use]
pub fn cases() -> Vec<Launch> {
    let p: Vec<u32> = [0.9f32, 0.98, 1e-8].map(f32::to_bits).to_vec();
    vec![
        (vec![18, 1, 0], p.clone(), 5, "tms"),
        (vec![1030, 8, 0], p.clone(), 2, "splits, ragged"),
        (vec![130, 2, 1], p, 2, "decay in the gradient"),
    ]
}
