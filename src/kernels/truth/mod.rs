//! Potentials whose posteriors are known: the models of the gallery `truth`. Each writes the mean
//! loss of its replica, its first two coordinates, and the gradient, in one launch.
//! One workgroup a replica: these models are small, and what counts is many chains at once.

pub mod bigram;
pub mod deep_linear;
pub mod linreg;
pub mod monomials;
pub mod superposition;
pub mod tanh;

pub use bigram::BIGRAM;
pub use deep_linear::DEEP_LINEAR;
pub use linreg::LINREG;
pub use monomials::MONOMIALS;
pub use superposition::SUPERPOSITION;
pub use tanh::TANH;

use lambdahat_math::Real;

/// Writes one replica's row of `stats [slot][replica][4]`: the loss, the first two of its weights.
fn put<T: Real>(stats: &mut [T], row: usize, loss: T, weights: &[T]) {
    let coordinate = |i: usize| weights.get(i).copied().unwrap_or_else(T::zero);
    stats[row * 4..][..4].copy_from_slice(&[loss, coordinate(0), coordinate(1), T::zero()]);
}
