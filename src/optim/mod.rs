//! Optimisers and samplers as plan appenders, and schedules as pure functions of the step.
//! Knows kernels and plans; knows no model and no device.

mod sampler;

use crate::kernels::{Step, optim};
use crate::plan::{Buf, Plan, PlanError, Prog};
pub use sampler::{Chain, Sampler, chain_step, chain_table, sample};

/// What an update reads and moves.
#[derive(Clone, Copy, Debug)]
pub struct Update {
    /// Parameters of one replica.
    pub count: usize,
    /// Partials of the gradient.
    pub splits: usize,
    /// `[replica][splits][count]`.
    pub grads: Buf,
    /// `[replica][count]`.
    pub weights: Buf,
}

impl Update {
    fn consts(&self) -> Result<[u32; 2], PlanError> {
        Ok([word(self.count)?, word(self.splits)?])
    }
}

fn word(n: usize) -> Result<u32, PlanError> {
    u32::try_from(n).map_err(|_| PlanError(format!("{n} does not fit in 32 bits")))
}

/// Appends SGD with momentum; `velocity [replica][count]` starts at zero.
/// Learning rate and decoupled weight decay are the replica's, [`Step::schedule`] multiplies the rate.
///
/// # Errors
/// A buffer that does not fit.
pub fn sgd(
    plan: &mut Plan,
    prog: Prog,
    update: &Update,
    momentum: f64,
    velocity: Buf,
) -> Result<(), PlanError> {
    let params = [(momentum as f32).to_bits()];
    plan.push(
        prog,
        &optim::SGD,
        &update.consts()?,
        &params,
        &[update.grads, update.weights, velocity],
    )
}

/// The constants of AdamW.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW {
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub eps: f64,
}

/// Appends AdamW; the moments `m` and `v`, both `[replica][count]`, start at zero. The steps must
/// carry the bias corrections of the same betas ([`step`]).
///
/// # Errors
/// A buffer that does not fit.
pub fn adamw(
    plan: &mut Plan,
    prog: Prog,
    update: &Update,
    with: AdamW,
    m: Buf,
    v: Buf,
) -> Result<(), PlanError> {
    adaptive(plan, prog, update, with, [m, v], 0)
}

/// Appends Adam as `torch.optim.Adam(weight_decay=…)`: like [`adamw`], but the decay is an L2
/// term, added to the gradient before the moments.
///
/// # Errors
/// A buffer that does not fit.
pub fn adam(
    plan: &mut Plan,
    prog: Prog,
    update: &Update,
    with: AdamW,
    m: Buf,
    v: Buf,
) -> Result<(), PlanError> {
    adaptive(plan, prog, update, with, [m, v], 1)
}

fn adaptive(
    plan: &mut Plan,
    prog: Prog,
    update: &Update,
    with: AdamW,
    [m, v]: [Buf; 2],
    l2: u32,
) -> Result<(), PlanError> {
    let params = [with.beta1, with.beta2, with.eps].map(|x| (x as f32).to_bits());
    let [count, splits] = update.consts()?;
    plan.push(
        prog,
        &optim::ADAMW,
        &[count, splits, l2],
        &params,
        &[update.grads, update.weights, m, v],
    )
}

/// Factor of the learning rate at a step under linear warm-up: (t+1)/`steps`, then 1.
#[must_use]
pub fn warmup(step: u64, steps: u64) -> f64 {
    if step >= steps {
        1.0
    } else {
        (step + 1) as f64 / steps as f64
    }
}

/// 1 − β^(t+1), the weight of a running mean that started at zero; exact to rounding for small
/// steps too, where the difference cancels.
#[must_use]
pub fn bias_correction(beta: f64, step: u64) -> f64 {
    -((step + 1) as f64 * beta.ln()).exp_m1()
}

/// The step table's entry of a training step, slot 0: the schedule's factor and AdamW's bias
/// corrections for `betas`. An optimiser without betas ignores them.
#[must_use]
pub fn step(index: u64, schedule: f64, betas: [f64; 2]) -> Step {
    Step {
        index: index as u32,
        schedule: schedule as f32,
        bias1: bias_correction(betas[0], index) as f32,
        bias2: bias_correction(betas[1], index) as f32,
        ..Step::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules() {
        assert_eq!(
            [
                warmup(0, 100),
                warmup(49, 100),
                warmup(99, 100),
                warmup(500, 100)
            ],
            [0.01, 0.5, 1.0, 1.0]
        );
        assert_eq!(warmup(0, 0), 1.0);
        assert!((bias_correction(0.9, 0) - 0.1).abs() < 1e-15);
        assert!((bias_correction(0.98, 2) - (1.0 - 0.98f64.powi(3))).abs() < 1e-15);
        // β = 0 is no averaging: the mean is the newest value.
        assert_eq!(bias_correction(0.0, 5), 1.0);
    }
}
