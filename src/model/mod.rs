//! Models: what they consist of, how they start, and the plan nodes that run them.
//! Knows kernels and plans; knows no device, no task and no optimiser.

mod compile;
pub mod modadd;
mod parts;
mod passes;
mod probes;
mod products;
mod smear;
mod solu;
mod spec;
pub mod tms;

pub use compile::{Data, Io, Transformer};
pub use parts::PARTS;
pub use spec::{Act, Norm, Positions, Spec};
