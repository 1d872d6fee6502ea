//! Optimisers and samplers: one launch over the whole arena of every replica.
//!
//! Gradients come as partials `grads [replica][splits][count]`, which each kernel sums in the order
//! of the splits; `count` is the parameters of one replica.

use super::Replica;
use lambdahat_math::Real;

mod adamw;
mod mala;
mod sgd;
mod sgld;

pub use adamw::{ADAMW, cases as adamw_cases};
pub use mala::{MALA, cases as mala_cases};
pub use sgd::{SGD, cases as sgd_cases};
pub use sgld::{SGLD, cases as sgld_cases};

/// Sums a sampler leaves of each step, by workgroup: `sums [slot][replica][blocks][SUMS]`.
///
/// With force F = nβ·g, pull P = γ(w − w*), their sum ∇U, noise ξ and preconditioner G, over the
/// parameters that move: 0 ΣF², 1 ΣP², 2 Σ(w − w*)², 3 Σξ², 6 ΣFP. At 4 and 5, SGLD leaves what
/// the acceptance of the move just made is computed from, ΣG(∇U + ∇U₋)² and Σ√G(∇U + ∇U₋)ξ₋ with
/// the previous step's gradient and noise, MALA the acceptance itself and whether it was taken.
pub const SUMS: usize = 8;

/// The `schedule` of a step in which the chains stand still: only the losses before it are wanted.
pub const LOOK: f32 = -1.0;

/// Parameters whose sums make one block of SGLD.
pub const BLOCK: usize = 256;

/// The gradient of parameter `i`: its partials `[splits][count]` in the order of the splits.
fn sum<T: Real>(partials: &[T], count: usize, i: usize) -> T {
    partials
        .iter()
        .skip(i)
        .step_by(count)
        .fold(T::zero(), |g, &x| g + x)
}

/// Whether a parameter of that group moves in this replica.
fn moves(replica: &Replica, group: u32) -> bool {
    let mask = if group < 32 {
        replica.mask_lo
    } else {
        replica.mask_hi
    };
    (mask >> (group & 31)) & 1 == 1
}

/// Consts, params, replicas and label of one launch for device checks.
pub type Launch = (Vec<u32>, Vec<u32>, usize, &'static str);

/// Words for the `groups` of the samplers: all sixty-four groups.
#[must_use]
pub fn fill(_consts: &[u32], _binding: &str, len: usize) -> Vec<u32> {
    (0..len).map(|i| (i as u32 * 7) % 64).collect()
}
