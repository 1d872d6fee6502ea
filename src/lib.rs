//! lambdahat: train toy models on the visitor's own GPU, run SGLD around their checkpoints,
//! and draw loss, λ̂ (the local learning coefficient) and logit-PCA live.
//!
//! `ARCHITECTURE.md`, beside this file, says which module may know which.

pub mod app;
#[cfg(not(target_arch = "wasm32"))]
pub mod cli;
pub mod engine;
pub mod estimate;
pub mod exec;
pub mod experiments;
pub mod instruments;
pub mod json;
pub mod knobs;
pub mod model;
pub mod optim;
pub mod plan;
pub mod plot;
pub mod protocol;
pub mod store;
pub mod tasks;
pub mod tensor;
#[cfg(target_arch = "wasm32")]
pub mod ui;

// Crates of their own, because they are compiled for speed and everything else for size.
pub use lambdahat_kernels as kernels;
pub use lambdahat_math as math;

/// The version every link, record and run file carries.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
