//! Numbers only: no tensors, no devices, no models.

pub mod linalg;
pub mod order;
pub mod philox;
pub mod real;
pub mod stats;

pub use philox::{Stream, normal, philox4x32, uniform_index};
pub use real::Real;
