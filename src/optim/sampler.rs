//! Samplers around w*: which there are, what they remember, and what the step table tells them.

use super::{Update, word};
use crate::kernels::optim::{BLOCK, MALA, SGLD, SUMS};
use crate::kernels::{Replica, Step};
use crate::plan::{Buf, Plan, PlanError, Prog};

/// Decay of the second moment of RMSprop-SGLD, and what is added to its root: devinterp's defaults.
const RMSPROP: [f32; 2] = [0.99, 0.1];

/// Losses of a replica at a step, which MALA keeps with its state.
const LOSSES: usize = 4;

/// How the chains move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sampler {
    /// Plain SGLD.
    #[default]
    Sgld,
    /// SGLD preconditioned as RMSprop does, frozen after burn-in.
    Rmsprop,
    /// Langevin proposals, accepted or rejected; needs a loss without minibatch noise.
    Mala,
}

impl Sampler {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sgld, Self::Rmsprop, Self::Mala];

    /// As in a link: `sgld`, `rmsprop` or `mala`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sgld => "sgld",
            Self::Rmsprop => "rmsprop",
            Self::Mala => "mala",
        }
    }
    /// The sampler of that word; plain SGLD for any other.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        let found = Self::ALL.into_iter().find(|s| s.word() == word);
        found.unwrap_or_default()
    }
    /// RMSprop's G of a weight at V: by how much its step is longer than ε.
    #[must_use]
    pub fn gain(v: f64) -> f64 {
        1.0 / (v.sqrt() + f64::from(RMSPROP[1]))
    }
    /// The greatest G there is: at V = 0 with RMSprop, else 1.
    #[must_use]
    pub fn most_gain(self) -> f64 {
        match self {
            Self::Rmsprop => Self::gain(0.0),
            Self::Sgld | Self::Mala => 1.0,
        }
    }
    /// Floats a replica of `count` parameters remembers from step to step.
    #[must_use]
    pub const fn memory(self, count: usize) -> usize {
        match self {
            Self::Sgld => 2 * count,
            Self::Rmsprop => 3 * count,
            Self::Mala => 3 * count + LOSSES,
        }
    }
    /// Floats of `sums` a replica of `count` parameters leaves at each step.
    #[must_use]
    pub const fn sums(self, count: usize) -> usize {
        match self {
            Self::Sgld | Self::Rmsprop => count.div_ceil(BLOCK) * SUMS,
            Self::Mala => SUMS,
        }
    }
}

/// What a sampler works on; `update` holds the gradients and the weights of the chains.
#[derive(Clone, Copy, Debug)]
pub struct Chain {
    /// Gradients and weights.
    pub update: Update,
    /// `[anchors][count]`: w*.
    pub anchor: Buf,
    /// Rows of `anchor`.
    pub anchors: usize,
    /// `[count]`: the mask bit of each parameter, below 64.
    pub groups: Buf,
    /// `[replica][`[`Sampler::memory`]`]`: carried from step to step, taken for zero at step 0.
    pub memory: Buf,
    /// `[slot][replica][STATS]`: the losses, which MALA sets to those of the state that stands.
    pub stats: Buf,
    /// `[slot][replica][`[`Sampler::sums`]`]`, described at [`SUMS`].
    pub sums: Buf,
}

/// Appends a sampler. nβ, γ, ε, seed, mask and the row of the anchor are the replica's; the steps
/// must be those of [`chain_step`].
///
/// # Errors
/// A buffer that does not fit.
pub fn sample(
    plan: &mut Plan,
    prog: Prog,
    sampler: Sampler,
    chain: &Chain,
) -> Result<(), PlanError> {
    let Chain {
        update,
        anchor,
        groups,
        memory,
        stats,
        sums,
        ..
    } = *chain;
    let (anchors, [count, splits]) = (word(chain.anchors)?, update.consts()?);
    let Update { grads, weights, .. } = update;
    if sampler == Sampler::Mala {
        let buffers = [grads, anchor, groups, weights, memory, stats, sums];
        return plan.push(prog, &MALA, &[count, splits], &[anchors], &buffers);
    }
    let precondition = u32::from(sampler == Sampler::Rmsprop);
    let [alpha, damping] = RMSPROP.map(f32::to_bits);
    plan.push(
        prog,
        &SGLD,
        &[count, splits, precondition],
        &[anchors, alpha, damping],
        &[grads, anchor, groups, weights, memory, sums],
    )
}

/// The step table's entry of a chain step, slot 0: RMSprop's V moves during burn-in (schedule 1) and
/// stays where it is afterwards (0).
#[must_use]
pub fn chain_step(step: u64, burnin: u64) -> Step {
    Step {
        index: step as u32,
        schedule: if step < burnin { 1.0 } else { 0.0 },
        ..Step::default()
    }
}

/// The replica table of one estimate: the chains, each with its `seed`, then the anchor, which a
/// step size of 0 keeps at w*.
#[must_use]
pub fn chain_table(chain: Replica, chains: usize, seed: impl Fn(u32) -> u32) -> Vec<Replica> {
    let mut table: Vec<Replica> = (0..=chains as u32)
        .map(|c| Replica {
            seed: seed(c),
            ..chain
        })
        .collect();
    if let Some(anchor) = table.last_mut() {
        anchor.eps = 0.0;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_steps() {
        for s in Sampler::ALL {
            assert_eq!(Sampler::parse(s.word()), s);
        }
        assert_eq!(Sampler::parse("hmc"), Sampler::Sgld);
        let schedule = |t| chain_step(t, 2).schedule;
        assert_eq!([0, 1, 2, 9].map(schedule), [1.0, 1.0, 0.0, 0.0]);
        let table = chain_table(
            Replica {
                eps: 0.5,
                ..Replica::default()
            },
            2,
            |c| 7 + c,
        );
        assert_eq!(
            table.iter().map(|r| (r.seed, r.eps)).collect::<Vec<_>>(),
            [(7, 0.5), (8, 0.5), (9, 0.0)]
        );
    }
}
