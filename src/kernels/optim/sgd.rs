//! SGD with momentum.

use super::{Launch, sum};
use crate::{Call, Kernel, float, read, update};
use lambdahat_math::Real;

/// SGD with momentum, PyTorch's convention (v = μv + g; w −= lr·v), weight decay decoupled.
///
/// The learning rate and the decay are the replica's, the factor of the learning rate the step's.
pub const SGD: Kernel = Kernel {
    name: "optim/sgd",
    source: crate::shader!("../../../shaders/optim/sgd.wgsl"),
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

/// Launches of [`SGD`] that device checks run.
#[must_use]
pub fn cases() -> Vec<Launch> {
    let p = vec![0.9f32.to_bits()];
    vec![
        (vec![18, 1], p.clone(), 5, "tms"),
        (vec![1030, 3], p, 2, "splits, ragged"),
    ]
}
