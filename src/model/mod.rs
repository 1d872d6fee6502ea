//! Models: what a transformer consists of, how it starts, and the plan nodes that run it.
//! Knows kernels and plans; knows no device, no task and no optimiser.

mod compile;
mod passes;
mod products;
mod spec;
pub mod tms;

pub use compile::{Data, Io, Transformer};
pub use spec::{Act, Norm, Positions, Spec};
